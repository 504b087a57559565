//! Flows tried by hand: run at once, asked whether an event would start them, and shown why not.

use mirra_host_sdk::{ErrorCode, new_execution_id};
use mirra_triggers::{ConditionResult, Conditions, Event, canonical_event_type, event_types};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    finding::{FlowId, owned},
    shown, trigger,
};
use crate::{
    Answer, ApiError,
    apart::to_its_end,
    operations::Scene,
    script::milliseconds,
    store::{ExecutionRow, FlowRow},
    work::{Performed, perform, write_end},
};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecuteParams {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    /// Merged over the flow's own input.
    input: Option<Map<String, Value>>,
}

/// `{success, result, error, duration, executionId}`. It is tried once.
pub async fn execute(scene: &Scene<'_>, params: ExecuteParams) -> Result<Answer, ApiError> {
    let flow = owned(scene, &FlowId { flow_id: params.flow_id }).await?;
    let (execution_id, performed) = run_now(scene, flow, None, params.input).await?;
    Answer::of(&json!({
        "success": performed.result.is_ok(),
        "result": performed.result.as_ref().ok(),
        "error": performed.result.as_ref().err(),
        "duration": milliseconds(performed.usage.wall_us),
        "cost": performed.usage.cost_usd,
        "logs": performed.logs.iter().map(|entry| &entry.message).collect::<Vec<_>>(),
        "executionId": execution_id,
    }))
}

async fn run_now(
    scene: &Scene<'_>,
    flow: FlowRow,
    event: Option<Event>,
    input: Option<Map<String, Value>>,
) -> Result<(String, Performed), ApiError> {
    if let Some(retry_after) = scene.control.manual_executions().take(&flow.id).retry_after {
        let message = format!("the flow was executed {} times within a minute", scene.control.manual_executions().limit());
        return Err(ApiError { retry_after: Some(retry_after), ..ApiError::new(ErrorCode::RateLimited, message) });
    }
    let given = match (&event, &input) {
        (Some(event), _) => serde_json::to_string(event),
        (None, input) => serde_json::to_string(input),
    };
    let row = ExecutionRow {
        id: new_execution_id(),
        account_id: flow.owner_id.clone(),
        script_id: flow.script_id.clone(),
        flow_id: Some(flow.id.clone()),
        trigger: "manual".to_owned(),
        input: given.map_err(|error| ApiError::internal("an input cannot be written", error))?,
        created_at: scene.now,
        started_at: Some(scene.now),
        worker_id: scene.control.worker().map(|worker| worker.id.clone()),
        ..ExecutionRow::default()
    };
    let control = scene.control.clone();
    // To its end, whoever goes away meanwhile.
    to_its_end(async move {
        let store = &control.opened().await?.store;
        store.begin_execution(row.clone(), i64::MAX).await?;
        let performed = perform(&control, &flow, &row, event.as_ref(), input.as_ref()).await;
        let performed = performed.unwrap_or_else(|error| Performed::failed(&error));
        write_end(&control, &row, &performed).await?;
        control.work_has_come();
        Ok((row.id, performed))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidateParams {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    event: Value,
}

/// `{flowId, matched, conditionResults}`: each condition with what it wanted and what it got.
pub async fn validate(scene: &Scene<'_>, params: ValidateParams) -> Result<Answer, ApiError> {
    let flow = owned(scene, &FlowId { flow_id: params.flow_id }).await?;
    let event = Event::read(params.event, scene.now, || "evt_test".to_owned());
    let event = event.map_err(|error| ApiError::invalid(&format!("event.{}", error.field), format!("event.{}", error.message)))?;
    let (matched, results) = explained(&flow, &event)?;
    Answer::of(&json!({ "flowId": flow.id, "matched": matched, "conditionResults": results }))
}

/// Whether an event would start the flow; the type is told like a condition, as it is one.
fn explained(flow: &FlowRow, event: &Event) -> Result<(bool, Vec<ConditionResult>), ApiError> {
    let Some(event_type) = &flow.event_type else {
        return Err(ApiError::invalid("flowId", "no events start this flow: it has a schedule, or a webhook"));
    };
    let is_type = Conditions::read(&json!({ "field": "type", "operator": "equals", "value": event_type })).map_err(trigger::invalid)?;
    let conditions = Conditions::read(&shown::json(flow.conditions.as_deref())).map_err(trigger::invalid)?;
    let results = [is_type.explain(event), conditions.explain(event)].concat();
    Ok((is_type.matches(event) && conditions.matches(event), results))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestParams {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    /// true if not given: nothing runs.
    dry_run: Option<bool>,
    /// Values by paths with dots, such as `{"content.text": "urgent"}`.
    event_overrides: Option<Map<String, Value>>,
}

/// Tries the flow with an event as it might come.
pub async fn test(scene: &Scene<'_>, params: TestParams) -> Result<Answer, ApiError> {
    let flow = owned(scene, &FlowId { flow_id: params.flow_id }).await?;
    let is_dry = params.dry_run.unwrap_or(true);
    let event = match &flow.event_type {
        Some(event_type) => Some(test_event(event_type, params.event_overrides.unwrap_or_default(), scene.now)?),
        None => None,
    };
    let (matched, results) = match &event {
        Some(event) => explained(&flow, event)?,
        None => (true, Vec::new()),
    };
    let summary = event
        .as_ref()
        .map(|event| json!({ "id": event.id(), "type": event.event_type(), "source": event.source(), "summary": event.members() }));
    let recommendations: Vec<String> = results
        .iter()
        .filter(|result| !result.passed)
        .map(|result| {
            format!("{} is {}, and the flow wants it to be: {} {}", result.field, result.actual, json!(result.operator), result.expected)
        })
        .collect();
    let mut answer = json!({
        "success": true,
        "flowId": flow.id,
        "mode": if is_dry { "dryRun" } else { "fullExecution" },
        "triggerMatched": matched,
        "conditionResults": results,
        "testEvent": summary,
        "recommendations": recommendations,
    });
    if !is_dry && matched {
        let (execution_id, performed) = run_now(scene, flow, event, None).await?;
        answer["executionId"] = execution_id.into();
        answer["executionStatus"] = match &performed.result {
            Ok(_) => "success",
            Err(error) if error.code == ErrorCode::Timeout => "timeout",
            Err(_) => "error",
        }
        .into();
        answer["executionDuration"] = milliseconds(performed.usage.wall_us).into();
        answer["executionError"] = json!(performed.result.as_ref().err());
        answer["executionResult"] = json!(performed.result.as_ref().ok());
    }
    Answer::of(&answer)
}

fn test_event(event_type: &str, overrides: Map<String, Value>, now: i64) -> Result<Event, ApiError> {
    let known = event_types().iter().find(|known| known.name == canonical_event_type(event_type));
    let mut sample = known.map_or_else(|| json!({ "type": event_type }), |known| known.sample());
    for (path, value) in overrides {
        let mut place = &mut sample;
        for name in path.split('.') {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[name];
        }
        *place = value;
    }
    Event::read(sample, now, || "evt_test".to_owned()).map_err(|error| ApiError::invalid("eventOverrides", error.message))
}
