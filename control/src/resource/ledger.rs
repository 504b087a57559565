//! What calls cost, written down while they are made and before they are answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    ApiError,
    store::{Entry, Store},
};

/// Entries written in one transaction.
const BATCH_MAX: usize = 1_000;

/// How long single calls are remembered.
const REMEMBERED_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// How often what is older is forgotten, while there are calls.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

type Told = oneshot::Sender<Result<(), Arc<sqlx::Error>>>;

/// Writes entries in the order in which they come, as many in a transaction as have come by then. A task of its own does so: what it is
/// told is written, even if the call that told it is given up.
pub struct Ledger(mpsc::UnboundedSender<(Entry, Option<Told>)>);

const NOT_WRITTEN: &str = "the use of a resource could not be written down";

impl Ledger {
    pub fn start(store: Arc<Store>) -> Ledger {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(write(store, receiver));
        Ledger(sender)
    }

    /// Returns when it is in the store.
    pub async fn begun(&self, entry: Entry) -> Result<(), ApiError> {
        let (told, written) = oneshot::channel();
        self.0.send((entry, Some(told))).map_err(|_| ApiError::internal(NOT_WRITTEN, "its task has ended"))?;
        let written = written.await.map_err(|_| ApiError::internal(NOT_WRITTEN, "its task has ended"))?;
        written.map_err(|error| ApiError::internal(NOT_WRITTEN, error))
    }

    /// Is written soon. That a call has begun is written already, with its price; lost with the process, this is only how it ended.
    pub fn ended(&self, entry: Entry) {
        let _ = self.0.send((entry, None));
    }
}

async fn write(store: Arc<Store>, mut receiver: mpsc::UnboundedReceiver<(Entry, Option<Told>)>) {
    let mut batch = Vec::new();
    let mut forgotten_at: Option<Instant> = None;
    while receiver.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (entries, told): (Vec<Entry>, Vec<Option<Told>>) = batch.drain(..).unzip();
        let all = store.write_calls(&entries).await;
        for (entry, told) in entries.iter().zip(told) {
            // What one of them has done wrong is no other's fault.
            let outcome = if all.is_ok() { Ok(()) } else { store.write_calls(std::slice::from_ref(entry)).await.map_err(Arc::new) };
            if let Err(error) = &outcome {
                tracing::error!(%error, NOT_WRITTEN);
            }
            if let Some(told) = told {
                // Whoever does not wait any more need not be told.
                let _ = told.send(outcome);
            }
        }
        let is_due = forgotten_at.is_none_or(|at| at.elapsed() > FORGET_EVERY);
        if let (true, Some(Entry::Begun { call, .. })) = (is_due, entries.first()) {
            forgotten_at = Some(Instant::now());
            tokio::spawn(forget(store.clone(), call.at - REMEMBERED_MS));
        }
    }
}

async fn forget(store: Arc<Store>, before: i64) {
    if let Err(error) = store.forget_calls_before(before).await {
        tracing::warn!(%error, "old calls of resources could not be forgotten");
    }
}
