//! Subscriptions of scripts to events: flows without a name of their own, which are listed with their scripts.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    making::{ACTIVE, PAUSED, insert},
    shown,
    trigger::{Trigger, TriggerFields},
};
use crate::{
    Answer, ApiError, Page, id,
    operations::Scene,
    script,
    store::{FlowRow, Flows},
    time,
};

const LISTED_MAX: u64 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscribeParams {
    script_id: String,
    event_type: String,
    /// A tree, or an array of conditions that all have to hold; every event of the type if there are none.
    conditions: Option<Value>,
    /// true if not given.
    enabled: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfScript {
    #[serde(alias = "id")]
    script_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionId {
    script_id: String,
    subscription_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeParams {
    script_id: String,
    subscription_id: String,
    event_type: Option<String>,
    conditions: Option<Value>,
    enabled: Option<bool>,
}

fn subscription(row: &FlowRow) -> Value {
    json!({
        "id": row.id,
        "subscriptionId": row.id,
        "scriptId": row.script_id,
        "eventType": row.event_type,
        "conditions": shown::json(row.conditions.as_deref()),
        "enabled": row.status == ACTIVE,
        "executionCount": row.execution_count,
        "lastExecutedAt": row.last_executed_at.map(time::iso).unwrap_or_default(),
        "createdAt": time::iso(row.created_at),
        "updatedAt": time::iso(row.updated_at),
    })
}

fn set(row: &mut FlowRow, event_type: String, conditions: Option<Value>) -> Result<(), ApiError> {
    let fields = TriggerFields { event_type: Some(event_type), conditions, ..TriggerFields::default() };
    if let Some(Trigger::Event { event_type, conditions }) = fields.read()? {
        row.event_type = Some(event_type);
        row.conditions = Some(conditions.to_json().to_string());
    }
    Ok(())
}

fn enable(row: &mut FlowRow, enabled: bool, now: i64) {
    row.status = if enabled { ACTIVE } else { PAUSED }.to_owned();
    row.paused_at = (!enabled).then_some(now);
    row.pause_reason = None;
}

pub async fn create(scene: &Scene<'_>, params: SubscribeParams) -> Result<Answer, ApiError> {
    let script = script::owned(scene, &params.script_id).await?;
    let mut row = FlowRow {
        id: id::object(scene.now)?,
        owner_id: scene.caller.id().to_owned(),
        title: script.name,
        scope: "user".to_owned(),
        trigger_type: "event".to_owned(),
        execution_type: "direct".to_owned(),
        script_id: Some(script.id),
        recommended_tools: "[]".to_owned(),
        config: "{}".to_owned(),
        is_subscription: true,
        created_at: scene.now,
        updated_at: scene.now,
        ..FlowRow::default()
    };
    set(&mut row, params.event_type, params.conditions)?;
    enable(&mut row, params.enabled.unwrap_or(true), scene.now);
    insert(scene, &row).await?;
    Answer::of(&subscription(&row))
}

/// `{count, subscriptions}`
pub async fn list(scene: &Scene<'_>, params: OfScript) -> Result<Answer, ApiError> {
    let script = script::owned(scene, &params.script_id).await?;
    let wanted = Flows { owner_id: scene.caller.id().to_owned(), script_id: Some(script.id), are_subscriptions: true, ..Flows::default() };
    let (rows, total) = scene.store.flows(&wanted, LISTED_MAX, 0).await?;
    let subscriptions: Vec<Value> = rows.iter().map(subscription).collect();
    let page = Page { total, limit: LISTED_MAX, offset: 0 };
    Answer::list(&json!({ "count": subscriptions.len(), "subscriptions": subscriptions }), page)
}

async fn owned(scene: &Scene<'_>, script_id: &str, id: &str) -> Result<FlowRow, ApiError> {
    let row = scene.store.flow(id).await?;
    let is_callers =
        |row: &FlowRow| row.owner_id == scene.caller.id() && row.is_subscription && row.script_id.as_deref() == Some(script_id);
    row.filter(is_callers).ok_or_else(|| {
        let details = Some(Box::new(json!({ "subscriptionId": id })));
        ApiError { details, ..ApiError::new(ErrorCode::NotFound, "Subscription not found") }
    })
}

pub async fn change(scene: &Scene<'_>, params: ChangeParams) -> Result<Answer, ApiError> {
    let mut row = owned(scene, &params.script_id, &params.subscription_id).await?;
    if params.event_type.is_some() || params.conditions.is_some() {
        let event_type = params.event_type.or_else(|| row.event_type.clone()).unwrap_or_default();
        let conditions = params.conditions.unwrap_or_else(|| shown::json(row.conditions.as_deref()));
        set(&mut row, event_type, Some(conditions))?;
    }
    if let Some(enabled) = params.enabled {
        enable(&mut row, enabled, scene.now);
    }
    row.updated_at = scene.now;
    scene.store.update_flow(&row).await?;
    scene.control.work_has_come();
    Answer::of(&subscription(&row))
}

pub async fn delete(scene: &Scene<'_>, params: SubscriptionId) -> Result<Answer, ApiError> {
    let row = owned(scene, &params.script_id, &params.subscription_id).await?;
    scene.store.delete_flow(&row.id).await?;
    Answer::of(&json!({ "id": row.id, "success": true, "deleted": true }))
}
