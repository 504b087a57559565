//! `mirra run`, `exec`, `build`, `new` and what is around them.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::json;
use tempfile::tempdir;

use crate::support::{Ended, SLEEP, answering, fixtures, mirra, run, write};

fn hello() -> String {
    fixtures("handlers/hello").to_str().unwrap().to_owned()
}

#[track_caller]
fn assert_wrong_use(ended: &Ended, text: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains(text), "{}", ended.stderr);
}

#[test]
fn run_prints_the_result_alone_on_stdout_and_the_usage_on_stderr() {
    let ended = run(&mut mirra(&["run", &hello(), "--event", r#"{"name":"Ada"}"#]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "{\"success\":true,\"greeting\":\"Hello, Ada!\"}\n"));
    let usage = ended.stderr.lines().last().unwrap();
    assert!(usage.starts_with("cold start ") && usage.contains(", CPU ") && usage.ends_with(" USD"), "{usage}");
    assert!(!ended.stderr.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn run_takes_events_from_arguments_files_and_stdin() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("event.json");
    write(&file, r#"{"name":"file"}"#);
    let greeting = |event: &[&str], stdin: &str| {
        let ended = run(mirra(&["run", &hello()]).args(event), stdin);
        ended.json()["greeting"].as_str().unwrap().to_owned()
    };
    assert_eq!(greeting(&[], ""), "Hello, world!");
    assert_eq!(greeting(&["--event", "-"], r#"{"name":"stdin"}"#), "Hello, stdin!");
    assert_eq!(greeting(&["--event", &format!("@{}", file.display())], ""), "Hello, file!");
}

#[test]
fn run_says_what_is_wrong_with_its_use() {
    let run = |arguments: &[&str]| run(mirra(&["run"]).args(arguments), "");
    assert_wrong_use(&run(&["no/such/file.ts"]), "no/such/file.ts");
    assert_wrong_use(&run(&[&hello(), "--event", "{name}"]), "not JSON: key must be a string at line 1 column 2");
    assert_wrong_use(&run(&[&hello(), "--event", "@no/such/event.json"]), "no/such/event.json");
    assert_wrong_use(&run(&[&hello(), "--timeout-s", "301"]), "timeout must be between 1 and 300 seconds");
    assert_wrong_use(&run(&[&hello(), "--memory-mb", "64"]), "memory must be between 128 and 3008 MB");
    assert_wrong_use(&run(&[&hello(), "--max-cost-usd", "-1"]), "-1");
    assert_wrong_use(&run(&[&hello(), "--prices", "no/such/prices.json"]), "no/such/prices.json");
    assert_wrong_use(&run(&[&hello(), "--no-such-flag"]), "--no-such-flag");
}

#[test]
fn run_tells_a_failure_with_its_stack_in_source_lines() {
    let ended = run(&mut mirra(&["run", fixtures("handlers/throws-error").to_str().unwrap(), "--event", r#"{"amount":-1}"#]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
    assert!(
        ended.stderr.starts_with("HANDLER_ERROR: RangeError: the amount -1 is negative\n    at check (check.ts:6:"),
        "{}",
        ended.stderr
    );
}

#[test]
fn run_exits_with_3_when_a_limit_is_hit() {
    let folder = fixtures("handlers/busy-loop");
    let ended = run(&mut mirra(&["run", folder.to_str().unwrap(), "--max-cost-usd", "0.000001"]), "");
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("COST_LIMIT: "), "{}", ended.stderr);
    let event = format!("{{\"text\":\"{}\"}}", "x".repeat(7 << 20));
    let ended = run(&mut mirra(&["run", &hello(), "--event", "-"]), event);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("PAYLOAD_TOO_LARGE: "), "{}", ended.stderr);
}

#[test]
fn run_can_print_the_whole_outcome() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("handler.js");
    write(&handler, "export const handler = (event) => { console.warn('odd', event); throw new TypeError('no'); };");
    let ended = run(&mut mirra(&["run", handler.to_str().unwrap(), "--json", "--event", "7"]), "");
    let outcome = ended.json();
    assert_eq!(ended.code, 1);
    assert!(outcome["executionId"].as_str().unwrap().starts_with("exec_"));
    assert_eq!(
        (&outcome["success"], &outcome["error"]["code"], &outcome["error"]["name"]),
        (&json!(false), &json!("HANDLER_ERROR"), &json!("TypeError"))
    );
    assert_eq!((&outcome["logs"][0]["level"], &outcome["logs"][0]["message"]), (&json!("warn"), &json!("odd 7")));
    assert!(outcome["usage"]["fuel"].as_u64().unwrap() > 0);
    // What booting leaves behind is cut off: with it, memory would be three times as large, and every call slower.
    assert!((1 << 20..6 << 20).contains(&outcome["usage"]["memoryBytesPeak"].as_u64().unwrap()), "{}", outcome["usage"]);
    assert_eq!(ended.stderr.trim(), "warn odd 7");
}

#[test]
fn logs_appear_while_the_handler_runs() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("handler.js");
    write(&handler, "export const handler = () => { console.log('begun'); return new Promise((done) => setTimeout(done, 3e5)); };");
    let mut child = mirra(&["run", handler.to_str().unwrap(), "--timeout-s", "300"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "info begun\n");
    assert!(child.try_wait().unwrap().is_none(), "the call still runs");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn sources_that_cannot_be_read_are_rejected() {
    let folder = tempdir().unwrap();
    let rejected = |name: &str, content: &[u8], text: &str| {
        let file = folder.path().join(name);
        write(&file, content);
        assert_wrong_use(&run(&mut mirra(&["run", file.to_str().unwrap()]), ""), text);
    };
    rejected("latin1.ts", b"export const handler = () => '\xe9';", "UTF-8");
    rejected("nested.ts", format!("export const handler = () => {}1{};", "(".repeat(100_000), ")".repeat(100_000)).as_bytes(), "nested");
    rejected("text.txt", b"text", "text.txt");
    rejected("text.wasm", b"text", "not wasm");
    rejected("core.wasm", b"\0asm\x01\0\0\0", "core wasm module");
    rejected("other-world.wasm", b"\0asm\x0d\0\x01\0", "mirra:function");
}

#[test]
fn exec_makes_the_call_that_stdin_describes() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("handler.js");
    write(&handler, "export const handler = (event, context) => { console.log('hi'); return { event, ...context }; };");
    let request = json!({
        "handler": handler, "event": [1, null], "executionId": "exec_1", "scriptId": "s1", "version": "7", "trigger": "cron",
        "limits": { "timeoutMs": 5000, "costUsdMax": 0.5 },
    });
    let ended = run(&mut mirra(&["exec"]), request.to_string());
    let outcome = ended.json();
    assert_eq!((ended.code, ended.stderr.trim()), (0, "info hi"));
    assert_eq!((&outcome["success"], &outcome["executionId"]), (&json!(true), &json!("exec_1")));
    let result = &outcome["result"];
    assert_eq!(result["event"], json!([1, null]));
    assert_eq!([&result["executionId"], &result["scriptId"], &result["version"], &result["trigger"]], ["exec_1", "s1", "7", "cron"]);
}

#[test]
fn exec_answers_in_json_whatever_happens() {
    let failed = |request: String, code: &str, exit: i32, text: &str| {
        let ended = run(&mut mirra(&["exec"]), &request);
        let answer = ended.json();
        assert_eq!((ended.code, &answer["success"], &answer["error"]["code"]), (exit, &json!(false), &json!(code)), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(text), "{answer}");
    };
    failed("{".to_owned(), "VALIDATION_ERROR", 2, "EOF");
    failed(json!({ "handler": hello(), "evnt": 1 }).to_string(), "VALIDATION_ERROR", 2, "unknown field `evnt`");
    failed(json!({ "handler": hello(), "limits": { "timeoutS": 1 } }).to_string(), "VALIDATION_ERROR", 2, "unknown field `timeoutS`");
    failed(json!({ "handler": hello(), "limits": { "timeoutMs": 300_001 } }).to_string(), "VALIDATION_ERROR", 2, "limits.timeoutMs");
    failed(json!({ "handler": "no/such/handler" }).to_string(), "VALIDATION_ERROR", 2, "no/such/handler");
    failed(json!({ "handler": hello(), "limits": { "fuelMax": 10 } }).to_string(), "TIMEOUT", 3, "fuel");
}

#[test]
fn a_built_component_runs_without_its_source() {
    let folder = tempdir().unwrap();
    let (source, component) = (folder.path().join("twice.ts"), folder.path().join("twice.wasm"));
    write(&source, answering("event.n * 2"));
    let built = run(&mut mirra(&["build", source.to_str().unwrap(), "-o", component.to_str().unwrap()]), "");
    assert_eq!((built.code, built.stdout.as_str()), (0, ""), "{}", built.stderr);
    assert!(built.stderr.contains("twice.wasm: ") && built.stderr.contains(" MB"), "{}", built.stderr);
    std::fs::remove_file(&source).unwrap();
    let ended = run(&mut mirra(&["run", component.to_str().unwrap(), "--event", r#"{"n":21}"#]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "42\n"), "{}", ended.stderr);
    assert_wrong_use(&run(&mut mirra(&["build", "no/such.ts", "-o", "x.wasm"]), ""), "no/such.ts");
}

#[test]
fn new_makes_a_handler_that_runs() {
    for (language, file) in [("ts", "handler.ts"), ("js", "handler.js")] {
        let folder = tempdir().unwrap();
        let mut command = mirra(&["new", "greeter", "--lang", language]);
        let made = run(command.current_dir(folder.path()), "");
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(made.stdout.contains("mirra run greeter") && made.stdout.contains(file), "{}", made.stdout);
        assert!(folder.path().join("greeter").join(file).is_file());
        let again = run(command.current_dir(folder.path()), "");
        assert_wrong_use(&again, "exists");
        let ended = run(mirra(&["run", "greeter", "--event", r#"{"name":"Ada"}"#]).current_dir(folder.path()), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (0, "{\"greeting\":\"Hello, Ada!\"}\n"), "{}", ended.stderr);
    }
}

#[test]
fn the_price_table_is_configuration() {
    let folder = tempdir().unwrap();
    let prices = folder.path().join("prices.json");
    write(&prices, r#"{"callUsd": 0.5}"#);
    let cost =
        |prices: &str| run(&mut mirra(&["run", &hello(), "--json", "--prices", prices]), "").json()["usage"]["costUsd"].as_f64().unwrap();
    assert!(cost(prices.to_str().unwrap()) >= 0.5);
    write(&prices, r#"{"callUSD": 0.5}"#);
    assert_wrong_use(&run(&mut mirra(&["run", &hello(), "--prices", prices.to_str().unwrap()]), ""), "prices.json");
}

#[test]
fn a_host_that_cannot_start_exits_with_4() {
    let ended = run(&mut mirra(&["run", &hello(), "--data", "/proc/no/such/folder"]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""));
    assert!(ended.stderr.contains("/proc/no/such/folder") && ended.stderr.contains("--data"), "{}", ended.stderr);
}

#[test]
fn a_waiting_call_holds_no_processor() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("handler.js");
    write(&handler, format!("{SLEEP}export const handler = () => sleep(300);"));
    let usage = run(&mut mirra(&["run", handler.to_str().unwrap(), "--json"]), "").json()["usage"].take();
    assert!(usage["wallUs"].as_u64().unwrap() >= 300_000 && usage["cpuUs"].as_u64().unwrap() < 100_000, "{usage}");
}

#[test]
fn help_teaches() {
    let help = run(&mut mirra(&["--help"]), "");
    for text in ["Examples:", "Exit codes:", "MIRRA_OWNER_KEY", "export async function handler"] {
        assert!(help.stdout.contains(text), "{text} is missing");
    }
    assert!(run(&mut mirra(&["completions", "bash"]), "").stdout.contains("complete -F _mirra"));
}

#[test]
fn rejections_that_nobody_listens_to_are_told() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("forgets.ts");
    write(
        &handler,
        "async function save() { throw new Error('the disk is full'); }
export async function handler() {
  const late = Promise.reject(new Error('heard in time'));
  save();
  await null;
  await late.catch(() => 0);
  return 'done';
}",
    );
    let ended = run(&mut mirra(&["run", handler.to_str().unwrap()]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "\"done\"\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Unhandled promise rejection"), "{}", ended.stderr);
    assert!(ended.stderr.contains("the disk is full"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("heard in time"), "{}", ended.stderr);
}
