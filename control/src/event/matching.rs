//! Which flows an event starts. They are kept compiled in memory, and follow the store: what this process changes is seen at once, what
//! another does after a second.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use mirra_triggers::{Conditions, Event, Index};

use crate::{
    ApiError,
    store::{StarterRow, Store},
};

/// How old what is known may be, where another process may have changed it.
const AGE_MAX: Duration = Duration::from_secs(1);
const PART: u64 = 1_000;

/// Whose events start a flow.
const GLOBAL: &str = "global";

#[derive(Default)]
pub struct Matcher {
    known: RwLock<Known>,
    is_stale: AtomicBool,
    /// One at a time, so that a part is not read twice.
    following: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    index: Index<Arc<str>>,
    /// The newest change that is in there.
    change: i64,
    looked_at: Option<Instant>,
    /// There is or was one that events of a team start.
    has_teams: bool,
}

impl Matcher {
    /// Something has changed here.
    pub fn is_stale(&self) {
        self.is_stale.store(true, Relaxed);
    }

    /// Brings what is known up to date.
    pub async fn follow(&self, store: &Store) -> Result<(), ApiError> {
        let is_fresh = || self.read(|known| known.looked_at.is_some_and(|at| at.elapsed() < AGE_MAX)) && !self.is_stale.load(Relaxed);
        if is_fresh() {
            return Ok(());
        }
        let _following = self.following.lock().await;
        if is_fresh() {
            return Ok(());
        }
        self.is_stale.store(false, Relaxed);
        let looked_at = Some(Instant::now());
        let is_first = self.read(|known| known.looked_at.is_none());
        loop {
            let rows = store.changed_flows(self.read(|known| known.change), is_first, PART).await?;
            let is_last = rows.len() < PART as usize;
            self.write(|known| rows.iter().for_each(|row| known.take(row)));
            if is_last {
                break;
            }
        }
        self.write(|known| known.looked_at = looked_at);
        Ok(())
    }

    /// Whether an event of an account could start any, if it is of that type.
    pub async fn is_waiting(&self, store: &Store, account_id: &str, event_type: &str) -> Result<bool, ApiError> {
        let audiences = self.audiences(store, account_id).await?;
        Ok(self.read(|known| audiences.iter().any(|audience| known.index.is_waiting(audience, event_type))))
    }

    /// Ids of flows that an event of an account starts.
    pub async fn matching(&self, store: &Store, account_id: &str, event: &Event) -> Result<Vec<Arc<str>>, ApiError> {
        let audiences = self.audiences(store, account_id).await?;
        Ok(self.read(|known| audiences.iter().flat_map(|audience| known.index.matching(audience, event)).collect()))
    }

    async fn audiences(&self, store: &Store, account_id: &str) -> Result<Vec<String>, ApiError> {
        let mut audiences = vec![GLOBAL.to_owned(), user(account_id)];
        if self.read(|known| known.has_teams) {
            audiences.extend(store.teams_of(account_id).await?.iter().map(|joined| team(&joined.id)));
        }
        Ok(audiences)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn take(&mut self, row: &StarterRow) {
        self.change = self.change.max(row.change);
        let id: Arc<str> = row.id.as_str().into();
        let Some(event_type) = row.event_type.as_ref().filter(|_| row.status == "active") else {
            self.index.remove(&id);
            return;
        };
        // It was checked when it was written.
        let conditions = row.conditions.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let Ok(conditions) = Conditions::read(&conditions) else {
            tracing::error!(flow = row.id, "the conditions of a flow cannot be read: no event starts it");
            return;
        };
        let audience = match (&*row.scope, &row.team_id) {
            ("global", _) => GLOBAL.to_owned(),
            ("team", Some(id)) => team(id),
            _ => user(&row.owner_id),
        };
        self.has_teams |= row.team_id.is_some();
        self.index.insert(id, &audience, event_type, Arc::new(conditions));
    }
}

fn user(id: &str) -> String {
    format!("user {id}")
}

fn team(id: &str) -> String {
    format!("team {id}")
}
