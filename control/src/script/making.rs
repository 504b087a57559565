//! Scripts as their owners make and change them.

use mirra_host_sdk::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    config::{Config, ConfigChange},
    source::{self, Files, Runtime},
};
use crate::{
    Answer, ApiError, NewKey, Page, id,
    operations::Scene,
    params,
    store::{ScriptRow, Used, VersionRow},
    time,
};

const NAME_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;
const CATEGORY_CHARACTERS_MAX: usize = 100;
const TAGS_MAX: usize = 20;
const TAG_CHARACTERS_MAX: usize = 50;
const LISTED_MAX: u64 = 100;

/// Of one account. More are made by a program that has gone wrong.
pub const SCRIPTS_MAX: u64 = 10_000;

pub const DRAFT: &str = "draft";

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateParams {
    #[schemars(length(min = 1, max = NAME_CHARACTERS_MAX))]
    name: String,
    description: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    runtime: Runtime,
    /// Exports `handler(event, context)`.
    code: Option<String>,
    /// Texts of other files by their names: modules, package.json with a lock file, requirements.txt.
    files: Option<Files>,
    /// Of the first version.
    #[serde(alias = "commitMessage")]
    changelog: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    config: ConfigChange,
    category: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    tags: Vec<String>,
    #[serde(default, alias = "isPrivate", deserialize_with = "params::some")]
    private: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateParams {
    #[serde(alias = "id")]
    script_id: String,
    name: Option<String>,
    description: Option<String>,
    /// A new version, which is to be deployed.
    code: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    config: ConfigChange,
    category: Option<String>,
    tags: Option<Vec<String>>,
    #[serde(alias = "isPrivate")]
    private: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptId {
    #[serde(alias = "id")]
    pub script_id: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct ListParams {
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

/// As its owner sees it. What is absent is an empty text, as clients expect.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    id: &'a str,
    user_id: &'a str,
    name: &'a str,
    description: &'a str,
    runtime: &'a str,
    status: &'a str,
    /// pending, deployed, failed
    deployment_status: &'static str,
    config: Value,
    /// Seconds and MB, as in `config`.
    timeout: u64,
    memory: u64,
    category: &'a str,
    tags: Value,
    is_private: bool,
    is_published: bool,
    published_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<Value>,
    /// The script of the marketplace that it is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_version: Option<Value>,
    total_executions: i64,
    total_cost: Usd,
    /// Milliseconds.
    avg_duration: f64,
    /// 0 to 1.
    error_rate: f64,
    last_executed_at: String,
    deployed_at: String,
    created_at: String,
    updated_at: String,
}

fn shown<'a>(row: &'a ScriptRow, version: Option<&'a VersionRow>, used: &Used) -> Result<Shown<'a>, ApiError> {
    let config = config_of(row)?;
    Ok(Shown {
        id: &row.id,
        user_id: &row.owner_id,
        name: &row.name,
        description: &row.description,
        runtime: &row.runtime,
        status: &row.status,
        deployment_status: match &*row.status {
            "deployed" => "deployed",
            "failed" => "failed",
            _ => "pending",
        },
        timeout: config.timeout,
        memory: config.memory,
        config: value(&config)?,
        category: &row.category,
        tags: serde_json::from_str(&row.tags).unwrap_or_default(),
        is_private: row.is_private,
        is_published: row.published_at.is_some(),
        published_at: row.published_at.map(time::iso).unwrap_or_default(),
        pricing: row.pricing.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        installed_from: row.installed_from.as_deref(),
        version_id: row.version_id.as_deref(),
        active_version: version.filter(|version| row.version_id.as_ref() == Some(&version.id)).map(label),
        total_executions: used.executions,
        total_cost: used.cost(),
        avg_duration: used.average_ms(),
        error_rate: used.error_rate(),
        last_executed_at: if used.last_at > 0 { time::iso(used.last_at) } else { String::new() },
        deployed_at: version.and_then(|version| version.deployed_at).map(time::iso).unwrap_or_default(),
        created_at: time::iso(row.created_at),
        updated_at: time::iso(row.updated_at),
    })
}

/// What a version is called: a number, unless its author has given it another name.
pub fn label(version: &VersionRow) -> Value {
    if version.label == version.number.to_string() { version.number.into() } else { version.label.clone().into() }
}

pub async fn create(scene: &Scene<'_>, params: CreateParams) -> Result<Answer, ApiError> {
    let (script, version, key) = make(scene, params).await?;
    let mut json = value(&shown(&script, Some(&version), &Used::default())?)?;
    // The only time that it is known.
    json["apiKey"] = key.key.into();
    Answer::of(&json)
}

/// One with nothing but its code.
pub async fn make_of(scene: &Scene<'_>, name: &str, code: String) -> Result<(ScriptRow, VersionRow), ApiError> {
    let params = CreateParams {
        name: name.to_owned(),
        description: None,
        runtime: Runtime::default(),
        code: Some(code),
        files: None,
        changelog: None,
        config: ConfigChange::default(),
        category: None,
        tags: Vec::new(),
        private: true,
    };
    let (script, version, _) = make(scene, params).await?;
    Ok((script, version))
}

async fn make(scene: &Scene<'_>, params: CreateParams) -> Result<(ScriptRow, VersionRow, NewKey), ApiError> {
    let description = params.description.unwrap_or_default();
    let category = params.category.unwrap_or_default();
    check(&params.name, &description, &category, &params.tags)?;
    let changelog = params.changelog.unwrap_or_default();
    super::versions::check_changelog(&changelog)?;
    let config = Config::default().changed(params.config)?;
    let files = source::gather(params.runtime, params.code, params.files)?;
    let (text, source_hash) = source::keep(&files)?;
    let script = ScriptRow {
        id: id::object(scene.now)?,
        owner_id: scene.caller.id().to_owned(),
        name: params.name,
        description,
        runtime: params.runtime.as_str().to_owned(),
        config: written(&config)?,
        category,
        tags: written(&params.tags)?,
        is_private: params.private,
        status: DRAFT.to_owned(),
        created_at: scene.now,
        updated_at: scene.now,
        ..ScriptRow::default()
    };
    let version = VersionRow {
        id: id::object(scene.now)?,
        script_id: script.id.clone(),
        number: 1,
        label: 1.to_string(),
        source_hash,
        changelog,
        status: DRAFT.to_owned(),
        handler_id: None,
        created_at: scene.now,
        deployed_at: None,
    };
    let key = NewKey::make(scene.caller.id(), &format!("script {}", script.id), &[], Some(script.id.clone()), scene.now)?;
    if !scene.store.insert_script(&script, &version, &text, (&key.row, &key.hash), SCRIPTS_MAX).await? {
        return Err(ApiError::invalid("name", format!("an account has at most {SCRIPTS_MAX} scripts: delete those that are not used")));
    }
    Ok((script, version, key))
}

pub async fn get(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let version = version_of(scene, &script).await?;
    let mut json = value(&shown(&script, version.as_ref(), &scene.store.used(&script.id).await?)?)?;
    if let Some(version) = &version {
        let files = files_of(scene, version).await?;
        let main = source::main_of(Runtime::kept(&script.runtime), &files);
        json["code"] = files.get(&main).cloned().unwrap_or_default().into();
    }
    Answer::of(&json)
}

/// `{count, scripts}`
pub async fn list(scene: &Scene<'_>, params: ListParams) -> Result<Answer, ApiError> {
    let limit = params::limit(params.limit, LISTED_MAX, LISTED_MAX)?;
    let offset = params.offset.unwrap_or(0);
    let (rows, total) = scene.store.scripts_of(scene.caller.id(), limit, offset).await?;
    let mut scripts = Vec::with_capacity(rows.len());
    for (row, version, used) in &rows {
        scripts.push(shown(row, version.as_ref(), used)?);
    }
    Answer::list(&json!({ "count": scripts.len(), "scripts": scripts }), Page { total, limit, offset })
}

pub async fn update(scene: &Scene<'_>, params: UpdateParams) -> Result<Answer, ApiError> {
    let mut script = owned(scene, &params.script_id).await?;
    script.name = params.name.unwrap_or(script.name);
    script.description = params.description.unwrap_or(script.description);
    script.category = params.category.unwrap_or(script.category);
    script.is_private = params.private.unwrap_or(script.is_private);
    let tags = match params.tags {
        Some(tags) => tags,
        None => serde_json::from_str(&script.tags).unwrap_or_default(),
    };
    check(&script.name, &script.description, &script.category, &tags)?;
    script.tags = written(&tags)?;
    script.config = written(&config_of(&script)?.changed(params.config)?)?;
    script.updated_at = scene.now;
    if let Some(code) = params.code {
        super::versions::add_code(scene, &script, code).await?;
    }
    if !scene.store.update_script(&script).await? {
        return Err(not_found(&params.script_id));
    }
    Answer::of(&shown(&script, version_of(scene, &script).await?.as_ref(), &scene.store.used(&script.id).await?)?)
}

pub async fn delete(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    if !scene.store.delete_script(&script.id, scene.now).await? {
        return Err(not_found(&params.script_id));
    }
    Answer::of(&json!({ "id": script.id, "scriptId": script.id, "success": true, "deleted": true, "deletedAt": time::iso(scene.now) }))
}

/// Refuses a script that is not the caller's.
pub async fn check_owned(scene: &Scene<'_>, field: &str, id: &str) -> Result<(), ApiError> {
    match owned(scene, id).await {
        Err(error) if error.code == mirra_host_sdk::ErrorCode::NotFound => {
            Err(ApiError::invalid(field, format!("there is no script {id}")))
        }
        found => found.map(drop),
    }
}

/// What runs of one of the caller's.
pub async fn code_of(scene: &Scene<'_>, id: &str) -> Result<String, ApiError> {
    let script = owned(scene, id).await?;
    let version = version_of(scene, &script).await?.ok_or_else(|| not_found(id))?;
    let files = files_of(scene, &version).await?;
    Ok(files.get(&source::main_of(Runtime::kept(&script.runtime), &files)).cloned().unwrap_or_default())
}

/// The caller's own, and no other's.
pub async fn owned(scene: &Scene<'_>, id: &str) -> Result<ScriptRow, ApiError> {
    let script = scene.store.script(id).await?.filter(|row| row.owner_id == scene.caller.id());
    script.ok_or_else(|| not_found(id))
}

pub fn not_found(id: &str) -> ApiError {
    let details = Some(Box::new(json!({ "scriptId": id })));
    ApiError { details, ..ApiError::new(mirra_host_sdk::ErrorCode::NotFound, "Script not found") }
}

/// What runs of it; where nothing does yet, what would if it were deployed.
pub async fn version_of(scene: &Scene<'_>, script: &ScriptRow) -> Result<Option<VersionRow>, ApiError> {
    Ok(match &script.version_id {
        Some(id) => scene.store.version(&script.id, id).await?,
        None => scene.store.newest_version(&script.id).await?,
    })
}

pub async fn files_of(scene: &Scene<'_>, version: &VersionRow) -> Result<Files, ApiError> {
    let text = scene.store.source(&version.source_hash).await?.ok_or_else(|| ApiError::not_found("such source"))?;
    serde_json::from_str(&text).map_err(|error| ApiError::internal("the code cannot be read", error))
}

pub fn config_of(script: &ScriptRow) -> Result<Config, ApiError> {
    serde_json::from_str(&script.config).map_err(|error| ApiError::internal("a script's configuration cannot be read", error))
}

fn check(name: &str, description: &str, category: &str, tags: &[String]) -> Result<(), ApiError> {
    params::text("name", name, NAME_CHARACTERS_MAX)?;
    for (field, text, max) in [("description", description, DESCRIPTION_CHARACTERS_MAX), ("category", category, CATEGORY_CHARACTERS_MAX)] {
        if text.chars().count() > max {
            return Err(ApiError::invalid(field, format!("{field} has more than {max} characters")));
        }
    }
    if tags.len() > TAGS_MAX || tags.iter().any(|tag| tag.is_empty() || tag.chars().count() > TAG_CHARACTERS_MAX) {
        let message = format!("tags are at most {TAGS_MAX} texts of at most {TAG_CHARACTERS_MAX} characters each");
        return Err(ApiError::invalid("tags", message));
    }
    Ok(())
}

pub fn value(data: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(data).map_err(|error| ApiError::internal("a script cannot be written", error))
}

pub fn written(data: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(data).map_err(|error| ApiError::internal("a script cannot be written", error))
}
