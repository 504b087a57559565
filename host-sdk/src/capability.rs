use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use crate::{AllowList, BoxFuture, Budget, ErrorCode, Json, Usd};

/// Something a handler may reach outside its instance, under one adapter name: `memory`, `ai`, an installed resource.
///
/// A capability is composed into an executor once; what each call may do with it is decided per [`Operation`].
pub trait Capability: Send + Sync {
    /// What this operation will cost at most, told before it begins: if the call's budget does not hold it, the operation is
    /// refused with `COST_LIMIT` and `call` is never made.
    fn price(&self, operation: &Operation) -> Usd;

    /// Carries the operation out. Dropped, and so cancelled, when the call that asked for it ends, or does not want it any more.
    fn call(&self, operation: Operation) -> Answering;
}

/// An operation at work, or about to work, at its answer or at the next part of it.
pub type Answering = BoxFuture<'static, Result<Reply, OperationError>>;

/// What an operation answers: all of it, or a part and what will make the next one.
///
/// What makes the next part is not polled before the handler asks for it, so a capability that streams is never ahead of whoever
/// reads. What it holds meanwhile (a connection, a place) is the call's until it is dropped.
pub struct Reply {
    pub json: Json,
    pub more: Option<Answering>,
}

impl From<Json> for Reply {
    /// All of it.
    fn from(json: Json) -> Reply {
        Reply { json, more: None }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("json", &self.json).field("has_more", &self.more.is_some()).finish()
    }
}

/// One use of a capability by a running handler.
#[derive(Clone, Debug)]
pub struct Operation {
    pub execution_id: Arc<str>,
    /// The account that the handler runs for: whose data it sees. None: that of whoever runs the executor.
    pub user_id: Option<Arc<str>>,
    /// What follows the adapter's name: `create` of `memory.create`.
    pub method: String,
    pub arguments: Json,
    /// What is left of the call's wall time.
    pub time_left: Duration,
    /// What pays for whatever it costs besides its [`price`](Capability::price), which is paid already.
    pub budget: Arc<dyn Budget>,
    /// The hosts that the handler itself wants to reach, where it says so: no other, whatever the capability allows.
    pub allowed_hosts: Option<Arc<AllowList>>,
    /// The installed resources that the handler may use, by id or name: those that are in each of the lists.
    pub allowed_resources: Vec<Arc<[String]>>,
    /// How many handlers have called one another up to this one.
    pub depth: u32,
}

/// Why an operation failed; the handler gets it as an error with this code and message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct OperationError {
    pub code: ErrorCode,
    pub message: String,
}

impl OperationError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        OperationError { code, message: message.into() }
    }
}

/// Every power that the handlers of an executor have, by adapter name. What is not in here does not exist for them.
#[derive(Clone, Default)]
pub struct Capabilities(HashMap<String, Arc<dyn Capability>>);

impl Capabilities {
    pub fn with(mut self, adapter: impl Into<String>, capability: impl Capability + 'static) -> Self {
        self.0.insert(adapter.into(), Arc::new(capability));
        self
    }

    pub fn get(&self, adapter: &str) -> Option<&Arc<dyn Capability>> {
        self.0.get(adapter)
    }
}
