//! Flows as their owners find them.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::shown;
use crate::{
    Answer, ApiError, Page,
    operations::Scene,
    params,
    store::{FlowRow, Flows},
};

const LISTED: u64 = 50;
const LISTED_MAX: u64 = 100;
const QUERY_CHARACTERS_MAX: usize = 200;
const WORDS_MAX: usize = 8;

/// A flow, by any of its names.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowId {
    #[serde(alias = "assignmentId", alias = "id")]
    pub flow_id: String,
}

/// The caller's own, and no other's.
pub async fn owned(scene: &Scene<'_>, id: &FlowId) -> Result<FlowRow, ApiError> {
    let row = scene.store.flow(&id.flow_id).await?.filter(|row| row.owner_id == scene.caller.id());
    row.ok_or_else(|| not_found(&id.flow_id))
}

pub fn not_found(id: &str) -> ApiError {
    ApiError { details: Some(Box::new(json!({ "assignmentId": id }))), ..ApiError::new(ErrorCode::NotFound, "Flow not found") }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetParams {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    /// With the code of its script.
    include_script: Option<bool>,
}

/// All of it, with its newest runs.
pub async fn get(scene: &Scene<'_>, params: GetParams) -> Result<Answer, ApiError> {
    let row = owned(scene, &FlowId { flow_id: params.flow_id }).await?;
    let kept = scene.control.config().limits.results_kept_per_flow.get();
    let runs = scene.store.runs_of(&row.id, kept.into()).await?;
    let mut flow = shown::whole(&row, &scene.control.config().public_url);
    let runs: Vec<_> = runs.into_iter().map(shown::run).collect();
    let runs = serde_json::to_value(&runs).map_err(|error| ApiError::internal("runs cannot be written", error))?;
    flow.insert("executionResults".into(), runs);
    if let (Some(true), Some(script_id)) = (params.include_script, &row.script_id) {
        flow.insert("scriptCode".into(), crate::script::code_of(scene, script_id).await?.into());
    }
    Answer::of(&flow)
}

/// One text, or several.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Option::<Texts>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Texts::One(text)) => vec![text],
        Some(Texts::Several(texts)) => texts,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchParams {
    /// Words of the title or the description.
    query: Option<String>,
    /// active, paused, completed; or a list of these.
    #[serde(default, deserialize_with = "texts")]
    #[schemars(with = "Option<String>")]
    status: Vec<String>,
    /// time, event, webhook
    trigger_type: Option<String>,
    event_type: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    trigger: TriggerWanted,
    /// user, team, global
    scope: Option<String>,
    /// minimal, summary
    detail: Option<String>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TriggerWanted {
    #[serde(rename = "type")]
    kind: Option<String>,
    event_type: Option<String>,
}

/// `{count, flows}`, the newest first.
pub async fn search(scene: &Scene<'_>, params: SearchParams) -> Result<Answer, ApiError> {
    let query = params.query.unwrap_or_default();
    if query.chars().count() > QUERY_CHARACTERS_MAX {
        return Err(ApiError::invalid("query", format!("query has more than {QUERY_CHARACTERS_MAX} characters")));
    }
    if let Some(unknown) = params.status.iter().find(|status| !["active", "paused", "completed", "failed"].contains(&&***status)) {
        return Err(ApiError::invalid("status", format!("status must be active, paused or completed, and not '{unknown}'")));
    }
    let one_of = |field: &str, value: Option<String>, known: &[&str]| match value {
        Some(value) if !known.contains(&&*value) => Err(ApiError::invalid(field, format!("{field} must be one of {}", known.join(", ")))),
        value => Ok(value),
    };
    let words = query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS_MAX).map(str::to_owned);
    let wanted = Flows {
        owner_id: scene.caller.id().to_owned(),
        statuses: params.status,
        words: words.collect(),
        trigger_type: one_of("trigger.type", params.trigger.kind.or(params.trigger_type), &["time", "event", "webhook"])?,
        event_type: params.trigger.event_type.or(params.event_type),
        scope: one_of("scope", params.scope, &["user", "team", "global"])?,
        ..Flows::default()
    };
    let limit = params::limit(params.limit, LISTED, LISTED_MAX)?;
    listed(scene, wanted, limit, params.offset.unwrap_or(0), params.detail.as_deref() == Some("minimal")).await
}

async fn listed(scene: &Scene<'_>, wanted: Flows, limit: u64, offset: u64, is_minimal: bool) -> Result<Answer, ApiError> {
    let (rows, total) = scene.store.flows(&wanted, limit, offset).await?;
    let minimal = |mut flow: serde_json::Map<String, Value>| {
        flow.retain(|name, _| ["id", "title", "status", "triggerType", "isActive"].contains(&&**name));
        flow
    };
    let flows = rows.iter().map(shown::summary).map(|flow| if is_minimal { minimal(flow) } else { flow });
    let flows: Vec<_> = flows.collect();
    Answer::list(&json!({ "count": flows.len(), "eventType": wanted.event_type, "flows": flows }), Page { total, limit, offset })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ByEventTypeParams {
    event_type: String,
    detail: Option<String>,
}

/// Those that are active.
pub async fn by_event_type(scene: &Scene<'_>, params: ByEventTypeParams) -> Result<Answer, ApiError> {
    let event_type = mirra_triggers::read_event_type("eventType", &params.event_type).map_err(super::trigger::invalid)?;
    let wanted = Flows {
        owner_id: scene.caller.id().to_owned(),
        statuses: vec!["active".to_owned()],
        event_type: Some(event_type),
        ..Flows::default()
    };
    listed(scene, wanted, LISTED_MAX, 0, params.detail.as_deref() == Some("minimal")).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypesParams {
    source: Option<String>,
    sources: Option<Vec<String>>,
}

/// `{count, eventTypes}`
pub fn event_types(params: &EventTypesParams) -> Result<Answer, ApiError> {
    let wanted: Vec<&String> = params.source.iter().chain(params.sources.iter().flatten()).collect();
    let known = mirra_triggers::event_types().iter().filter_map(|known| {
        let source = known.name.split('.').next().unwrap_or_default();
        let is_wanted = wanted.is_empty() || wanted.iter().any(|wanted| **wanted == source);
        let fields = serde_json::to_value(known.fields).unwrap_or_default();
        is_wanted.then(|| {
            json!({
                "eventType": known.name,
                "constant": known.name.to_uppercase().replace('.', "_"),
                "source": source,
                "displayName": known.name,
                "description": known.description,
                "enabled": true,
                "hasTemplates": false,
                "fields": fields,
                "example": known.sample(),
            })
        })
    });
    let event_types: Vec<Value> = known.collect();
    Answer::of(&json!({ "count": event_types.len(), "eventTypes": event_types }))
}
