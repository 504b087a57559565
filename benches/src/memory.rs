//! The memory: what an operation takes in a handler, what a search takes among many, and how many requests the API answers.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use mirra_control::{Caller, Control, Means};
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{AllowList, Capabilities, Executor, Invocation, Limits, Usd};
use mirra_runtime::LocalExecutor;
use serde_json::{Value, json, value::to_raw_value};

use crate::{
    Figure, Report, Workbench,
    http::Connection,
    report::percentile,
    serve::Server,
    workbench::{json as parsed, prepare},
};

const OWNER_KEY: &str = "bench";
const CONNECTIONS: usize = 8;
/// A key may make a thousand requests a minute: more keys than a bench of some seconds uses up.
const KEYS: usize = 300;
const SEARCHES: usize = 300;

/// Times so many operations one after the other, as a handler sees them.
const HANDLER: &str = "export async function handler({ count }) {
  const took = { create: [], findOne: [] };
  const timed = async (name, params) => {
    const began = performance.now();
    const result = await mirra.memory[name](params);
    took[name].push((performance.now() - began) * 1000);
    return result;
  };
  const ids = [];
  for (let i = 0; i < count; i++) {
    ids.push((await timed('create', { type: 'note', content: `What was said in meeting ${i} about the budget of next year` })).id);
  }
  for (const id of ids) await timed('findOne', { id });
  return took;
}";

pub async fn memory(workbench: &Workbench, program: &Path, entities: usize, seconds: u64) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let control = Arc::new(Control::new(mirra_control::Config::new(folder.path(), Egress::new(EgressConfig::new(AllowList::default()))?)));
    control.open().await?;
    let (mut create, mut find) = from_handler(workbench, &control, folder.path()).await?;
    let (mut search, written_per_s) = searches(&control, entities).await?;
    let (reads, writes) = over_http(program, Duration::from_secs(seconds)).await?;
    Ok(Report {
        bench: "memory",
        figures: vec![
            Figure::low("memory.create in a JavaScript handler, p50", percentile(&mut create, 0.5), "us").promised((150.0, 150.0)),
            Figure::low("memory.create in a JavaScript handler, p99", percentile(&mut create, 0.99), "us"),
            Figure::low("memory.findOne in a JavaScript handler, p50", percentile(&mut find, 0.5), "us").promised((60.0, 60.0)),
            Figure::low("memory.findOne in a JavaScript handler, p99", percentile(&mut find, 0.99), "us"),
            Figure::low(format!("memory.search among {entities}, p50"), percentile(&mut search, 0.5), "us").promised((10_000.0, 10_000.0)),
            Figure::low(format!("memory.search among {entities}, p99"), percentile(&mut search, 0.99), "us"),
            Figure::high("entities written, in one process", written_per_s, "/s"),
            Figure::high("reads over the API (findOne)", reads, "req/s").promised((10_000.0, 10_000.0)),
            Figure::high("writes over the API (create)", writes, "req/s").promised((3_000.0, 3_000.0)),
        ],
    })
}

async fn from_handler(workbench: &Workbench, control: &Arc<Control>, folder: &Path) -> Result<(Vec<f64>, Vec<f64>)> {
    let capabilities = Capabilities::default().with("memory", control.memory());
    let config = mirra_runtime::Config::new(&workbench.cache_folder, workbench.bundler.clone());
    let executor = LocalExecutor::new(mirra_runtime::Config { capabilities, ..config }).await?;
    let handler = prepare(&executor, folder, "remembers.js", HANDLER).await?;
    let limits = Limits { cost_usd_max: Usd::from_picodollars(u64::MAX), ..Limits::default() };
    let mut took = (Vec::new(), Vec::new());
    // The first one warms up.
    for round in 0..5 {
        let outcome = executor.invoke(Invocation::new(handler.clone(), parsed(r#"{"count":300}"#)?, limits)).await?;
        let result: Value = serde_json::from_str(outcome.result?.get())?;
        let of = |name: &str| result[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect::<Vec<_>>();
        if round > 0 {
            took.0.extend(of("create"));
            took.1.extend(of("findOne"));
        }
    }
    Ok(took)
}

/// Texts in which words are as frequent as in any language: the second half as often as the first, and so on.
struct Words(u64);

impl Words {
    fn next(&mut self) -> String {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        // Zipf: the rank is exponential in a uniform number.
        format!("w{}", (20_000_f64.powf(uniform)) as u64)
    }

    fn text(&mut self, words: usize) -> String {
        (0..words).map(|_| self.next()).collect::<Vec<_>>().join(" ")
    }
}

async fn searches(control: &Arc<Control>, entities: usize) -> Result<(Vec<f64>, f64)> {
    let owner = control.owner().await?.clone();
    let mut words = Words(1);
    let contents: Vec<String> = (0..entities.min(10_000)).map(|_| words.text(40)).collect();
    let began = Instant::now();
    let write = |index: usize| {
        let content = format!("{} {index}", contents[index % contents.len()]);
        let (control, owner) = (control.clone(), &owner);
        async move { call(&control, owner, "create", json!({ "type": "note", "content": content })).await.map(drop) }
    };
    stream::iter((0..entities).map(write)).buffer_unordered(64).try_collect::<()>().await?;
    let written_per_s = entities as f64 / began.elapsed().as_secs_f64();
    let mut took = Vec::with_capacity(SEARCHES);
    for _ in 0..SEARCHES {
        let params = json!({ "query": words.text(4) });
        let began = Instant::now();
        call(control, &owner, "search", params).await?;
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok((took, written_per_s))
}

async fn call(control: &Arc<Control>, caller: &Caller, operation: &str, params: Value) -> Result<Value> {
    let answer = control.call(caller, "memory", operation, &to_raw_value(&params)?, Means::default()).await?;
    Ok(serde_json::from_str(answer.data.get())?)
}

/// Reads and writes a second, by clients on the same machine.
async fn over_http(program: &Path, window: Duration) -> Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("small.js"), "export const handler = () => 1;")?;
    let server = Server::start(program, folder.path(), |command| _ = command.env("MIRRA_OWNER_KEY", OWNER_KEY)).await?;
    let mut connection = Connection::open(&server.address).await?;
    let mut keys = Vec::with_capacity(KEYS);
    for number in 0..KEYS {
        let (_, answer) = connection
            .operate("/api/sdk/v1/accounts/subaccounts", OWNER_KEY, json!({ "displayName": format!("user {number}") }).to_string())
            .await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let key = answer["data"]["apiKey"].as_str().context("no key")?.to_owned();
        let note = json!({ "type": "note", "content": "What was said" }).to_string();
        let (_, made) = connection.operate("/api/sdk/v1/memory", &key, note).await?;
        let made: Value = serde_json::from_slice(&made)?;
        keys.push((key, made["data"]["id"].as_str().context("no id")?.to_owned()));
    }
    let keys = Arc::new(keys);
    let reads = rate(&server, &keys, window, |id| ("/api/sdk/v1/memory/findOne", json!({ "id": id }).to_string())).await?;
    let write = |_: &str| ("/api/sdk/v1/memory", json!({ "type": "note", "content": "What was said in the meeting" }).to_string());
    let writes = rate(&server, &keys, window, write).await?;
    Ok((reads, writes))
}

async fn rate(
    server: &Server,
    keys: &Arc<Vec<(String, String)>>,
    window: Duration,
    request: impl Fn(&str) -> (&'static str, String) + Copy + Send + Sync + 'static,
) -> Result<f64> {
    let until = Instant::now() + window;
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|client| {
            let (address, keys) = (server.address.clone(), keys.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let mut count = 0;
                for (key, id) in keys.iter().cycle().skip(client * KEYS / CONNECTIONS) {
                    if Instant::now() >= until {
                        break;
                    }
                    let (path, body) = request(id);
                    let (status, answer) = connection.operate(path, key, body).await?;
                    ensure!(status == 200, "a request of the bench failed: {}", String::from_utf8_lossy(&answer));
                    count += 1;
                }
                Ok(count)
            })
        })
        .collect();
    let mut count = 0;
    for client in clients {
        count += client.await??;
    }
    Ok(f64::from(count) / window.as_secs_f64())
}
