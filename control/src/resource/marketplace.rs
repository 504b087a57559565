//! What accounts learn of each other's resources.

use mirra_host_sdk::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    definition::Kind,
    making::{part, summary, visible},
};
use crate::{
    Answer, ApiError, Page,
    operations::Scene,
    params,
    store::{ResourceRow, Standing, Wanted},
    time,
};

const QUERY_CHARACTERS_MAX: usize = 200;
const WORDS_MAX: usize = 8;
const COMMENT_CHARACTERS_MAX: usize = 2_000;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchParams {
    /// Words, each of which is in the name, the description or the tags.
    #[serde(alias = "q", alias = "search")]
    query: Option<String>,
    #[schemars(with = "Option<String>")]
    resource_type: Option<Kind>,
    category: Option<String>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

/// What is published, the newest first.
pub async fn search(scene: &Scene<'_>, params: SearchParams) -> Result<Answer, ApiError> {
    let (limit, offset) = part(params.limit, params.offset)?;
    let query = params.query.unwrap_or_default();
    if query.chars().count() > QUERY_CHARACTERS_MAX {
        return Err(ApiError::invalid("query", format!("query has more than {QUERY_CHARACTERS_MAX} characters")));
    }
    let words = query.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect();
    let kind = params.resource_type.map(|kind| kind.as_str().to_owned());
    let (rows, total) = scene.store.marketplace(&Wanted { kind, category: params.category, words }, limit, offset).await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in &rows {
        listed.push(listing(scene, row).await?);
    }
    Answer::list(&listed, Page { total, limit, offset })
}

async fn listing(scene: &Scene<'_>, row: &ResourceRow) -> Result<serde_json::Value, ApiError> {
    let standing = scene.store.standing(&row.id).await?;
    let mut json = serde_json::to_value(summary(row)).map_err(|error| ApiError::internal("a resource cannot be written", error))?;
    json["installs"] = standing.users.into();
    json["rating"] = json!(rating(&standing));
    json["reviewCount"] = standing.reviews.into();
    Ok(json)
}

/// The mean to a tenth, as people read it. None: nobody has rated it.
fn rating(standing: &Standing) -> Option<f64> {
    (standing.reviews > 0).then(|| (standing.ratings as f64 * 10.0 / standing.reviews as f64).round() / 10.0)
}

/// For its creator: over all who use it.
pub async fn metrics(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let row = scene.store.resource(id).await?.filter(|row| row.owner_id == scene.caller.id());
    let row = row.ok_or_else(|| ApiError::not_found("such resource"))?;
    let standing = scene.store.standing(&row.id).await?;
    Answer::of(&json!({
        "totalUsers": standing.users,
        "totalCalls": standing.calls,
        "totalRevenue": Usd::from_picodollars(standing.revenue_picodollars.unsigned_abs()),
        "rating": rating(&standing),
        "reviewCount": standing.reviews,
    }))
}

#[derive(Deserialize, JsonSchema)]
pub struct ReviewParams {
    /// The resource's.
    id: String,
    /// 1 to 5.
    rating: i64,
    comment: Option<String>,
}

/// By somebody who has installed it, and has not made it. A second review takes the first one's place.
pub async fn review(scene: &Scene<'_>, params: ReviewParams) -> Result<Answer, ApiError> {
    let row = visible(scene, &params.id).await?;
    if !(1..=5).contains(&params.rating) {
        return Err(ApiError::invalid("rating", "rating must be between 1 and 5"));
    }
    let comment = params.comment.unwrap_or_default();
    if comment.chars().count() > COMMENT_CHARACTERS_MAX {
        return Err(ApiError::invalid("comment", format!("comment has more than {COMMENT_CHARACTERS_MAX} characters")));
    }
    if row.owner_id == scene.caller.id() && row.catalog_hash.is_none() {
        return Err(ApiError::invalid("id", "nobody reviews what they have made themselves"));
    }
    if scene.store.installed(scene.caller.id(), &row.id, &row.slug).await?.is_none() {
        return Err(ApiError::invalid("id", "only who has installed a resource can review it"));
    }
    scene.store.put_review(&row.id, scene.caller.id(), params.rating, &comment, scene.now).await?;
    Answer::of(&json!({ "resourceId": row.id, "rating": params.rating, "comment": comment, "createdAt": time::iso(scene.now) }))
}

#[derive(Deserialize, JsonSchema)]
pub struct ReviewsParams {
    /// The resource's.
    id: String,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    username: &'a str,
    rating: i64,
    comment: &'a str,
    created_at: String,
}

pub async fn reviews(scene: &Scene<'_>, params: ReviewsParams) -> Result<Answer, ApiError> {
    let row = visible(scene, &params.id).await?;
    let (limit, offset) = part(params.limit, params.offset)?;
    let total = scene.store.standing(&row.id).await?.reviews.unsigned_abs();
    let reviews = scene.store.reviews(&row.id, limit, offset).await?;
    let shown = reviews.iter().map(|review| Shown {
        username: &review.username,
        rating: review.rating,
        comment: &review.comment,
        created_at: time::iso(review.created_at),
    });
    Answer::list(&shown.collect::<Vec<_>>(), Page { total, limit, offset })
}
