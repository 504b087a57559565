//! Flows that accounts give to each other. Who installs one has a copy of it and of what runs of its script, as they are then: it goes on as it
//! is, whatever its author does, and runs in the name of whoever has installed it.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    batch::BATCH,
    config::Config,
    finding::{FlowId, not_found, owned},
    making::{ACTIVE, PAUSED, insert},
    schedule, shown,
};
use crate::{
    Answer, ApiError, Page, id,
    operations::Scene,
    params,
    script::{self, Pricing},
    store::FlowRow,
    time,
};

const LISTED: u64 = 50;
const LISTED_MAX: u64 = 100;
const WORDS_MAX: usize = 8;
const QUERY_CHARACTERS_MAX: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishParams {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    /// Of what the flow's script does; free if not given.
    pricing: Option<Pricing>,
}

/// Only the account's own work, of which others can tell what it does.
pub async fn publish(scene: &Scene<'_>, params: PublishParams) -> Result<Answer, ApiError> {
    let flow = owned(scene, &FlowId { flow_id: params.flow_id }).await?;
    let pricing = params.pricing.unwrap_or_default().checked()?;
    if flow.is_subscription || flow.execution_type == BATCH {
        return Err(ApiError::invalid("flowId", "neither a subscription of a script nor a batch can be published: make a flow"));
    }
    if flow.installed_from.is_some() {
        return Err(ApiError::invalid("flowId", "this is a copy of somebody else's flow, which only its author publishes"));
    }
    if flow.description.trim().is_empty() {
        return Err(ApiError::invalid("description", "a flow needs a description to be published, by which others find it"));
    }
    match script_of(&flow) {
        Some(script_id) => drop(script::check_own_work(scene, script_id).await?),
        None if pricing.is_free() => {}
        None => return Err(ApiError::invalid("pricing.model", "what an agent does for a prompt costs what it uses: publish it for free")),
    }
    let text = pricing.written()?;
    if !scene.store.publish_flow(&flow.id, Some(&text), Some(scene.now)).await? {
        return Err(not_found(&flow.id));
    }
    Answer::of(&json!({
        "id": flow.id,
        "flowId": flow.id,
        "isPublished": true,
        "pricing": pricing,
        "publishedAt": time::iso(scene.now),
    }))
}

pub async fn unpublish(scene: &Scene<'_>, id: FlowId) -> Result<Answer, ApiError> {
    let flow = owned(scene, &id).await?;
    scene.store.publish_flow(&flow.id, None, None).await?;
    Answer::of(&json!({ "id": flow.id, "flowId": flow.id, "isPublished": false, "unpublished": true }))
}

/// What runs of it, if it is no prompt.
fn script_of(flow: &FlowRow) -> Option<&str> {
    flow.script_id.as_deref().filter(|_| flow.execution_type == "direct")
}

/// The flow as it is shown to its owner, with `installationId`: the copy's own id.
pub async fn install(scene: &Scene<'_>, id: FlowId) -> Result<Answer, ApiError> {
    let flow = scene.store.flow(&id.flow_id).await?.filter(|flow| flow.published_at.is_some());
    let flow = flow.ok_or_else(|| not_found(&id.flow_id))?;
    if flow.owner_id == scene.caller.id() {
        return Err(ApiError::invalid("flowId", "this flow is the account's own"));
    }
    if scene.store.has_copy_of_flow(scene.caller.id(), &flow.id).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "the flow is already installed"));
    }
    let pricing = Pricing::kept(flow.pricing.as_deref());
    let script = match script_of(&flow) {
        Some(script_id) => Some(script::copy(scene, script_id, pricing).await?.ok_or_else(|| not_found(&flow.id))?),
        None => None,
    };
    let needs = match &script {
        None => Some("an agent carries out its prompt in this account's name, and the account pays for it".to_owned()),
        Some(_) if !pricing.is_free() => Some("it is to be paid for".to_owned()),
        Some(script) => script::resources_of(script)?.map(|names| format!("it uses {names}")),
    };
    let script_id = script.as_ref().map(|script| script.id.clone());
    let copy = copied(scene, flow, script_id, needs)?;
    if let Err(refused) = insert(scene, &copy).await {
        // Nothing is left of what was not installed.
        if let Some(script) = &script {
            scene.store.delete_script(&script.id, scene.now).await?;
        }
        return Err(refused);
    }
    let mut shown = shown::whole(&copy, &scene.control.config().public_url);
    let installed = [("success", true.into()), ("flowId", copy.id.clone().into()), ("installationId", copy.id.clone().into())];
    shown.extend(installed.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    shown.insert("installedAt".into(), time::iso(scene.now).into());
    Answer::of(&shown)
}

/// By the caller's own events, and told of to nobody but them. Where there is a need to look at it first, it is paused.
fn copied(scene: &Scene<'_>, flow: FlowRow, script_id: Option<String>, needs: Option<String>) -> Result<FlowRow, ApiError> {
    let config = Config { notify_url: None, ..Config::kept(&flow.config) };
    let webhook_id = flow.webhook_id.as_ref().map(|_| Ok::<_, ApiError>(id::hex(&id::random::<16>()?))).transpose()?;
    let mut copy = FlowRow {
        id: id::object(scene.now)?,
        owner_id: scene.caller.id().to_owned(),
        status: if needs.is_some() { PAUSED } else { ACTIVE }.to_owned(),
        paused_at: needs.is_some().then_some(scene.now),
        pause_reason: needs.map(|needs| format!("look at it before it runs, and resume it: {needs}")),
        scope: "user".to_owned(),
        team_id: None,
        script_id,
        webhook_id,
        config: json!(config).to_string(),
        execution_count: 0,
        last_executed_at: None,
        installed_from: Some(flow.id.clone()),
        published_at: None,
        created_at: scene.now,
        updated_at: scene.now,
        ..flow
    };
    schedule::set_next(&mut copy, scene.now, scene.control.config().limits.tick_spread_ms);
    Ok(copy)
}

/// What the marketplace asks of each kind.
#[derive(Deserialize)]
pub struct MarketParams {
    query: Option<String>,
    category: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
}

/// `{flows}`, the newest first.
pub async fn market(scene: &Scene<'_>, params: MarketParams) -> Result<Answer, ApiError> {
    let query = params.query.unwrap_or_default();
    if query.chars().count() > QUERY_CHARACTERS_MAX {
        return Err(ApiError::invalid("query", format!("query has more than {QUERY_CHARACTERS_MAX} characters")));
    }
    let words: Vec<String> = query.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect();
    let limit = params::limit(params.limit, LISTED, LISTED_MAX)?;
    let offset = params.offset.unwrap_or(0);
    // Flows are of no category.
    let (rows, total) = match params.category {
        Some(_) => (Vec::new(), 0),
        None => scene.store.published_flows(&words, limit, offset).await?,
    };
    let flows: Vec<Map<String, Value>> = rows.iter().map(|(flow, installs)| listing(flow, *installs)).collect();
    Answer::list(&json!({ "flows": flows }), Page { total, limit, offset })
}

fn listing(flow: &FlowRow, installs: i64) -> Map<String, Value> {
    let mut shown = shown::summary(flow);
    // What it does, and nothing of what becomes of it.
    shown
        .retain(|name, _| ["id", "title", "description", "triggerType", "cronExpression", "eventType", "executionType"].contains(&&**name));
    let more = [
        ("type", json!("flow")),
        ("name", json!(flow.title)),
        ("author", json!(flow.owner_id)),
        ("pricing", json!(Pricing::kept(flow.pricing.as_deref()))),
        ("installs", json!(installs)),
        ("installCount", json!(installs)),
        ("publishedAt", json!(flow.published_at.map(time::iso))),
    ];
    shown.extend(more.map(|(name, value)| (name.to_owned(), value)));
    shown
}
