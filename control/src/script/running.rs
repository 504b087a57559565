//! A script run because somebody asks for it: begun and ended in the store, so that it is in the history whatever becomes of whoever asked.

use std::sync::Arc;

use mirra_host_sdk::{ErrorCode, InvocationError, Json, Limits, LogSink, Outcome, Trigger, Usage, Usd, new_execution_id};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::{
    config::Config,
    making::{config_of, not_found},
    market::surcharge,
};
use crate::{
    Answer, ApiError, Control, Wanted, account,
    apart::to_its_end,
    dispatch::Run,
    invocation::no_event,
    operations::Scene,
    store::{ExecutionRow, Runnable, Store, VersionRow},
    time,
    work::{Performed, write_end},
};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecuteParams {
    #[serde(alias = "id")]
    script_id: String,
    /// `event.data`
    #[schemars(with = "Option<Value>")]
    data: Option<Json>,
    /// `event.trigger`
    trigger: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvokeParams {
    #[serde(alias = "id")]
    script_id: String,
    /// `event.data`
    #[schemars(with = "Option<Value>")]
    payload: Option<Json>,
}

/// What the handler's answer is called.
#[derive(Clone, Copy)]
pub enum Named {
    /// By adapters.
    Output,
    /// At the address of its own.
    Result,
}

/// `event`: what clients rely on, under every name that it has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    data: &'a RawValue,
    input: &'a RawValue,
    body: &'a RawValue,
    payload: &'a RawValue,
    fields: Value,
    trigger: &'a Value,
    execution_id: &'a str,
    user_id: &'a str,
    script_id: &'a str,
    /// Nobody's: a handler has what it may through `mirra`, and never a key that it could give away.
    api_key: &'static str,
    group_id: Option<&'a str>,
    scope: &'static str,
    remaining_budget: Usd,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Executed<'a> {
    execution_id: &'a str,
    script_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    /// Milliseconds.
    duration: f64,
    /// MB.
    memory_used: f64,
    cost: Usd,
    logs: Vec<&'a str>,
    error: Option<&'a InvocationError>,
    created_at: String,
}

/// What is to be run, and how.
pub struct Wish {
    pub script_id: String,
    /// `event.data`
    pub data: Json,
    /// `event.trigger`
    pub told: Value,
    /// `context.trigger`
    pub trigger: Trigger,
    /// Not more than its configuration has.
    pub limits: Wanted,
    /// `exec_` and 24 hex digits that no other execution has.
    pub execution_id: String,
    pub log_sink: Option<Arc<dyn LogSink>>,
}

impl Wish {
    fn manual(script_id: String, data: Option<Json>, trigger: Option<Value>) -> Wish {
        Wish {
            script_id,
            data: data.unwrap_or_else(no_event),
            told: trigger.filter(Value::is_object).unwrap_or_else(|| json!({ "type": "manual" })),
            trigger: Trigger::Manual,
            limits: Wanted::default(),
            execution_id: new_execution_id(),
            log_sink: None,
        }
    }

    /// In the history, all that somebody asks for is manual, and counts as that.
    fn row(&self, account_id: &str, version: &VersionRow, control: &Control, now: i64) -> ExecutionRow {
        ExecutionRow {
            id: self.execution_id.clone(),
            account_id: account_id.to_owned(),
            script_id: Some(version.script_id.clone()),
            version_id: Some(version.id.clone()),
            trigger: "manual".to_owned(),
            input: self.data.get().to_owned(),
            created_at: now,
            worker_id: control.worker().map(|worker| worker.id.clone()),
            ..ExecutionRow::default()
        }
    }
}

/// What became of a run.
pub struct Ended {
    execution_id: String,
    script_id: String,
    performed: Performed,
    created_at: i64,
    /// Why its end is not written down yet.
    unwritten: Option<ApiError>,
}

impl Ended {
    /// What is answered is kept, or is not answered.
    fn kept(self) -> Result<Ended, ApiError> {
        match self.unwritten {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }
}

pub async fn execute(scene: &Scene<'_>, params: ExecuteParams, named: Named) -> Result<Answer, ApiError> {
    let ended = run(scene, Wish::manual(params.script_id, params.data, params.trigger)).await?.kept()?;
    let (output, error) = match &ended.performed.result {
        Ok(output) => (&**output, None),
        Err(error) => (RawValue::NULL, Some(error)),
    };
    let Usage { wall_us, memory_bytes_peak, cost_usd, .. } = ended.performed.usage;
    Answer::of(&Executed {
        execution_id: &ended.execution_id,
        script_id: &ended.script_id,
        status: status(&ended.performed.result),
        output: matches!(named, Named::Output).then_some(output),
        result: matches!(named, Named::Result).then_some(output),
        duration: milliseconds(wall_us),
        memory_used: megabytes(memory_bytes_peak),
        cost: cost_usd,
        logs: ended.performed.logs.iter().map(|entry| &*entry.message).collect(),
        error,
        created_at: time::iso(ended.created_at),
    })
}

/// `{success, result, logs, error, duration}`, with texts for logs and error.
pub async fn invoke(scene: &Scene<'_>, params: InvokeParams) -> Result<Answer, ApiError> {
    let ended = run(scene, Wish::manual(params.script_id, params.payload, None)).await?.kept()?;
    let logs: Vec<_> = ended.performed.logs.iter().map(|entry| &*entry.message).collect();
    Answer::of(&json!({
        "success": ended.performed.result.is_ok(),
        "result": ended.performed.result.as_ref().ok(),
        "logs": logs.join("\n"),
        "error": ended.performed.result.as_ref().err().map(|error| &error.message),
        "duration": milliseconds(ended.performed.usage.wall_us),
        "executionId": ended.execution_id,
    }))
}

/// The same as executors tell it. An error means that nothing ran, so one that ran is told, whatever became of it in the store.
pub async fn outcome(scene: &Scene<'_>, wish: Wish) -> Result<Outcome, ApiError> {
    let Ended { execution_id, performed: Performed { result, logs, usage, .. }, .. } = run(scene, wish).await?;
    Ok(Outcome { execution_id, result, logs, usage })
}

async fn run(scene: &Scene<'_>, wish: Wish) -> Result<Ended, ApiError> {
    let Runnable { script, version } = runnable(scene, &wish.script_id).await?;
    let version = version.ok_or_else(|| not_deployed(&wish.script_id))?;
    let config = config_of(&script)?;
    let limits = wish.limits.within(config.limits()?)?;
    if let Some(retry_after) = scene.control.manual_executions().take(&script.id).retry_after {
        let message = format!("the script was executed {} times within a minute", scene.control.manual_executions().limit());
        return Err(ApiError { retry_after: Some(retry_after), ..ApiError::new(ErrorCode::RateLimited, message) });
    }
    // Refused where the account has nothing left today; what runs is counted as it ends.
    drop(account::spending::of_today(scene.control, &script.owner_id).await?);
    let account_id = script.owner_id.clone();
    let (control, now, depth) = (scene.control.clone(), scene.now, scene.means.depth);
    let row = wish.row(&account_id, &version, &control, now);
    // To its end, whoever goes away meanwhile.
    let work = async move {
        let store = control.opened().await?.store.clone();
        begin(&store, &row, &config).await?;
        let script_id = version.script_id.clone();
        let performed = async {
            let event = event(&row, &wish.data, &wish.told, &config)?;
            let surcharge = surcharge(&store, &script, now).await?;
            let limits = Limits { cost_usd_max: limits.cost_usd_max.saturating_sub(surcharge), ..limits };
            let (execution_id, trigger, log_sink) = (row.id.clone(), wish.trigger, wish.log_sink);
            let run = Run { limits, execution_id, account_id, config, trigger, event, depth, version, log_sink };
            Ok(Performed::from(control.run(run).await?).with_surcharge(surcharge))
        };
        let performed: Result<Performed, ApiError> = performed.await;
        let written = match &performed {
            Ok(done) => write_end(&control, &row, done).await,
            Err(error) => write_end(&control, &row, &Performed::failed(error)).await,
        };
        let unwritten = written.err();
        Ok(Ended { execution_id: row.id, script_id, performed: performed?, created_at: now, unwritten })
    };
    to_its_end(work).await
}

/// Writes down that it begins, unless it may not.
async fn begin(store: &Store, row: &ExecutionRow, config: &Config) -> Result<(), ApiError> {
    if store.begin_execution(row.clone(), config.max_executions_per_day.into()).await? {
        return Ok(());
    }
    if store.execution(&row.id).await?.is_some() {
        return Err(ApiError::new(ErrorCode::Conflict, format!("there is an execution {} already: leave executionId out", row.id)));
    }
    let message = format!("the script has been executed {} times today, as often as it may", config.max_executions_per_day);
    let retry_after = Some(time::until_tomorrow(row.created_at));
    Err(ApiError { retry_after, ..ApiError::new(ErrorCode::RateLimited, message) })
}

/// The caller's own, or the one that their key is for.
async fn runnable(scene: &Scene<'_>, script_id: &str) -> Result<Runnable, ApiError> {
    let found = scene.store.runnable(script_id).await?;
    let is_callers = |found: &Runnable| {
        found.script.owner_id == scene.caller.id() && scene.caller.script_id.as_ref().is_none_or(|only| *only == found.script.id)
    };
    found.filter(is_callers).ok_or_else(|| not_found(script_id))
}

fn not_deployed(script_id: &str) -> ApiError {
    let details = Some(Box::new(json!({ "scriptId": script_id })));
    let message = "Script is not deployed: deploy one of its versions first";
    ApiError { details, ..ApiError::new(ErrorCode::ValidationError, message) }
}

fn event(row: &ExecutionRow, data: &RawValue, trigger: &Value, config: &Config) -> Result<Json, ApiError> {
    let event = Event {
        data,
        input: data,
        body: data,
        payload: data,
        fields: json!({}),
        trigger,
        execution_id: &row.id,
        user_id: &row.account_id,
        script_id: row.script_id.as_deref().unwrap_or_default(),
        api_key: "",
        group_id: None,
        scope: "user",
        remaining_budget: config.max_cost_per_execution,
    };
    serde_json::value::to_raw_value(&event).map_err(|error| ApiError::internal("an event cannot be written", error))
}

/// completed, failed, timeout
pub fn status(result: &Result<Json, InvocationError>) -> &'static str {
    match result {
        Ok(_) => "completed",
        Err(InvocationError { code: ErrorCode::Timeout, .. }) => "timeout",
        Err(_) => "failed",
    }
}

pub fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// To a hundredth.
pub fn megabytes(bytes: u64) -> f64 {
    (bytes as f64 / (1 << 20) as f64 * 100.0).round() / 100.0
}
