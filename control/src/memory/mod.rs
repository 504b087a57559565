//! `memory`: what users and their handlers keep, in graphs. Everybody has a graph, named as the account is, and every team has one.

mod entity;
mod search;
mod sharing;

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Answer, ApiError, Caller, Page,
    account::AccountLimits,
    id,
    operations::Scene,
    params,
    store::{EntityRow, MemoryUse, Store},
    time,
};
use entity::{CONTENT_BYTES_MAX, METADATA_BYTES_MAX, NAME_CHARACTERS_MAX, Summary, Whole, marks, title};

pub use search::{SearchParams, search};
pub use sharing::{ListGraphsParams, ShareParams, UnshareParams, list_graphs, share, unshare};

/// `query` cuts content to so many characters, `search` to more.
const QUERY_CHARACTERS: usize = 200;
const TYPE_CHARACTERS_MAX: usize = 100;
const TAGS_MAX: usize = 100;
const TAG_CHARACTERS_MAX: usize = 100;
/// Of a status that somebody else sets.
const STATUS_BYTES_MAX: usize = 100;
const LIMIT: u64 = 20;
const LIMIT_MAX: u64 = 100;
const TASK: &str = "task";
/// Of what is kept without a type: clients may leave it out.
const NOTE: &str = "note";

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateParams {
    /// What kind of thing it is, such as `note`, `task`, `contact`; `note` if not given.
    #[schemars(length(min = 1, max = TYPE_CHARACTERS_MAX))]
    pub r#type: Option<String>,
    pub content: String,
    /// The first line of the content if none is given.
    #[schemars(length(min = 1, max = NAME_CHARACTERS_MAX))]
    pub name: Option<String>,
    /// Whatever else belongs to it. By status, priority, tags, roles and contexts it is found.
    #[serde(default, deserialize_with = "params::some")]
    pub metadata: Map<String, Value>,
    pub tags: Option<Vec<String>>,
    /// The team in whose memory this is; the account's own if not given.
    pub group_id: Option<String>,
}

pub async fn create(scene: &Scene<'_>, params: CreateParams) -> Result<Answer, ApiError> {
    let CreateParams { r#type, content, name, mut metadata, tags, group_id } = params;
    if let Some(tags) = tags {
        metadata.insert("tags".to_owned(), tags.into());
    }
    let kind = r#type.as_deref().unwrap_or(NOTE);
    make(scene, kind, content, name, metadata, group_id).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateTaskParams {
    pub content: String,
    /// The first line of the content if none is given.
    #[schemars(length(min = 1, max = NAME_CHARACTERS_MAX))]
    pub name: Option<String>,
    /// The username of a member of the group.
    pub assigned_to: Option<String>,
    /// A date and time in ISO 8601.
    pub due_at: Option<String>,
    /// high, medium or low; medium if not given.
    pub priority: Option<String>,
    pub tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "params::some")]
    pub metadata: Map<String, Value>,
    /// The team in whose memory this is; the account's own if not given.
    pub group_id: Option<String>,
}

const PRIORITIES: [&str; 3] = ["high", "medium", "low"];

pub async fn create_task(scene: &Scene<'_>, params: CreateTaskParams) -> Result<Answer, ApiError> {
    let CreateTaskParams { content, name, assigned_to, due_at, priority, tags, mut metadata, group_id } = params;
    let priority = priority.unwrap_or_else(|| "medium".to_owned());
    if !PRIORITIES.contains(&&*priority) {
        return Err(ApiError::invalid("priority", format!("priority must be one of {}", PRIORITIES.join(", "))));
    }
    if let Some(username) = assigned_to {
        // Outside of a group, nobody else would see the task. What cannot be resolved is told and no failure, as clients expect.
        let assignee = match &group_id {
            Some(team) => scene.store.members_of(team).await?.into_iter().find(|member| member.username == username),
            None => None,
        };
        match assignee {
            Some(account) => {
                metadata.insert("assignedToUserId".to_owned(), account.id.into());
                metadata.insert("assignedToName".to_owned(), account.username.into());
            }
            None => drop(metadata.insert("assignmentWarning".to_owned(), format!("{username} is no member of the group").into())),
        }
    }
    let tags = tags.map(Value::from);
    for (field, value) in [("dueAt", due_at.map(Value::from)), ("tags", tags), ("priority", Some(priority.into()))] {
        if let Some(value) = value {
            metadata.insert(field.to_owned(), value);
        }
    }
    metadata.entry("status").or_insert_with(|| "pending".into());
    make(scene, TASK, content, name, metadata, group_id).await
}

async fn make(
    scene: &Scene<'_>,
    kind: &str,
    content: String,
    name: Option<String>,
    metadata: Map<String, Value>,
    group_id: Option<String>,
) -> Result<Answer, ApiError> {
    let Scene { store, caller, now, .. } = scene;
    let kind = kind.to_lowercase();
    let name = name.or_else(|| title(&content)).unwrap_or_else(|| kind.clone());
    check(&kind, &name, &content, &metadata)?;
    let graph_id = graph(store, caller, group_id).await?;
    let metadata = Value::Object(metadata);
    let row = EntityRow {
        seq: 0,
        id: id::new("mem")?,
        marks: marks(&kind, &metadata),
        graph_id,
        creator_id: caller.id().to_owned(),
        creator_name: caller.account.username.clone(),
        r#type: kind,
        name,
        content,
        metadata: metadata.to_string(),
        created_at: *now,
        updated_at: None,
    };
    let limits = &scene.control.config().limits.per_account;
    if !store.insert_entity(&row, most(limits)).await? {
        return Err(full(limits));
    }
    Answer::of(&Whole::of(&row))
}

fn most(limits: &AccountLimits) -> MemoryUse {
    MemoryUse { entities: limits.memory_entities.into(), bytes: i64::try_from(limits.memory_bytes).unwrap_or(i64::MAX) }
}

fn full(AccountLimits { memory_entities, memory_bytes, .. }: &AccountLimits) -> ApiError {
    let message = format!(
        "an account keeps at most {memory_entities} entities with {memory_bytes} bytes of names, content and metadata together: delete \
         what is not needed any more"
    );
    ApiError::invalid("content", message)
}

/// The graph to write to: the caller's, or that of a team of theirs.
async fn graph(store: &Store, caller: &Caller, group_id: Option<String>) -> Result<String, ApiError> {
    let Some(group_id) = group_id else { return Ok(caller.id().to_owned()) };
    let is_member = store.teams_of(caller.id()).await?.iter().any(|team| team.id == group_id);
    if is_member || group_id == caller.id() { Ok(group_id) } else { Err(ApiError::not_found("such group")) }
}

fn check(kind: &str, name: &str, content: &str, metadata: &Map<String, Value>) -> Result<(), ApiError> {
    params::text("type", kind, TYPE_CHARACTERS_MAX)?;
    params::text("name", name, NAME_CHARACTERS_MAX)?;
    if content.trim().is_empty() {
        return Err(ApiError::invalid("content", "content is empty"));
    }
    let too_large = |field: &str, max: usize| ApiError {
        details: Some(Box::new(json!({ "field": field }))),
        ..ApiError::new(ErrorCode::PayloadTooLarge, format!("{field} has more than {max} bytes"))
    };
    if content.len() > CONTENT_BYTES_MAX {
        return Err(too_large("content", CONTENT_BYTES_MAX));
    }
    if serde_json::to_string(metadata).is_ok_and(|text| text.len() > METADATA_BYTES_MAX) {
        return Err(too_large("metadata", METADATA_BYTES_MAX));
    }
    match metadata.get("tags") {
        None => Ok(()),
        Some(Value::Array(tags)) if tags.len() <= TAGS_MAX => tags.iter().try_for_each(|tag| match tag {
            Value::String(tag) => params::text("tags", tag, TAG_CHARACTERS_MAX),
            _ => Err(ApiError::invalid("tags", "tags must be texts")),
        }),
        Some(_) => Err(ApiError::invalid("tags", format!("tags must be a list of at most {TAGS_MAX} texts"))),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryParams {
    /// Of this type only.
    pub r#type: Option<String>,
    /// 20 if not given; what is above 100 is cut down to that.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(range(min = 1))]
    pub limit: Option<u64>,
    /// How many to leave out at the beginning.
    #[serde(default, deserialize_with = "params::count")]
    pub offset: Option<u64>,
    /// The team in whose memory this is; the account's own if not given.
    pub group_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    total_count: u64,
    count: usize,
    offset: u64,
    limit: u64,
    results: &'a [Summary<'a>],
    /// The same, as some clients have it.
    entities: &'a [Summary<'a>],
}

pub async fn query(store: &Store, caller: &Caller, params: QueryParams) -> Result<Answer, ApiError> {
    let limit = params::limit_or_most(params.limit, LIMIT, LIMIT_MAX)?;
    let offset = params.offset.unwrap_or(0).min(i64::MAX as u64);
    let kind = params.r#type.map(|kind| kind.to_lowercase());
    let has_teams = params.group_id.is_none() && !store.teams_of(caller.id()).await?.is_empty();
    let (rows, total) = if has_teams {
        store.newest_of(caller.id(), kind.as_deref(), limit, offset).await?
    } else {
        let graph = graph(store, caller, params.group_id).await?;
        store.newest_in(&graph, kind.as_deref(), limit, offset).await?
    };
    let results: Vec<_> = rows.iter().map(|row| Summary::of(row, QUERY_CHARACTERS, None)).collect();
    let page = Page { total, limit, offset };
    Answer::list(&Listed { kind, total_count: total, count: results.len(), offset, limit, results: &results, entities: &results }, page)
}

/// `{filters: {id} | {name}}`, or the one or the other without `filters`.
#[derive(Deserialize, JsonSchema)]
pub struct FindOneParams {
    #[serde(default, deserialize_with = "params::some")]
    pub filters: Filters,
    pub id: Option<String>,
    pub name: Option<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
pub struct Filters {
    pub id: Option<String>,
    pub name: Option<String>,
}

/// Null where there is none.
pub async fn find_one(store: &Store, caller: &Caller, params: FindOneParams) -> Result<Answer, ApiError> {
    let row = match (params.filters.id.or(params.id), params.filters.name.or(params.name)) {
        (Some(id), _) => store.entity_by_id(caller.id(), &id).await?,
        (None, Some(name)) => store.entity_by_name(caller.id(), &name).await?,
        (None, None) => return Err(ApiError::invalid("filters", "filters must have an id or a name")),
    };
    Answer::of(&row.as_ref().map(Whole::of))
}

#[derive(Deserialize, JsonSchema)]
pub struct UpdateParams {
    /// Which entity. What is not given stays as it is.
    pub id: String,
    pub r#type: Option<String>,
    pub name: Option<String>,
    pub content: Option<String>,
    /// Put over what is there; null removes.
    pub metadata: Option<Map<String, Value>>,
    pub tags: Option<Vec<String>>,
}

/// By whoever made it. Others who see a task may say how far it is.
pub async fn update(scene: &Scene<'_>, params: UpdateParams) -> Result<Answer, ApiError> {
    let (id, limits) = (params.id.clone(), &scene.control.config().limits.per_account);
    let decide = |row: &EntityRow, used: MemoryUse| {
        let new = changed(row, scene.caller, params, scene.now)?;
        let more = new.bytes() - row.bytes();
        // What makes it smaller is welcome, however much there is.
        if more > 0 && used.bytes + more > most(limits).bytes { Err(full(limits)) } else { Ok(new) }
    };
    let changed = scene.store.change_entity(scene.caller.id(), &id, decide).await?;
    let row = changed.ok_or_else(|| ApiError::not_found("such entity"))?;
    Answer::of(&json!({ "id": row.id, "updated": true, "updatedAt": time::iso(scene.now) }))
}

fn changed(row: &EntityRow, caller: &Caller, params: UpdateParams, now: i64) -> Result<EntityRow, ApiError> {
    let is_progress = row.r#type == TASK
        && params.r#type.is_none()
        && params.name.is_none()
        && params.content.is_none()
        && params.tags.is_none()
        && params.metadata.as_ref().is_some_and(is_status);
    if row.creator_id != caller.id() && !is_progress {
        return Err(ApiError::new(
            ErrorCode::ResourceDenied,
            "only who made an entity may change it; of a task, others may set the status",
        ));
    }
    let mut metadata: Map<String, Value> = serde_json::from_str(&row.metadata).unwrap_or_default();
    for (field, value) in params.metadata.into_iter().flatten() {
        match value {
            Value::Null => drop(metadata.remove(&field)),
            value => drop(metadata.insert(field, value)),
        }
    }
    if let Some(tags) = params.tags {
        metadata.insert("tags".to_owned(), tags.into());
    }
    let kind = params.r#type.map_or_else(|| row.r#type.clone(), |kind| kind.to_lowercase());
    let name = params.name.unwrap_or_else(|| row.name.clone());
    let content = params.content.unwrap_or_else(|| row.content.clone());
    check(&kind, &name, &content, &metadata)?;
    let metadata = Value::Object(metadata);
    let marks = marks(&kind, &metadata);
    Ok(EntityRow { r#type: kind, name, content, metadata: metadata.to_string(), marks, updated_at: Some(now), ..row.clone() })
}

fn is_status(metadata: &Map<String, Value>) -> bool {
    let status = metadata.get("status").and_then(Value::as_str);
    metadata.len() == 1 && status.is_some_and(|status| status.len() <= STATUS_BYTES_MAX)
}

#[derive(Deserialize, JsonSchema)]
pub struct DeleteParams {
    pub id: String,
}

/// By whoever made it.
pub async fn delete(store: &Store, caller: &Caller, params: DeleteParams, now: i64) -> Result<Answer, ApiError> {
    let row = store.entity_by_id(caller.id(), &params.id).await?.ok_or_else(|| ApiError::not_found("such entity"))?;
    if row.creator_id != caller.id() {
        return Err(ApiError::new(ErrorCode::ResourceDenied, "only who made an entity may delete it"));
    }
    if !store.delete_entity(caller.id(), &params.id).await? {
        // By another request, meanwhile.
        return Err(ApiError::not_found("such entity"));
    }
    Answer::of(&json!({ "id": params.id, "deleted": true, "deletedAt": time::iso(now) }))
}
