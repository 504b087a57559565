//! Ticks of many flows in the same minute.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Client, Home};
use crate::{Figure, report::percentile};

/// All of them due in the same minute: how long after its time each begins.
pub async fn figures(home: &Home, flows: usize) -> Result<Vec<Figure>> {
    let server = home.serve().await?;
    let mut client = Client::of(&server).await?;
    let script_id = client.script().await?;
    let minute = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60 + 1 + flows as u64 / 50_000;
    let schedule = format!("{} {} * * *", minute % 60, minute / 60 % 24);
    let mut due = Vec::with_capacity(flows);
    for _ in 0..flows {
        let made = client.call("flows/createFlow", json!({ "title": "t", "schedule": schedule, "scriptId": script_id })).await?;
        due.push((made["id"].clone(), made["nextDueAt"].clone()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    ensure!(now < minute * 60, "making the flows took longer than a minute: try fewer");
    sleep(Duration::from_secs(minute * 60 - now)).await;
    client.until_executed(&script_id, flows as u64).await?;
    let mut late = Vec::with_capacity(flows);
    for (id, due_at) in &due {
        let flow = client.call("flows/getFlow", json!({ "flowId": id })).await?;
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
