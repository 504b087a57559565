//! What only Python handlers do, where a fixture's result is not all there is to see.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ended, fixtures, mirra, run, write};

/// One call of `code` by `mirra exec`: its outcome.
fn outcome(code: &str, event: Value, flags: &[&str]) -> Value {
    let folder = TempDir::new().unwrap();
    write(folder.path().join("handler.py"), code);
    let request = json!({ "handler": folder.path(), "event": event });
    run(mirra(&["exec"]).args(flags), request.to_string()).json()
}

/// (level, message) of each line.
fn logs(outcome: &Value) -> Vec<(&str, &str)> {
    let lines = outcome["logs"].as_array().unwrap().iter();
    lines.map(|line| (line["level"].as_str().unwrap(), line["message"].as_str().unwrap())).collect()
}

#[test]
fn nothing_random_is_the_same_in_two_calls() {
    let handler = fixtures("handlers/py-randomness");
    let call = || run(&mut mirra(&["run", handler.to_str().unwrap()]), "").json();
    let (first, second): (Value, Value) = (call(), call());
    for (source, value) in first.as_object().unwrap() {
        assert_ne!(*value, second[source], "{source} gave the same twice");
    }
}

/// JSON can carry half of a surrogate pair, and UTF-8 cannot.
#[test]
fn half_of_a_surrogate_pair_is_written_as_an_escape() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("handler.py");
    write(&path, "def handler(event, context):\n    return ['\\ud83e', '🦀']\n");
    let ended = run(&mut mirra(&["run", path.to_str().unwrap()]), "");
    assert_eq!(ended.stdout.trim(), r#"["\ud83e","\ud83e\udd80"]"#, "{}", ended.stderr);
}

#[test]
fn what_is_printed_logged_and_warned_of_are_log_lines() {
    let code = r#"
import asyncio, logging, sys, warnings

logger = logging.getLogger("shop.cart")
print("while it is prepared")


async def forgotten():
    pass


async def handler(event, context):
    print("one", 2, sep=", ")
    print("two\nlines")
    print("to stderr", file=sys.stderr)
    logging.debug("unseen")
    logging.info("%s of %s", 1, 2)
    logger.warning("low")
    logger.setLevel(logging.DEBUG)
    logger.debug("details")
    warnings.warn("old", DeprecationWarning)
    forgotten()
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("failed")
    sys.stdout.buffer.write(b"bytes\n")
    print("unfinished", end="")
"#;
    let outcome = outcome(code, json!({}), &[]);
    assert_eq!(outcome["success"], true, "{outcome}");
    let logs = logs(&outcome);
    let expected = [
        ("info", "one, 2"),
        ("info", "two"),
        ("info", "lines"),
        ("error", "to stderr"),
        ("info", "1 of 2"),
        ("warn", "shop.cart: low"),
        ("debug", "shop.cart: details"),
        ("info", "bytes"),
        ("info", "unfinished"),
    ];
    let found: Vec<_> = logs.iter().filter(|line| expected.contains(line)).copied().collect();
    assert_eq!(found, expected, "{logs:?}");
    let has = |level: &str, text: &str| logs.iter().any(|line| line.0 == level && line.1.contains(text));
    assert!(has("warn", "handler.py:21: DeprecationWarning: old"), "{logs:?}");
    assert!(has("warn", "coroutine 'forgotten' was never awaited"), "{logs:?}");
    assert!(has("error", "ZeroDivisionError: division by zero"), "{logs:?}");
    assert!(!logs.iter().any(|line| line.1.contains("unseen")), "{logs:?}");
}

/// Tries each URL of the event, and tells what came of it.
const FETCH: &str = r#"
import json
import urllib.error
import urllib.request


def handler(event, context):
    answers = []
    for url in event["urls"]:
        try:
            with urllib.request.urlopen(url, timeout=event.get("timeout", 10)) as response:
                answers.append([response.status, response.url, response.read().decode()])
        except urllib.error.HTTPError as error:
            answers.append([error.code, url, error.read().decode()])
        except OSError as error:
            answers.append(f"{type(error).__name__}: {error}")
    return answers
"#;

#[test]
fn a_request_reaches_hosts_that_are_allowed_and_no_others() {
    let (allowed, other) = (serve(), serve());
    let url = |path: &str| format!("http://{allowed}{path}");
    let elsewhere = format!("http://{other}/");
    let event = json!({ "urls": [url("/"), url("/missing"), url("/to?/"), elsewhere, url(&format!("/to?{elsewhere}"))] });
    let outcome = outcome(FETCH, event, &["--allow-net", &allowed.to_string()]);
    let answers = &outcome["result"];
    assert_eq!(answers[0], json!([200, url("/"), "GET / "]), "{outcome}");
    assert_eq!(answers[1], json!([404, url("/missing"), "GET /missing "]), "{outcome}");
    assert_eq!(answers[2], json!([200, url("/"), "GET / "]), "{outcome}");
    for refused in [&answers[3], &answers[4]] {
        let text = refused.as_str().unwrap();
        assert!(text.starts_with("URLError: ") && text.contains(&format!("--allow-net {other}")), "{text}");
    }
}

#[test]
fn no_host_is_allowed_unless_it_is_named() {
    let server = serve();
    let outcome = outcome(FETCH, json!({ "urls": [format!("http://{server}/")] }), &[]);
    let text = outcome["result"][0].as_str().unwrap();
    assert!(text.contains("handlers may not reach") && text.contains(&format!("--allow-net {server}")), "{text}");
}

#[test]
fn a_server_that_is_too_slow_times_out() {
    let server = serve();
    let event = json!({ "urls": [format!("http://{server}/slow")], "timeout": 0.2 });
    let outcome = outcome(FETCH, event, &["--allow-net", &server.to_string()]);
    let text = outcome["result"][0].as_str().unwrap();
    assert!(text.starts_with("TimeoutError: ") && text.contains("after 200 ms"), "{text}");
}

#[test]
fn json_is_posted_by_each_way_of_the_standard_library() {
    let code = r#"
import http.client
import json
import urllib.request


def handler(event, context):
    host, data = event["host"], json.dumps({"name": "Grüße"}).encode()
    request = urllib.request.Request(f"http://{host}/in", data, {"Content-Type": "application/json"})
    answers = [urllib.request.urlopen(request).read().decode()]
    connection = http.client.HTTPConnection(host)
    for body in data, iter([data[:5], data[5:]]), iter([b"ends as the last chunk does: 0\r\n", b"."]):
        connection.request("POST", "/in", body, {"Content-Type": "application/json"}, encode_chunked=body is not data)
        answers.append(connection.getresponse().read().decode())
    connection.putrequest("HEAD", "/")
    connection.endheaders()
    response = connection.getresponse()
    return [*answers, [response.getheader("content-length"), response.read().decode(), response.getheaders()[0][1]]]
"#;
    let server = serve();
    let outcome = outcome(code, json!({ "host": server.to_string() }), &["--allow-net", &server.to_string()]);
    let posted = r#"POST /in {"name": "Gr\u00fc\u00dfe"}"#;
    assert_eq!(
        outcome["result"],
        json!([posted, posted, posted, "POST /in ends as the last chunk does: 0\r\n.", ["7", "", "yes"]]),
        "{outcome}"
    );
}

#[test]
fn certificates_are_always_verified() {
    let code = r#"
import ssl
import urllib.request


def handler(event, context):
    context = ssl.create_default_context()
    try:
        context.check_hostname = False
    except ssl.SSLError as error:
        return [str(error), context.verify_mode == ssl.CERT_REQUIRED]
"#;
    let outcome = outcome(code, json!({}), &[]);
    let text = outcome["result"][0].as_str().unwrap();
    assert!(text.contains("always verifies") && outcome["result"][1] == true, "{outcome}");
}

#[test]
fn a_host_that_is_no_host_is_refused_at_the_start() {
    let handler = fixtures("handlers/py-hello");
    let Ended { code, stderr, .. } = run(&mut mirra(&["run", handler.to_str().unwrap(), "--allow-net", "http://x/"]), "");
    assert!(code == 2 && stderr.contains("HOST:PORT"), "{code}: {stderr}");
}

/// A server of HTTP: answers what it was asked, late at `/slow`, and elsewhere at `/to?URL`.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|stream| drop(thread::spawn(|| answer(stream)))));
    address
}

fn answer(stream: TcpStream) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        lines.push(line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let mut first = lines.first()?.split(' ');
    let (method, path) = (first.next()?, first.next()?);
    if path == "/slow" {
        thread::sleep(Duration::from_secs(2));
    }
    let (status, location) = match path.split_once('?') {
        Some(("/to", to)) => ("302 Found", format!("location: {to}\r\n")),
        _ if path == "/missing" => ("404 Not Found", String::new()),
        _ => ("200 OK", String::new()),
    };
    let text = format!("{method} {path} {}", String::from_utf8_lossy(&body));
    let head = format!("HTTP/1.1 {status}\r\nserved: yes\r\n{location}connection: close\r\ncontent-length: {}\r\n\r\n", text.len());
    let shown = if method == "HEAD" { "" } else { &text };
    write!(stream.get_mut(), "{head}{shown}").ok()
}
