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
    assert!(endless.as_str().unwrap().starts_with("TypeError: terminated: "), "{endless}");
    let counts = call(json!({ "url": format!("http://{named}/many"), "times": 10_000 })).json();
    let of = |status: &str| counts[status].as_u64().unwrap_or(0);
    assert!(of("200") > 0 && of("200") <= 1_000, "{counts}");
    assert_eq!(counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 10_000, "{counts}");
    assert_eq!(call(json!({ "url": format!("http://{named}/after") })).json(), 200);
}

/// A handler's folder may say which hosts it wants to reach. That leaves out, and never adds.
#[test]
fn a_handlers_own_hosts_are_all_it_reaches() {
    let (named, other) = (serve(peer), serve(peer));
    let both = format!("{named},{other}");
    let python = "import urllib.request\n\ndef handler(event, context):\n    try:\n        return urllib.request.urlopen(event['url']).status\n    \
                  except OSError as error:\n        return str(error)\n";
    let folders = [
        ("package.json", json!({ "mirra": { "allowedHosts": [named.to_string()] } }).to_string(), "handler.js", SOURCE),
        ("pyproject.toml", format!("[tool.mirra]\nallowed-hosts = [\"{named}\"]\n"), "handler.py", python),
    ];
    for (file, settings, code_file, code) in folders {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path().join(file), &settings);
        write(folder.path().join(code_file), code);
        let call = |address: SocketAddr, allowed: &str| {
            let event = json!({ "url": format!("http://{address}/") }).to_string();
            run(&mut mirra(&["run", folder.path().to_str().unwrap(), "--event", &event, "--allow-net", allowed]), "").json()
        };
        assert_eq!(call(named, &both), 200, "{file}");
        assert!(call(other, &both).as_str().unwrap().contains("allowedHosts"), "{file}");
        assert!(call(named, &other.to_string()).as_str().unwrap().contains("--allow-net"), "{file}");
    }
}

#[test]
fn settings_that_are_none_are_refused_at_deploy() {
    let cases = [
        (
            "package.json",
            r#"{ "mirra": { "allowedHosts": ["http://x/"] } }"#,
            "package.json: the handler's allowed hosts: 'http://x/' is no host",
        ),
        ("package.json", r#"{ "mirra": { "allowedHost": ["x"] } }"#, "package.json: unknown field `allowedHost`"),
        ("package.json", r#"{ "mirra": { "allowedHosts": "x" } }"#, "package.json: invalid type"),
        ("pyproject.toml", "[tool.mirra]\nallowed-hosts = [1]\n", "pyproject.toml: invalid type"),
    ];
    for (file, settings, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path().join(file), settings);
        let code = if file == "package.json" { "handler.js" } else { "handler.py" };
        let source =
            if file == "package.json" { "export const handler = () => 1;" } else { "def handler(event, context):\n    return 1\n" };
        write(folder.path().join(code), source);
        let ended = run(&mut mirra(&["run", folder.path().to_str().unwrap()]), "");
        assert_eq!(ended.code, 2, "{settings}");
        assert!(ended.stderr.contains(message), "{settings}: {}", ended.stderr);
    }
}

/// However it is named, and whenever they come.
#[test]
fn the_settings_of_a_single_file_are_those_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    write(file("index.js"), "export const handler = () => 1;");
    // Not those of JavaScript.
    write(file("pyproject.toml"), "[tool.mirra]\nallowed-hosts = [1]\n");
    let in_folder = |name: &str| run(mirra(&["run", name]).current_dir(folder.path()), "");
    assert_eq!(in_folder("index.js").json(), 1);
    write(file("package.json"), r#"{ "mirra": { "allowedHosts": "x" } }"#);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(file("index.js"), elsewhere.path().join("link.js")).unwrap();
    for ended in [in_folder("index.js"), in_folder("./index.js"), in_folder(elsewhere.path().join("link.js").to_str().unwrap())] {
        assert!(ended.code == 2 && ended.stderr.contains("package.json: invalid type"), "{}", ended.stderr);
    }
}

/// Aborting closes the connection, so that a server that is still at work can stop.
#[test]
fn what_a_handler_gives_up_is_hung_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    // It ends when the server says that the first connection is closed.
    let source = r#"
export async function handler({ url }) {
  const controller = new AbortController();
  const first = fetch(url, { signal: controller.signal }).catch((error) => error.name);
  setTimeout(() => controller.abort(), 10);
  return [await first, await (await fetch(url)).text()];
}"#;
    write(folder.path().join("handler.js"), source);
    thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let (mut second, _) = listener.accept().unwrap();
        let mut rest = [0; 1024];
        while let Ok(1..) = first.read(&mut rest) {}
        assert!(second.read(&mut rest).unwrap() > 0);
        second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhung up\r\n").unwrap();
    });
    let event = json!({ "url": format!("http://{address}/") }).to_string();
    let allowed = address.to_string();
    let answer = run(&mut mirra(&["run", folder.path().to_str().unwrap(), "--event", &event, "--allow-net", &allowed]), "");
    assert_eq!(answer.json(), json!(["AbortError", "hung up\r\n"]));
}

#[test]
fn a_request_costs_and_one_that_the_budget_does_not_hold_is_not_made() {
    let named = serve(peer);
    let prices = FOLDER.path().join("prices.json");
    write(&prices, r#"{"httpRequestUsd": 0.4}"#);
    let event = json!({ "url": format!("http://{named}/"), "times": 3 });
    let allowed = named.to_string();
    let ended = get(&event, &["--json", "--allow-net", &allowed, "--prices", prices.to_str().unwrap(), "--max-cost-usd", "1"]);
    let outcome = ended.json();
    assert_eq!(outcome["result"]["200"], 2, "{outcome}");
    let refusal = "TypeError: fetch failed: http.request costs up to 0.4 USD, and 0.1";
    assert!(outcome["result"].as_object().unwrap().keys().any(|answer| answer.starts_with(refusal)), "{outcome}");
    assert!(outcome["usage"]["costUsd"].as_f64().unwrap() >= 0.8, "{outcome}");
}
