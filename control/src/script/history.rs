//! What became of a script's runs.

use mirra_host_sdk::{ErrorCode, LogEntry, LogLevel, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{
    making::{ScriptId, owned},
    running::{megabytes, milliseconds},
};
use crate::{
    Answer, ApiError, Page,
    operations::Scene,
    params,
    store::{ExecutionRow, Executions},
    time,
};

const LISTED_MAX: u64 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionsParams {
    #[serde(alias = "id")]
    script_id: String,
    /// running, completed (or success), failed (or error), timeout
    status: Option<String>,
    /// ISO 8601, such as 2026-01-15 or 2026-01-15T10:00:00Z; included.
    start_date: Option<String>,
    /// Included.
    end_date: Option<String>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionId {
    #[serde(alias = "id")]
    execution_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    execution_id: &'a str,
    script_id: &'a str,
    status: &'a str,
    trigger: &'a str,
    /// Milliseconds.
    duration: f64,
    /// MB.
    memory_used: f64,
    cost: Usd,
    has_error: bool,
    created_at: String,
    ended_at: String,
}

fn listed(row: &ExecutionRow) -> Listed<'_> {
    Listed {
        execution_id: &row.id,
        script_id: row.script_id.as_deref().unwrap_or_default(),
        status: &row.status,
        trigger: &row.trigger,
        duration: milliseconds(row.duration_us.unsigned_abs()),
        memory_used: megabytes(row.memory_bytes.unsigned_abs()),
        cost: Usd::from_picodollars(row.cost_picodollars.unsigned_abs()),
        has_error: row.error.is_some(),
        created_at: time::iso(row.created_at),
        ended_at: row.ended_at.map(time::iso).unwrap_or_default(),
    }
}

/// `{scriptId, count, executions}`, the newest first.
pub async fn executions(scene: &Scene<'_>, params: ExecutionsParams) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let limit = params::limit(params.limit, LISTED_MAX, LISTED_MAX)?;
    let offset = params.offset.unwrap_or(0);
    let wanted = Executions {
        script_id: script.id.clone(),
        status: params.status.as_deref().map(status).transpose()?,
        from: params.start_date.as_deref().map(|text| time::read("startDate", text, time::Edge::Begin)).transpose()?,
        until: params.end_date.as_deref().map(|text| time::read("endDate", text, time::Edge::End)).transpose()?,
    };
    let (rows, total) = scene.store.executions(&wanted, limit, offset).await?;
    let executions: Vec<_> = rows.iter().map(listed).collect();
    Answer::list(&json!({ "scriptId": script.id, "count": executions.len(), "executions": executions }), Page { total, limit, offset })
}

fn status(text: &str) -> Result<&'static str, ApiError> {
    match text {
        "running" => Ok("running"),
        "queued" => Ok("queued"),
        "completed" | "success" => Ok("completed"),
        "failed" | "error" => Ok("failed"),
        "timeout" => Ok("timeout"),
        _ => Err(ApiError::invalid("status", "status must be one of running, completed, failed, timeout, success, error")),
    }
}

/// One of the caller's own, whole.
pub async fn execution(scene: &Scene<'_>, params: ExecutionId) -> Result<Answer, ApiError> {
    let row = scene.store.execution(&params.execution_id).await?.filter(|row| row.account_id == scene.caller.id());
    let row = row.ok_or_else(|| {
        let details = Some(Box::new(json!({ "executionId": params.execution_id })));
        ApiError { details, ..ApiError::new(ErrorCode::NotFound, "Execution not found") }
    })?;
    let raw = |text: &Option<String>| text.clone().and_then(|text| RawValue::from_string(text).ok());
    let logs: Vec<LogEntry> = row.logs.as_deref().and_then(|logs| serde_json::from_str(logs).ok()).unwrap_or_default();
    let output = raw(&row.output);
    Answer::of(&Whole {
        listed: listed(&row),
        version_id: row.version_id.as_deref(),
        flow_id: row.flow_id.as_deref(),
        input: raw(&Some(row.input.clone())),
        output: output.as_deref(),
        result: None,
        error: raw(&row.error),
        logs: logs.iter().map(|entry| &*entry.message).collect(),
        log_entries: logs.iter().map(|entry| line(row.started_at.unwrap_or(row.created_at), entry)).collect(),
    })
}

/// A line with all that is known of it.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: LogLevel,
    message: &'a str,
}

fn line(began_at: i64, entry: &LogEntry) -> Line<'_> {
    let elapsed_ms = i64::try_from(entry.elapsed_us / 1000).unwrap_or(i64::MAX);
    Line { timestamp: time::iso(began_at.saturating_add(elapsed_ms)), level: entry.level, message: &entry.message }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(flatten)]
    listed: Listed<'a>,
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_id: Option<&'a str>,
    input: Option<Box<RawValue>>,
    output: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    error: Option<Box<RawValue>>,
    logs: Vec<&'a str>,
    /// The same with their times and levels.
    log_entries: Vec<Line<'a>>,
}

/// Over all of its time.
pub async fn metrics(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let used = scene.store.used(&script.id).await?;
    Answer::of(&json!({
        "scriptId": script.id,
        "totalExecutions": used.executions,
        "totalCost": used.cost(),
        "avgDuration": used.average_ms(),
        "successRate": used.success_rate(),
        "errorRate": used.error_rate(),
        "lastExecutedAt": if used.last_at > 0 { time::iso(used.last_at) } else { String::new() },
    }))
}
