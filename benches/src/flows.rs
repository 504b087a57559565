//! Scripts and flows: a script executed over the API, events until their flows have run, ticks at their minute, and lists when there is much.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, anyhow, ensure};
use mirra_control::{Caller, Config, Control, Means, PlatformLimits};
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{AllowList, Executor};
use mirra_runtime::LocalExecutor;
use serde_json::{Value, json, value::to_raw_value};
use tokio::time::sleep;

use crate::{Figure, Report, Workbench, http::Connection, report::percentile, serve::Server};

const OWNER_KEY: &str = "bench";
const CONNECTIONS: usize = 8;
const SMALL: &str = "export const handler = (event) => ({ success: true, at: Date.now(), sent: event.timestamp });";
const EVENTS: usize = 20_000;
const EVENTS_AT_A_TIME: usize = 100;
const LOOKS: usize = 200;

/// How much there is.
#[derive(Clone, Copy)]
pub struct Amounts {
    /// Flows that events start, and as many that the clock does.
    pub flows: usize,
    /// Flows that are stored when they are listed and searched.
    pub stored_flows: usize,
    pub history_rows: usize,
    pub seconds: u64,
}

pub async fn flows(workbench: &Workbench, program: &Path, amounts: Amounts) -> Result<Report> {
    let mut figures = over_http(program, Duration::from_secs(amounts.seconds)).await?;
    figures.extend(events(workbench, amounts.flows).await?);
    figures.extend(ticks(workbench, amounts.flows).await?);
    figures.extend(much(workbench, amounts).await?);
    Ok(Report { bench: "flows", figures })
}

/// A control plane that works, and whose limits are those of the machine.
struct Plane {
    control: Arc<Control>,
    owner: Caller,
    _executor: Arc<LocalExecutor>,
    _work: tokio::task::JoinHandle<()>,
}

fn limits() -> Result<PlatformLimits> {
    Ok(serde_json::from_value(json!({
        "requestsPerMinute": 1_000_000_000, "manualExecutionsPerMinute": 1_000_000_000, "flowsPerUser": 1_000_000,
        "flowsCreatedPerDay": 1_000_000, "executionsPerFlowPerDay": 1_000_000,
    }))?)
}

impl Plane {
    async fn open(workbench: &Workbench, folder: &Path) -> Result<Plane> {
        let egress = Egress::new(EgressConfig::new(AllowList::default()))?;
        let control = Arc::new(Control::new(Config { limits: limits()?, ..Config::new(folder, egress) }));
        control.open().await?;
        let executor = mirra_runtime::Config::new(&workbench.cache_folder, workbench.bundler.clone());
        let executor = Arc::new(LocalExecutor::new(executor).await?);
        let weak: std::sync::Weak<dyn Executor> = Arc::<LocalExecutor>::downgrade(&executor);
        control.offer_executor(weak)?;
        let owner = control.owner().await?.clone();
        let working = control.clone();
        let work = tokio::spawn(async move { working.work().await });
        Ok(Plane { control, owner, _executor: executor, _work: work })
    }

    async fn call(&self, adapter: &str, operation: &str, params: Value) -> Result<Value> {
        let answer = self.control.call(&self.owner, adapter, operation, &to_raw_value(&params)?, Means::default()).await?;
        Ok(serde_json::from_str(answer.data.get())?)
    }

    async fn script(&self) -> Result<String> {
        let made = self.call("scripts", "createScript", json!({ "name": "small", "code": SMALL })).await?;
        let id = made["id"].as_str().context("no id")?.to_owned();
        self.call("scripts", "deployScript", json!({ "scriptId": id })).await?;
        Ok(id)
    }

    async fn executions(&self, script_id: &str) -> Result<u64> {
        let metrics = self.call("scripts", "getMetrics", json!({ "scriptId": script_id })).await?;
        metrics["totalExecutions"].as_u64().ok_or_else(|| anyhow!("no metrics"))
    }

    async fn until_executed(&self, script_id: &str, count: u64) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(300);
        while self.executions(script_id).await? < count {
            ensure!(Instant::now() < deadline, "runs are missing after five minutes");
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self._work.abort();
    }
}

/// Authenticated, recorded, and its history written.
async fn over_http(program: &Path, window: Duration) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("small.js"), "export const handler = () => 1;")?;
    let limits_file = folder.path().join("limits.txt");
    std::fs::write(&limits_file, serde_json::to_vec(&limits()?)?)?;
    let server = Server::start(program, folder.path(), |command| {
        command.env("MIRRA_OWNER_KEY", OWNER_KEY).env("MIRRA_LIMITS", &limits_file);
    })
    .await?;
    let mut connection = Connection::open(&server.address).await?;
    let config = json!({ "maxExecutionsPerDay": 10_000_000 });
    let made = ask(&mut connection, "/api/sdk/v1/scripts", json!({ "name": "small", "code": SMALL, "config": config })).await?;
    let path = format!("/api/sdk/v1/scripts/{}", made["id"].as_str().context("no id")?);
    ask(&mut connection, &format!("{path}/deploy"), json!({})).await?;
    let path = format!("{path}/execute");
    let mut took = Vec::new();
    for round in 0..2_200 {
        let began = Instant::now();
        ask(&mut connection, &path, json!({ "data": { "name": "Ada" } })).await?;
        if round >= 200 {
            took.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    let until = Instant::now() + window;
    let clients = (0..CONNECTIONS).map(|_| {
        let (address, path) = (server.address.clone(), path.clone());
        tokio::spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut count = 0_u32;
            while Instant::now() < until {
                ask(&mut connection, &path, json!({ "data": { "name": "Ada" } })).await?;
                count += 1;
            }
            Ok::<_, anyhow::Error>(count)
        })
    });
    let mut count = 0;
    for client in clients.collect::<Vec<_>>() {
        count += client.await??;
    }
    Ok(vec![
        Figure::low("execute over the API, p50", percentile(&mut took, 0.5), "us").promised((1_000.0, 1_000.0)),
        Figure::low("execute over the API, p99", percentile(&mut took, 0.99), "us"),
        Figure::high("execute over the API, 8 clients", f64::from(count) / window.as_secs_f64(), "/s").promised((2_000.0, 2_000.0)),
    ])
}

async fn ask(connection: &mut Connection, path: &str, params: Value) -> Result<Value> {
    let (status, answer) = connection.operate(path, OWNER_KEY, params.to_string()).await?;
    ensure!(status == 200, "a request of the bench failed: {}", String::from_utf8_lossy(&answer));
    let mut answer: Value = serde_json::from_slice(&answer)?;
    Ok(answer["data"].take())
}

/// Conditions as people write them, each of which one event in so many meets.
fn conditions(number: usize) -> Value {
    match number % 4 {
        0 => json!({ "field": "content.text", "operator": "contains", "value": format!("word{number}x") }),
        1 => json!({ "field": "chatId", "operator": "equals", "value": number }),
        2 => json!({ "operator": "AND", "conditions": [
            { "field": "sender_name", "operator": "equals", "value": format!("user{number}") },
            { "field": "isGroupChat", "operator": "equals", "value": false }] }),
        _ => json!({ "field": "content.text", "operator": "regex", "value": format!("^order {number}\\b") }),
    }
}

/// An event that the flow of this number is for.
fn event(id: usize, number: usize) -> Value {
    let text = match number % 4 {
        0 => format!("this has word{number}x in it"),
        3 => format!("order {number} is here"),
        _ => "hello".to_owned(),
    };
    json!({
        "type": "telegram.message", "id": id.to_string(), "actor": { "id": "1", "name": format!("user{number}") },
        "content": { "text": text }, "telegram": { "chatId": number, "isGroupChat": false },
    })
}

async fn events(workbench: &Workbench, flows: usize) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let plane = Plane::open(workbench, folder.path()).await?;
    let script_id = plane.script().await?;
    let mut ids = Vec::with_capacity(flows);
    for number in 0..flows {
        let made = json!({ "title": "f", "description": "", "scriptId": script_id, "eventType": "telegram.message", "conditions": conditions(number) });
        ids.push(plane.call("flows", "createFlow", made).await?["id"].clone());
    }
    // One at a time: until the handler says what time it is.
    let mut took = Vec::new();
    for round in 0..LOOKS {
        let number = round * 37 % flows;
        let sent = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as f64;
        let taken = plane.call("events", "send", json!({ "events": event(1_000_000 + round, number) })).await?;
        ensure!(taken["flows"] == 1, "an event of the bench starts one flow: {taken}");
        plane.until_executed(&script_id, round as u64 + 1).await?;
        let flow = loop {
            let flow = plane.call("flows", "getFlow", json!({ "flowId": ids[number] })).await?;
            if flow["executionResults"].as_array().is_some_and(|runs| !runs.is_empty()) {
                break flow;
            }
        };
        took.push((flow["executionResults"][0]["result"]["at"].as_f64().unwrap_or_default() - sent).max(0.0));
    }
    let began = Instant::now();
    for part in 0..EVENTS / EVENTS_AT_A_TIME {
        let events = (0..EVENTS_AT_A_TIME).map(|index| part * EVENTS_AT_A_TIME + index).map(|id| event(id, id * 7 % flows));
        plane.call("events", "send", json!({ "events": events.collect::<Vec<_>>() })).await?;
    }
    let taken = began.elapsed();
    plane.until_executed(&script_id, (EVENTS + LOOKS) as u64).await?;
    let done = began.elapsed();
    Ok(vec![
        Figure::low(format!("event in to handler started, {flows} flows, p50"), percentile(&mut took, 0.5), "ms").promised((5.0, 5.0)),
        Figure::low(format!("event in to handler started, {flows} flows, p99"), percentile(&mut took, 0.99), "ms"),
        Figure::high(format!("events taken, matched to {flows} flows and queued"), EVENTS as f64 / taken.as_secs_f64(), "/s")
            .promised((5_000.0, 5_000.0)),
        Figure::high("the same until each has run its flow", EVENTS as f64 / done.as_secs_f64(), "/s"),
    ])
}

/// All of them due in the same minute: how long after its time each begins.
async fn ticks(workbench: &Workbench, flows: usize) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let plane = Plane::open(workbench, folder.path()).await?;
    let script_id = plane.script().await?;
    let minute = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60 + 1 + flows as u64 / 20_000;
    let schedule = format!("{} {} * * *", minute % 60, minute / 60 % 24);
    let mut due = Vec::with_capacity(flows);
    for _ in 0..flows {
        let made = plane.call("flows", "createFlow", json!({ "title": "t", "schedule": schedule, "scriptId": script_id })).await?;
        due.push((made["id"].clone(), made["nextDueAt"].clone()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    ensure!(now < minute * 60, "making the flows took longer than a minute: try fewer");
    sleep(Duration::from_secs(minute * 60 - now)).await;
    plane.until_executed(&script_id, flows as u64).await?;
    let mut late = Vec::with_capacity(flows);
    for (id, due_at) in &due {
        let flow = plane.call("flows", "getFlow", json!({ "flowId": id })).await?;
        let run = &flow["executionResults"][0];
        late.push(milliseconds(&run["timestamp"])? - milliseconds(due_at)?);
    }
    Ok(vec![
        Figure::low(format!("ticks of {flows} flows in one minute, late by, p50"), percentile(&mut late, 0.5), "ms").promised((50.0, 50.0)),
        Figure::low(format!("ticks of {flows} flows in one minute, late by, p99"), percentile(&mut late, 0.99), "ms")
            .promised((50.0, 50.0)),
        Figure::low(format!("ticks of {flows} flows in one minute, late by, at most"), percentile(&mut late, 1.0), "ms"),
    ])
}

/// Of an ISO 8601 time, within its day.
fn milliseconds(time: &Value) -> Result<f64> {
    let text = time.as_str().and_then(|text| text.get(11..23)).context("no time")?;
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<f64>().ok()).context("no time");
    Ok(number(0..2)? * 3_600_000.0 + number(3..5)? * 60_000.0 + number(6..12)? * 1_000.0)
}

/// What is looked at, by which operation of which adapter, and with which parameters the so-manieth time.
type Look<'a> = (&'a str, &'a str, &'a str, &'a dyn Fn(usize) -> Value);

/// Lists and searches where there is much, and how long it takes to begin with it.
async fn much(workbench: &Workbench, amounts: Amounts) -> Result<Vec<Figure>> {
    let Amounts { stored_flows, history_rows, .. } = amounts;
    let folder = tempfile::tempdir()?;
    let script_id = {
        let plane = Plane::open(workbench, folder.path()).await?;
        let script_id = plane.script().await?;
        for number in 0..stored_flows {
            let title = format!("report {number} of the team {}", number % 97);
            let made = if number % 2 == 0 {
                json!({ "title": title, "eventType": "telegram.message", "conditions": conditions(number), "scriptId": script_id })
            } else {
                json!({ "title": title, "schedule": "0 0 1 1 *", "scriptId": script_id })
            };
            plane.call("flows", "createFlow", made).await?;
        }
        plane.control.fill_history(&script_id, history_rows as u64).await?;
        script_id
    };
    let began = Instant::now();
    let plane = Plane::open(workbench, folder.path()).await?;
    plane.call("events", "send", json!({ "events": event(1, 1) })).await?;
    let start = began.elapsed().as_secs_f64();
    let mut figures = vec![
        Figure::low(format!("start with {stored_flows} flows and {history_rows} runs, first event taken"), start * 1000.0, "ms")
            .promised((1_000.0, 1_000.0)),
    ];
    let looks: [Look<'_>; 4] = [
        ("flows listed", "flows", "listFlows", &|index| json!({ "limit": 50, "offset": index * 50 % stored_flows })),
        ("flows searched", "flows", "searchFlows", &|index| json!({ "query": format!("report team {}", index % 97), "limit": 50 })),
        ("runs listed", "scripts", "getExecutions", &|index| json!({ "scriptId": script_id, "limit": 50, "offset": index * 50 })),
        ("failed runs listed", "scripts", "getExecutions", &|_| json!({ "scriptId": script_id, "limit": 50, "status": "failed" })),
    ];
    for (name, adapter, operation, params) in looks {
        let mut took = Vec::new();
        for index in 0..LOOKS {
            let began = Instant::now();
            plane.call(adapter, operation, params(index)).await?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let name = format!("{name} among {stored_flows} flows and {history_rows} runs, p50");
        figures.push(Figure::low(name, percentile(&mut took, 0.5), "ms").promised((20.0, 20.0)));
    }
    Ok(figures)
}
