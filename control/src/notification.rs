//! What an account is to know: a flow that was paused.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Answer, ApiError,
    operations::{Operation, Scene, operation},
    params, time,
};

const LISTED: u64 = 50;
const LISTED_MAX: u64 = 100;

/// The adapter `notifications`.
pub const OPERATIONS: &[Operation] = &[
    operation! {
        "notifications.list", "Lists what this account is to know, the newest first.", ListParams,
        (scene, params) => list(&scene, params)
    },
    operation! {
        "notifications.markRead", "Says that notifications were read: those that are named, or all.", MarkReadParams,
        (scene, params) => mark_read(&scene, params)
    },
];

#[derive(Deserialize, JsonSchema)]
struct ListParams {
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
struct MarkReadParams {
    ids: Option<Vec<String>>,
}

/// `{count, unread, notifications}`
async fn list(scene: &Scene<'_>, params: ListParams) -> Result<Answer, ApiError> {
    let limit = params::limit(params.limit, LISTED, LISTED_MAX)?;
    let rows = scene.store.notices(scene.caller.id(), limit, params.offset.unwrap_or(0)).await?;
    let shown = rows.iter().map(|row| {
        json!({
            "id": row.id,
            "type": row.kind,
            "message": row.message,
            "details": serde_json::from_str::<Value>(&row.details).unwrap_or_default(),
            "createdAt": time::iso(row.created_at),
            "readAt": row.read_at.map(time::iso).unwrap_or_default(),
        })
    });
    let shown: Vec<Value> = shown.collect();
    let unread = rows.iter().filter(|row| row.read_at.is_none()).count();
    Answer::of(&json!({ "count": shown.len(), "unread": unread, "notifications": shown }))
}

async fn mark_read(scene: &Scene<'_>, params: MarkReadParams) -> Result<Answer, ApiError> {
    let marked = scene.store.mark_notices_read(scene.caller.id(), params.ids.as_deref(), scene.now).await?;
    Answer::of(&json!({ "marked": marked }))
}
