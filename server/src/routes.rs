//! What is deployed under which name. Calls read it without waiting; a deploy replaces the whole map at once, and calls in
//! flight keep what they began with.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use mirra_host_sdk::{Executor, HandlerId, LogSink, PrepareError, Prepared, Source};
use mirra_runtime::LocalExecutor;

use crate::{
    logs::LogWriter,
    metrics::{HandlerMetrics, Metrics},
    problem::Problem,
};

pub struct Routes {
    executor: Arc<LocalExecutor>,
    metrics: Arc<Metrics>,
    logs: LogWriter,
    tells_calls: bool,
    routes: ArcSwap<HashMap<Arc<str>, Arc<Route>>>,
}

/// One name.
pub struct Route {
    pub name: String,
    /// The handler's file or folder.
    pub path: PathBuf,
    pub state: State,
    /// The source as it is now is rejected, whatever is served.
    pub is_failing: bool,
    pub log_sink: Arc<dyn LogSink>,
    /// Where a line is written for each call, if somebody watches.
    pub calls: Option<LogWriter>,
    metrics_of_all: Arc<Metrics>,
    metrics: OnceLock<HandlerMetrics>,
}

/// What calls get.
#[derive(Clone)]
pub enum State {
    Preparing,
    Ready {
        id: HandlerId,
        /// Every file that it was made from.
        inputs: Arc<[PathBuf]>,
    },
    Rejected(Arc<Problem>),
}

/// What became of a deploy.
pub enum Deployed {
    Unchanged,
    New {
        took: Duration,
        warnings: Vec<String>,
        /// Nothing could be called under this name before.
        is_first: bool,
    },
    Failed {
        problem: Arc<Problem>,
        serves_previous: bool,
    },
}

impl Route {
    /// Looked up at the first call: most of a thousand handlers may never have one.
    pub fn metrics(&self) -> &HandlerMetrics {
        self.metrics.get_or_init(|| self.metrics_of_all.of_handler(&self.name))
    }

    pub fn inputs(&self) -> &[PathBuf] {
        match &self.state {
            State::Ready { inputs, .. } => inputs,
            _ => &[],
        }
    }

    fn handler(&self) -> Option<&HandlerId> {
        match &self.state {
            State::Ready { id, .. } => Some(id),
            _ => None,
        }
    }
}

impl Routes {
    /// `tells_calls`: with a line for each call among what handlers log.
    pub fn new(executor: Arc<LocalExecutor>, metrics: Arc<Metrics>, logs: LogWriter, tells_calls: bool) -> Routes {
        Routes { executor, metrics, logs, tells_calls, routes: ArcSwap::default() }
    }

    pub fn get(&self, name: &str) -> Option<Arc<Route>> {
        self.routes.load().get(name).cloned()
    }

    /// All of them, as they are now.
    pub fn all(&self) -> Arc<HashMap<Arc<str>, Arc<Route>>> {
        self.routes.load_full()
    }

    /// Makes names known before their handlers can be called.
    pub fn announce<'a>(&self, handlers: impl Iterator<Item = (&'a str, &'a Path)>) {
        let routes = handlers.map(|(name, path)| (name.into(), self.route(name, path, State::Preparing, false)));
        self.routes.store(Arc::new(routes.collect()));
    }

    /// Prepares what lies at `path` and puts it under `name`. Source that is rejected never replaces what can be called: the
    /// version before goes on serving.
    pub async fn deploy(&self, name: &str, path: &Path) -> Deployed {
        let prepared = self.executor.prepare(Source::path(path)).await;
        let before = self.get(name);
        match prepared {
            Ok(prepared) => self.replace(name, path, before.as_deref(), prepared),
            Err(error) => self.keep(name, path, before.as_deref(), error),
        }
    }

    pub fn remove(&self, name: &str) {
        let removed = self.get(name);
        self.routes.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            routes.remove(name);
            routes
        });
        removed.as_deref().and_then(Route::handler).inspect(|handler| self.release(handler));
    }

    fn replace(&self, name: &str, path: &Path, before: Option<&Route>, prepared: Prepared) -> Deployed {
        let Prepared { id, inputs, warnings, took, .. } = prepared;
        let previous = before.and_then(Route::handler);
        let is_unchanged = previous == Some(&id);
        self.set(name, path, State::Ready { id, inputs: inputs.into() }, false);
        if is_unchanged {
            return Deployed::Unchanged;
        }
        previous.inspect(|previous| self.release(previous));
        Deployed::New { took, warnings, is_first: previous.is_none() }
    }

    fn keep(&self, name: &str, path: &Path, before: Option<&Route>, error: PrepareError) -> Deployed {
        let problem = Arc::new(Problem::from(error));
        let previous = before.map(|route| &route.state).filter(|state| matches!(state, State::Ready { .. }));
        let serves_previous = previous.is_some();
        let state = previous.cloned().unwrap_or_else(|| State::Rejected(problem.clone()));
        self.set(name, path, state, true);
        Deployed::Failed { problem, serves_previous }
    }

    fn set(&self, name: &str, path: &Path, state: State, is_failing: bool) {
        let route = self.route(name, path, state, is_failing);
        self.routes.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            routes.insert(name.into(), route.clone());
            routes
        });
    }

    fn route(&self, name: &str, path: &Path, state: State, is_failing: bool) -> Arc<Route> {
        Arc::new(Route {
            name: name.to_owned(),
            path: path.to_owned(),
            state,
            is_failing,
            log_sink: self.logs.sink(name),
            calls: self.tells_calls.then(|| self.logs.clone()),
            metrics_of_all: self.metrics.clone(),
            metrics: OnceLock::new(),
        })
    }

    /// Frees a handler's memory unless another name has the same code. A call that is just about to begin on it finds it in
    /// the cache.
    fn release(&self, handler: &HandlerId) {
        let is_used = self.routes.load().values().any(|route| route.handler() == Some(handler));
        if !is_used {
            self.executor.forget(handler);
        }
    }
}
