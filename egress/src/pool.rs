//! Connections kept for the next request.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use crate::{
    dial::{AbortOnDrop, Link},
    limits::EgressLimits,
    target::Target,
};

/// A list in the order of parking. It is short, so searching it costs less than keeping one list for each target.
pub struct Pool {
    parked: Mutex<Parked>,
    links_max: usize,
    idle_max: Duration,
}

/// Whose connection it is, and where it leads: a server may tie a login to a connection, so those never pass from one tenant to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub tenant: Arc<str>,
    pub target: Target,
}

#[derive(Default)]
struct Parked {
    links: VecDeque<ParkedLink>,
    last_id: u64,
}

struct ParkedLink {
    id: u64,
    peer: Peer,
    link: Link,
    /// Throws it out when its time has come. A timer for each: there are few, and none runs where there is nothing to wait for.
    _expiry: AbortOnDrop,
}

impl Pool {
    pub fn new(limits: &EgressLimits) -> Arc<Pool> {
        let idle_max = Duration::from_millis(limits.idle_ms_max);
        Arc::new(Pool { parked: Mutex::default(), links_max: limits.idle_connections_max, idle_max })
    }

    /// The tenant's connection to this target that was used last: it is the least likely to have been given up by the server.
    pub fn take(&self, peer: &Peer) -> Option<Link> {
        let mut parked = self.parked();
        let index = parked.links.iter().rposition(|parked| parked.peer == *peer)?;
        parked.links.remove(index).map(|parked| parked.link)
    }

    /// Keeps a connection that is free for another request.
    pub fn park(self: &Arc<Self>, peer: Peer, link: Link) {
        let mut parked = self.parked();
        parked.last_id += 1;
        let id = parked.last_id;
        let expiry = tokio::spawn(expire(Arc::downgrade(self), id, self.idle_max));
        parked.links.push_back(ParkedLink { id, peer, link, _expiry: AbortOnDrop(expiry.abort_handle()) });
        if parked.links.len() > self.links_max {
            parked.links.pop_front();
        }
    }

    fn parked(&self) -> MutexGuard<'_, Parked> {
        // The list is whole whenever its lock is free, whatever happened to a thread that held it.
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn expire(pool: Weak<Pool>, id: u64, idle_max: Duration) {
    tokio::time::sleep(idle_max).await;
    if let Some(pool) = pool.upgrade() {
        pool.parked().links.retain(|parked| parked.id != id);
    }
}
