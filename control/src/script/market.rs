//! Scripts that accounts give to each other. Who installs one has a copy of what ran when they did: it goes on as it is, whatever its
//! author does, and runs in the name of whoever has installed it.

use std::sync::Arc;

use mirra_host_sdk::{ErrorCode, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::making::{SCRIPTS_MAX, ScriptId, label, not_found, owned, written};
use crate::{
    Answer, ApiError, NewKey, Page, id,
    operations::Scene,
    params,
    store::{Runnable, ScriptRow, ScriptStanding, ScriptsWanted, Sort, Store, VersionRow},
    time,
};

const LISTED: u64 = 50;
const LISTED_MAX: u64 = 100;
const WORDS_MAX: usize = 8;
const QUERY_CHARACTERS_MAX: usize = 200;
const COMMENT_CHARACTERS_MAX: usize = 2_000;
const PRICE_USD_MAX: Usd = Usd::from_picodollars(10_000_000_000_000_000);

/// What a script costs whoever installs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pricing {
    model: Model,
    /// USD: of an execution on top of what that uses, or of 30 days, paid when it is first executed in them.
    #[serde(default, alias = "basePrice", alias = "pricePerExecution", alias = "monthlyPrice", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    price: Option<Usd>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Model {
    #[default]
    Free,
    #[serde(alias = "pay-per-call", alias = "paid")]
    PayPerExecution,
    Subscription,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishParams {
    #[serde(alias = "id")]
    script_id: String,
    pricing: Option<Pricing>,
}

/// What is to be paid for a run of a script, besides what it uses.
pub async fn surcharge(store: &Store, script: &ScriptRow, now: i64) -> Result<Usd, ApiError> {
    if script.installed_from.is_none() {
        return Ok(Usd::ZERO);
    }
    let Pricing { model, price } = pricing_of(script);
    let is_due = match model {
        Model::Free => false,
        Model::PayPerExecution => true,
        Model::Subscription => store.pay_month(&script.id, now).await?,
    };
    Ok(price.filter(|_| is_due).unwrap_or_default())
}

impl Pricing {
    /// As it was kept.
    pub fn kept(text: Option<&str>) -> Pricing {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    pub fn written(&self) -> Result<String, ApiError> {
        written(self)
    }

    pub fn is_free(self) -> bool {
        self.model == Model::Free
    }

    pub fn checked(self) -> Result<Pricing, ApiError> {
        if self.is_free() == self.price.is_some_and(|price| price > Usd::ZERO && price <= PRICE_USD_MAX) {
            let message = format!("pricing.price must be above 0 and at most {PRICE_USD_MAX} USD, and none of what is free");
            return Err(ApiError::invalid("pricing.price", message));
        }
        Ok(self)
    }
}

fn pricing_of(script: &ScriptRow) -> Pricing {
    Pricing::kept(script.pricing.as_deref())
}

/// Only what runs, and is the account's own work.
pub async fn check_own_work(scene: &Scene<'_>, script_id: &str) -> Result<ScriptRow, ApiError> {
    let script = owned(scene, script_id).await?;
    if script.version_id.is_none() {
        return Err(ApiError::invalid("scriptId", "only a script that is deployed can be published: deploy it first"));
    }
    if script.installed_from.is_some() {
        return Err(ApiError::invalid("scriptId", "this is a copy of somebody else's script, which only its author publishes"));
    }
    Ok(script)
}

/// One that others can tell what it does.
pub async fn publish(scene: &Scene<'_>, params: PublishParams) -> Result<Answer, ApiError> {
    let script = check_own_work(scene, &params.script_id).await?;
    if script.description.trim().is_empty() {
        return Err(ApiError::invalid("description", "a script needs a description to be published, by which others find it"));
    }
    let pricing = params.pricing.unwrap_or_default().checked()?;
    scene.store.publish_script(&script.id, Some(&pricing.written()?), Some(scene.now)).await?;
    Answer::of(&json!({
        "scriptId": script.id,
        "isPublished": true,
        "status": "published",
        "pricing": pricing,
        "publishedAt": time::iso(scene.now),
    }))
}

pub async fn unpublish(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    scene.store.publish_script(&script.id, None, None).await?;
    Answer::of(&json!({ "scriptId": script.id, "isPublished": false, "unpublished": true }))
}

/// One that is published, with what runs of it.
async fn published(scene: &Scene<'_>, id: &str) -> Result<(Arc<ScriptRow>, Arc<VersionRow>), ApiError> {
    let found = scene.store.runnable(id).await?.filter(|found| found.script.published_at.is_some());
    match found {
        Some(Runnable { script, version: Some(version) }) => Ok((script, version)),
        _ => Err(not_found(id)),
    }
}

/// `{installationId, scriptId, …}`: the copy's id is what it is executed by.
pub async fn install(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let (script, version) = published(scene, &params.script_id).await?;
    if script.owner_id == scene.caller.id() {
        return Err(ApiError::invalid("scriptId", "this script is the account's own"));
    }
    if scene.store.copy_of(scene.caller.id(), &script.id).await?.is_some() {
        return Err(ApiError::new(ErrorCode::Conflict, "the script is already installed"));
    }
    let (copy, key) = copied(scene, &script, &version).await?;
    Answer::of(&json!({
        "success": true,
        "installationId": copy.id,
        "id": copy.id,
        "scriptId": copy.id,
        "installedFrom": copy.installed_from,
        "name": copy.name,
        "pricing": pricing_of(&copy),
        "installedAt": time::iso(scene.now),
        "apiKey": key.key,
    }))
}

/// A copy for the caller of what runs of a script, whose price is that of what it comes with. None: nothing runs of it any more.
pub async fn copy(scene: &Scene<'_>, script_id: &str, pricing: Pricing) -> Result<Option<ScriptRow>, ApiError> {
    let Some(Runnable { script, version: Some(version) }) = scene.store.runnable(script_id).await? else { return Ok(None) };
    let script = ScriptRow { pricing: Some(pricing.written()?), ..(*script).clone() };
    Ok(Some(copied(scene, &script, &version).await?.0))
}

/// What it may use besides what every script may, by names that people read.
pub fn resources_of(script: &ScriptRow) -> Result<Option<String>, ApiError> {
    let names = super::making::config_of(script)?.allowed_resources;
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

/// The caller's own from now on, with the key that runs it.
async fn copied(scene: &Scene<'_>, script: &ScriptRow, version: &VersionRow) -> Result<(ScriptRow, NewKey), ApiError> {
    let files = scene.store.source(&version.source_hash).await?.ok_or_else(|| ApiError::not_found("such source"))?;
    let copied = VersionRow {
        id: id::object(scene.now)?,
        script_id: id::object(scene.now)?,
        number: 1,
        label: "1".to_owned(),
        changelog: format!("installed from {} of {}", label(version), script.id),
        status: "deployed".to_owned(),
        created_at: scene.now,
        deployed_at: Some(scene.now),
        ..version.clone()
    };
    let copy = ScriptRow {
        id: copied.script_id.clone(),
        owner_id: scene.caller.id().to_owned(),
        is_private: true,
        status: "deployed".to_owned(),
        version_id: Some(copied.id.clone()),
        installed_from: Some(script.id.clone()),
        created_at: scene.now,
        updated_at: scene.now,
        ..script.clone()
    };
    let key = NewKey::make(scene.caller.id(), &format!("script {}", copy.id), &[], Some(copy.id.clone()), scene.now)?;
    if !scene.store.insert_script(&copy, &copied, &files, (&key.row, &key.hash), SCRIPTS_MAX).await? {
        return Err(ApiError::invalid("scriptId", format!("an account has at most {SCRIPTS_MAX} scripts: delete those that are not used")));
    }
    Ok((copy, key))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchParams {
    /// Words, each of which is in the name, the description or the tags.
    #[serde(alias = "q", alias = "search", alias = "name")]
    query: Option<String>,
    category: Option<String>,
    /// Only what the server's owner recommends.
    staff_pick: Option<bool>,
    /// publishedAt (the default), trendingScore, installCount, rating, name
    sort_by: Option<String>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

/// `{total, limit, offset, scripts}`
pub async fn search(scene: &Scene<'_>, params: SearchParams) -> Result<Answer, ApiError> {
    let query = params.query.unwrap_or_default();
    if query.chars().count() > QUERY_CHARACTERS_MAX {
        return Err(ApiError::invalid("query", format!("query has more than {QUERY_CHARACTERS_MAX} characters")));
    }
    let sort = match params.sort_by.as_deref() {
        None | Some("publishedAt" | "newest") => Sort::Newest,
        Some("trendingScore" | "trending") => Sort::Trending,
        Some("installCount" | "installs") => Sort::Installs,
        Some("rating") => Sort::Rating,
        Some("name") => Sort::Name,
        Some(_) => {
            return Err(ApiError::invalid("sortBy", "sortBy must be publishedAt, trendingScore, installCount, rating or name"));
        }
    };
    let wanted = ScriptsWanted {
        words: query.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect(),
        category: params.category,
        staff_picks: params.staff_pick == Some(true),
        sort,
    };
    let limit = params::limit(params.limit, LISTED, LISTED_MAX)?;
    let offset = params.offset.unwrap_or(0);
    let (rows, total) = scene.store.published_scripts(&wanted, scene.now, limit, offset).await?;
    let scripts: Vec<Value> = rows.iter().map(|(script, standing)| listing(script, standing)).collect();
    let page = Page { total, limit, offset };
    Answer::list(&json!({ "total": total, "limit": limit, "offset": offset, "scripts": scripts }), page)
}

fn listing(script: &ScriptRow, standing: &ScriptStanding) -> Value {
    let rating = (standing.reviews > 0).then(|| (standing.ratings as f64 * 10.0 / standing.reviews as f64).round() / 10.0);
    json!({
        "id": script.id,
        "type": "script",
        "name": script.name,
        "description": script.description,
        "author": script.owner_id,
        "runtime": script.runtime,
        "category": script.category,
        "tags": serde_json::from_str::<Value>(&script.tags).unwrap_or_default(),
        "pricing": pricing_of(script),
        "isStaffPick": script.staff_pick_at.is_some(),
        "installs": standing.installs,
        "installCount": standing.installs,
        "rating": rating,
        "reviewCount": standing.reviews,
        // 1 for a use of today.
        "trendingScore": standing.trend as f64 / 1024.0,
        "publishedAt": script.published_at.map(time::iso).unwrap_or_default(),
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewParams {
    #[serde(alias = "id")]
    script_id: String,
    /// 1 to 5.
    rating: i64,
    comment: Option<String>,
}

/// By somebody who has installed it. A second review takes the first one's place.
pub async fn review(scene: &Scene<'_>, params: ReviewParams) -> Result<Answer, ApiError> {
    let (script, _) = published(scene, &params.script_id).await?;
    if !(1..=5).contains(&params.rating) {
        return Err(ApiError::invalid("rating", "rating must be between 1 and 5"));
    }
    let comment = params.comment.unwrap_or_default();
    if comment.chars().count() > COMMENT_CHARACTERS_MAX {
        return Err(ApiError::invalid("comment", format!("comment has more than {COMMENT_CHARACTERS_MAX} characters")));
    }
    if scene.store.copy_of(scene.caller.id(), &script.id).await?.is_none() {
        return Err(ApiError::invalid("scriptId", "only who has installed a script can review it"));
    }
    scene.store.put_script_review(&script.id, scene.caller.id(), params.rating, &comment, scene.now).await?;
    Answer::of(&json!({ "scriptId": script.id, "rating": params.rating, "comment": comment, "createdAt": time::iso(scene.now) }))
}

/// `{count, reviews}`
pub async fn reviews(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let (script, _) = published(scene, &params.script_id).await?;
    let rows = scene.store.script_reviews(&script.id, LISTED_MAX).await?;
    let shown = rows.iter().map(
        |row| json!({ "username": row.username, "rating": row.rating, "comment": row.comment, "createdAt": time::iso(row.created_at) }),
    );
    let shown: Vec<Value> = shown.collect();
    Answer::of(&json!({ "count": shown.len(), "reviews": shown }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffPickParams {
    #[serde(alias = "id")]
    script_id: String,
    /// true if not given.
    is_staff_pick: Option<bool>,
}

pub async fn set_staff_pick(scene: &Scene<'_>, params: StaffPickParams) -> Result<Answer, ApiError> {
    if scene.caller.account.parent_id.is_some() {
        return Err(ApiError::new(ErrorCode::ResourceDenied, "this is for the owner of the server"));
    }
    let is_pick = params.is_staff_pick.unwrap_or(true);
    if !scene.store.set_staff_pick(&params.script_id, is_pick.then_some(scene.now)).await? {
        return Err(not_found(&params.script_id));
    }
    Answer::of(&json!({ "scriptId": params.script_id, "isStaffPick": is_pick }))
}
