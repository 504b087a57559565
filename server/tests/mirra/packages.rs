//! What a Python handler requires, fetched by pip from the index that this machine uses.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Mutex,
    thread,
};

use serde_json::{Value, json};

use crate::support::{Ended, fixtures, mirra, run, write};

fn call(handler: &Path, event: &str, flags: &[&str]) -> Ended {
    let handler = handler.to_str().unwrap();
    run(&mut mirra(&[&["run", handler, "--event", event], flags].concat()), "")
}

#[test]
fn usual_packages_run() {
    let folder = fixtures("packages/seven");
    let event = std::fs::read_to_string(folder.join("event.json")).unwrap();
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    assert_eq!(call(&folder, &event, &["--timeout-s", "30"]).json(), expected);
}

#[test]
fn a_block_in_the_file_is_as_good() {
    assert_eq!(call(&fixtures("packages/script/handler.py"), "{}", &[]).json(), "from a block in the file");
}

#[test]
fn requests_and_httpx_go_through_the_host() {
    let address = serve();
    let event = json!({ "url": format!("http://{address}") }).to_string();
    let answer = call(&fixtures("packages/http"), &event, &["--allow-net", &address.to_string()]).json();
    let expected = json!({
        "status": 200,
        "echo": { "by": "requests" },
        "texts": ["/text?n=0", "/text?n=1", "/text?n=2"],
        "refused": [true, true],
        "halves": vec![["first, ", "second"]; 4],
    });
    assert_eq!(answer, expected);
}

/// Answers that stand half-written until somebody asks for their other half, by name.
static HALVES: Mutex<BTreeMap<String, TcpStream>> = Mutex::new(BTreeMap::new());

/// Answers a POST with its body and a GET with its path. `/half` is another matter: whoever waits for all of it before reading any
/// waits in vain.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || answer(stream)))));
    address
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        while reader.read_until(b'\n', &mut head).unwrap_or(0) > 0 && !head.ends_with(b"\r\n\r\n") {}
        let head = String::from_utf8(head).unwrap();
        let Some(path) = head.split(' ').nth(1) else { return };
        match path.split_once('?') {
            Some(("/half", name)) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\nfirst, \r\n").unwrap();
                HALVES.lock().unwrap().insert(name.to_owned(), stream.try_clone().unwrap());
                continue;
            }
            Some(("/other-half", name)) => {
                let mut half = HALVES.lock().unwrap().remove(name).unwrap();
                half.write_all(b"6\r\nsecond\r\n0\r\n\r\n").unwrap();
            }
            _ => {}
        }
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let (kind, body) = if body.is_empty() { ("text/plain", path.as_bytes()) } else { ("application/json", &body[..]) };
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
        stream.write_all(body).unwrap();
    }
}

/// Requirements that cannot be met, and what the author reads.
#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let cases = [
        ("no-such-package-of-ours-xyz", &["no-such-package-of-ours-xyz", "requirements.txt"][..]),
        ("six>=99", &["six", "99"]),
        ("orjson", &["orjson", "native"]),
        ("six==1.16.0\nsix==1.17.0", &["six"]),
        ("git+https://example.com/x.git", &["refused"]),
        ("--index-url https://example.com/simple\nsix", &["--index-url"]),
        ("six ==", &["requirements.txt"]),
    ];
    for (requirements, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path().join("handler.py"), "def handler(event, context):\n    return None\n");
        write(folder.path().join("requirements.txt"), requirements);
        let ended = call(folder.path(), "{}", &[]);
        assert_eq!(ended.code, 2, "{requirements}: {}", ended.stderr);
        for part in expected {
            assert!(ended.stderr.contains(part), "{requirements}: no {part:?} in {}", ended.stderr);
        }
    }
}

#[test]
fn without_pip_the_next_step_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join("handler.py"), "def handler(event, context):\n    return None\n");
    write(folder.path().join("requirements.txt"), "six==1.16.0");
    let handler = folder.path().to_str().unwrap().to_owned();
    let data = folder.path().join("data");
    let mut command = mirra(&["run", &handler, "--event", "{}"]);
    // A cache of its own, in which nothing was resolved; the engine is compiled for it, too.
    let ended = run(command.env("MIRRA_PYTHON", "/nonexistent/python3").env("MIRRA_DATA", data), "");
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("pip"), "{}", ended.stderr);
}
