//! Input that nobody foresaw: generated, changed at random, or of other origin. Whatever it is, the answer is a value, and
//! the executor goes on.

use std::{path::PathBuf, sync::LazyLock};

use mirra_host_sdk::{ErrorCode, Executor, HandlerId, Invocation, Limits, Outcome, PrepareError, Source};
use mirra_runtime::LocalExecutor;
use proptest::{collection, prelude::*, sample::Index, test_runner::Config};
use serde_json::{Value, value::RawValue};
use tempfile::{TempDir, tempdir};
use tokio::runtime::Runtime;

use crate::{
    executor::{bundler, cache_folder},
    stock::handler_of,
    support::{Server, fixtures, mirra, run, write},
};

/// One executor for all tests of this file: that it survives each is what they test.
struct Bed {
    runtime: Runtime,
    executor: LocalExecutor,
    folder: TempDir,
}

static BED: LazyLock<Bed> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let executor = runtime.block_on(LocalExecutor::new(mirra_runtime::Config::new(cache_folder(), bundler()))).unwrap();
    Bed { runtime, executor, folder: tempfile::tempdir().unwrap() }
});

impl Bed {
    /// Panics if it is the host that fails, and not what it was given.
    fn prepare(&self, name: &str, content: impl AsRef<[u8]>) -> Option<HandlerId> {
        let path: PathBuf = self.folder.path().join(name);
        write(&path, content);
        match self.runtime.block_on(self.executor.prepare(Source::path(path))) {
            Ok(prepared) => Some(prepared.id),
            Err(PrepareError::Rejected(diagnostics)) => {
                assert!(diagnostics.iter().all(|diagnostic| !diagnostic.message.is_empty()));
                None
            }
            Err(PrepareError::Host(error)) => panic!("the host failed: {error}"),
        }
    }

    fn call(&self, handler: &HandlerId, event: &str) -> Outcome {
        self.call_within(handler, event, 2_000)
    }

    fn call_within(&self, handler: &HandlerId, event: &str, timeout_ms: u64) -> Outcome {
        let limits = Limits { timeout_ms, ..Limits::default() };
        let event = RawValue::from_string(event.to_owned()).unwrap();
        self.runtime.block_on(self.executor.invoke(Invocation::new(handler.clone(), event, limits))).unwrap()
    }
}

fn cases(cases: u32) -> Config {
    // What fails is told; files of seeds would only be in the way.
    Config { cases, failure_persistence: None, ..Config::default() }
}

fn echo() -> Vec<u8> {
    wat::parse_file(fixtures("components/echo.wat")).unwrap()
}

/// What `mirra build` writes, with `echo` in the handler's place.
static COMMAND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (source, built) = (fixtures("handlers/hello"), BED.folder.path().join("command.wasm"));
    let ended = run(&mut mirra(&["build", source.to_str().unwrap(), "-o", built.to_str().unwrap()]), "");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let built = std::fs::read(built).unwrap();
    let echo = echo();
    // A length of two bytes in LEB128.
    let length = [(echo.len() & 0x7f | 0x80) as u8, (echo.len() >> 7) as u8];
    [&built[..9], &length, &echo, &built[handler_of(&built).end..]].concat()
});

/// Anything that JSON and JavaScript both have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e300..1e300).prop_filter("no -0", |number| *number != 0.0).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            collection::hash_map(any::<String>(), inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn a_component_of_other_origin_runs_within_the_limits() {
    let handler = BED.prepare("echo.wasm", echo()).unwrap();
    let code = |event: &str| BED.call(&handler, event).result.unwrap_err().code;
    assert_eq!(BED.call(&handler, r#"{"a":1}"#).result.unwrap().get(), r#"{"a":1}"#);
    let within_a_command = BED.prepare("command.wasm", &*COMMAND).unwrap();
    assert_eq!(BED.call(&within_a_command, r#"{"a":1}"#).result.unwrap().get(), r#"{"a":1}"#);
    assert_eq!(code("[]"), ErrorCode::Timeout);
    assert_eq!(code("true"), ErrorCode::MemoryLimit);
    assert_eq!(code("false"), ErrorCode::HandlerError);
}

/// Each asks one native operation for more than a call may have.
const GREEDY: &str = r#"
import crypto from 'node:crypto';
import zlib from 'node:zlib';

const many = (bytes) => Buffer.concat(Array(64).fill(bytes));
const greedy = {
  gunzip: () => zlib.gunzipSync(many(zlib.gzipSync(Buffer.alloc(16 << 20)))),
  inflate: () => zlib.inflateRawSync(zlib.deflateRawSync(Buffer.alloc(30 << 20))).length * greedy.gunzip().length,
  scrypt: () => crypto.scryptSync('password', 'salt', 32, { N: 2 ** 20, r: 8, maxmem: 2 ** 31 }),
  pbkdf2: () => crypto.pbkdf2Sync('password', 'salt', 2 ** 31 - 1, 32, 'sha512'),
  hash: () => { const bytes = Buffer.alloc(16 << 20); for (const hash = crypto.createHash('sha256'); ;) hash.update(bytes); },
  parse: () => JSON.parse('['.repeat(1e6)),
  objects: () => JSON.parse(`[${Array(3e6).fill('{"a":{}}').join()}]`),
  stringify: () => { let text = '\u0001'.repeat(1e6); return JSON.stringify(Array(64).fill(text)); },
};
export const handler = ({ what }) => { greedy[what](); return what; };
"#;

#[test]
fn what_native_operations_are_asked_for_is_bounded() {
    let handler = BED.prepare("greedy.mjs", GREEDY).unwrap();
    use ErrorCode::{HandlerError, MemoryLimit, Timeout};
    let expected = [
        ("gunzip", MemoryLimit),
        ("inflate", MemoryLimit),
        ("scrypt", MemoryLimit),
        ("pbkdf2", Timeout),
        ("hash", Timeout),
        ("parse", HandlerError),
        ("objects", MemoryLimit),
        ("stringify", MemoryLimit),
    ];
    let ended = expected.map(|(what, code)| {
        // Which limit comes first is not to depend on how busy the machine is.
        let timeout_ms = if code == Timeout { 2_000 } else { 60_000 };
        let event = serde_json::json!({ "what": what }).to_string();
        (what, BED.call_within(&handler, &event, timeout_ms).result.unwrap_err().code)
    });
    assert_eq!(ended, expected);
}

/// Nothing but the handler's own time passes while the host works for it, and others have their turn meanwhile.
#[test]
fn what_the_host_does_for_a_handler_counts_as_its_work() {
    let hash = BED.prepare("hash.mjs", "import { createHash } from 'crypto';\nexport function handler() {\n  const bytes = Buffer.alloc(64 << 20), hash = createHash('sha512');\n  for (;;) hash.update(bytes);\n}");
    let lines = "(loop $again (call $host (i32.const 1) (i32.const 65536) (i32.const 100000000)) (br $again))";
    let log = BED.prepare("log.wasm", importing("logging", LOG, "(param i32 i32 i32)", 1600, lines));
    let blocks = format!(
        "(loop $again (call $host (i32.const 2) {} (i32.const 65536) (i32.const 65536) (i32.const 256)) (br $again))",
        "(i64.const 0)".repeat(8)
    );
    let parameters = "(param i32 i64 i64 i64 i64 i64 i64 i64 i64 i32 i32 i32)";
    let hashing = BED.prepare("hashing.wasm", importing("hashing", HASH, parameters, 16, &blocks));
    let quick = BED.prepare("quick.mjs", "export const handler = () => { for (let i = 0; i < 3e5; i++); return 1; };").unwrap();
    for handler in [hash, log, hashing].map(Option::unwrap) {
        let call = |handler: &HandlerId, timeout_ms| {
            let limits = Limits { timeout_ms, ..Limits::default() };
            BED.executor.invoke(Invocation::new(handler.clone(), RawValue::from_string("{}".into()).unwrap(), limits))
        };
        let (outcomes, neighbour) = BED.runtime.block_on(async {
            let greedy = futures_util::future::join_all((0..8).map(|_| call(&handler, 1_000)));
            futures_util::future::join(greedy, call(&quick, 20_000)).await
        });
        assert!(neighbour.unwrap().result.is_ok());
        for outcome in outcomes.into_iter().map(Result::unwrap) {
            assert_eq!(outcome.result.unwrap_err().code, ErrorCode::Timeout);
            // On a machine with much else to do; it was half a minute.
            assert!(outcome.usage.wall_us < 5_000_000, "{:?}", outcome.usage);
            assert!(outcome.usage.fuel > 1_000_000, "{:?}", outcome.usage);
        }
    }
}

const LOG: &str = r#"(type $level' (enum "debug" "info" "warn" "error")) (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "message" string)))"#;
const HASH: &str = r#"(type $hash' (enum "sha1" "sha256" "sha512")) (export "hash" (type $hash (eq $hash')))
    (type $state (tuple u64 u64 u64 u64 u64 u64 u64 u64))
    (export "compress" (func (param "hash" $hash) (param "state" $state) (param "blocks" (list u8)) (result (option $state))))"#;

/// `echo.wat` with an import, the last function of which is `$host` of its code, and other work.
fn importing(interface: &str, types: &str, parameters: &str, memory_pages: u32, work: &str) -> Vec<u8> {
    let echo = std::fs::read_to_string(fixtures("components/echo.wat")).unwrap();
    let function = types.rsplit("(export \"").next().unwrap().split('"').next().unwrap();
    let replaced = |text: String, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let imports = format!(
        "(component\n(import \"mirra:function/{interface}@0.1.0\" (instance $imported {types}))
        (core module $libc (memory (export \"memory\") {memory_pages})) (core instance $libc (instantiate $libc))
        (alias core export $libc \"memory\" (core memory $mem))
        (core func $host (canon lower (func $imported \"{function}\") (memory $mem)))
        (core module $code (import \"libc\" \"memory\" (memory 1)) (import \"host\" \"host\" (func $host {parameters}))"
    );
    let text = replaced(echo, "(component\n  (core module $code\n    (memory (export \"memory\") 1)", &imports);
    let with = "(instantiate $code (with \"libc\" (instance $libc)) (with \"host\" (instance (export \"host\" (func $host)))))";
    let text = replaced(text, "(instantiate $code)", with);
    let text = replaced(text, "(memory $code \"memory\")", "(memory $mem)");
    let at = text.find("      (if (i32.eq (i32.load8_u (local.get $event)) (i32.const 91))").unwrap();
    wat::parse_str(format!("{}{work}{}", &text[..at], &text[at..])).unwrap()
}

#[test]
fn components_of_another_world_are_rejected_with_a_reason() {
    let rejected = |wat: &str, reason: &str| {
        let path = BED.folder.path().join("other.wasm");
        write(&path, wat::parse_str(wat).unwrap());
        let ended = run(&mut mirra(&["run", path.to_str().unwrap()]), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    };
    rejected("(component)", "mirra:function/handler");
    rejected("(module)", "component");
    rejected(r#"(component (import "elsewhere:files/disk" (func)))"#, "elsewhere:files/disk");
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_json_carries_comes_back_as_it_went(event in any_json()) {
        let handler = BED.prepare("same.mjs", "export const handler = (event) => event;").unwrap();
        let answer = BED.call(&handler, &event.to_string()).result.unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(answer.get()).unwrap(), event);
    }

    #[test]
    fn stacks_may_be_anything(stack in any::<String>(), line in any::<u64>(), column in any::<i64>()) {
        let code = "export const handler = ({ stack }) => { const error = new Error('no'); error.stack = stack; throw error; };";
        let handler = BED.prepare("stack.mjs", code).unwrap();
        for stack in [stack.clone(), format!("    at {stack} (handler.js:{line}:{column})\n    at handler.js:{column}")] {
            let event = serde_json::json!({ "stack": stack }).to_string();
            let error = BED.call(&handler, &event).result.unwrap_err();
            prop_assert_eq!(error.code, ErrorCode::HandlerError);
        }
    }

    #[test]
    fn damaged_components_harm_nobody(damages in collection::vec((any::<Index>(), any::<u8>()), 1..6), cut in any::<Option<Index>>()) {
        for mut component in [echo(), COMMAND.clone()] {
            for (place, byte) in &damages {
                // The magic number stays, so that the damage is met by what reads sections.
                let place = 8 + place.index(component.len() - 8);
                component[place] = *byte;
            }
            component.truncate(cut.map_or(usize::MAX, |cut| cut.index(component.len())));
            if let Some(handler) = BED.prepare("damaged.wasm", &component) {
                let outcome = BED.call(&handler, r#"{"a":1}"#);
                prop_assert_eq!(&outcome.execution_id[..5], "exec_");
            }
        }
    }
}

proptest! {
    // Each is bundled by a process of its own.
    #![proptest_config(cases(40))]

    #[test]
    fn sources_may_be_anything(bytes in collection::vec(any::<u8>(), 0..400)) {
        BED.prepare("bytes.ts", bytes);
    }

    #[test]
    fn sources_may_be_nearly_typescript(tokens in collection::vec(prop::sample::select(TOKENS), 0..60)) {
        if let Some(handler) = BED.prepare("tokens.ts", tokens.join(" ")) {
            let _outcome = BED.call(&handler, "{}");
        }
    }

    #[test]
    fn requests_of_schedulers_may_be_anything(request in any_json(), bytes in collection::vec(any::<u8>(), 0..100)) {
        for stdin in [request.to_string().into_bytes(), bytes] {
            let ended = run(&mut mirra(&["exec"]), stdin);
            prop_assert_eq!(ended.code, 2);
            prop_assert_eq!(&ended.json()["error"]["code"], "VALIDATION_ERROR");
        }
    }
}

const TOKENS: &[&str] = &[
    "export",
    "default",
    "const",
    "handler",
    "=",
    "=>",
    "async",
    "await",
    "function",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ";",
    ",",
    ":",
    "...",
    "class",
    "extends",
    "enum",
    "namespace",
    "@decorator",
    "import",
    "from",
    "'./other.ts'",
    "type",
    "<",
    ">",
    "`",
    "${",
    "/",
    "/re/gu",
    "\"text",
    "0n",
    "1e999",
    "yield",
    "*",
    "?.",
    "#private",
    "this",
    "throw",
    "event",
    "//",
    "/*",
    "\u{2028}",
    "🦀",
    "new",
    "super",
];

/// More runs of pages than are put back one by one: the gaps between them are written to as well (`runtime/src/engine/pages.rs`).
#[test]
fn calls_that_write_everywhere_leave_nothing_behind() {
    let folder = tempdir().unwrap();
    let source = "const blocks = Array.from({ length: 200 }, (_, i) => new Uint8Array(4096 * (1 + i % 5)));
        export const handler = ({ from = 0 }) => {
            let sum = 0;
            for (let i = from; i < blocks.length; i += 2) sum += ++blocks[i][blocks[i].length >> 1];
            return sum;
        };";
    write(folder.path().join("everywhere.js"), source);
    let server = Server::start(&[folder.path()]);
    for call in 0..200 {
        // Others than the first few were, too.
        let event = format!(r#"{{"from":{}}}"#, call / 50 % 2);
        assert_eq!(server.call("everywhere", &event).text(), "100", "call {call}");
    }
}
