use std::{fmt, future::Future, path::PathBuf, pin::Pin, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{HostError, Invocation, Outcome, PrepareError};

/// What asynchronous trait methods answer: boxed, so that executors can stand behind `dyn Executor`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs handlers. Whatever starts one (HTTP, cron, an event, somebody else's scheduler) goes through this trait.
pub trait Executor: Send + Sync {
    /// Makes a handler callable and answers its id. All compiling happens here. Preparing the same source again is cheap and
    /// answers the same id.
    fn prepare(&self, source: Source) -> BoxFuture<'_, Result<Prepared, PrepareError>>;

    /// One call in a fresh instance. A failure of the handler or a limit it hit is an [`Outcome`]; an error means that the
    /// host itself failed, or that it was asked for a handler that was never prepared.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Outcome, HostError>>;
}

/// Where a handler's code lies: a `.ts`, `.js` or `.mjs` file, a folder with a `package.json`, or a `.wasm` component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    pub path: PathBuf,
}

impl Source {
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Source { path: path.into() }
    }
}

/// Names what was prepared by its content: the hash of the code and of the engine build it was prepared for, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandlerId(pub String);

impl fmt::Display for HandlerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A handler that can be invoked.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub id: HandlerId,
    /// Every file that was read to make it, or would have been if it were there: what to watch for changes.
    pub inputs: Vec<PathBuf>,
    /// What the bundler thought worth saying, and what the handler's top level logged.
    pub warnings: Vec<String>,
    /// It was in the cache: nothing was compiled.
    pub is_cached: bool,
    pub took: Duration,
}
