//! What an entity looks like, and what it is found by.

use serde::Serialize;
use serde_json::Value;

use crate::{store::EntityRow, time};

pub const CONTENT_BYTES_MAX: usize = 1 << 20;
pub const METADATA_BYTES_MAX: usize = 64 << 10;
pub const NAME_CHARACTERS_MAX: usize = 500;

/// Of a name that is taken from the content.
const TITLE_CHARACTERS: usize = 80;

/// Properties that `propertyFilters` may name.
pub const PROPERTIES: [&str; 5] = ["status", "priority", "tags", "roles", "contexts"];

/// An entity with all its content. What it has not is empty, as clients expect texts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Whole<'a> {
    id: &'a str,
    r#type: &'a str,
    name: &'a str,
    content: &'a str,
    #[serde(flatten)]
    properties: Properties,
    graph_id: &'a str,
    created_at: String,
    updated_at: String,
    created_by_user_id: &'a str,
    created_by_name: &'a str,
    metadata: Value,
}

/// Parts of the metadata that stand beside the rest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    status: String,
    priority: String,
    assigned_to_user_id: String,
    assigned_to_name: String,
    assignment_warning: String,
    due_at: String,
    tags: Vec<String>,
}

impl Properties {
    fn of(metadata: &Value) -> Properties {
        let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        Properties {
            status: text("status"),
            priority: text("priority"),
            assigned_to_user_id: text("assignedToUserId"),
            assigned_to_name: text("assignedToName"),
            assignment_warning: text("assignmentWarning"),
            due_at: text("dueAt"),
            tags: values(metadata, "tags").map(str::to_owned).collect(),
        }
    }
}

impl<'a> Whole<'a> {
    pub fn of(row: &'a EntityRow) -> Whole<'a> {
        let metadata = metadata(row);
        Whole {
            id: &row.id,
            r#type: &row.r#type,
            name: &row.name,
            content: &row.content,
            properties: Properties::of(&metadata),
            graph_id: &row.graph_id,
            created_at: time::iso(row.created_at),
            updated_at: row.updated_at.map(time::iso).unwrap_or_default(),
            created_by_user_id: &row.creator_id,
            created_by_name: &row.creator_name,
            metadata,
        }
    }
}

/// An entity in a list, its content cut. Older clients read that from `content`, newer ones from `description`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary<'a> {
    id: &'a str,
    r#type: &'a str,
    name: &'a str,
    content: &'a str,
    description: &'a str,
    status: String,
    priority: String,
    tags: Vec<String>,
    graph_id: &'a str,
    created_at: String,
    metadata: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

impl<'a> Summary<'a> {
    pub fn of(row: &'a EntityRow, characters_max: usize, score: Option<f64>) -> Summary<'a> {
        let metadata = metadata(row);
        let Properties { status, priority, tags, .. } = Properties::of(&metadata);
        let content = cut(&row.content, characters_max);
        Summary {
            id: &row.id,
            r#type: &row.r#type,
            name: &row.name,
            content,
            description: content,
            status,
            priority,
            tags,
            graph_id: &row.graph_id,
            created_at: time::iso(row.created_at),
            metadata,
            score,
        }
    }
}

pub fn metadata(row: &EntityRow) -> Value {
    serde_json::from_str(&row.metadata).unwrap_or_default()
}

/// The first line, cut where it is long. None: nothing of it is left.
pub fn title(content: &str) -> Option<String> {
    let line = content.trim_start().lines().next().unwrap_or_default();
    let title = cut(line.trim_start_matches(['#', ' ']), TITLE_CHARACTERS).trim_end();
    (!title.is_empty()).then(|| title.to_owned())
}

fn cut(text: &str, characters_max: usize) -> &str {
    text.char_indices().nth(characters_max).map_or(text, |(end, _)| &text[..end])
}

/// A text or a list of texts.
fn values<'a>(metadata: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    let value = metadata.get(field);
    let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    value.and_then(Value::as_str).into_iter().chain(list)
}

/// Of values that an entity is found by.
const MARKS_MAX: usize = 200;

/// Words by which an entity is found besides those of its text and where it is seen.
pub fn marks(kind: &str, metadata: &Value) -> String {
    let properties = PROPERTIES.iter().flat_map(|field| values(metadata, field).map(move |value| mark(field, value)));
    [mark("type", kind)].into_iter().chain(properties.take(MARKS_MAX)).collect::<Vec<_>>().join(" ")
}

/// One word, which holds no more of what it stands for than its hash: whatever that is, it is neither a part of another nor an expression.
pub fn mark(field: &str, value: &str) -> String {
    let hash = blake3::hash(format!("{field}={}", value.to_lowercase()).as_bytes());
    format!("m{}", &hash.to_hex()[..16])
}

/// The word of a graph, as the store makes it.
pub fn graph_mark(graph_id: &str) -> String {
    format!("g{}", graph_id.replace('_', ""))
}
