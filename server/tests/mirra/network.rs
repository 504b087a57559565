//! `fetch` in a handler: it reaches the hosts that were named and no other, and what it asks for is bounded.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::LazyLock,
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ended, Server, mirra, run, write};

const SOURCE: &str = r#"
export async function handler({ url, times, read }) {
  const one = async () => {
    try {
      const response = await fetch(url);
      return read ? [response.status, await response.text()] : response.status;
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  };
  if (!times) return one();
  const counts = {};
  for (const answer of await Promise.all(Array.from({ length: times }, one))) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}
"#;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("get.js"), SOURCE);
    folder
});

fn get(event: &Value, flags: &[&str]) -> Ended {
    let handler = FOLDER.path().join("get.js");
    run(&mut mirra(&[&["run", handler.to_str().unwrap(), "--event", &event.to_string()], flags].concat()), "")
}

/// Answers each request by its path.
fn serve(answer: fn(&str) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let one = move |mut stream: TcpStream| {
        let mut head = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut head) {
            let path = String::from_utf8_lossy(&head[..length]).split(' ').nth(1).unwrap_or_default().to_owned();
            if stream.write_all(answer(&path).as_bytes()).is_err() {
                return;
            }
            if path == "/endless" {
                while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
                return;
            }
        }
    };
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || one(stream)))));
    address
}

fn peer(path: &str) -> String {
    let ok = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    match path.split_once("?to=") {
        Some((_, to)) => format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"),
        None if path == "/endless" => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        None => ok(path),
    }
}

#[test]
fn nothing_is_reached_that_was_not_named() {
    let (named, other) = (serve(peer), serve(peer));
    let allowed = named.to_string();
    let url = |address: SocketAddr, path: &str| json!({ "url": format!("http://{address}{path}"), "read": true });
    assert_eq!(get(&url(named, "/a"), &["--allow-net", &allowed]).json(), json!([200, "/a"]));
    let refused = |event: &Value, flags: &[&str]| {
        let answer = get(event, flags).json();
        let message = answer.as_str().unwrap_or_else(|| panic!("{event} was answered {answer}"));
        assert!(message.starts_with("TypeError: fetch failed: "), "{message}");
        message.to_owned()
    };
    assert!(refused(&url(named, "/"), &[]).contains("--allow-net"));
    refused(&url(other, "/"), &["--allow-net", &allowed]);
    // By a redirect, too.
    refused(&url(named, &format!("/?to=http://{other}/")), &["--allow-net", &allowed]);
    assert_eq!(get(&url(named, "/?to=/there"), &["--allow-net", &allowed]).json(), json!([200, "/there"]));
    // What a wildcard lets through does not lead to this machine, whatever it is called.
    let port = named.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "2130706433"] {
        refused(&json!({ "url": format!("http://{host}:{port}/") }), &["--allow-net", &format!("*:{port}")]);
    }
    for url in ["file:///etc/passwd", "ftp://example.com/", "http://user:password@example.com/"] {
        let answer = get(&json!({ "url": url }), &["--allow-net", &allowed]).json();
        assert!(answer.as_str().unwrap().starts_with("TypeError: "), "{answer}");
    }
}

#[test]
fn what_is_asked_for_is_bounded() {
    let named = serve(peer);
    let server = Server::start_with(&[FOLDER.path()], &["--allow-net", &named.to_string()], |_| {});
    let call = |event: Value| server.call("get", &event.to_string());
    let endless = call(json!({ "url": format!("http://{named}/endless"), "read": true })).json();
    assert!(endless.as_str().unwrap().starts_with("TypeError: fetch failed: "), "{endless}");
    let counts = call(json!({ "url": format!("http://{named}/many"), "times": 10_000 })).json();
    let of = |status: &str| counts[status].as_u64().unwrap_or(0);
    assert!(of("200") > 0 && of("200") <= 1_000, "{counts}");
    assert_eq!(counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 10_000, "{counts}");
    assert_eq!(call(json!({ "url": format!("http://{named}/after") })).json(), 200);
}
