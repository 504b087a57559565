//! Addresses at which the world tells what has happened: whoever knows one may, so they are long and random.

use std::sync::Arc;

use mirra_host_sdk::{ErrorCode, new_execution_id};
use mirra_triggers::{Event, Webhook};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::take;
use crate::{
    Answer, ApiError, Control, id,
    operations::Scene,
    params::Part,
    store::{HookRow, NewEvent, NewRun},
    time,
};

const HOOKS_MAX: usize = 100;

/// Headers that a handler does not see: they may be somebody's credentials.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-telegram-bot-api-secret-token", "x-forwarded-for"];

#[derive(Deserialize, JsonSchema)]
pub struct CreateHookParams {
    /// telegram: updates of the Bot API become events of the type telegram.message.
    kind: Kind,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Telegram,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookId {
    #[serde(alias = "id")]
    hook_id: String,
}

fn shown(control: &Control, row: &HookRow) -> Value {
    json!({
        "id": row.id,
        "kind": row.kind,
        "url": format!("{}/hooks/{}", control.config().public_url, row.id),
        "createdAt": time::iso(row.created_at),
    })
}

pub async fn create(scene: &Scene<'_>, params: CreateHookParams) -> Result<Answer, ApiError> {
    if scene.store.hooks_of(scene.caller.id()).await?.len() >= HOOKS_MAX {
        return Err(ApiError::invalid("kind", format!("an account has at most {HOOKS_MAX} hooks: delete those that are not used")));
    }
    let Kind::Telegram = params.kind;
    let row = HookRow {
        id: id::hex(&id::random::<16>()?),
        account_id: scene.caller.id().to_owned(),
        kind: "telegram".to_owned(),
        flow_id: None,
        created_at: scene.now,
    };
    scene.store.insert_hook(&row).await?;
    Answer::of(&shown(scene.control, &row))
}

/// But for those of flows, which are told with the flows.
pub async fn list(scene: &Scene<'_>, part: &Part) -> Result<Answer, ApiError> {
    let rows = scene.store.hooks_of(scene.caller.id()).await?;
    part.of(rows.iter().map(|row| shown(scene.control, row)))
}

pub async fn delete(scene: &Scene<'_>, params: HookId) -> Result<Answer, ApiError> {
    if !scene.store.delete_hook(scene.caller.id(), &params.hook_id).await? {
        return Err(ApiError::not_found("such hook"));
    }
    Answer::of(&json!({ "id": params.hook_id, "deleted": true }))
}

/// A request to one, as it was received.
pub struct HookRequest {
    pub hook_id: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub query: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

impl Control {
    /// What was told at a hook.
    pub async fn hook(self: &Arc<Control>, request: HookRequest) -> Result<Answer, ApiError> {
        let store = &self.opened().await?.store;
        let hook = store.hook(&request.hook_id).await?.ok_or_else(|| ApiError::not_found("such hook"))?;
        if let Some(retry_after) = self.hook_requests().take(&hook.id).retry_after {
            let message = format!("this hook has taken its {} requests of this minute", self.hook_requests().limit());
            return Err(ApiError { retry_after: Some(retry_after), ..ApiError::new(ErrorCode::RateLimited, message) });
        }
        match &hook.flow_id {
            Some(flow_id) => self.start_by_hook(flow_id, &hook, request).await,
            None => self.telegram(&hook, &request).await,
        }
    }

    async fn start_by_hook(self: &Arc<Control>, flow_id: &str, hook: &HookRow, request: HookRequest) -> Result<Answer, ApiError> {
        let store = &self.opened().await?.store;
        let flow = store.flow(flow_id).await?.filter(|flow| flow.status == "active");
        let flow = flow.ok_or_else(|| ApiError::new(ErrorCode::Conflict, "the flow of this webhook is not active"))?;
        let (now, execution_id) = (self.now(), new_execution_id());
        let headers = request.headers.into_iter().filter(|(name, _)| !SECRET_HEADERS.contains(&&*name.to_ascii_lowercase()));
        let headers: Vec<_> = headers.collect();
        let webhook = Webhook {
            webhook_id: &hook.id,
            method: &request.method,
            headers: &headers,
            query: request.query.as_deref(),
            content_type: request.content_type.as_deref(),
            body: &request.body,
        };
        let mut event = Event::from_webhook(&webhook, now, execution_id.clone());
        event.set_user_id(&flow.owner_id);
        let input = serde_json::to_string(&event).map_err(|error| ApiError::internal("an event cannot be written", error))?;
        let run = NewRun { id: execution_id.clone(), flow_id: flow.id, trigger: "webhook", input, due_at: now, chain: 0, tick_at: None };
        let event = NewEvent { source: event.source().to_owned(), id: event.id().to_owned(), runs: vec![run] };
        store.insert_events(&flow.owner_id, &[event], now).await?;
        self.work_has_come();
        Answer::of(&json!({ "accepted": true, "executionId": execution_id }))
    }

    /// Updates that are no messages are taken and start nothing: Telegram would send them again.
    async fn telegram(self: &Arc<Control>, hook: &HookRow, request: &HookRequest) -> Result<Answer, ApiError> {
        let update: Value = serde_json::from_slice(&request.body)
            .map_err(|error| ApiError::new(ErrorCode::ValidationError, format!("the update is no JSON: {error}")))?;
        let Some(event) = Event::from_telegram(&update) else {
            return Answer::of(&json!({ "accepted": false, "reason": "not a message" }));
        };
        let taken = take(self, &hook.account_id, vec![event]).await?;
        let (is_new, flows) = taken.first().map_or((false, 0), |(_, is_new, flows)| (*is_new, *flows));
        Answer::of(&json!({ "accepted": true, "duplicate": !is_new, "flows": flows }))
    }
}
