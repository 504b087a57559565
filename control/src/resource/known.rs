//! What is known in memory of resources and installations, so that a call reads as little as possible.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    authentication::{Kept, not_authenticated},
    definition::{Definition, Kind, Terms},
    ledger::Ledger,
    oauth::Refreshing,
    slug_of,
    window::Windows,
};
use crate::{
    ApiError, Caller, Control,
    operations::Scene,
    store::{InstallationRow, InstalledRow, ResourceRow, Store},
};

/// Of each kind. What is beyond that is read and made again.
const KNOWN_MAX: usize = 1_000;

/// What another process changes is seen after this time at the latest.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A row as it was read.
struct Read {
    row: Arc<InstalledRow>,
    /// `Store::changes` before that.
    changes: u64,
    at: Instant,
}

/// Known for as long as its revision is the one in the store.
type Known<T> = Mutex<HashMap<String, (i64, Arc<T>)>>;

pub struct Resources {
    definitions: Known<Definition>,
    /// By the account and what it calls the resource.
    installed: Mutex<HashMap<(String, String), Read>>,
    credentials: Known<Kept>,
    pub windows: Windows,
    pub ledger: Ledger,
    pub refreshing: Refreshing,
}

impl Resources {
    pub fn new(store: Arc<Store>) -> Resources {
        Resources {
            definitions: Known::default(),
            installed: Mutex::default(),
            credentials: Known::default(),
            windows: Windows::default(),
            ledger: Ledger::start(store),
            refreshing: Refreshing::default(),
        }
    }

    /// A resource as it is now.
    pub async fn definition(&self, store: &Store, resource_id: &str) -> Result<Arc<Definition>, ApiError> {
        let row = store.resource(resource_id).await?.ok_or_else(|| ApiError::not_found("such resource"))?;
        self.definition_of(&row)
    }

    pub fn definition_of(&self, row: &ResourceRow) -> Result<Arc<Definition>, ApiError> {
        if let Some(known) = get(&self.definitions, &row.id, row.revision) {
            return Ok(known);
        }
        let definition = Arc::new(compile(row)?);
        put(&self.definitions, &row.id, row.revision, &definition);
        Ok(definition)
    }

    async fn definition_at(&self, store: &Store, resource_id: &str, revision: i64) -> Result<Arc<Definition>, ApiError> {
        match get(&self.definitions, resource_id, revision) {
            Some(known) => Ok(known),
            None => self.definition(store, resource_id).await,
        }
    }

    /// What an installation is called with. Refused where there is nothing, or where it was given for something else.
    pub async fn credentials(
        &self,
        control: &Control,
        row: &InstallationRow,
        resource: &str,
        definition: &Definition,
    ) -> Result<Arc<Kept>, ApiError> {
        let kept = self.kept(control, row).await?;
        let kept = kept.ok_or_else(|| not_authenticated(resource, "is installed and not authenticated"))?;
        if kept.destination != definition.terms.endpoint.destination(base_url(row, definition)) {
            return Err(not_authenticated(resource, "is another server than the one that its credentials were given for"));
        }
        Ok(kept)
    }

    async fn kept(&self, control: &Control, row: &InstallationRow) -> Result<Option<Arc<Kept>>, ApiError> {
        if !row.is_authenticated {
            return Ok(None);
        }
        if let Some(known) = get(&self.credentials, &row.id, row.credentials_revision) {
            return Ok(Some(known));
        }
        let Some(sealed) = control.opened().await?.store.credential(&row.id).await? else { return Ok(None) };
        let plain = control.keyring().await?.unseal(&row.id, &sealed)?;
        let damaged = |_| ApiError::internal("credentials cannot be read", "what was encrypted is not what mirra writes");
        let kept = Arc::new(serde_json::from_slice(&plain).map_err(damaged)?);
        put(&self.credentials, &row.id, row.credentials_revision, &kept);
        Ok(Some(kept))
    }
}

/// Where an installation's requests go.
pub fn base_url<'a>(row: &'a InstallationRow, definition: &'a Definition) -> &'a str {
    row.base_url.as_ref().unwrap_or(&definition.terms.endpoint.base_url).trim_end_matches('/')
}

fn get<T>(known: &Known<T>, id: &str, revision: i64) -> Option<Arc<T>> {
    let known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(id).filter(|(at, _)| *at == revision).map(|(_, known)| known.clone())
}

fn put<T>(known: &Known<T>, id: &str, revision: i64, value: &Arc<T>) {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    known.insert(id.to_owned(), (revision, value.clone()));
}

/// What is made of a resource to call it.
pub fn compile(row: &ResourceRow) -> Result<Definition, ApiError> {
    let damaged = |error| ApiError::internal("a resource cannot be read", error);
    let terms: Terms = serde_json::from_str(&row.definition).map_err(damaged)?;
    let kind: Kind = serde_json::from_value(row.r#type.as_str().into()).map_err(damaged)?;
    let document = row.document.as_deref().map(serde_json::from_str).transpose().map_err(damaged)?;
    Definition::new(kind, terms, document.as_ref())
}

pub async fn installed_row(store: &Store, caller: &Caller, id: &str) -> Result<Option<InstalledRow>, ApiError> {
    Ok(store.installed(caller.id(), id, &slug_of(id)).await?)
}

/// A resource that the caller has installed, by its id or name.
pub async fn installed(scene: &Scene<'_>, id: &str) -> Result<(Arc<InstalledRow>, Arc<Definition>), ApiError> {
    let resources = scene.control.resources().await?;
    let key = (scene.caller.id().to_owned(), id.to_owned());
    let changes = scene.store.changes();
    let row = match resources.read(&key, changes) {
        Some(known) => known,
        None => {
            let row = installed_row(scene.store, scene.caller, id).await?;
            let row = row.ok_or_else(|| ApiError::not_found(&format!("resource '{}' that you have installed", shortened(id))))?;
            resources.keep(key, Arc::new(row), changes)
        }
    };
    let definition = resources.definition_at(scene.store, &row.installation.resource_id, row.resource_revision).await?;
    Ok((row, definition))
}

impl Resources {
    fn read(&self, key: &(String, String), changes: u64) -> Option<Arc<InstalledRow>> {
        let installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |read: &&Read| read.changes == changes && read.at.elapsed() < READ_AGAIN_AFTER;
        installed.get(key).filter(is_new).map(|read| read.row.clone())
    }

    fn keep(&self, key: (String, String), row: Arc<InstalledRow>, changes: u64) -> Arc<InstalledRow> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if installed.len() >= KNOWN_MAX {
            installed.clear();
        }
        installed.insert(key, Read { row: row.clone(), changes, at: Instant::now() });
        row
    }
}

/// Of what somebody has sent, as much as belongs into a message.
pub fn shortened(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}
