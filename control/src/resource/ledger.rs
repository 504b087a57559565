//! What calls cost, written down while they are made and before they are answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    ApiError,
    store::{Begun, Ended, Store},
};

/// Calls written in one statement.
const BATCH_MAX: usize = 500;

/// How long it may take until it is written how calls ended: many at a time disturb those that begin less.
const ENDED_AFTER: Duration = Duration::from_millis(50);

/// How long single calls are remembered.
const REMEMBERED_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// How often what is older is forgotten, while there are calls.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

type Outcome = Result<(), Arc<sqlx::Error>>;

enum Entry {
    Begun(Begun, oneshot::Sender<Outcome>),
    Ended(Ended),
}

/// Writes entries in the order in which they come, as many at a time as have come by then. A task of its own does so: what it is told is
/// written, even if the call that told it is given up.
pub struct Ledger(mpsc::UnboundedSender<Entry>);

const NOT_WRITTEN: &str = "the use of a resource could not be written down";

impl Ledger {
    pub fn start(store: Arc<Store>) -> Ledger {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(write(store, receiver));
        Ledger(sender)
    }

    /// Returns when it is in the store.
    pub async fn begun(&self, call: Begun) -> Result<(), ApiError> {
        let (told, written) = oneshot::channel();
        let lost = || ApiError::internal(NOT_WRITTEN, "its task has ended");
        self.0.send(Entry::Begun(call, told)).map_err(|_| lost())?;
        written.await.map_err(|_| lost())?.map_err(|error| ApiError::internal(NOT_WRITTEN, error))
    }

    /// Is written soon. That it was made, and its price, are written already.
    pub fn ended(&self, call: Ended) {
        let _ = self.0.send(Entry::Ended(call));
    }
}

async fn write(store: Arc<Store>, mut receiver: mpsc::UnboundedReceiver<Entry>) {
    let (mut batch, mut ended) = (Vec::new(), Vec::new());
    let mut forgotten_at: Option<Instant> = None;
    loop {
        let wait = if ended.is_empty() { Duration::MAX } else { ENDED_AFTER };
        match timeout(wait, receiver.recv_many(&mut batch, BATCH_MAX)).await {
            Ok(0) => return end(&store, &mut ended).await,
            Err(_) => end(&store, &mut ended).await,
            Ok(_) => {}
        }
        let mut begun = Vec::with_capacity(batch.len());
        for entry in batch.drain(..) {
            match entry {
                Entry::Begun(call, told) => begun.push((call, told)),
                Entry::Ended(call) => ended.push(call),
            }
        }
        if let Some((call, _)) = begun.first()
            && forgotten_at.is_none_or(|at| at.elapsed() > FORGET_EVERY)
        {
            forgotten_at = Some(Instant::now());
            tokio::spawn(forget(store.clone(), call.at - REMEMBERED_MS));
        }
        begin(&store, begun).await;
        if ended.len() >= BATCH_MAX {
            end(&store, &mut ended).await;
        }
    }
}

async fn begin(store: &Store, begun: Vec<(Begun, oneshot::Sender<Outcome>)>) {
    if begun.is_empty() {
        return;
    }
    let (calls, told): (Vec<Begun>, Vec<oneshot::Sender<Outcome>>) = begun.into_iter().unzip();
    let are_all_written = store.insert_calls(&calls).await.is_ok();
    for (call, told) in calls.iter().zip(told) {
        // What one of them has done wrong is no other's fault.
        let outcome = if are_all_written { Ok(()) } else { store.insert_calls(std::slice::from_ref(call)).await.map_err(Arc::new) };
        if let Err(error) = &outcome {
            tracing::error!(%error, NOT_WRITTEN);
        }
        // Whoever does not wait any more need not be told.
        let _ = told.send(outcome);
    }
}

async fn end(store: &Store, ended: &mut Vec<Ended>) {
    if let Err(error) = store.end_calls(ended).await {
        tracing::warn!(%error, "how calls of resources ended could not be written down");
    }
    ended.clear();
}

async fn forget(store: Arc<Store>, before: i64) {
    if let Err(error) = store.forget_calls_before(before).await {
        tracing::warn!(%error, "old calls of resources could not be forgotten");
    }
}
