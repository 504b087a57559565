//! What creators do with their resources.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::{
    definition::{Definition, Endpoint, Kind, Terms, check_description, document_json},
    known::compile,
    pricing::Pricing,
    slug, slug_of,
    window::RateLimit,
};
use crate::{
    Answer, ApiError, Control, Page, id,
    operations::{ADAPTERS, Scene},
    params,
    secret::Sealed,
    store::ResourceRow,
    time,
};

const NAME_CHARACTERS_MAX: usize = 100;
const CATEGORY_CHARACTERS_MAX: usize = 50;
const TAGS_MAX: usize = 20;
const LIMIT: u64 = 20;
const LIMIT_MAX: u64 = 100;

/// What `mirra.` is followed by besides resources: one of that name could not be reached by it.
const RESERVED: [&str; 9] = ["ai", "call", "events", "flows", "http", "resource", "scripts", "then", "tojson"];

pub const DRAFT: &str = "draft";
pub const PUBLISHED: &str = "published";
const UNPUBLISHED: &str = "unpublished";
const DELETED: &str = "deleted";

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateParams {
    pub name: String,
    pub description: String,
    #[schemars(with = "String")]
    pub resource_type: Kind,
    #[serde(default)]
    pub category: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    pub tags: Vec<String>,
    /// An OpenAPI 3.0 document: an object, or a text of JSON or YAML.
    pub open_api_spec: Option<Value>,
    #[schemars(with = "Map<String, Value>")]
    pub endpoint: Endpoint,
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub pricing: Option<Pricing>,
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub rate_limit: Option<RateLimit>,
}

/// What is not given stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateParams {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub category: Option<String>,
    pub tags: Option<Vec<String>>,
    pub open_api_spec: Option<Value>,
    #[schemars(with = "Option<Map<String, Value>>")]
    pub endpoint: Option<Endpoint>,
    #[schemars(with = "Option<Map<String, Value>>")]
    pub pricing: Option<Pricing>,
    /// null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub rate_limit: Option<Option<RateLimit>>,
}

/// What is given, null included.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
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

/// Which part of a list.
pub fn part(limit: Option<u64>, offset: Option<u64>) -> Result<(u64, u64), ApiError> {
    // What a store can count to.
    Ok((params::limit(limit, LIMIT, LIMIT_MAX)?, offset.unwrap_or(0).min(i64::MAX.unsigned_abs())))
}

/// A resource in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    resource_type: &'a str,
    /// As clients of the first version call it.
    r#type: &'a str,
    category: &'a str,
    tags: Value,
    status: &'a str,
    pricing: Value,
    created_at: String,
    updated_at: String,
}

pub fn summary(row: &ResourceRow) -> Summary<'_> {
    Summary {
        id: &row.id,
        name: &row.name,
        description: &row.description,
        resource_type: &row.r#type,
        r#type: &row.r#type,
        category: &row.category,
        tags: serde_json::from_str(&row.tags).unwrap_or_default(),
        status: &row.status,
        pricing: serde_json::from_str::<Value>(&row.definition).map(|terms| terms["pricing"].clone()).unwrap_or_default(),
        created_at: time::iso(row.created_at),
        updated_at: time::iso(row.updated_at),
    }
}

/// Everything of it. Only its creator and who could install it get to see that.
fn whole(row: &ResourceRow, definition: &Definition) -> Result<Value, ApiError> {
    let unwritable = |error| ApiError::internal("a resource cannot be written", error);
    let mut json = serde_json::to_value(summary(row)).map_err(unwritable)?;
    let terms = serde_json::to_value(&definition.terms).map_err(unwritable)?;
    if let (Value::Object(json), Value::Object(terms)) = (&mut json, terms) {
        json.extend(terms);
        json.insert("methods".to_owned(), definition.method_names().into());
        json.insert("openApiSpec".to_owned(), definition.document.as_ref().map_or(Value::Null, |document| document.json().clone()));
    }
    Ok(json)
}

pub async fn create(scene: &Scene<'_>, params: CreateParams) -> Result<Answer, ApiError> {
    let CreateParams { name, description, resource_type, category, tags, open_api_spec, mut endpoint, pricing, rate_limit } = params;
    let client_secret = endpoint.auth_config.client_secret.take();
    let document = open_api_spec.filter(|document| !document.is_null()).map(document_json).transpose()?;
    let terms = Terms { endpoint, pricing: pricing.unwrap_or_default(), rate_limit };
    let row = ResourceRow {
        id: id::new("resource")?,
        owner_id: scene.caller.id().to_owned(),
        slug: slug(&name),
        name,
        description,
        r#type: resource_type.as_str().to_owned(),
        category: category.unwrap_or_else(|| "other".to_owned()),
        tags: json!(tags).to_string(),
        status: DRAFT.to_owned(),
        definition: written(&terms)?,
        document: document.as_ref().map(Value::to_string),
        revision: 1,
        catalog_hash: None,
        created_at: scene.now,
        updated_at: scene.now,
        published_at: None,
    };
    if resource_type == Kind::Script {
        // What this server serves is its owner's to offer.
        if scene.caller.account.parent_id.is_some() {
            return Err(ApiError::new(ErrorCode::ResourceDenied, "the handlers of this server are offered by its owner only"));
        }
        scene.caller.may_use("scripts")?;
    }
    check(&row, &tags, &terms)?;
    let most = scene.control.config().limits.per_account.resources;
    let (_, made) = scene.store.resources_of(scene.caller.id(), 0, 0).await?;
    if made >= most.into() {
        return Err(ApiError::invalid("name", format!("an account has at most {most} resources: delete those that are not used")));
    }
    let (row, _) = compiled(row).await?;
    let seal = secret_of(scene, &row.id, client_secret).await?;
    scene.store.insert_resource(&row, seal.as_deref()).await?;
    Answer::of(&summary(&row))
}

fn written(terms: &Terms) -> Result<String, ApiError> {
    serde_json::to_string(terms).map_err(|error| ApiError::internal("a resource cannot be written", error))
}

fn check(row: &ResourceRow, tags: &[String], terms: &Terms) -> Result<(), ApiError> {
    params::text("name", &row.name, NAME_CHARACTERS_MAX)?;
    check_description(&row.description)?;
    params::text("category", &row.category, CATEGORY_CHARACTERS_MAX)?;
    if tags.len() > TAGS_MAX {
        return Err(ApiError::invalid("tags", format!("a resource has at most {TAGS_MAX} tags")));
    }
    tags.iter().try_for_each(|tag| params::text("tags", tag, CATEGORY_CHARACTERS_MAX))?;
    if row.slug.is_empty() {
        return Err(ApiError::invalid("name", "the name has no letters or digits, by which handlers could call it"));
    }
    if ADAPTERS.iter().chain(&RESERVED).any(|taken| *taken == row.slug) {
        return Err(ApiError::invalid("name", format!("'{}' is what handlers call something of mirra's own", row.slug)));
    }
    match terms.rate_limit {
        Some(limit) if limit.requests == 0 => Err(ApiError::invalid("rateLimit.requests", "rateLimit.requests must be at least 1")),
        _ => Ok(()),
    }
}

/// Away from whatever else is served: a large document takes a while.
async fn compiled(row: ResourceRow) -> Result<(ResourceRow, Definition), ApiError> {
    let compiling = tokio::task::spawn_blocking(move || compile(&row).map(|definition| (row, definition)));
    compiling.await.map_err(|error| ApiError::internal("a resource could not be checked", error))?
}

/// `store::Seal`, owned.
type Sealing<'a> = Box<dyn Fn(Option<&str>) -> Result<Sealed, ApiError> + Send + Sync + 'a>;

/// Encrypted like what users give: whoever reads the store must not be able to log in as this client.
async fn secret_of<'a>(scene: &Scene<'a>, resource_id: &str, secret: Option<String>) -> Result<Option<Sealing<'a>>, ApiError> {
    let Some(secret) = secret else { return Ok(None) };
    let (keyring, id) = (scene.control.keyring().await?, resource_id.to_owned());
    Ok(Some(Box::new(move |in_use| keyring.seal(&id, secret.as_bytes(), in_use))))
}

impl Control {
    /// Of the OAuth client that a resource's creator has.
    pub(super) async fn client_secret(&self, resource_id: &str) -> Result<Option<String>, ApiError> {
        let Some(sealed) = self.opened().await?.store.credential(resource_id).await? else { return Ok(None) };
        let plain = self.keyring().await?.unseal(resource_id, &sealed)?;
        Ok(Some(String::from_utf8_lossy(&plain).into_owned()))
    }
}

/// What a caller has made themselves. What comes with the server is nobody's to change.
async fn own(scene: &Scene<'_>, id: &str) -> Result<ResourceRow, ApiError> {
    let row = scene.store.resource(id).await?.filter(|row| row.owner_id == scene.caller.id() && row.status != DELETED);
    let row = row.ok_or_else(|| ApiError::not_found("such resource"))?;
    match row.catalog_hash {
        Some(_) => {
            Err(ApiError::invalid("id", format!("{} comes with mirra: install it with a baseUrl of your own, or make another", row.name)))
        }
        None => Ok(row),
    }
}

/// A resource that the caller may see: published, their own, or installed.
pub async fn visible(scene: &Scene<'_>, id: &str) -> Result<ResourceRow, ApiError> {
    let not_found = || ApiError::not_found("such resource");
    // With those that come with the server.
    scene.control.resources().await?;
    let installed = scene.store.installed(scene.caller.id(), id, &slug_of(id)).await?.map(|row| row.installation.resource_id);
    let row = scene.store.resource(installed.as_deref().unwrap_or(id)).await?.ok_or_else(not_found)?;
    let is_visible = row.status == PUBLISHED || row.owner_id == scene.caller.id() || installed.is_some();
    if is_visible && row.status != DELETED { Ok(row) } else { Err(not_found()) }
}

pub async fn update(scene: &Scene<'_>, params: UpdateParams) -> Result<Answer, ApiError> {
    let mut row = own(scene, &params.id).await?;
    let mut definition = scene.control.resources().await?.definition_of(&row)?.terms.clone();
    let UpdateParams { name, description, category, tags, open_api_spec, endpoint, pricing, rate_limit, .. } = params;
    if let Some(name) = name {
        (row.slug, row.name) = (slug(&name), name);
    }
    row.description = description.unwrap_or(row.description);
    row.category = category.unwrap_or(row.category);
    let tags = tags.unwrap_or_else(|| serde_json::from_str(&row.tags).unwrap_or_default());
    row.tags = json!(tags).to_string();
    let mut client_secret = None;
    if let Some(mut endpoint) = endpoint {
        client_secret = endpoint.auth_config.client_secret.take();
        definition.endpoint = endpoint;
    }
    definition.pricing = pricing.unwrap_or(definition.pricing);
    definition.rate_limit = rate_limit.unwrap_or(definition.rate_limit);
    if let Some(document) = open_api_spec {
        row.document = Some(document_json(document)?.to_string());
    }
    check(&row, &tags, &definition)?;
    row.definition = written(&definition)?;
    changed(scene, row, client_secret).await
}

/// Checks a resource as it will be, and puts it in the place of what it was.
async fn changed(scene: &Scene<'_>, mut row: ResourceRow, client_secret: Option<String>) -> Result<Answer, ApiError> {
    row.revision += 1;
    row.updated_at = scene.now;
    // Not yet what is known of it: somebody else may be faster.
    let (row, definition) = compiled(row).await?;
    if row.status == PUBLISHED {
        check_publishable(&definition)?;
    }
    let seal = secret_of(scene, &row.id, client_secret).await?;
    if !scene.store.update_resource(&row, seal.as_deref()).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "the resource was changed by somebody else meanwhile: read it again and try again"));
    }
    Answer::of(&whole(&row, &definition)?)
}

pub async fn get(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let row = visible(scene, id).await?;
    let definition = scene.control.resources().await?.definition_of(&row)?;
    let mut json = whole(&row, &definition)?;
    if row.owner_id != scene.caller.id()
        && let Some(endpoint) = json["endpoint"].as_object_mut()
    {
        // One of them may be a key of its creator's own.
        endpoint.remove("headers");
    }
    Answer::of(&json)
}

/// The caller's own.
pub async fn list(scene: &Scene<'_>, params: ListParams) -> Result<Answer, ApiError> {
    let (limit, offset) = part(params.limit, params.offset)?;
    let (rows, total) = scene.store.resources_of(scene.caller.id(), limit, offset).await?;
    Answer::list(&rows.iter().map(summary).collect::<Vec<_>>(), Page { total, limit, offset })
}

pub async fn publish(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let mut row = own(scene, id).await?;
    row.published_at = row.published_at.or(Some(scene.now));
    row.status = PUBLISHED.to_owned();
    changed(scene, row, None).await
}

/// No new installations; those that there are stay.
pub async fn unpublish(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let mut row = own(scene, id).await?;
    if row.status == PUBLISHED {
        row.status = UNPUBLISHED.to_owned();
    }
    changed(scene, row, None).await
}

fn check_publishable(definition: &Definition) -> Result<(), ApiError> {
    let is_script = definition.kind == Kind::Script;
    if !is_script && definition.method_names().is_empty() {
        let message = "a published resource has at least one method: name some in endpoint.methods, or give operations an operationId";
        return Err(ApiError::invalid("endpoint.methods", message));
    }
    Ok(())
}

pub async fn delete(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let row = own(scene, id).await?;
    if !scene.store.delete_resource(&row.id).await? {
        return Err(ApiError::new(ErrorCode::Conflict, "the resource is installed: unpublish it, so that no more accounts install it"));
    }
    Answer::of(&json!({ "id": row.id, "deleted": true }))
}
