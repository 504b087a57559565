//! How many requests are under way.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::EgressLimits;

/// Places for all, and a share of them for each tenant: one that waits for slow servers keeps nobody else waiting.
pub struct Places {
    all: Arc<Semaphore>,
    shares: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
    share: usize,
}

/// Held while a request is under way.
pub struct Place {
    _share: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Places {
    pub fn new(limits: &EgressLimits) -> Places {
        let bounded = |max: usize| max.min(Semaphore::MAX_PERMITS);
        let all = Arc::new(Semaphore::new(bounded(limits.requests_max)));
        Places { all, shares: Mutex::default(), share: bounded(limits.tenant_requests_max) }
    }

    pub async fn take(&self, tenant: &Arc<str>) -> Place {
        // They are never closed, so what comes is a place.
        let share = self.share_of(tenant).acquire_owned().await.ok();
        Place { _share: share, _of_all: self.all.clone().acquire_owned().await.ok() }
    }

    fn share_of(&self, tenant: &Arc<str>) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(tenant) {
            return share.clone();
        }
        // Of those that have no requests under way, nobody but this knows.
        shares.retain(|_, share| Arc::strong_count(share) > 1);
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(tenant.clone(), share.clone());
        share
    }
}
