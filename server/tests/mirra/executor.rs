//! `LocalExecutor` through the traits that embedders use.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use mirra_host_sdk::{
    Answering, Capabilities, Capability, ErrorCode, Executor, HandlerId, Invocation, Json, Limits, Operation, OperationError, Outcome,
    Source, Usd,
};
use mirra_runtime::{ChildCommand, Config, LocalExecutor};
use serde_json::value::RawValue;
use tempfile::TempDir;

struct Bed {
    executor: Arc<LocalExecutor>,
    folder: TempDir,
}

pub fn bundler() -> ChildCommand {
    ChildCommand { program: env!("CARGO_BIN_EXE_mirra").into(), args: vec!["__bundle".into()] }
}

/// One cache for all tests of this file: the engine is compiled once.
pub fn cache_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("executor-cache")
}

impl Bed {
    async fn new(configure: impl FnOnce(Config) -> Config) -> Bed {
        let config = configure(Config::new(cache_folder(), bundler()));
        Bed { executor: Arc::new(LocalExecutor::new(config).await.unwrap()), folder: tempfile::tempdir().unwrap() }
    }

    async fn prepare(&self, code: &str) -> HandlerId {
        let path = self.folder.path().join("handler.mjs");
        std::fs::write(&path, code).unwrap();
        self.executor.prepare(Source::path(path)).await.unwrap().id
    }

    async fn call(&self, handler: &HandlerId, event: &str, limits: Limits) -> Outcome {
        self.executor.invoke(Invocation::new(handler.clone(), json(event), limits)).await.unwrap()
    }

    async fn run(&self, code: &str, event: &str, limits: Limits) -> Outcome {
        let handler = self.prepare(code).await;
        self.call(&handler, event, limits).await
    }
}

fn json(text: &str) -> Json {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn code(outcome: &Outcome) -> ErrorCode {
    outcome.result.as_ref().unwrap_err().code
}

/// `nap.sleep {ms}` answers the milliseconds; `nap.dear` costs half a dollar.
#[derive(Default)]
struct Nap {
    calls: Arc<AtomicUsize>,
}

impl Capability for Nap {
    fn price(&self, operation: &Operation) -> Usd {
        if operation.method == "dear" { "0.5".parse().unwrap() } else { Usd::ZERO }
    }

    fn call(&self, operation: Operation) -> Answering {
        self.calls.fetch_add(1, SeqCst);
        Box::pin(async move {
            #[derive(serde::Deserialize)]
            struct Arguments {
                ms: u64,
            }
            let Ok(arguments) = serde_json::from_str::<Arguments>(operation.arguments.get()) else {
                return Err(OperationError::new(ErrorCode::ValidationError, "ms is missing"));
            };
            tokio::time::sleep(Duration::from_millis(arguments.ms)).await;
            Ok(json(&arguments.ms.to_string()).into())
        })
    }
}

#[tokio::test]
async fn host_operations_run_side_by_side() {
    let bed = Bed::new(|config| Config { capabilities: Capabilities::default().with("nap", Nap::default()), ..config }).await;
    let code = "export const handler = (event, context, mirra) => Promise.all(event.map((ms) => mirra.nap.sleep({ ms })));";
    let handler = bed.prepare(code).await;
    let began = Instant::now();
    let outcome = bed.call(&handler, "[200,200,200,200,200]", Limits::default()).await;
    assert_eq!(outcome.result.unwrap().get(), "[200,200,200,200,200]");
    assert!(began.elapsed() < Duration::from_millis(900), "five naps of 200 ms took {:?}", began.elapsed());
}

#[tokio::test]
async fn a_failed_operation_rejects_with_its_code() {
    let bed = Bed::new(|config| Config { capabilities: Capabilities::default().with("nap", Nap::default()), ..config }).await;
    let code = "export async function handler(event, context, mirra) {
      const failures = [];
      for (const attempt of [() => mirra.nap.sleep({}), () => mirra.memory.create({})]) {
        try { await attempt(); } catch (error) { failures.push([error.code, error.message]); }
      }
      return failures;
    }";
    let outcome = bed.run(code, "{}", Limits::default()).await;
    let failures: Vec<(String, String)> = serde_json::from_str(outcome.result.unwrap().get()).unwrap();
    assert_eq!(failures[0], ("VALIDATION_ERROR".to_owned(), "ms is missing".to_owned()));
    assert_eq!(failures[1].0, "RESOURCE_DENIED");
}

#[tokio::test]
async fn an_operation_the_budget_does_not_hold_is_never_made() {
    let nap = Nap::default();
    let calls = nap.calls.clone();
    let bed = Bed::new(|config| Config { capabilities: Capabilities::default().with("nap", nap), ..config }).await;
    let code = "export async function handler(event, context, mirra) {
      const codes = [];
      for (let i = 0; i < 3; i++) {
        try { await mirra.nap.dear({ ms: 0 }); codes.push('ok'); } catch (error) { codes.push(error.code); }
      }
      return codes;
    }";
    let limits = Limits { cost_usd_max: "1.2".parse().unwrap(), ..Limits::default() };
    let outcome = bed.run(code, "{}", limits).await;
    assert_eq!(outcome.result.unwrap().get(), r#"["ok","ok","COST_LIMIT"]"#);
    assert_eq!(calls.load(SeqCst), 2);
    assert!(outcome.usage.cost_usd > "1".parse().unwrap());
}

#[tokio::test]
async fn operations_that_nobody_waits_for_come_to_an_end() {
    let bed = Bed::new(|config| config).await;
    let code = "export async function handler(event, context, mirra) {
      for (let i = 0; i < 1_000_000; i++) mirra.nap.sleep({}).catch(() => {});
    }";
    let limits = Limits::default().with_memory_mb(1024).unwrap();
    let error = bed.run(code, "{}", limits).await.result.unwrap_err();
    assert_eq!(error.code, ErrorCode::HandlerError);
    assert!(error.message.contains("more than 65536 operations"), "{}", error.message);
}

#[tokio::test]
async fn a_call_waits_for_no_longer_than_its_timeout() {
    let bed = Bed::new(|config| Config { capabilities: Capabilities::default().with("nap", Nap::default()), ..config }).await;
    let limits = Limits::default().with_timeout_s(1).unwrap();
    let outcome = bed.run("export const handler = (event, context, mirra) => mirra.nap.sleep({ ms: 60000 });", "{}", limits).await;
    assert_eq!(code(&outcome), ErrorCode::Timeout);
    let wall_ms = outcome.usage.wall_us / 1000;
    assert!((1000..3000).contains(&wall_ms), "it was stopped after {wall_ms} ms");
}

#[tokio::test]
async fn memory_time_eats_up_a_budget_while_a_call_waits() {
    let bed = Bed::new(|config| config).await;
    let limits = Limits { cost_usd_max: "0.000001".parse().unwrap(), ..Limits::default() };
    let outcome = bed.run("export const handler = () => new Promise((resolve) => setTimeout(resolve, 20000));", "{}", limits).await;
    assert_eq!(code(&outcome), ErrorCode::CostLimit);
    assert!(outcome.usage.cost_usd <= "0.0000011".parse().unwrap(), "it cost {}", outcome.usage.cost_usd);
}

#[tokio::test]
async fn fuel_is_the_same_for_the_same_work() {
    let bed = Bed::new(|config| config).await;
    let handler =
        bed.prepare("export const handler = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };").await;
    let first = bed.call(&handler, "20000", Limits::default()).await.usage.fuel;
    let second = bed.call(&handler, "20000", Limits::default()).await.usage.fuel;
    let double = bed.call(&handler, "40000", Limits::default()).await.usage.fuel;
    assert_eq!(first, second);
    let ratio = double as f64 / first as f64;
    assert!((1.8..2.2).contains(&ratio), "twice the work took {ratio} times the fuel");
}

#[tokio::test]
async fn every_call_has_an_instance_of_its_own() {
    let bed = Bed::new(|config| config).await;
    let handler = bed
        .prepare("let calls = 0; export const handler = () => { globalThis.seen ??= 0; Array.prototype.at = null; return [++calls, ++seen, typeof [].at]; };")
        .await;
    for _ in 0..3 {
        let outcome = bed.call(&handler, "null", Limits::default()).await;
        assert_eq!(outcome.result.unwrap().get(), r#"[1,1,"object"]"#);
    }
}

#[tokio::test]
async fn calls_beyond_the_queue_are_refused_and_the_others_run() {
    let bed = Bed::new(|config| Config { concurrency_per_handler_max: 2, queue_max: 3, ..config }).await;
    let handler = bed.prepare("export const handler = () => new Promise((resolve) => setTimeout(() => resolve('done'), 300));").await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (executor, handler) = (bed.executor.clone(), handler.clone());
            tokio::spawn(async move { executor.invoke(Invocation::new(handler, json("{}"), Limits::default())).await.unwrap() })
        })
        .collect();
    let (mut done, mut refused) = (0, 0);
    for call in calls {
        match call.await.unwrap().result {
            Ok(_) => done += 1,
            Err(error) => {
                assert_eq!(error.code, ErrorCode::RateLimited);
                refused += 1;
            }
        }
    }
    assert_eq!((done, refused), (5, 3));
}

#[tokio::test]
async fn a_handler_prepared_by_an_earlier_process_is_callable_by_its_id() {
    let first = Bed::new(|config| config).await;
    let handler = first.prepare("export const handler = () => 'still here';").await;
    drop(first);
    let second = Bed::new(|config| config).await;
    assert_eq!(second.call(&handler, "{}", Limits::default()).await.result.unwrap().get(), r#""still here""#);
    let unknown = HandlerId("0".repeat(32));
    let error = second.executor.invoke(Invocation::new(unknown, json("{}"), Limits::default())).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
}

/// Every damage that a file can take, to every file of a cache: what was stored is made anew, nothing damaged is ever run.
#[tokio::test]
async fn damaged_cache_files_are_made_anew() {
    type Damage = fn(&Path, Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("cut short", |path, bytes| std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap()),
        ("emptied", |path, _| std::fs::write(path, b"").unwrap()),
        ("one bit flipped", |path, mut bytes| {
            let middle = bytes.len() / 3;
            bytes[middle] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }),
        ("of another program", |path, _| std::fs::write(path, b"\x7fELF and so on").unwrap()),
        ("with more at the end", |path, mut bytes| {
            bytes.extend_from_slice(b"more");
            std::fs::write(path, bytes).unwrap();
        }),
    ];
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let source = folder.path().join("handler.mjs");
    std::fs::write(&source, "export const handler = () => 'whole';").unwrap();
    for (name, damage) in damages {
        let executor = LocalExecutor::new(Config::new(&cache, bundler())).await.unwrap();
        let prepared = executor.prepare(Source::path(&source)).await.unwrap();
        drop(executor);
        for entry in std::fs::read_dir(&cache).unwrap() {
            let path = entry.unwrap().path();
            // What has no content says nothing that could be believed.
            if path.file_name().unwrap() != "key" && path.metadata().unwrap().len() > 0 {
                damage(&path, std::fs::read(&path).unwrap());
            }
        }
        let executor = LocalExecutor::new(Config::new(&cache, bundler())).await.unwrap();
        let again = executor.prepare(Source::path(&source)).await.unwrap();
        assert_eq!(again.id, prepared.id, "{name}");
        assert!(!again.is_cached, "a cache file {name} was believed");
        let outcome = executor.invoke(Invocation::new(again.id, json("{}"), Limits::default())).await.unwrap();
        assert_eq!(outcome.result.unwrap().get(), r#""whole""#, "{name}");
    }
}

/// Taking note of each must cost no more for many than for few.
#[tokio::test]
async fn a_hundred_thousand_rejections_are_gathered_in_time() {
    let bed = Bed::new(|config| config).await;
    let code = "export async function handler() {
  const failing = Array.from({ length: 100_000 }, async () => { throw 1; });
  return (await Promise.allSettled(failing)).length;
}";
    let limits = Limits { timeout_ms: 10_000, ..Limits::default() };
    let outcome = bed.run(code, "{}", limits).await;
    assert_eq!(outcome.result.unwrap().get(), "100000");
    assert!(outcome.logs.is_empty(), "all of them were heard: {:?}", outcome.logs.first());
}

/// Whatever became of the cache folder meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_handler_wakes_when_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let bed = Bed::new(|config| Config { cache_folder: cache.clone(), ..config }).await;
    let source = folder.path().join("handler");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("state.txt"), "awake").unwrap();
    let code = "import { readFileSync } from 'fs';
export const handler = (event) => { if (event.fails) throw new Error('no'); return readFileSync(`${__dirname}/state.txt`, 'utf8'); };";
    std::fs::write(source.join("index.js"), code).unwrap();
    let handler = bed.executor.prepare(Source::path(&source)).await.unwrap().id;
    for _ in 0..2 {
        bed.executor.release_idle();
        bed.executor.release_idle();
        let _removed = std::fs::remove_dir_all(&cache);
        let calls = (0..8).map(|_| {
            let (executor, handler) = (bed.executor.clone(), handler.clone());
            tokio::spawn(async move { executor.invoke(Invocation::new(handler, json("{}"), Limits::default())).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap().unwrap().result.unwrap().get(), r#""awake""#);
        }
        let error = bed.call(&handler, r#"{"fails":true}"#, Limits::default()).await.result.unwrap_err();
        assert!(error.stack.unwrap().contains("index.js:2"), "stack traces come from the file, too");
    }
}

/// Small calls are placed in memory by one allocator, and those that allocate much by another: objects of both live together.
#[tokio::test]
async fn calls_may_allocate_little_or_much() {
    let bed = Bed::new(|config| config).await;
    let code = "export function handler({ count }) {
  const kept = new Map();
  for (let i = 0; i < count; i++) {
    kept.set(`key ${i % 5000}`, { i, list: [i, `${i}`, { half: i / 2 }] });
    if (i % 7 === 6) kept.delete(`key ${(i * 3) % 5000}`);
  }
  let text = '';
  for (const [key, { i, list }] of kept) {
    if (list[0] !== i || list[1] !== String(i) || list[2].half * 2 !== i || key !== `key ${i % 5000}`) throw new Error(key);
    text += key;
  }
  return [kept.size > 0, text.length > 0];
}";
    let handler = bed.prepare(code).await;
    for count in [1, 10, 100, 500, 1000, 2000, 5000, 100_000] {
        let outcome = bed.call(&handler, &format!(r#"{{"count":{count}}}"#), Limits::default()).await;
        let result = outcome.result.unwrap();
        assert_eq!(result.get(), "[true,true]", "{count}");
    }
}

/// A valid file under another's name must not be taken for it.
#[tokio::test]
async fn a_cache_file_is_not_trusted_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let executor = LocalExecutor::new(Config::new(&cache, bundler())).await.unwrap();
    let mut ids = Vec::new();
    for answer in ["one", "two"] {
        let source = folder.path().join(format!("{answer}.mjs"));
        std::fs::write(&source, format!("export const handler = () => '{answer}';")).unwrap();
        ids.push(executor.prepare(Source::path(source)).await.unwrap().id);
    }
    drop(executor);
    let pass_off = |kind: &str| std::fs::copy(cache.join(format!("{kind}-{}", ids[0])), cache.join(format!("{kind}-{}", ids[1]))).unwrap();
    let call = async || {
        let executor = LocalExecutor::new(Config::new(&cache, bundler())).await.unwrap();
        executor.invoke(Invocation::new(ids[1].clone(), json("{}"), Limits::default())).await
    };
    // What was compiled is another handler's: it is compiled again, from what is kept of this one.
    pass_off("handler");
    assert_eq!(call().await.unwrap().result.unwrap().get(), "\"two\"");
    pass_off("handler");
    pass_off("artifact");
    assert_eq!(call().await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn two_executors_share_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let source = folder.path().join("handler.mjs");
    std::fs::write(&source, "export const handler = (event) => event * 2;").unwrap();
    let start = || async {
        let executor = LocalExecutor::new(Config::new(&cache, bundler())).await.unwrap();
        let prepared = executor.prepare(Source::path(&source)).await.unwrap();
        executor.invoke(Invocation::new(prepared.id, json("21"), Limits::default())).await.unwrap().result.unwrap()
    };
    let (one, two) = tokio::join!(start(), start());
    assert_eq!((one.get(), two.get()), ("42", "42"));
}

/// Two calls that compute without end, one with eight times the memory of the other, on one thread: CPU time is shared by weight.
#[tokio::test]
async fn cpu_time_is_shared_by_memory() {
    let bed = Bed::new(|config| Config { threads: 1, ..config }).await;
    let handler = bed.prepare("export const handler = () => { for (;;) {} };").await;
    let limits = Limits::default().with_timeout_s(2).unwrap();
    let (small, big) = tokio::join!(
        bed.call(&handler, "{}", limits.with_memory_mb(128).unwrap()),
        bed.call(&handler, "{}", limits.with_memory_mb(1024).unwrap())
    );
    assert_eq!((code(&small), code(&big)), (ErrorCode::Timeout, ErrorCode::Timeout));
    let ratio = big.usage.fuel as f64 / small.usage.fuel as f64;
    assert!((5.0..12.0).contains(&ratio), "eight times the memory had {ratio:.1} times the CPU");
}
