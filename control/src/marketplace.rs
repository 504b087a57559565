//! What accounts offer to each other, of every kind, in one list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::to_raw_value};

use crate::{
    Answer, ApiError, Page, flow,
    operations::{Operation, Scene, operation},
    params, resource, script,
};

const LISTED: u64 = 50;
const LISTED_MAX: u64 = 100;
/// How far down such a list anybody looks: all kinds are read that far to be put in order.
const OFFSET_MAX: u64 = 10_000;

/// The adapter `marketplace`.
pub const OPERATIONS: &[Operation] = &[operation! {
    "marketplace.search", "Searches the marketplace for scripts, flows and resources, the newest first.", SearchParams,
    (scene, params) => search(&scene, params)
}];

#[derive(Deserialize, JsonSchema)]
struct SearchParams {
    /// Words, each of which is in the name, the description or the tags.
    #[serde(alias = "q", alias = "search")]
    query: Option<String>,
    /// script, flow, resource; all if not given.
    #[serde(rename = "type")]
    kind: Option<String>,
    category: Option<String>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

async fn search(scene: &Scene<'_>, params: SearchParams) -> Result<Answer, ApiError> {
    let limit = params::limit(params.limit, LISTED, LISTED_MAX)?;
    let offset = params.offset.unwrap_or(0).min(OFFSET_MAX);
    let wants = |kind: &str| params.kind.as_deref().is_none_or(|wanted| wanted == kind);
    let mut found = Vec::new();
    let mut total = 0;
    // From each as much as there may be of it in this part of the list.
    let mut from = 0;
    while from < offset + limit {
        let part = json!({ "query": params.query, "category": params.category, "limit": LISTED_MAX, "offset": from });
        let part = to_raw_value(&part).map_err(|error| ApiError::internal("parameters cannot be written", error))?;
        let before = found.len();
        let mut totals = 0;
        if wants("resource") {
            let answer = resource::search(scene, params::read(&part)?).await?;
            totals += answer.page.map_or(0, |page| page.total);
            let items: Vec<Map<String, Value>> = read(&answer)?;
            found.extend(items.into_iter().map(|mut item| {
                item.insert("type".into(), "resource".into());
                item
            }));
        }
        if wants("script") {
            let answer = script::search(scene, params::read(&part)?).await?;
            totals += answer.page.map_or(0, |page| page.total);
            let mut answer: Map<String, Value> = read(&answer)?;
            let items = answer.remove("scripts").unwrap_or_default();
            found.extend(serde_json::from_value::<Vec<Map<String, Value>>>(items).unwrap_or_default());
        }
        if wants("flow") {
            let answer = flow::market(scene, params::read(&part)?).await?;
            totals += answer.page.map_or(0, |page| page.total);
            let mut answer: BTreeMap<String, Vec<Map<String, Value>>> = read(&answer)?;
            found.extend(answer.remove("flows").unwrap_or_default());
        }
        total = totals;
        from += LISTED_MAX;
        if found.len() == before {
            break;
        }
    }
    // ISO 8601 sorts as text.
    let published_at = |item: &Map<String, Value>| {
        let time = item.get("publishedAt").or(item.get("createdAt"));
        time.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    found.sort_by_key(|item| std::cmp::Reverse(published_at(item)));
    let part: Vec<_> = found.into_iter().skip(offset as usize).take(limit as usize).collect();
    Answer::list(&part, Page { total, limit, offset })
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, ApiError> {
    serde_json::from_str(answer.data.get()).map_err(|error| ApiError::internal("a list cannot be read", error))
}
