//! Scripts as they were read last. Nearly every call asks for the same few, and what this process changes is seen at once.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use super::{ScriptRow, Store, VersionRow};

/// How old what is known may be, where another process may have changed it.
const AGE_MAX: Duration = Duration::from_secs(1);
/// Some kilobytes each.
const KNOWN_MAX: usize = 1_000;

/// A script with the version of it that runs.
#[derive(Clone, Debug)]
pub struct Runnable {
    pub script: Arc<ScriptRow>,
    pub version: Option<Arc<VersionRow>>,
}

#[derive(Default)]
pub(super) struct Runnables {
    known: RwLock<HashMap<String, Known>>,
    /// Rises when a script or a version has changed.
    changes: AtomicU64,
}

struct Known {
    runnable: Runnable,
    /// How many changes there had been before it was read.
    changes: u64,
    read_at: Instant,
}

impl Runnables {
    /// To be called when a change is committed.
    pub fn changed(&self) {
        self.changes.fetch_add(1, SeqCst);
    }

    fn get(&self, id: &str) -> Option<Runnable> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |known: &&Known| known.changes == self.changes.load(SeqCst) && known.read_at.elapsed() < AGE_MAX;
        known.get(id).filter(is_fresh).map(|known| known.runnable.clone())
    }

    fn insert(&self, id: &str, known: Known) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KNOWN_MAX {
            all.clear();
        }
        all.insert(id.to_owned(), known);
    }
}

impl Store {
    /// With the version that runs.
    pub async fn runnable(&self, id: &str) -> Result<Option<Runnable>, sqlx::Error> {
        if let Some(known) = self.runnables.get(id) {
            return Ok(Some(known));
        }
        // Before it is read: what changes meanwhile is not in it.
        let (changes, read_at) = (self.runnables.changes.load(SeqCst), Instant::now());
        let Some(runnable) = self.read_runnable(id).await? else { return Ok(None) };
        self.runnables.insert(id, Known { runnable: runnable.clone(), changes, read_at });
        Ok(Some(runnable))
    }

    async fn read_runnable(&self, id: &str) -> Result<Option<Runnable>, sqlx::Error> {
        let mut reader = self.reader().await;
        let script: Option<ScriptRow> = sqlx::query_as("SELECT * FROM script WHERE id = $1").bind(id).fetch_optional(&mut *reader).await?;
        let Some(script) = script else { return Ok(None) };
        let version: Option<VersionRow> = match &script.version_id {
            Some(id) => sqlx::query_as("SELECT * FROM script_version WHERE id = $1").bind(id).fetch_optional(&mut *reader).await?,
            None => None,
        };
        Ok(Some(Runnable { script: script.into(), version: version.map(Arc::new) }))
    }
}
