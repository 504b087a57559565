//! `mirra serve`, as clients see it.

use std::{net::TcpListener, path::Path};

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::support::{Client, SLEEP, Server, answering, fixtures, mirra, run, until, write};

/// A folder with handlers: file name and content.
fn handlers(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, content) in files {
        write(folder.path().join(name), content);
    }
    folder
}

fn slow() -> String {
    format!("{SLEEP}export const handler = async () => {{ await sleep(3e4); return 1; }};")
}

#[test]
fn a_call_answers_the_result_and_what_it_used() {
    let server = Server::start(&[&fixtures("handlers/hello")]);
    let mut client = server.client();
    let reply = client.send("POST", "/run/hello", &[], r#"{"name":"Ada"}"#);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.text(), r#"{"success":true,"greeting":"Hello, Ada!"}"#);
    let number = |name: &str| reply.header(name).unwrap().parse::<f64>().unwrap();
    assert!(number("x-mirra-cold-start-us") > 0.0);
    assert!(number("x-mirra-duration-us") >= number("x-mirra-cold-start-us"));
    assert!(number("x-mirra-cost-usd") > 0.0);
    assert!(reply.header("x-mirra-execution-id").unwrap().starts_with("exec_"));
    // On the same connection, and without an event.
    assert_eq!(client.send("POST", "/run/hello", &[], "").json()["greeting"], "Hello, world!");
}

#[test]
fn failures_come_in_the_envelope() {
    let folder = handlers(&[("fails.js", "export const handler = () => { throw new TypeError('no'); };"), ("bad.ts", "const = 1;")]);
    let server = Server::start(&[folder.path()]);
    let reply = server.call("fails", "{}");
    assert_eq!((reply.status, reply.code()), (500, "HANDLER_ERROR".to_owned()));
    let details = &reply.json()["error"]["details"];
    assert_eq!(details["name"], "TypeError");
    assert!(details["stack"].as_str().unwrap().starts_with("    at handler (fails.js:1:"), "{details}");
    assert!(reply.header("x-mirra-cost-usd").is_some());
    let rejected = server.call("bad", "{}");
    assert_eq!((rejected.status, rejected.code()), (400, "VALIDATION_ERROR".to_owned()));
    assert_eq!(rejected.json()["error"]["details"]["diagnostics"][0]["line"], 1);
    server.wait_for_stderr("bad is rejected");
}

#[test]
fn wrong_requests_are_told_apart() {
    let server = Server::start(&[&fixtures("handlers/hello")]);
    let wrong = |method: &str, path: &str, body: &str| {
        let reply = server.client().send(method, path, &[], body);
        (reply.status, reply.code(), reply.header("allow").map(str::to_owned))
    };
    assert_eq!(wrong("POST", "/run/nobody", "{}"), (404, "NOT_FOUND".to_owned(), None));
    assert_eq!(wrong("POST", "/nowhere", "{}"), (404, "NOT_FOUND".to_owned(), None));
    assert_eq!(wrong("GET", "/run/hello", ""), (405, "VALIDATION_ERROR".to_owned(), Some("POST".to_owned())));
    assert_eq!(wrong("POST", "/metrics", ""), (405, "VALIDATION_ERROR".to_owned(), Some("GET, HEAD".to_owned())));
    assert_eq!(wrong("POST", "/run/hello", "{'a':1}"), (400, "VALIDATION_ERROR".to_owned(), None));
    let reply = server.call("hello", "{\n  \"a\": x\n}");
    assert_eq!(reply.json()["error"]["details"], json!({ "line": 2, "column": 8 }));
    assert_eq!(server.client().send("POST", "/run/hello", &[], b"\"\xff\"").status, 400);
}

#[test]
fn events_of_any_depth_do_not_harm_the_host() {
    let folder = handlers(&[("depth.js", &answering("JSON.stringify(event).length"))]);
    let server = Server::start(&[folder.path()]);
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(server.call("depth", &deep(100)).text(), "200");
    let reply = server.call("depth", &deep(1_000_000));
    assert!(reply.status >= 400, "{}", reply.head);
    assert!(!reply.code().is_empty());
    assert_eq!(server.call("depth", &"[".repeat(1_000_000)).status, 400);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn events_that_are_too_long_are_refused_before_they_are_read() {
    let server = Server::start(&[&fixtures("handlers/hello")]);
    let reply = server.call("hello", &"x".repeat(8 << 20));
    assert_eq!((reply.status, reply.code()), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    // By its announced length alone: nothing of it is ever sent.
    let mut client = server.client();
    client.write(b"POST /run/hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n");
    assert_eq!(client.read().status, 413);
    // Without an announced length, as soon as too much has arrived.
    let mut client = server.client();
    client.write(b"POST /run/hello HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"100000\r\n".as_slice(), &[b' '; 1 << 20], b"\r\n"].concat();
    for _ in 0..7 {
        client.write(&chunk);
    }
    assert_eq!(client.read().status, 413);
}

#[test]
fn a_server_is_ready_when_all_its_handlers_are() {
    let folder = handlers(&[("endless.js", "for (;;); export const handler = () => 1;"), ("quick.js", &answering("1"))]);
    let server = Server::start_unready(&[folder.path()]);
    until("it is alive", || server.try_get("/healthz").is_some_and(|reply| reply.status == 200));
    until("the other handler is ready", || server.call("quick", "{}").status == 200);
    let pending = server.call("endless", "{}");
    assert_eq!((pending.status, pending.code(), pending.header("retry-after")), (503, "INTERNAL_ERROR".to_owned(), Some("1")));
    assert_eq!(server.get("/readyz").status, 503);
    until("the endless one is given up", || server.get("/readyz").status == 200);
    assert_eq!(server.call("endless", "{}").status, 400);
}

#[test]
fn calls_beyond_the_queue_are_refused_for_now() {
    let folder = handlers(&[("slow.js", &slow()), ("fast.js", &answering("1"))]);
    let server = Server::start_with(&[folder.path()], &["--concurrency-per-handler", "1", "--queue", "0"], |_| {});
    let mut first = server.client();
    first.begin("POST", "/run/slow", &[], "{}");
    until("the call runs", || server.metric("mirra_instances_live") == 1.0);
    let refused = server.call("slow", "{}");
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "RATE_LIMITED".to_owned(), Some("1")));
    assert_eq!(server.call("fast", "{}").status, 200, "other handlers have places of their own");
}

#[test]
fn a_client_that_goes_away_takes_its_call_along() {
    let folder = handlers(&[("slow.js", &slow()), ("busy.js", "export const handler = () => { for (;;); };")]);
    let server = Server::start(&[folder.path()]);
    for handler in ["slow", "busy"] {
        let mut client = server.client();
        client.begin("POST", &format!("/run/{handler}"), &[], "{}");
        until("the call runs", || server.metric("mirra_instances_live") == 1.0);
        drop(client);
        until("the call is gone", || server.metric("mirra_instances_live") == 0.0);
        let cancelled = format!("mirra_calls_total{{code=\"CANCELLED\",handler=\"{handler}\"}}");
        assert_eq!(server.metric(&cancelled), 1.0);
    }
}

#[test]
fn metrics_tell_of_every_call() {
    let folder = handlers(&[("ok.js", &answering("1")), ("fails.js", &answering("missing"))]);
    let server = Server::start(&[folder.path()]);
    for _ in 0..3 {
        server.call("ok", "{}");
    }
    server.call("fails", "{}");
    assert_eq!(server.metric(r#"mirra_calls_total{code="OK",handler="ok"}"#), 3.0);
    assert_eq!(server.metric(r#"mirra_calls_total{code="HANDLER_ERROR",handler="fails"}"#), 1.0);
    assert_eq!(server.metric(r#"mirra_call_duration_seconds_count{handler="ok"}"#), 3.0);
    assert_eq!(server.metric(r#"mirra_cold_start_seconds_count{handler="ok"}"#), 3.0);
    assert!(server.metric(r#"mirra_fuel_units_total{handler="ok"}"#) > 0.0);
    assert!(server.metric(r#"mirra_cost_usd_total{handler="ok"}"#) > 0.0);
    assert_eq!((server.metric("mirra_queue_calls"), server.metric("mirra_handlers")), (0.0, 2.0));
}

#[test]
fn a_key_opens_every_address_but_the_probes() {
    const KEY: &str = "correct horse battery staple";
    let server = Server::start_with(&[&fixtures("handlers/hello")], &[], |command| {
        command.env("MIRRA_OWNER_KEY", KEY);
    });
    let status = |path: &str, headers: &[(&str, &str)]| server.client().send("GET", path, headers, "").status;
    assert_eq!((status("/healthz", &[]), status("/readyz", &[])), (200, 200));
    assert_eq!((status("/", &[]), status("/metrics", &[])), (401, 401));
    assert_eq!(status("/", &[("Authorization", &format!("Bearer {KEY}"))]), 200);
    assert_eq!(status("/", &[("X-API-Key", KEY), ("Host", "mirra.example.org")]), 200);
    assert_eq!(status("/", &[("X-API-Key", "correct horse")]), 401);
    let refused = server.call("hello", "{}");
    assert_eq!((refused.status, refused.code(), refused.header("www-authenticate")), (401, "UNAUTHORIZED".to_owned(), Some("Bearer")));
}

#[test]
fn without_a_key_only_this_machine_may_call() {
    let server = Server::start(&[&fixtures("handlers/hello")]);
    let status = |headers: &[(&str, &str)]| server.client().send("POST", "/run/hello", headers, "{}").status;
    assert_eq!(status(&[("Host", "localhost:3000"), ("Origin", "http://localhost:5173")]), 200);
    assert_eq!(status(&[("Host", "[::1]:3000")]), 200);
    assert_eq!(status(&[("Host", "rebound.example.org:3000")]), 403);
    assert_eq!(status(&[("Host", "127.0.0.1.example.org")]), 403);
    assert_eq!(status(&[("Origin", "https://example.org")]), 403);
    assert_eq!(status(&[("Origin", "null")]), 403);
    let ended = run(&mut mirra(&["serve", "--listen", "0.0.0.0:0", fixtures("handlers/hello").to_str().unwrap()]), "");
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("MIRRA_OWNER_KEY"), "{}", ended.stderr);
}

#[test]
fn serve_says_what_is_wrong_with_its_use() {
    let hello = fixtures("handlers/hello");
    let serve = |arguments: &[&str]| run(mirra(&["serve", "--listen", "127.0.0.1:0"]).args(arguments), "");
    let nothing = serve(&["no/such/folder"]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("no/such/folder"), "{}", nothing.stderr);
    let folder = handlers(&[("hello.js", &answering("1"))]);
    let twice = serve(&[hello.to_str().unwrap(), folder.path().to_str().unwrap()]);
    assert_eq!(twice.code, 2);
    assert!(twice.stderr.contains("two handlers have the name hello"), "{}", twice.stderr);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(&mut mirra(&["serve", "--listen", &address, hello.to_str().unwrap()]), "");
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains(&address) && ended.stderr.contains("--listen"), "{}", ended.stderr);
}

#[test]
fn handlers_are_files_folders_and_components() {
    let folder = handlers(&[
        ("one.ts", &answering("1")),
        ("two/package.json", r#"{"main":"src/start.ts"}"#),
        ("two/src/start.ts", &answering("2")),
        ("three/index.mjs", &answering("3")),
        ("with space.js", &answering("4")),
        ("types.d.ts", "export type Nothing = never;"),
        ("readme.md", "no handler"),
        ("node_modules/package/index.js", &answering("0")),
        (".hidden/index.js", &answering("0")),
        ("no-handler/data.json", "{}"),
    ]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(run(&mut mirra(&["build", &path("one.ts"), "-o", &path("five.wasm")]), "").code, 0);
    let server = Server::start(&[folder.path(), Path::new("no/such/file.ts")]);
    assert_eq!(server.metric("mirra_handlers"), 5.0);
    let answers = ["one", "two", "three", "with%20space", "five"].map(|name| server.call(name, "{}").text());
    assert_eq!(answers, ["1", "2", "3", "4", "1"]);
    assert!(server.get("/").text().contains("/run/with%20space -d '{}'"));
    server.wait_for_stderr("no/such/file.ts");
}

#[test]
fn log_lines_bear_the_handlers_name_and_nothing_else_of_its_making() {
    let folder = handlers(&[("talks.js", "export const handler = () => console.error('one\\nforged info line \\x1b[31mred');")]);
    let server = Server::start(&[folder.path()]);
    assert_eq!(server.call("talks", "{}").text(), "null");
    server.wait_for_stderr("talks error one\n    forged info line \\u{1b}[31mred\n");
}

#[test]
fn busy_handlers_leave_the_others_their_turn() {
    let folder = handlers(&[("busy.js", "export const handler = () => { for (;;); };"), ("quick.js", &answering("1"))]);
    let server = Server::start_with(&[folder.path()], &["--timeout-s", "20"], |_| {});
    let mut busy: Vec<Client> = (0..8).map(|_| server.client()).collect();
    busy.iter_mut().for_each(|client| client.begin("POST", "/run/busy", &[], "{}"));
    until("all are busy", || server.metric("mirra_instances_live") == 8.0);
    let mut client = server.client();
    let began = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(client.send("POST", "/run/quick", &[], "{}").status, 200);
    }
    assert!(began.elapsed().as_secs() < 10, "100 calls took {:?} beside busy ones", began.elapsed());
}
