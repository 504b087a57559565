//! The resources that come with the server: data in `control/catalog/`, put into the store like anybody's.

use mirra_openapi::Document;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::{
    definition::{AuthConfig, Authentication, Endpoint, Kind, Terms},
    making::PUBLISHED,
    pricing::Pricing,
    slug,
};
use crate::{ApiError, store::ResourceRow, store::Store};

/// One folder of the catalog.
struct Entry {
    name: &'static str,
    resource: &'static str,
    document: &'static str,
}

macro_rules! entry {
    ($name:literal) => {
        Entry {
            name: $name,
            resource: include_str!(concat!("../../catalog/", $name, "/resource.json")),
            document: include_str!(concat!("../../catalog/", $name, "/openapi.yaml")),
        }
    };
}

const CATALOG: [Entry; 7] = [
    entry!("anthropic"),
    entry!("github"),
    entry!("gmail"),
    entry!("googleCalendar"),
    entry!("openai"),
    entry!("slack"),
    entry!("telegram"),
];

/// `resource.json`: all that a document does not say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Described {
    name: String,
    description: String,
    resource_type: Kind,
    category: String,
    tags: Vec<String>,
    base_url: String,
    authentication: Authentication,
    #[serde(default)]
    auth_config: AuthConfig,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Brings what is in the store to what this program comes with.
pub async fn provide(store: &Store, owner_id: &str, now: i64) -> Result<(), ApiError> {
    for entry in &CATALOG {
        let hash =
            blake3::Hasher::new().update(entry.resource.as_bytes()).update(entry.document.as_bytes()).finalize().to_hex().to_string();
        let id = format!("resource_{}", entry.name);
        let known = store.resource(&id).await?;
        if known.as_ref().is_some_and(|known| known.catalog_hash.as_deref() == Some(&hash)) {
            continue;
        }
        let row = row(entry, id, hash, owner_id, now)?;
        match known {
            None => store.provide_resource(&row).await?,
            Some(known) => {
                // Another process may be faster, with the same.
                let newer = ResourceRow { revision: known.revision + 1, created_at: known.created_at, ..row };
                store.update_resource(&newer).await.map(drop)?;
            }
        }
    }
    Ok(())
}

fn row(entry: &Entry, id: String, hash: String, owner_id: &str, now: i64) -> Result<ResourceRow, ApiError> {
    let wrong = |error: String| ApiError::internal("the catalog is wrong", format!("{}: {error}", entry.name));
    let described: Described = serde_json::from_str(entry.resource).map_err(|error| wrong(error.to_string()))?;
    let document = Document::read(entry.document).map_err(|problems| wrong(problems.to_string()))?;
    let Described { name, description, resource_type, category, tags, base_url, authentication, auth_config, headers } = described;
    let endpoint = Endpoint { base_url, authentication, auth_config, headers, methods: Vec::new() };
    let terms = Terms { endpoint, pricing: Pricing::default(), rate_limit: None };
    Ok(ResourceRow {
        id,
        owner_id: owner_id.to_owned(),
        slug: slug(&name),
        name,
        description,
        r#type: resource_type.as_str().to_owned(),
        category,
        tags: serde_json::to_string(&tags).map_err(|error| wrong(error.to_string()))?,
        status: PUBLISHED.to_owned(),
        definition: serde_json::to_string(&terms).map_err(|error| wrong(error.to_string()))?,
        document: Some(document.json().to_string()),
        revision: 1,
        catalog_hash: Some(hash),
        created_at: now,
        updated_at: now,
        published_at: Some(now),
    })
}
