//! Flows as their owners make and change them.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    config::Config,
    finding::{FlowId, owned},
    schedule, shown,
    trigger::{Trigger, TriggerFields},
};
use crate::{
    Answer, ApiError, id,
    operations::Scene,
    params::{self, Given},
    script,
    store::{FlowRefused, FlowRow},
    time,
};

pub const TITLE_CHARACTERS_MAX: usize = 200;
pub const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;
pub const PROMPT_CHARACTERS_MAX: usize = 10_000;
const TOOLS_MAX: usize = 100;
const INPUT_BYTES_MAX: usize = 256 << 10;

pub const ACTIVE: &str = "active";
pub const PAUSED: &str = "paused";

/// What a flow is, besides what starts it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fields {
    #[schemars(length(max = TITLE_CHARACTERS_MAX))]
    pub title: Option<String>,
    #[schemars(length(max = DESCRIPTION_CHARACTERS_MAX))]
    pub description: Option<String>,
    /// What runs. One of `scriptId`, `code` and `prompt`.
    pub script_id: Option<String>,
    /// Makes a script of it, and deploys that.
    pub code: Option<String>,
    /// What an agent is asked to do.
    #[schemars(length(max = PROMPT_CHARACTERS_MAX))]
    pub prompt: Option<String>,
    /// What the agent may use.
    pub recommended_tools: Option<Vec<String>>,
    /// direct: the script runs. llm: the prompt is given to an agent.
    pub execution_type: Option<ExecutionType>,
    /// Whose events start it: user, team, global.
    pub scope: Option<Scope>,
    /// Of the scope `team`; needless for who is in one only.
    pub team_id: Option<String>,
    /// Fields of `event.data` in every run.
    pub script_input: Option<Value>,
    pub script_input_schema: Option<Value>,
    pub config: Option<Config>,
    /// false: it is made paused.
    pub enabled: Option<bool>,
    /// active, paused
    pub status: Option<String>,
    /// A file in a workspace that this server does not have.
    pub path: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionType {
    Direct,
    Llm,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    User,
    Team,
    Global,
}

#[derive(JsonSchema)]
pub struct CreateParams {
    #[schemars(flatten)]
    _fields: Fields,
    #[schemars(flatten)]
    _trigger: TriggerFields,
}

#[derive(JsonSchema)]
pub struct UpdateParams {
    #[schemars(flatten)]
    _id: FlowId,
    #[schemars(flatten)]
    _fields: Fields,
    #[schemars(flatten)]
    _trigger: TriggerFields,
}

/// What has to be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Time,
    Event,
    Any,
}

pub async fn create(scene: &Scene<'_>, params: Given<CreateParams>, kind: Kind) -> Result<Answer, ApiError> {
    let (fields, trigger): (Fields, TriggerFields) = (params.read()?, params.read()?);
    let required = |field: &str| ApiError::invalid(field, format!("{field} is required"));
    if kind != Kind::Any && fields.description.is_none() {
        return Err(required(if fields.title.is_none() { "title" } else { "description" }));
    }
    if kind == Kind::Event && trigger.event_type.is_some() && trigger.conditions.is_none() && trigger.event_filter.is_none() {
        return Err(required("conditions"));
    }
    let trigger = trigger.read()?;
    let trigger = match (kind, trigger) {
        (Kind::Time, Some(trigger @ Trigger::Time(_))) | (Kind::Any, Some(trigger)) => trigger,
        (Kind::Time, _) => return Err(required("schedule")),
        (Kind::Event, Some(trigger @ Trigger::Event { .. })) => trigger,
        (Kind::Event, _) => return Err(required("eventType")),
        (Kind::Any, None) => return Err(ApiError::invalid("trigger", "give one of schedule, eventType, eventFilter, webhook and trigger")),
    };
    let row = made(scene, fields, trigger).await?;
    insert(scene, &row).await?;
    Answer::of(&shown::whole(&row, &scene.control.config().public_url))
}

/// Keeps a flow that was made just now, unless the account has or has made too many.
pub async fn insert(scene: &Scene<'_>, row: &FlowRow) -> Result<(), ApiError> {
    let limits = &scene.control.config().limits;
    let (flows_max, per_day_max) = (limits.flows_per_user.get(), limits.flows_created_per_day.get());
    match scene.store.insert_flow(row, flows_max.into(), per_day_max.into()).await? {
        Ok(()) => {}
        Err(FlowRefused::Many) => {
            let message = format!("an account has at most {flows_max} flows: delete those that are not used");
            return Err(ApiError::invalid("title", message));
        }
        Err(FlowRefused::ManyToday) => {
            let message = format!("an account makes at most {per_day_max} flows a day");
            let retry_after = Some(time::until_tomorrow(scene.now));
            return Err(ApiError { retry_after, ..ApiError::new(ErrorCode::RateLimited, message) });
        }
    }
    scene.control.work_has_come();
    Ok(())
}

async fn made(scene: &Scene<'_>, fields: Fields, trigger: Trigger) -> Result<FlowRow, ApiError> {
    let title = fields.title.clone().ok_or_else(|| ApiError::invalid("title", "title is required"))?;
    let is_paused = fields.enabled == Some(false) || fields.status.as_deref() == Some(PAUSED);
    let mut row = FlowRow {
        id: id::object(scene.now)?,
        owner_id: scene.caller.id().to_owned(),
        title,
        status: if is_paused { PAUSED } else { ACTIVE }.to_owned(),
        paused_at: is_paused.then_some(scene.now),
        scope: "user".to_owned(),
        execution_type: "direct".to_owned(),
        recommended_tools: "[]".to_owned(),
        config: "{}".to_owned(),
        created_at: scene.now,
        updated_at: scene.now,
        ..FlowRow::default()
    };
    set_scope(scene, &mut row, &fields).await?;
    set(scene, &mut row, fields).await?;
    if row.script_id.is_none() && row.prompt.is_none() {
        let field = if row.execution_type == "llm" { "prompt" } else { "scriptId" };
        return Err(ApiError::invalid(field, format!("{field} is required")));
    }
    start_by(scene, &mut row, trigger)?;
    Ok(row)
}

async fn set_scope(scene: &Scene<'_>, row: &mut FlowRow, fields: &Fields) -> Result<(), ApiError> {
    match fields.scope {
        None | Some(Scope::User) => {}
        Some(Scope::Global) => {
            if scene.caller.account.parent_id.is_some() {
                return Err(ApiError::invalid("scope", "only the owner of this server makes flows for everybody's events"));
            }
            row.scope = "global".to_owned();
        }
        Some(Scope::Team) => {
            let teams = scene.store.teams_of(scene.caller.id()).await?;
            let team = match &fields.team_id {
                Some(wanted) => teams.iter().find(|team| team.id == *wanted),
                None if teams.len() == 1 => teams.first(),
                None => return Err(ApiError::invalid("teamId", "teamId is required: this account is in no team, or in several")),
            };
            row.team_id = Some(team.ok_or_else(|| ApiError::invalid("teamId", "there is no such team"))?.id.clone());
            row.scope = "team".to_owned();
        }
    }
    Ok(())
}

/// What is given takes the place of what was.
async fn set(scene: &Scene<'_>, row: &mut FlowRow, fields: Fields) -> Result<(), ApiError> {
    if fields.path.is_some() {
        return Err(ApiError::invalid("path", "there are no workspaces here: give the code itself as code, or a script's id as scriptId"));
    }
    if fields.code.is_some() && fields.script_id.is_some() {
        return Err(ApiError::invalid("scriptId", "give code or scriptId, and not both"));
    }
    row.title = fields.title.unwrap_or_else(|| row.title.clone());
    params::text("title", &row.title, TITLE_CHARACTERS_MAX)?;
    row.description = fields.description.unwrap_or_else(|| row.description.clone());
    at_most("description", &row.description, DESCRIPTION_CHARACTERS_MAX)?;
    if let Some(prompt) = fields.prompt {
        params::text("prompt", &prompt, PROMPT_CHARACTERS_MAX)?;
        row.prompt = Some(prompt);
    }
    if let Some(tools) = &fields.recommended_tools {
        if tools.len() > TOOLS_MAX {
            return Err(ApiError::invalid("recommendedTools", format!("recommendedTools has more than {TOOLS_MAX} entries")));
        }
        row.recommended_tools = json!(tools).to_string();
    }
    if let Some(config) = fields.config {
        row.config = json!(config.checked(&scene.control.config().limits)?).to_string();
    }
    row.script_input = input("scriptInput", fields.script_input, row.script_input.take())?;
    row.script_input_schema = input("scriptInputSchema", fields.script_input_schema, row.script_input_schema.take())?;
    if let Some(script_id) = fields.script_id {
        script::check_owned(scene, "scriptId", &script_id).await?;
        row.script_id = Some(script_id);
    }
    if let Some(code) = fields.code {
        row.script_id = Some(script::make_deployed(scene, &row.title, code).await?);
    }
    row.execution_type = match fields.execution_type {
        Some(ExecutionType::Direct) => "direct",
        Some(ExecutionType::Llm) => "llm",
        None if row.script_id.is_some() => "direct",
        None => "llm",
    }
    .to_owned();
    let is_missing = if row.execution_type == "llm" { row.prompt.is_none() } else { row.script_id.is_none() };
    if is_missing {
        let field = if row.execution_type == "llm" { "prompt" } else { "scriptId" };
        return Err(ApiError::invalid(field, format!("{field} is required")));
    }
    Ok(())
}

fn at_most(field: &str, text: &str, max: usize) -> Result<(), ApiError> {
    let is_long = text.chars().nth(max).is_some();
    if is_long { Err(ApiError::invalid(field, format!("{field} has more than {max} characters"))) } else { Ok(()) }
}

/// An object, as it is kept.
fn input(field: &str, given: Option<Value>, before: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(given) = given else { return Ok(before) };
    if !given.is_object() {
        return Err(ApiError::invalid(field, format!("{field} must be an object")));
    }
    let text = given.to_string();
    if text.len() > INPUT_BYTES_MAX {
        return Err(ApiError::invalid(field, format!("{field} has more than {INPUT_BYTES_MAX} bytes as JSON")));
    }
    Ok(Some(text))
}

/// Sets what starts it, and when that is.
fn start_by(scene: &Scene<'_>, row: &mut FlowRow, trigger: Trigger) -> Result<(), ApiError> {
    (row.schedule, row.event_type, row.conditions) = (None, None, None);
    match trigger {
        Trigger::Time(schedule) => {
            row.trigger_type = "time".to_owned();
            row.schedule = Some(schedule.expression().to_owned());
        }
        Trigger::Event { event_type, conditions } => {
            row.trigger_type = "event".to_owned();
            row.event_type = Some(event_type);
            row.conditions = Some(conditions.to_json().to_string());
        }
        Trigger::Webhook => {
            row.trigger_type = "webhook".to_owned();
            if row.webhook_id.is_none() {
                row.webhook_id = Some(id::hex(&id::random::<16>()?));
            }
        }
    }
    schedule::set_next(row, scene.now, scene.control.config().limits.tick_spread_ms);
    Ok(())
}

pub async fn update(scene: &Scene<'_>, params: Given<UpdateParams>) -> Result<Answer, ApiError> {
    let (fields, trigger): (Fields, TriggerFields) = (params.read()?, params.read()?);
    let mut row = owned(scene, &params.read()?).await?;
    let conditions_alone = trigger.conditions.is_some() && trigger.event_type.is_none() && trigger.trigger.is_none();
    let trigger = match (conditions_alone, &row.event_type) {
        (true, Some(event_type)) => TriggerFields { event_type: Some(event_type.clone()), ..trigger },
        (true, None) => return Err(ApiError::invalid("conditions", "only a flow that events start has conditions")),
        (false, _) => trigger,
    };
    let trigger = trigger.read()?;
    if matches!(trigger, Some(Trigger::Webhook)) && row.webhook_id.is_none() {
        return Err(ApiError::invalid("trigger", "a flow is a webhook's from the start: make another one"));
    }
    let status = fields.status.clone();
    let enabled = fields.enabled;
    set(scene, &mut row, fields).await?;
    if let Some(trigger) = trigger {
        start_by(scene, &mut row, trigger)?;
    }
    match (status.as_deref(), enabled) {
        (Some(ACTIVE), _) | (None, Some(true)) if row.status != ACTIVE => resumed(scene, &mut row),
        (Some(PAUSED), _) | (None, Some(false)) if row.status != PAUSED => paused(scene, &mut row),
        (Some(ACTIVE | PAUSED) | None, _) => {}
        (Some(_), _) => return Err(ApiError::invalid("status", "status must be active or paused")),
    }
    save(scene, row).await
}

async fn save(scene: &Scene<'_>, mut row: FlowRow) -> Result<Answer, ApiError> {
    row.updated_at = scene.now;
    if !scene.store.update_flow(&row).await? {
        return Err(super::finding::not_found(&row.id));
    }
    scene.control.work_has_come();
    let mut flow = shown::whole(&row, &scene.control.config().public_url);
    if row.status == ACTIVE {
        flow.insert("resumedAt".into(), time::iso(scene.now).into());
    }
    Answer::of(&flow)
}

fn paused(scene: &Scene<'_>, row: &mut FlowRow) {
    row.status = PAUSED.to_owned();
    row.paused_at = Some(scene.now);
    row.pause_reason = None;
    (row.next_tick_at, row.next_due_at) = (None, None);
}

fn resumed(scene: &Scene<'_>, row: &mut FlowRow) {
    row.status = ACTIVE.to_owned();
    (row.paused_at, row.pause_reason) = (None, None);
    schedule::set_next(row, scene.now, scene.control.config().limits.tick_spread_ms);
}

pub async fn pause(scene: &Scene<'_>, id: FlowId) -> Result<Answer, ApiError> {
    let mut row = owned(scene, &id).await?;
    paused(scene, &mut row);
    save(scene, row).await
}

pub async fn resume(scene: &Scene<'_>, id: FlowId) -> Result<Answer, ApiError> {
    let mut row = owned(scene, &id).await?;
    if row.status != ACTIVE {
        resumed(scene, &mut row);
    }
    save(scene, row).await
}

pub async fn delete(scene: &Scene<'_>, id: FlowId) -> Result<Answer, ApiError> {
    let row = owned(scene, &id).await?;
    if !scene.store.delete_flow(&row.id).await? {
        return Err(super::finding::not_found(&row.id));
    }
    Answer::of(&json!({
        "id": row.id,
        "flowId": row.id,
        "success": true,
        "deleted": true,
        "deletedAt": time::iso(scene.now),
    }))
}
