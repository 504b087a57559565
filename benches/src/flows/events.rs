//! Events, each of which one of many flows is for.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Client, Home};
use crate::{Figure, report::percentile};

const EVENTS: usize = 20_000;
const EVENTS_AT_A_TIME: usize = 100;
const LOOKS: usize = 200;

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
pub fn event(id: usize, number: usize) -> Value {
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

pub async fn figures(home: &Home, flows: usize) -> Result<Vec<Figure>> {
    let server = home.serve().await?;
    let mut client = Client::of(&server).await?;
    let script_id = client.script().await?;
    let mut ids = Vec::with_capacity(flows);
    for number in 0..flows {
        let flow = json!({ "title": "f", "description": "", "scriptId": script_id, "eventType": "telegram.message", "conditions": conditions(number) });
        ids.push(client.call("flows/createFlow", flow).await?["id"].clone());
    }
    let mut took = one_at_a_time(&mut client, &ids).await?;
    let began = Instant::now();
    for part in 0..EVENTS / EVENTS_AT_A_TIME {
        let events = (0..EVENTS_AT_A_TIME).map(|index| part * EVENTS_AT_A_TIME + index).map(|id| event(id, id * 7 % flows));
        client.call("events/send", json!({ "events": events.collect::<Vec<_>>() })).await?;
    }
    let taken = began.elapsed();
    client.until_executed(&script_id, (EVENTS + LOOKS) as u64).await?;
    let done = began.elapsed();
    Ok(vec![
        Figure::low(format!("event in to handler started, {flows} flows, p50"), percentile(&mut took, 0.5), "ms").promised((5.0, 5.0)),
        Figure::low(format!("event in to handler started, {flows} flows, p99"), percentile(&mut took, 0.99), "ms"),
        Figure::high(format!("events taken, matched to {flows} flows and queued"), EVENTS as f64 / taken.as_secs_f64(), "/s")
            .promised((5_000.0, 5_000.0)),
        Figure::high("the same until each has run its flow", EVENTS as f64 / done.as_secs_f64(), "/s"),
    ])
}

/// From when each is sent until its handler says what time it is.
async fn one_at_a_time(client: &mut Client, ids: &[Value]) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for round in 0..LOOKS {
        let number = round * 37 % ids.len();
        let sent = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as f64;
        let taken = client.call("events/send", json!({ "events": event(1_000_000 + round, number) })).await?;
        ensure!(taken["flows"] == 1, "an event of the bench starts one flow: {taken}");
        let result = loop {
            let flow = client.call("flows/getFlow", json!({ "flowId": ids[number] })).await?;
            // Where there are fewer flows than looks, it has run before.
            let newest = flow["executionResults"][0]["result"]["at"].as_f64();
            if let Some(at) = newest.filter(|at| *at >= sent) {
                break at;
            }
        };
        took.push((result - sent).max(0.0));
    }
    Ok(took)
}
