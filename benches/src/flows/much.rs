//! Lists and searches where there is much, and how long it takes to begin with it.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use mirra_control::{Config, Control};
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::AllowList;
use serde_json::{Value, json};

use super::{Amounts, Client, Home, events::event};
use crate::{Figure, report::percentile};

const LOOKS: usize = 200;

/// What is looked at, by which operation, and with which parameters the so-manieth time.
type Look<'a> = (&'a str, &'a str, &'a dyn Fn(usize) -> Value);

pub async fn figures(home: &Home, amounts: Amounts) -> Result<Vec<Figure>> {
    let Amounts { stored_flows, history_rows, .. } = amounts;
    let script_id = fill(home, amounts).await?;
    let began = Instant::now();
    let server = home.serve().await?;
    let mut client = Client::of(&server).await?;
    client.call("events/send", json!({ "events": event(1, 1) })).await?;
    let start = began.elapsed().as_secs_f64();
    let mut figures = vec![
        Figure::low(format!("start with {stored_flows} flows and {history_rows} runs, first event taken"), start * 1000.0, "ms")
            .promised((1_000.0, 1_000.0)),
    ];
    let looks: [Look<'_>; 4] = [
        ("flows listed", "flows/listFlows", &|index| json!({ "limit": 50, "offset": index * 50 % stored_flows })),
        ("flows searched", "flows/searchFlows", &|index| json!({ "query": format!("report team {}", index % 97), "limit": 50 })),
        ("runs listed", "scripts/getExecutions", &|index| json!({ "scriptId": script_id, "limit": 50, "offset": index * 50 })),
        ("failed runs listed", "scripts/getExecutions", &|_| json!({ "scriptId": script_id, "limit": 50, "status": "failed" })),
    ];
    for (name, operation, params) in looks {
        let mut took = Vec::new();
        for index in 0..LOOKS {
            let began = Instant::now();
            client.call(operation, params(index)).await?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let name = format!("{name} among {stored_flows} flows and {history_rows} runs, p50");
        figures.push(Figure::low(name, percentile(&mut took, 0.5), "ms").promised((20.0, 20.0)));
    }
    Ok(figures)
}

/// All of it is one account's, which is the worst case. Half of the flows are for events. The script whose history it is.
async fn fill(home: &Home, amounts: Amounts) -> Result<String> {
    let (script_id, flow_ids) = {
        let server = home.serve().await?;
        let mut client = Client::of(&server).await?;
        let script_id = client.script().await?;
        let title = "report NUMBER of the team";
        let condition = json!({ "field": "content.text", "operator": "contains", "value": "wordNUMBERx" });
        let by_events = json!({ "title": title, "eventType": "telegram.message", "conditions": condition, "scriptId": script_id });
        let by_clock = json!({ "title": title, "schedule": "0 0 1 1 *", "scriptId": script_id });
        let mut ids = Vec::new();
        for flow in [by_events, by_clock] {
            let id = client.call("flows/createFlow", flow).await?["id"].as_str().context("no id")?.to_owned();
            ids.push(id);
        }
        (script_id, ids)
    };
    let egress = Egress::new(EgressConfig::new(AllowList::default()))?;
    let control = Arc::new(Control::new(Config::new(home.data_folder(), egress)));
    control.open().await?;
    for id in &flow_ids {
        control.fill_flows(id, amounts.stored_flows as u64 / 2).await?;
    }
    control.fill_history(&script_id, amounts.history_rows as u64).await?;
    Ok(script_id)
}
