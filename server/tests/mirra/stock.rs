//! What `mirra build` writes runs in stock wasmtime, and mirra takes it back.

use std::{ops::Range, path::PathBuf, sync::LazyLock};

use serde_json::{Value, json};

use crate::{
    built::Handler,
    support::{Ended, Server, fixtures, mirra, run, write},
};

const SOURCE: &str = r#"
declare const mirra: any;
interface Event { do: string; name?: string }

export async function handler(event: Event | null, context: any) {
  switch (event?.do) {
    case 'greet': return { greeting: `Hello, ${event.name ?? 'world'}!` };
    case 'log': console.log('one', { line: 1 }); console.error('two'); return 'x'.repeat(10_000);
    case 'throw': throw new RangeError('too far');
    case 'spin': for (;;);
    case 'hang': return new Promise(() => {});
    case 'function': return () => 1;
    case 'wait': {
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return performance.now() - began >= 49;
    }
    case 'operate': {
      const refused = await Promise.allSettled([mirra.memory.create({}), mirra.ai.complete({})]);
      return refused.map(({ reason }: any) => [reason.name, reason.code, reason.message]);
    }
    case 'context': return [
      /^exec_[0-9a-f]{24}$/.test(context.executionId), new Set(context.executionId.slice(5)).size > 1,
      context.trigger, context.remainingTime() > 1e12, Math.abs(new Date().getFullYear() - 2100) < 100, crypto.randomUUID().length,
    ];
    default: return event;
  }
}
"#;

static HANDLER: LazyLock<Handler> = LazyLock::new(|| Handler::build(&[("many.ts", SOURCE)], "many.ts", "many.wasm"));

fn stock(arguments: &[&str], stdin: &str) -> Ended {
    HANDLER.stock(arguments, stdin)
}

#[track_caller]
fn assert_stock(event: &str, code: i32, stdout: &str, stderr: &str) {
    let ended = stock(&[event], "");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (code, stdout, stderr));
}

#[test]
fn stock_wasmtime_takes_events_from_arguments_and_stdin() {
    assert_stock(r#"{"do":"greet","name":"Ada"}"#, 0, "{\"greeting\":\"Hello, Ada!\"}\n", "");
    assert_eq!(stock(&[], r#"{"do":"greet"}"#).stdout, "{\"greeting\":\"Hello, world!\"}\n");
    assert_eq!(stock(&[], "").stdout, "null\n");
    let long = json!("é".repeat(100_000)).to_string();
    assert_eq!(stock(&[], &long).stdout, long.clone() + "\n");
    assert_eq!(stock(&[&long, "what follows is ignored"], "stdin too").stdout, long + "\n");
}

#[test]
fn stock_wasmtime_is_told_why_a_call_failed() {
    let thrown = stock(&[r#"{"do":"throw"}"#], "");
    assert_eq!((thrown.code, thrown.stdout.as_str()), (1, ""));
    assert!(thrown.stderr.starts_with("RangeError: too far\n    at handler (") && thrown.stderr.ends_with(")\n"), "{}", thrown.stderr);
    let never = "the handler's promise never settles: nothing is under way that could settle it\n";
    assert_stock(r#"{"do":"hang"}"#, 1, "", never);
    let function = "TypeError: the result is nothing that JSON can carry: the handler returned a function, which JSON cannot carry\n";
    assert_stock(r#"{"do":"function"}"#, 1, "", function);
    let bad = stock(&["{do}"], "");
    assert_eq!((bad.code, bad.stdout.as_str()), (1, ""));
    assert!(bad.stderr.starts_with("SyntaxError: the event cannot be read: "), "{}", bad.stderr);
}

#[test]
fn stock_wasmtime_gives_logs_time_and_randomness_and_refuses_operations() {
    assert_stock(r#"{"do":"log"}"#, 0, &format!("\"{}\"\n", "x".repeat(10_000)), "info one { line: 1 }\nerror two\n");
    assert_stock(r#"{"do":"wait"}"#, 0, "true\n", "");
    assert_stock(r#"{"do":"context"}"#, 0, "[true,true,\"manual\",true,true,36]\n", "");
    let refused = ["MirraError", "RESOURCE_DENIED", "there is no mirra host here: only `mirra run` and `mirra serve` have operations"];
    assert_stock(r#"{"do":"operate"}"#, 0, &format!("{}\n", json!([refused, refused])), "");
}

/// Numbers as long as keys are computed by other instructions there, and what is long is hashed by the handler itself.
#[test]
fn stock_wasmtime_signs_and_hashes_as_mirra_does() {
    let folder = fixtures("handlers/node-crypto");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let files = ["handler.ts", "cases.mjs", "keys.mjs"].map(|file| (file, read(file)));
    let handler = Handler::build(&files.each_ref().map(|(file, source)| (*file, source.as_str())), "handler.ts", "crypto.wasm");
    let expected: Value = serde_json::from_str(&read("expected.json")).unwrap();
    assert_eq!(handler.stock(&["{}"], "").json(), expected);
}

#[test]
fn mirra_takes_what_it_built_back() {
    let (source, built) = (HANDLER.path("many.ts"), HANDLER.path("many.wasm"));
    let mirra_run = |path: &PathBuf, event: &str| run(&mut mirra(&["run", path.to_str().unwrap(), "--event", event]), "");
    for what in ["greet", "log", "throw", "hang", "function", "wait", "operate"] {
        let event = json!({ "do": what }).to_string();
        let (from_source, from_built) = (mirra_run(&source, &event), mirra_run(&built, &event));
        assert_eq!((from_built.code, &from_built.stdout), (from_source.code, &from_source.stdout), "{what}: {}", from_built.stderr);
        assert_eq!(from_built.stderr.lines().next().map(without_usage), from_source.stderr.lines().next().map(without_usage));
    }
    assert!(mirra_run(&built, r#"{"do":"operate"}"#).stdout.contains("ai has no operation 'complete'"), "mirra is the host");
    let ended = run(&mut mirra(&["run", built.to_str().unwrap(), "--max-cost-usd", "0.000001", "--event", r#"{"do":"spin"}"#]), "");
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let server = Server::start(&[&built]);
    assert_eq!(server.call("many", r#"{"do":"greet"}"#).text(), r#"{"greeting":"Hello, world!"}"#);
    assert_eq!(server.call("many", r#"{"do":"throw"}"#).code(), "HANDLER_ERROR");
}

#[test]
fn what_intl_knows_goes_with_the_handlers_that_ask_for_it() {
    let folder = fixtures("handlers/intl");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let handler = Handler::build(&[("intl.ts", &read("handler.ts"))], "intl.ts", "intl.wasm");
    let expected: Value = serde_json::from_str(&read("expected.json")).unwrap();
    assert_eq!(handler.stock(&[], "").json(), expected);
    let built = handler.path("intl.wasm");
    assert_eq!(run(&mut mirra(&["run", built.to_str().unwrap()]), "").json(), expected);
    let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len() >> 20;
    let (with, without) = (size(&built), size(&HANDLER.path("many.wasm")));
    assert!(with > 20 && without < 10, "{with} MB with what Intl knows, {without} MB without");
}

#[test]
fn components_without_a_command_around_them_run_as_ever() {
    let built = std::fs::read(HANDLER.path("many.wasm")).unwrap();
    let bare = HANDLER.path("bare.wasm");
    write(&bare, &built[handler_of(&built)]);
    let ended = run(&mut mirra(&["run", bare.to_str().unwrap(), "--event", r#"{"do":"greet"}"#]), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "{\"greeting\":\"Hello, world!\"}\n"), "{}", ended.stderr);
}

/// Usage differs from call to call.
fn without_usage(line: &str) -> &str {
    line.strip_prefix("cold start").map_or(line, |_| "cold start")
}

#[test]
fn damaged_components_are_rejected() {
    let built = std::fs::read(HANDLER.path("many.wasm")).unwrap();
    let rejected = |name: &str, bytes: &[u8]| {
        let path = HANDLER.path(name);
        write(&path, bytes);
        let ended = run(&mut mirra(&["run", path.to_str().unwrap()]), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{name}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{name}: {}", ended.stderr);
    };
    for cut in [9, 10, 12, 100, built.len() / 2, built.len() - 1000, built.len() - 1] {
        rejected("cut.wasm", &built[..cut]);
    }
    // What is around the handler is whole.
    let mut damaged = built.clone();
    damaged[handler_of(&built)].fill(0xff);
    rejected("damaged.wasm", &damaged);
    let no_handler = [&built[..8], b"\x04\x08\0asm\x0d\0\x01\0", &built[handler_of(&built).end..]].concat();
    rejected("empty.wasm", &no_handler);
    rejected("sections.wasm", &[&built[..8], &b"\0\x01\0".repeat(1 << 20)].concat());
}

/// Where the handler lies in a built component: it is the first section.
pub fn handler_of(built: &[u8]) -> Range<usize> {
    let digits = built[9..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let len = built[9..9 + digits].iter().rev().fold(0, |len, byte| len << 7 | usize::from(byte & 0x7f));
    9 + digits..9 + digits + len
}

#[test]
fn stock_wasmtime_shows_a_handler_its_own_files() {
    let files = [
        (
            "h/index.js",
            "import fs from 'fs';\nconst early = fs.readFileSync('t/a.txt', 'utf8');\nexport const handler = () => [early, fs.readFileSync(`${__dirname}/t/a.txt`, 'utf8'), fs.readdirSync('.')];",
        ),
        ("h/package.json", "{}"),
        ("h/t/a.txt", "own"),
        ("h/z.bin", "x"),
    ];
    let built = Handler::build(&files, "h", "h.wasm");
    assert_eq!(built.stock(&[], "").stdout, "[\"own\",\"own\",[\"t\",\"z.bin\"]]\n");
    let ended = run(&mut mirra(&["run", built.path("h.wasm").to_str().unwrap()]), "");
    assert_eq!(ended.json(), json!(["own", "own", ["t", "z.bin"]]));
}
