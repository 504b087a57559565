//! `POST /v1/invocations`: calls for schedulers, and that a key makes one once.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{Arc, Condvar, Mutex, Weak},
    time::Duration,
};

use mirra_control::{ApiError, Config, Control, IdempotencyKey, InvocationRequest};
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{
    AllowList, BoxFuture, Executor, HostError, Invocation, ManualClock, Outcome, PrepareError, Prepared, Source, Usage, new_execution_id,
};
use serde_json::{Value, json, value::RawValue};
use tempfile::{TempDir, tempdir};

use crate::{
    control::{Bed, OWNER_KEY, User, data, refusal},
    local_api::{Answered, LocalApi},
    support::{Client, PATIENCE, Reply, Server, answering, until, write},
};

/// Waits where it is told to, and says so before and after.
const GATED: &str = "export const handler = async (event, context) => {
  console.log('arrived');
  await fetch(event.gate);
  console.log('left');
  return { name: event.name, executionId: context.executionId };
};
";

/// Nobody gets through before it is opened.
pub struct Gate {
    pub api: LocalApi,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    pub fn new() -> Gate {
        let open = Arc::<(Mutex<bool>, Condvar)>::default();
        let opened = open.clone();
        let answer = move |_: &_| {
            let (is_open, changed) = &*opened;
            drop(changed.wait_timeout_while(is_open.lock().unwrap(), PATIENCE, |is_open| !*is_open).unwrap());
            Answered::json(200, &json!({}))
        };
        Gate { api: LocalApi::start(answer), open }
    }

    pub fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }

    pub fn arrived(&self) -> usize {
        self.api.asked().len()
    }

    fn event(&self, name: &str) -> Value {
        json!({ "gate": self.api.url(), "name": name })
    }

    /// A server whose handler `gated` may reach it.
    fn server(&self, folder: &TempDir, flags: &[&str]) -> Server {
        let address = self.api.address.to_string();
        let flags = [&["--allow-net", &address], flags].concat();
        Server::start_with(&[folder.path()], &flags, |command| _ = command.env("MIRRA_OWNER_KEY", OWNER_KEY))
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    files.iter().for_each(|(name, content)| write(folder.path().join(name), content));
    folder
}

/// One that no run of these tests has used before: the store outlives them.
fn new_key() -> String {
    new_execution_id()
}

fn begin(server: &Server, headers: &[(&str, &str)], body: &Value) -> Client {
    let mut client = server.client();
    let headers = [&[("X-API-Key", OWNER_KEY)], headers].concat();
    client.begin("POST", "/v1/invocations", &headers, body.to_string());
    client
}

fn invoke(server: &Server, headers: &[(&str, &str)], body: &Value) -> Reply {
    begin(server, headers, body).read()
}

#[track_caller]
fn outcome(reply: &Reply) -> Value {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{}", reply.text());
    reply.json()
}

/// What a client reads that takes the parts as they come; `Connection: close` ends it.
fn stream(server: &Server, accept: &str, body: &Value) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = body.to_string();
    let head = format!("POST /v1/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-API-Key: {OWNER_KEY}\r\n");
    stream.write_all(format!("{head}Accept: {accept}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    BufReader::new(stream)
}

/// Reads until a line holds `text`.
fn line_with(stream: &mut BufReader<TcpStream>, text: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "no line holds {text}");
        if line.contains(text) {
            return line;
        }
    }
}

#[test]
fn a_call_is_one_outcome_whatever_became_of_it() {
    let folder = folder(&[
        ("tells.js", "export const handler = (event, context) => { console.log('hi'); return { event, context }; };"),
        ("fails.js", "export const handler = () => { throw new TypeError('no'); };"),
    ]);
    let server = Server::start(&[folder.path()]);
    let id = new_execution_id();
    let call = json!({ "handler": "tells", "event": [1, null], "trigger": "cron", "executionId": id, "limits": { "timeoutMs": 1500 } });
    let told = outcome(&server.client().send("POST", "/v1/invocations", &[], call.to_string()));
    assert_eq!((&told["success"], &told["executionId"], &told["logs"][0]["message"]), (&json!(true), &json!(id), &json!("hi")));
    assert_eq!(told["result"]["event"], json!([1, null]));
    let context = &told["result"]["context"];
    assert_eq!((&context["trigger"], &context["executionId"], &context["scriptId"]), (&json!("cron"), &json!(id), &json!("tells")));
    assert!(told["usage"]["wallUs"].as_u64().unwrap() > 0 && told["usage"]["costUsd"].as_f64().unwrap() > 0.0, "{told}");
    let bare = outcome(&invoke(&server, &[], &json!({ "handler": "tells" })));
    assert_eq!((&bare["result"]["event"], &bare["result"]["context"]["trigger"]), (&json!({}), &json!("manual")));
    assert_eq!(outcome(&invoke(&server, &[], &json!({ "handler": "tells", "event": null })))["result"]["event"], Value::Null);
    let failed = outcome(&invoke(&server, &[], &json!({ "handler": "fails" })));
    assert_eq!((&failed["success"], &failed["error"]["code"], &failed["result"]), (&json!(false), &json!("HANDLER_ERROR"), &Value::Null));
    assert_eq!(server.metric(r#"mirra_calls_total{code="OK",handler="tells"}"#), 3.0);
}

#[test]
fn wrong_requests_run_nothing_and_say_what_to_do() {
    let folder = folder(&[("ok.js", &answering("1")), ("bad.ts", "const = 1;")]);
    let server = Server::start_with(&[folder.path()], &["--timeout-s", "5"], |command| _ = command.env("MIRRA_OWNER_KEY", OWNER_KEY));
    let wrong = |body: Value| refusal(&invoke(&server, &[], &body));
    let invalid = |field: &str| (400, "VALIDATION_ERROR".to_owned(), field.to_owned());
    assert_eq!(wrong(json!({})), invalid("handler"));
    assert_eq!(wrong(json!({ "handler": "ok", "scriptId": "x" })), invalid("handler"));
    assert_eq!(wrong(json!(["ok"])), invalid(""));
    assert_eq!(wrong(json!({ "handler": 1 })), invalid("handler"));
    assert_eq!(wrong(json!({ "handler": "ok", "idempotencykey": "x" })), invalid("idempotencykey"));
    assert_eq!(wrong(json!({ "handler": "ok", "trigger": "moon" })), invalid("trigger"));
    for id in ["x", "exec_", "exec_00000000000000000000000G", &"exec_0".repeat(5)] {
        assert_eq!(wrong(json!({ "handler": "ok", "executionId": id })), invalid("executionId"));
    }
    for key in [String::new(), "k".repeat(256), "tab\t".to_owned(), "é".to_owned()] {
        assert_eq!(wrong(json!({ "handler": "ok", "idempotencyKey": key })), invalid("idempotencyKey"));
    }
    for (field, limit) in
        [("timeoutMs", json!(5001)), ("timeoutMs", json!(0)), ("memoryBytesMax", json!(1u64 << 40)), ("costUsdMax", json!(1.01))]
    {
        assert_eq!(wrong(json!({ "handler": "ok", "limits": { field: limit } })), invalid(&format!("limits.{field}")));
    }
    assert_eq!(wrong(json!({ "handler": "ok", "limits": { "fuelMax": 1 } })).0, 400);
    assert_eq!(wrong(json!({ "handler": "nobody" })), (404, "NOT_FOUND".to_owned(), String::new()));
    assert_eq!(wrong(json!({ "scriptId": "nobody" })).0, 404);
    assert_eq!(wrong(json!({ "handler": "bad" })).0, 400);
    let sent = |headers: &[(&str, &str)], body: &str| server.client().send("POST", "/v1/invocations", headers, body);
    let owner = ("X-API-Key", OWNER_KEY);
    assert_eq!(refusal(&sent(&[owner, ("Idempotency-Key", &"k".repeat(256))], r#"{"handler":"ok"}"#)), invalid("idempotencyKey"));
    assert_eq!(refusal(&sent(&[owner, ("Idempotency-Key", "a")], r#"{"handler":"ok","idempotencyKey":"b"}"#)), invalid("idempotencyKey"));
    assert_eq!(sent(&[owner], "{'a':1}").json()["error"]["details"], json!({ "line": 1, "column": 2 }));
    assert_eq!(refusal(&sent(&[owner], "")), invalid("handler"));
    let long = format!(r#"{{"handler":"ok","event":"{}"}}"#, "x".repeat(6 << 20));
    assert_eq!((sent(&[owner], &long).status, sent(&[owner], &"x".repeat(8 << 20)).status), (413, 413));
    assert_eq!((sent(&[], r#"{"handler":"ok"}"#).status, sent(&[("X-API-Key", "x")], "{").status), (401, 401));
    assert_eq!(server.client().send("GET", "/v1/invocations", &[owner], "").header("allow"), Some("POST"));
    assert_eq!(server.metric(r#"mirra_calls_total{code="OK",handler="ok"}"#), 0.0);
}

#[test]
fn a_key_makes_a_call_once() {
    let folder =
        folder(&[("ok.js", &answering("event")), ("fails.js", &answering("missing")), ("long.js", &answering("'x'.repeat(event)"))]);
    let server = Server::start_with(&[folder.path()], &[], |command| _ = command.env("MIRRA_OWNER_KEY", OWNER_KEY));
    let (key, call) = (new_key(), json!({ "handler": "ok", "event": { "a": 1 } }));
    let first = invoke(&server, &[("Idempotency-Key", &key)], &call);
    assert_eq!((outcome(&first)["result"].clone(), first.header("x-mirra-replayed")), (json!({ "a": 1 }), None));
    // In quotes, as the header's standard has it, and in the body.
    let again = invoke(&server, &[("Idempotency-Key", &format!("\"{key}\""))], &call);
    assert_eq!((again.text(), again.header("x-mirra-replayed")), (first.text(), Some("true")));
    let in_body = json!({ "handler": "ok", "event": { "a": 1 }, "idempotencyKey": key });
    assert_eq!(invoke(&server, &[], &in_body).text(), first.text());
    assert_eq!(server.metric(r#"mirra_calls_total{code="OK",handler="ok"}"#), 1.0);
    for other in [json!({ "handler": "ok", "event": { "a": 2 } }), json!({ "handler": "fails", "event": { "a": 1 } })] {
        assert_eq!(refusal(&invoke(&server, &[("Idempotency-Key", &key)], &other)).1, "CONFLICT");
    }
    // A handler's failure is an outcome as well.
    let key = new_key();
    let failures = [(); 2].map(|()| outcome(&invoke(&server, &[("Idempotency-Key", &key)], &json!({ "handler": "fails" }))));
    assert_eq!((&failures[0], &failures[0]["success"]), (&failures[1], &json!(false)));
    assert_eq!(server.metric(r#"mirra_calls_total{code="HANDLER_ERROR",handler="fails"}"#), 1.0);
    // What was not made leaves its key as good as new, and what is long is kept in part.
    let key = new_key();
    let unknown = invoke(&server, &[("Idempotency-Key", &key)], &json!({ "handler": "nobody" }));
    assert_eq!(unknown.status, 404);
    let long = json!({ "handler": "long", "event": 300_000 });
    assert_eq!(outcome(&invoke(&server, &[("Idempotency-Key", &key)], &long))["result"].as_str().unwrap().len(), 300_000);
    let kept = outcome(&invoke(&server, &[("Idempotency-Key", &key)], &long));
    assert_eq!((&kept["success"], &kept["result"], &kept["isShortened"]), (&json!(true), &Value::Null, &json!(true)));
}

#[test]
fn who_asks_while_it_runs_waits_for_it() {
    let (gate, folder) = (Gate::new(), folder(&[("gated.js", GATED)]));
    let server = gate.server(&folder, &[]);
    let (key, call) = (new_key(), json!({ "handler": "gated", "event": gate.event("one") }));
    let key = [("Idempotency-Key", key.as_str())];
    let first = begin(&server, &key, &call);
    until("it runs", || gate.arrived() == 1);
    let mut others: Vec<Client> = (0..5).map(|_| begin(&server, &key, &call)).collect();
    // Another call under this key is refused at once.
    let other = invoke(&server, &key, &json!({ "handler": "gated", "event": gate.event("two") }));
    assert_eq!(refusal(&other).1, "CONFLICT");
    // Whoever asked first may go away: the call goes on.
    drop(first);
    gate.open();
    let outcomes: Vec<String> = others.iter_mut().map(|client| client.read().text()).collect();
    assert!(outcomes.iter().all(|other| *other == outcomes[0] && other.contains(r#""name":"one""#)), "{outcomes:?}");
    assert_eq!((gate.arrived(), server.metric(r#"mirra_calls_total{code="OK",handler="gated"}"#)), (1, 1.0));
}

#[test]
fn without_a_key_a_client_takes_its_call_along() {
    let (gate, folder) = (Gate::new(), folder(&[("gated.js", GATED)]));
    let server = Server::start_with(&[folder.path()], &["--allow-net", &gate.api.address.to_string()], |_| {});
    let client = begin(&server, &[], &json!({ "handler": "gated", "event": gate.event("one") }));
    until("it runs", || gate.arrived() == 1);
    drop(client);
    until("it is gone", || server.metric(r#"mirra_calls_total{code="CANCELLED",handler="gated"}"#) == 1.0);
}

#[test]
fn log_lines_come_as_they_are_written_and_the_outcome_last() {
    let folder = folder(&[("gated.js", GATED), ("breaks.js", "export const handler = () => { console.log('a\\nb'); throw 1; };")]);
    for (accept, prefix) in [("application/x-ndjson", ""), ("text/html, text/event-stream;q=0.5", "data: ")] {
        let gate = Gate::new();
        let server = gate.server(&folder, &[]);
        let call = json!({ "handler": "gated", "event": gate.event("one"), "idempotencyKey": new_key() });
        let mut reading = stream(&server, accept, &call);
        let line = line_with(&mut reading, "arrived");
        let part: Value = serde_json::from_str(line.trim().strip_prefix(prefix).unwrap()).unwrap();
        assert_eq!((&part["log"]["level"], &part["log"]["message"]), (&json!("info"), &json!("arrived")));
        gate.open();
        line_with(&mut reading, "left");
        let last = line_with(&mut reading, "outcome\":");
        let last: Value = serde_json::from_str(last.trim().strip_prefix(prefix).unwrap()).unwrap();
        assert_eq!((&last["outcome"]["result"]["name"], last["outcome"]["logs"].as_array().unwrap().len()), (&json!("one"), 2));
        // The same again, of what is kept.
        let mut again = String::new();
        stream(&server, accept, &call).read_to_string(&mut again).unwrap();
        let content_type = accept.trim_start_matches("text/html, ").trim_end_matches(";q=0.5");
        assert!(again.contains(&format!("content-type: {content_type}\r\n")), "{again}");
        let parts: Vec<Value> =
            again.lines().filter_map(|line| serde_json::from_str(line.strip_prefix(prefix)?).ok()).filter(Value::is_object).collect();
        assert_eq!((parts.len(), &parts[1]["log"]["message"], &parts[2]), (3, &json!("left"), &last));
        let mut broken = String::new();
        stream(&server, accept, &json!({ "handler": "breaks" })).read_to_string(&mut broken).unwrap();
        assert!(broken.contains(r#""message":"a\nb""#) && broken.contains("HANDLER_ERROR"), "{broken}");
        // What was refused is told by the status.
        let mut refused = String::new();
        stream(&server, accept, &json!({ "handler": "nobody" })).read_to_string(&mut refused).unwrap();
        assert!(refused.starts_with("HTTP/1.1 404 "), "{refused}");
    }
}

#[test]
fn a_call_of_a_process_that_died_is_not_made_again() {
    let (gate, folder) = (Gate::new(), folder(&[("gated.js", GATED)]));
    let (mut first, second) = (gate.server(&folder, &[]), gate.server(&folder, &[]));
    let (ended, key, call) = (new_key(), new_key(), json!({ "handler": "gated", "event": gate.event("one") }));
    let _client = begin(&first, &[("Idempotency-Key", &key)], &call);
    until("it runs", || gate.arrived() == 1);
    // Another process with the same store waits, until the one that runs it is gone.
    let mut waiting = begin(&second, &[("Idempotency-Key", &key)], &call);
    first.signal("KILL");
    first.wait();
    let lost = outcome(&waiting.read());
    assert_eq!((&lost["success"], &lost["error"]["code"]), (&json!(false), &json!("INTERNAL_ERROR")), "{lost}");
    assert!(lost["error"]["message"].as_str().unwrap().contains("the server ended while it ran"), "{lost}");
    // What had ended outlives its process.
    gate.open();
    let told = invoke(&second, &[("Idempotency-Key", &ended)], &call).text();
    second.signal("KILL");
    let third = gate.server(&folder, &[]);
    assert_eq!(invoke(&third, &[("Idempotency-Key", &ended)], &call).text(), told);
    assert_eq!(outcome(&invoke(&third, &[("Idempotency-Key", &key)], &call)), lost);
    assert_eq!(gate.arrived(), 2);
    assert_eq!(outcome(&invoke(&third, &[("Idempotency-Key", &new_key())], &call))["success"], true);
}

#[test]
fn two_processes_with_one_store_make_one_call() {
    let (gate, folder) = (Gate::new(), folder(&[("gated.js", GATED)]));
    let servers = [gate.server(&folder, &[]), gate.server(&folder, &[])];
    let (key, call) = (new_key(), json!({ "handler": "gated", "event": gate.event("one") }));
    let mut clients: Vec<Client> = (0..6).map(|index| begin(&servers[index % 2], &[("Idempotency-Key", &key)], &call)).collect();
    until("it runs", || gate.arrived() == 1);
    gate.open();
    let outcomes: Vec<String> = clients.iter_mut().map(|client| client.read().text()).collect();
    assert!(outcomes.iter().all(|other| *other == outcomes[0]), "{outcomes:?}");
    assert_eq!(gate.arrived(), 1);
}

#[test]
fn a_server_without_a_place_says_when_to_try_again() {
    let (gate, folder) = (Gate::new(), folder(&[("gated.js", GATED)]));
    let server = gate.server(&folder, &["--concurrency-per-handler", "1", "--queue", "0"]);
    let call = json!({ "handler": "gated", "event": gate.event("one") });
    let mut first = begin(&server, &[], &call);
    until("it runs", || gate.arrived() == 1);
    let key = new_key();
    let refused = invoke(&server, &[("Idempotency-Key", &key)], &call);
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "RATE_LIMITED".to_owned(), Some("1")));
    let mut streamed = String::new();
    stream(&server, "application/x-ndjson", &call).read_to_string(&mut streamed).unwrap();
    assert!(streamed.starts_with("HTTP/1.1 429 ") && streamed.contains("retry-after: 1\r\n"), "{streamed}");
    gate.open();
    assert_eq!(outcome(&first.read())["success"], true);
    // The key is as good as new.
    assert_eq!(outcome(&invoke(&server, &[("Idempotency-Key", &key)], &call))["success"], true);
}

#[test]
fn a_server_that_stops_refuses_calls_and_ends_those_with_a_key() {
    let (gate, folder) = (Gate::new(), folder(&[("gated.js", GATED)]));
    let mut server = gate.server(&folder, &[]);
    let (key, call) = (new_key(), json!({ "handler": "gated", "event": gate.event("one") }));
    let gone = begin(&server, &[("Idempotency-Key", &key)], &call);
    until("it runs", || gate.arrived() == 1);
    drop(gone);
    let mut late = server.client();
    let body = call.to_string();
    let head = format!("POST /v1/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {OWNER_KEY}\r\nContent-Length: {}\r\n", body.len());
    // It says that it may send its body when it has been heard.
    late.write(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes());
    assert!(late.read().head.starts_with("HTTP/1.1 100 "));
    server.signal("TERM");
    until("connections are refused", || TcpStream::connect(server.address).is_err());
    late.write(body.as_bytes());
    let refused = late.read();
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (503, "INTERNAL_ERROR".to_owned(), Some("1")));
    gate.open();
    assert_eq!(server.wait().code(), Some(0));
    let server = gate.server(&folder, &[]);
    let again = invoke(&server, &[("Idempotency-Key", &key)], &call);
    assert_eq!((outcome(&again)["success"].clone(), again.header("x-mirra-replayed"), gate.arrived()), (json!(true), Some("true"), 1));
}

const SCRIPT: &str = "export const handler = (event, context) => {
  console.log('hello', event.data.name);
  return { name: event.data.name, trigger: event.trigger, told: context.trigger, executionId: context.executionId };
};
";

#[test]
fn scripts_run_by_whose_they_are() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = data(owner.request("POST", "/v1/scripts", json!({ "name": "greeter", "code": SCRIPT, "config": { "timeout": 5 } })));
    let id = made["id"].as_str().unwrap().to_owned();
    let call = |more: Value| {
        let mut call = json!({ "scriptId": id, "event": { "name": "Ada" } });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    assert_eq!(refusal(&invoke(&bed.server, &[], &call(json!({})))).0, 400, "nothing runs before it is deployed");
    data(owner.request("POST", &format!("/v1/scripts/{id}/deploy"), Value::Null));
    let (key, execution_id) = (new_key(), new_execution_id());
    let once = call(json!({ "idempotencyKey": key, "trigger": "cron", "executionId": execution_id }));
    let first = invoke(&bed.server, &[], &once);
    let told = outcome(&first);
    assert_eq!(told["result"], json!({ "name": "Ada", "trigger": { "type": "cron" }, "told": "cron", "executionId": execution_id }));
    assert_eq!(told["logs"][0]["message"], "hello Ada");
    assert_eq!(invoke(&bed.server, &[], &once).text(), first.text());
    let execution = data(owner.dispatch("scripts", "getExecution", json!({ "executionId": execution_id })));
    assert_eq!((&execution["output"]["name"], &execution["status"]), (&json!("Ada"), &json!("completed")));
    assert_eq!(refusal(&invoke(&bed.server, &[], &call(json!({ "executionId": execution_id })))).1, "CONFLICT");
    let beyond = invoke(&bed.server, &[], &call(json!({ "limits": { "timeoutMs": 5001 } })));
    assert_eq!(refusal(&beyond), (400, "VALIDATION_ERROR".to_owned(), "limits.timeoutMs".to_owned()));
    others_may_not(&owner, &once, &made);
    let bed = bed.kill_and_start_again(&[]);
    assert_eq!(invoke(&bed.server, &[], &once).text(), first.text());
}

/// Nobody else runs it, or learns of its outcome; its own key runs it and nothing else.
fn others_may_not(owner: &User<'_>, once: &Value, made: &Value) {
    let with_key = |key: &str, call: &Value| owner.server.client().send("POST", "/v1/invocations", &[("X-API-Key", key)], call.to_string());
    let (stranger, _) = owner.sub_account("stranger");
    assert_eq!(with_key(&stranger.key, once).status, 404);
    assert_eq!(with_key(&stranger.key, &json!({ "handler": "echo" })).status, 403);
    let own = made["apiKey"].as_str().unwrap();
    assert_eq!(with_key(own, once).header("x-mirra-replayed"), Some("true"));
    assert_eq!(with_key(own, &json!({ "handler": "echo" })).status, 403);
    assert_eq!(with_key(own, &json!({ "scriptId": "another" })).status, 403);
    let scoped = data(owner.request("POST", "/v1/keys", json!({ "name": "memory", "scopes": ["memory"] })));
    assert_eq!(with_key(scoped["key"].as_str().unwrap(), once).status, 403);
}

#[test]
fn without_an_owners_key_scripts_need_one_all_the_same() {
    let folder = folder(&[("ok.js", &answering("1"))]);
    let server = Server::start(&[folder.path()]);
    let sent = |headers: &[(&str, &str)], body: &str| server.client().send("POST", "/v1/invocations", headers, body).status;
    assert_eq!((sent(&[], r#"{"handler":"ok"}"#), sent(&[], r#"{"scriptId":"x"}"#)), (200, 401));
    assert_eq!(sent(&[("Origin", "https://example.org")], r#"{"handler":"ok"}"#), 403);
}

/// It is told of a call as done, and nothing else is asked of it.
struct Nothing;

impl Executor for Nothing {
    fn prepare(&self, _: Source) -> BoxFuture<'_, Result<Prepared, PrepareError>> {
        Box::pin(async { Err(PrepareError::rejected("nothing")) })
    }

    fn invoke(&self, _: Invocation) -> BoxFuture<'_, Result<Outcome, HostError>> {
        Box::pin(async { Err(HostError::new(mirra_host_sdk::ErrorCode::NotFound, "nothing")) })
    }
}

#[tokio::test]
async fn a_day_later_a_key_is_as_good_as_new() {
    let (data, clock) = (tempdir().unwrap(), Arc::new(ManualClock::at(Duration::from_secs(1_800_000_000))));
    let egress = Egress::new(EgressConfig::new(AllowList::default())).unwrap();
    let control = Arc::new(Control::new(Config { clock: clock.clone(), ..Config::new(data.path(), egress) }));
    let executor: Arc<dyn Executor> = Arc::new(Nothing);
    control.offer_executor(Weak::clone(&Arc::downgrade(&executor))).unwrap();
    let owner = control.owner().await.unwrap().clone();
    let (asked, target) = InvocationRequest::read(&RawValue::from_string(r#"{"handler":"x"}"#.to_owned()).unwrap()).unwrap();
    let key = IdempotencyKey::new(owner.id(), "daily".to_owned(), &target, &asked);
    let call = |execution_id: &str| {
        let result = Ok(RawValue::from_string("1".to_owned()).unwrap());
        let outcome = Outcome { execution_id: execution_id.to_owned(), result, logs: Vec::new(), usage: Usage::default() };
        control.once(&key, async { Ok::<_, ApiError>(outcome) })
    };
    assert!(!call("a").await.unwrap().is_replayed);
    clock.advance(Duration::from_secs(86_400));
    assert!(call("b").await.unwrap().outcome.contains(r#""executionId":"a""#));
    clock.advance(Duration::from_millis(1));
    assert!(call("c").await.unwrap().outcome.contains(r#""executionId":"c""#));
    // And it is not kept for longer than it counts.
    clock.advance(Duration::from_secs(86_400));
    assert_eq!(control.tidy().await.unwrap(), 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(control.tidy().await.unwrap(), 1);
}
