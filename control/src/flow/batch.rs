//! Many operations, some at a time: a flow that works through a list and is completed by its end.

use std::sync::Arc;

use mirra_host_sdk::{Json, new_execution_id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::to_raw_value};

use super::making::{ACTIVE, TITLE_CHARACTERS_MAX, insert};
use crate::{
    ADAPTERS, Answer, ApiError, Caller, Control, Means,
    capability::OF_HANDLERS,
    id,
    means::Purse,
    operations::Scene,
    params,
    store::{ExecutionRow, FlowRow, NewRun, Tick},
    time,
};

const OPERATIONS_MAX: usize = 1_000;
const BATCH_SIZE: u64 = 5;
const BATCH_SIZE_MAX: u64 = 100;
const INTERVAL_S_MIN: u64 = 60;
const INTERVAL_S_MAX: u64 = 86_400;

/// Of `execution_type`.
pub const BATCH: &str = "batch";

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchParams {
    title: String,
    operations: Vec<One>,
    /// How many at a time; 5 if not given.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    batch_size: Option<u64>,
    /// Seconds from one part to the next, 60 at least.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    interval_seconds: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct One {
    adapter: String,
    operation: String,
    #[serde(default, deserialize_with = "params::some")]
    args: Value,
}

/// All of it, as the flow keeps it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    operations: Vec<One>,
    size: usize,
    interval_ms: i64,
}

/// Where a run begins.
#[derive(Default, Serialize, Deserialize)]
struct Part {
    from: usize,
}

pub async fn create(scene: &Scene<'_>, params: BatchParams) -> Result<Answer, ApiError> {
    params::text("title", &params.title, TITLE_CHARACTERS_MAX)?;
    if params.operations.is_empty() || params.operations.len() > OPERATIONS_MAX {
        return Err(ApiError::invalid("operations", format!("operations must be a list of 1 to {OPERATIONS_MAX}")));
    }
    for (index, one) in params.operations.iter().enumerate() {
        if ADAPTERS.contains(&&*one.adapter) && !OF_HANDLERS.contains(&&*one.adapter) {
            let field = format!("operations[{index}].adapter");
            return Err(ApiError::invalid(&field, format!("{field}: {} is not offered to flows", one.adapter)));
        }
    }
    let size = params::limit(params.batch_size, BATCH_SIZE, BATCH_SIZE_MAX)
        .map_err(|_| ApiError::invalid("batchSize", format!("batchSize must be between 1 and {BATCH_SIZE_MAX}")))?;
    let interval_s = params.interval_seconds.unwrap_or(INTERVAL_S_MIN);
    if !(INTERVAL_S_MIN..=INTERVAL_S_MAX).contains(&interval_s) {
        let message = format!("intervalSeconds must be between {INTERVAL_S_MIN} and {INTERVAL_S_MAX}");
        return Err(ApiError::invalid("intervalSeconds", message));
    }
    let (count, interval_ms) = (params.operations.len(), interval_s as i64 * 1000);
    let batch = Batch { operations: params.operations, size: size as usize, interval_ms };
    let row = FlowRow {
        id: id::object(scene.now)?,
        owner_id: scene.caller.id().to_owned(),
        title: params.title,
        status: ACTIVE.to_owned(),
        scope: "user".to_owned(),
        trigger_type: "time".to_owned(),
        execution_type: BATCH.to_owned(),
        // Now, and by itself from then on.
        next_tick_at: Some(scene.now),
        next_due_at: Some(scene.now),
        recommended_tools: "[]".to_owned(),
        script_input: Some(json!(batch).to_string()),
        config: "{}".to_owned(),
        created_at: scene.now,
        updated_at: scene.now,
        ..FlowRow::default()
    };
    insert(scene, &row).await?;
    let parts = (count as u64).div_ceil(size);
    Answer::of(&json!({
        "flowId": row.id,
        "title": row.title,
        "operationCount": count,
        "batchSize": size,
        "intervalSeconds": interval_s,
        "estimatedCompletionMinutes": ((parts - 1) * interval_s).div_ceil(60),
        "message": format!("{count} operations, {size} at a time; a notification tells when all are done"),
        "createdAt": time::iso(scene.now),
    }))
}

fn batch_of(flow: &FlowRow) -> Result<Batch, ApiError> {
    let text = flow.script_input.as_deref().unwrap_or_default();
    serde_json::from_str(text).map_err(|error| ApiError::internal("a batch cannot be read", error))
}

fn run(flow: &FlowRow, from: usize, due_at: i64) -> NewRun {
    let input = json!(Part { from }).to_string();
    NewRun { id: new_execution_id(), flow_id: flow.id.clone(), trigger: BATCH, input, due_at, chain: 0, tick_at: None }
}

/// The first part; the others follow from the one before.
pub fn first(flow: &FlowRow, now: i64) -> Option<Tick> {
    let run = NewRun { tick_at: Some(flow.next_tick_at?), ..run(flow, 0, now) };
    Some(Tick { flow_id: flow.id.clone(), due_at: flow.next_due_at?, run: Some(run), next_tick_at: None, next_due_at: None })
}

fn from(row: &ExecutionRow) -> usize {
    serde_json::from_str::<Part>(&row.input).unwrap_or_default().from
}

/// What comes after a part that has ended. None: that was the last one.
pub fn next(flow: &FlowRow, row: &ExecutionRow, now: i64) -> Option<NewRun> {
    let batch = batch_of(flow).ok()?;
    let from = from(row) + batch.size;
    (from < batch.operations.len()).then(|| run(flow, from, now + batch.interval_ms))
}

/// Does one part, in the name of the flow's owner. What fails is told, and keeps the others from nothing.
pub async fn perform(control: &Arc<Control>, flow: &FlowRow, row: &ExecutionRow, purse: &Arc<Purse>) -> Result<Json, ApiError> {
    let batch = batch_of(flow)?;
    let from = from(row);
    let caller = Caller::account(control.account(&flow.owner_id).await?);
    let mut results = Vec::new();
    for One { adapter, operation, args } in batch.operations.iter().skip(from).take(batch.size) {
        let args = if args.is_null() { json!({}) } else { args.clone() };
        let args = to_raw_value(&args).map_err(|error| ApiError::internal("parameters cannot be written", error))?;
        let answer = Box::pin(control.call(&caller, adapter, operation, &args, Means::of_flow(purse.clone()))).await;
        results.push(match answer {
            Ok(answer) => json!({ "success": true, "data": answer.data }),
            Err(error) => json!({ "success": false, "error": { "code": error.code, "message": error.message } }),
        });
    }
    to_raw_value(&json!({ "from": from, "count": results.len(), "of": batch.operations.len(), "results": results }))
        .map_err(|error| ApiError::internal("results cannot be written", error))
}
