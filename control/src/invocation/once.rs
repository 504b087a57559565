//! Calls that are made once, however often they are asked for: at most once, over restarts and crashes.
//!
//! The key is taken in the store before the call begins, and the outcome put under it when it has ended. Between the two, whoever asks again
//! waits; when the process ends between them, the call may have had its effects or not, and is not made again: whoever asks is told so.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mirra_host_sdk::{ErrorCode, InvocationError, Outcome, Usage};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::{InvocationRequest, Target};
use crate::{
    ApiError, Control,
    store::{InvocationRow, Store},
    time,
    worker::Worker,
};

/// How long a key is known.
pub const KNOWN_MS: i64 = time::DAY_MS;
/// Of an outcome that is kept; of a longer one, what fits.
const OUTCOME_BYTES_MAX: usize = 256 << 10;
const MESSAGE_CHARACTERS_MAX: usize = 10_000;
/// How often it is looked whether another process has ended a call.
const LOOK_MIN: Duration = Duration::from_millis(10);
const LOOK_MAX: Duration = Duration::from_millis(500);

/// A call that is to be made once.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// Keys of different accounts are different ones.
    pub account_id: String,
    pub key: String,
    /// Of what is called, and with which event.
    hash: String,
    /// Of the call, if this is the one that is made.
    execution_id: String,
}

impl IdempotencyKey {
    pub fn new(account_id: &str, key: String, target: &Target, request: &InvocationRequest) -> IdempotencyKey {
        let (kind, name) = match target {
            Target::Handler(name) => ("handler", name),
            Target::Script(id) => ("script", id),
        };
        let mut hasher = blake3::Hasher::new();
        for part in [kind, name.as_str(), request.event.get()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let (account_id, execution_id) = (account_id.to_owned(), request.execution_id.clone());
        IdempotencyKey { account_id, key, hash: hasher.finalize().to_hex().to_string(), execution_id }
    }
}

/// An outcome, as JSON.
#[derive(Clone, Debug)]
pub struct Kept {
    pub outcome: String,
    /// Of an earlier call under the same key.
    pub is_replayed: bool,
}

impl Control {
    /// Makes a call, unless it was made under this key within a day: then its outcome. Waits for one that is being made.
    ///
    /// `call` is polled only if it is to be made; it must not be given up then, and an error of it means that nothing ran: the key is as
    /// good as new. `CONFLICT` where the key was used for another call.
    pub async fn once<E: From<ApiError>>(&self, key: &IdempotencyKey, call: impl Future<Output = Result<Outcome, E>>) -> Result<Kept, E> {
        // Of those in this process, one is here at a time.
        let seat = self.turns().join(key)?;
        let _turn = seat.turn.running.lock().await;
        let store = &self.opened().await?.store;
        let worker = self.worker().ok_or_else(|| ApiError::new(ErrorCode::NotFound, "nothing runs here"))?;
        if let Some(outcome) = self.take(store, worker, key).await? {
            return Ok(Kept { outcome, is_replayed: true });
        }
        match call.await {
            Ok(outcome) => {
                let text = serde_json::to_string(&outcome).map_err(|error| ApiError::internal("an outcome cannot be written", error))?;
                let kept = shortened(&outcome, &text);
                let ended = store.end_invocation(&key.account_id, &key.key, &worker.id, kept.as_deref().unwrap_or(&text)).await;
                // Whoever waits gets it nevertheless. Those who ask later are told that it is lost.
                let _ = ended.inspect_err(|error| tracing::error!(key = key.key, %error, "an outcome could not be kept"));
                Ok(Kept { outcome: text, is_replayed: false })
            }
            Err(refusal) => {
                let released = store.release_invocation(&key.account_id, &key.key, &worker.id).await;
                let _ = released.inspect_err(|error| tracing::error!(key = key.key, %error, "a key could not be given back"));
                Err(refusal)
            }
        }
    }

    /// Takes the key. Some: there is an outcome under it.
    async fn take(&self, store: &Store, worker: &Worker, key: &IdempotencyKey) -> Result<Option<String>, ApiError> {
        let mut pause = LOOK_MIN;
        loop {
            let row = key.row(worker, self.now());
            let Some(found) = store.begin_invocation(&row, row.begun_at - KNOWN_MS).await? else { return Ok(None) };
            if found.hash != key.hash {
                return Err(conflict());
            }
            if let Some(outcome) = found.outcome {
                return Ok(Some(outcome));
            }
            // It is this process's turn, so whoever had begun it here is gone as well.
            if found.worker_id == worker.id || worker.is_dead(&found.worker_id) {
                // If it has ended just now, that outcome stays.
                store.end_invocation(&key.account_id, &key.key, &found.worker_id, &lost(found.execution_id)?).await?;
            } else {
                sleep(pause).await;
                pause = (pause * 2).min(LOOK_MAX);
            }
        }
    }
}

impl IdempotencyKey {
    fn row(&self, worker: &Worker, now: i64) -> InvocationRow {
        InvocationRow {
            account_id: self.account_id.clone(),
            key: self.key.clone(),
            hash: self.hash.clone(),
            worker_id: worker.id.clone(),
            execution_id: self.execution_id.clone(),
            begun_at: now,
            outcome: None,
        }
    }
}

fn conflict() -> ApiError {
    let message = "this idempotency key was used for another call (another handler, script or event): use a key of its own for each call";
    ApiError::new(ErrorCode::Conflict, message)
}

/// Nobody knows how it came to its end.
fn lost(execution_id: String) -> Result<String, ApiError> {
    let message = "the server ended while it ran: it may have had its effects or not; use a new key to run it again";
    let error = InvocationError::new(ErrorCode::InternalError, message);
    let outcome = Outcome { execution_id, result: Err(error), logs: Vec::new(), usage: Usage::default() };
    serde_json::to_string(&outcome).map_err(|error| ApiError::internal("an outcome cannot be written", error))
}

/// Without its logs, and without its result if that is still too long. None: it fits as it is.
fn shortened(outcome: &Outcome, text: &str) -> Option<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Short<'a> {
        execution_id: &'a str,
        success: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<InvocationError>,
        logs: [(); 0],
        usage: Usage,
        is_shortened: bool,
    }
    if text.len() <= OUTCOME_BYTES_MAX {
        return None;
    }
    let result = outcome.result.as_ref().ok().map(|result| if result.get().len() < OUTCOME_BYTES_MAX { &**result } else { RawValue::NULL });
    let error = outcome.result.as_ref().err().map(|error| {
        let message: String = error.message.chars().take(MESSAGE_CHARACTERS_MAX).collect();
        InvocationError::new(error.code, message)
    });
    let (execution_id, success, usage) = (outcome.execution_id.as_str(), outcome.result.is_ok(), outcome.usage);
    // Strings and numbers always serialize.
    serde_json::to_string(&Short { execution_id, success, result, error, logs: [], usage, is_shortened: true }).ok()
}

/// Those of this process who ask under a key.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<(String, String), Arc<Turn>>>);

struct Turn {
    hash: String,
    running: tokio::sync::Mutex<()>,
}

/// One of them, until dropped.
struct Seat<'a> {
    turns: &'a Turns,
    of: (String, String),
    turn: Arc<Turn>,
}

impl Turns {
    /// Refuses at once who asks for another call.
    fn join(&self, key: &IdempotencyKey) -> Result<Seat<'_>, ApiError> {
        let of = (key.account_id.clone(), key.key.clone());
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Turn { hash: key.hash.clone(), running: tokio::sync::Mutex::default() });
        let turn = turns.entry(of.clone()).or_insert_with(new).clone();
        if turn.hash == key.hash { Ok(Seat { turns: self, of, turn }) } else { Err(conflict()) }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut turns = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        // This one and the map's: nobody else is there.
        if Arc::strong_count(&self.turn) <= 2 {
            turns.remove(&self.of);
        }
    }
}
