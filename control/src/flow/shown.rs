//! A flow as clients see it: with the nested `trigger` of the first version and the flat fields of the second, since one answer serves both.

use mirra_host_sdk::{LogEntry, Usd};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    script::milliseconds,
    store::{ExecutionRow, FlowRow},
    time,
};

/// Fields of flows that come in lists.
pub fn summary(row: &FlowRow) -> Map<String, Value> {
    let mut flow = Map::new();
    let mut put = |name: &str, value: Value| drop(flow.insert(name.to_owned(), value));
    put("id", row.id.clone().into());
    put("userId", row.owner_id.clone().into());
    put("title", row.title.clone().into());
    put("description", row.description.clone().into());
    put("status", row.status.clone().into());
    put("isActive", (row.status == "active").into());
    put("scope", row.scope.clone().into());
    put("trigger", trigger(row));
    put("triggerType", row.trigger_type.clone().into());
    put("isTimeBased", (row.trigger_type == "time").into());
    put("isEventBased", (row.trigger_type != "time").into());
    put("timezone", "UTC".into());
    if let Some(schedule) = &row.schedule {
        put("cronExpression", schedule.clone().into());
    }
    if let Some(event_type) = &row.event_type {
        put("eventType", event_type.clone().into());
        put("eventFilter", json(row.conditions.as_deref()));
    }
    put("executionType", row.execution_type.clone().into());
    if let Some(script_id) = &row.script_id {
        put("scriptId", script_id.clone().into());
    }
    put("executionCount", row.execution_count.into());
    put("lastExecutedAt", row.last_executed_at.map(time::iso).unwrap_or_default().into());
    put("createdAt", time::iso(row.created_at).into());
    put("updatedAt", time::iso(row.updated_at).into());
    flow
}

/// All of it but its runs.
pub fn whole(row: &FlowRow, public_url: &str) -> Map<String, Value> {
    let mut flow = summary(row);
    let mut put = |name: &str, value: Value| drop(flow.insert(name.to_owned(), value));
    if let Some(prompt) = &row.prompt {
        put("prompt", prompt.clone().into());
    }
    put("recommendedTools", json(Some(&row.recommended_tools)));
    put("scriptInput", json(row.script_input.as_deref()));
    put("scriptInputSchema", json(row.script_input_schema.as_deref()));
    put("config", json(Some(&row.config)));
    put("executionResults", json!([]));
    if let Some(next) = row.next_tick_at {
        put("nextRunAt", time::iso(next).into());
    }
    if let Some(due) = row.next_due_at {
        put("nextDueAt", time::iso(due).into());
    }
    if let Some(webhook_id) = &row.webhook_id {
        put("webhookId", webhook_id.clone().into());
        put("webhookUrl", format!("{public_url}/hooks/{webhook_id}").into());
    }
    if let Some(paused_at) = row.paused_at {
        put("pausedAt", time::iso(paused_at).into());
    }
    if let Some(reason) = &row.pause_reason {
        put("pauseReason", reason.clone().into());
    }
    put("isPublished", row.published_at.is_some().into());
    if let Some(published_at) = row.published_at {
        put("publishedAt", time::iso(published_at).into());
    }
    if row.pricing.is_some() {
        put("pricing", json(row.pricing.as_deref()));
    }
    if let Some(installed_from) = &row.installed_from {
        put("installedFrom", installed_from.clone().into());
    }
    flow
}

fn trigger(row: &FlowRow) -> Value {
    let config = match &*row.trigger_type {
        "time" => json!({ "cronExpression": row.schedule }),
        "event" => json!({ "eventType": row.event_type, "rootCondition": json(row.conditions.as_deref()) }),
        _ => json!({ "webhookId": row.webhook_id }),
    };
    json!({ "type": row.trigger_type, "config": config })
}

/// One of `executionResults`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunShown {
    execution_id: String,
    timestamp: String,
    /// success, failed, timeout
    status: String,
    success: bool,
    trigger: String,
    /// How often it was tried before.
    attempt: i64,
    /// Milliseconds.
    duration: f64,
    cost: Usd,
    logs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Box<RawValue>>,
}

pub fn run(row: ExecutionRow) -> RunShown {
    let logs: Vec<LogEntry> = row.logs.as_deref().and_then(|logs| serde_json::from_str(logs).ok()).unwrap_or_default();
    let is_success = row.status == "completed";
    let raw = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
    RunShown {
        execution_id: row.id,
        timestamp: time::iso(row.started_at.unwrap_or(row.created_at)),
        status: if is_success { "success".to_owned() } else { row.status },
        success: is_success,
        trigger: row.trigger,
        attempt: row.attempt,
        duration: milliseconds(row.duration_us.unsigned_abs()),
        cost: Usd::from_picodollars(row.cost_picodollars.unsigned_abs()),
        logs: logs.into_iter().map(|entry| entry.message).collect(),
        result: raw(row.output),
        error: raw(row.error),
    }
}

pub fn json(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
