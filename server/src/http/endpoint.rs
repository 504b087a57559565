//! Which route a request takes.

use std::{
    borrow::Cow,
    fmt::Write,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use hyper::{Method, Request, StatusCode, body::Incoming};
use mirra_host_sdk::{ErrorCode, Limits};
use mirra_runtime::LocalExecutor;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::{
    Admission, Api, Strangers, api, hooks, invocations, login,
    reply::{self, Reply},
    run,
};
use crate::{
    metrics::Metrics,
    problem::Problem,
    routes::{Routes, State},
};

/// Everything a request can reach.
pub struct Endpoint {
    pub executor: Arc<LocalExecutor>,
    pub routes: Arc<Routes>,
    pub metrics: Arc<Metrics>,
    pub admission: Admission,
    pub strangers: Strangers,
    pub api: Api,
    pub limits: Limits,
    pub address: SocketAddr,
    pub is_draining: AtomicBool,
    /// Held for reading by calls that go to their end, whoever goes away.
    pub staying: Arc<RwLock<()>>,
}

const RUN: &str = "/run/";

impl Endpoint {
    pub async fn answer(self: &Arc<Endpoint>, request: Request<Incoming>, peer: IpAddr) -> Reply {
        let path = request.uri().path();
        match path {
            "/healthz" => return reading(request.method(), || reply::text(StatusCode::OK, "ok\n")),
            "/readyz" => return reading(request.method(), || self.readiness()),
            // What everybody's server says, and nothing of anybody's.
            "/openapi.json" => return reading(request.method(), || self.api.document()),
            "/limits" => return reading(request.method(), || self.api.limits()),
            "/docs" => return reading(request.method(), || self.api.page()),
            _ => {}
        }
        if request.method() == Method::GET && (path == mirra_control::BEGIN || path.starts_with(mirra_control::CALLBACK)) {
            return login::answer(self, request).await;
        }
        if let Some(hook_id) = path.strip_prefix(hooks::PREFIX) {
            let hook_id = hook_id.to_owned();
            return hooks::answer(self, hook_id, request, peer).await;
        }
        if path.starts_with(api::PREFIX) {
            return api::answer(self, request, peer).await;
        }
        if path == invocations::PATH {
            return invocations::answer(self, request, peer).await;
        }
        if let Err(refusal) = self.admit(request.headers(), peer).await {
            return reply::problem(&refusal);
        }
        match path {
            "/" => reading(request.method(), || reply::text(StatusCode::OK, self.overview())),
            "/metrics" => reading(request.method(), || self.metrics()),
            _ => match path.strip_prefix(RUN) {
                Some(_) if request.method() != Method::POST => reply::wrong_method("POST"),
                Some(name) => match self.routes.get(&decoded(name)) {
                    Some(route) => run::run(self, &route, request).await,
                    None => not_found(&format!("there is no handler {}; GET / lists all", decoded(name))),
                },
                None => not_found("there is nothing at this address; POST /run/NAME calls a handler, and GET / lists them"),
            },
        }
    }

    /// From now on this server wants no more calls.
    pub fn drain(&self) {
        self.is_draining.store(true, Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Relaxed)
    }

    /// For a call that goes to its end: the server waits for it before it stops.
    pub fn stay(&self) -> Result<OwnedRwLockReadGuard<()>, Problem> {
        // Nobody gets it for reading once somebody waits for all to end.
        self.staying.clone().try_read_owned().map_err(|_| Problem::unavailable("the server is shutting down; try again in a moment"))
    }

    /// Until no such call is left.
    pub async fn all_ended(&self) {
        drop(self.staying.write().await);
    }

    fn readiness(&self) -> Reply {
        if self.is_draining() {
            return reply::unavailable("the server is shutting down");
        }
        match self.routes.all().values().filter(|route| matches!(route.state, State::Preparing)).count() {
            0 => reply::text(StatusCode::OK, "ready\n"),
            pending => reply::unavailable(&format!("{pending} handlers are being prepared")),
        }
    }

    fn metrics(&self) -> Reply {
        match self.metrics.render(self.executor.load(), self.routes.all().len()) {
            Ok(text) => reply::text(StatusCode::OK, text),
            Err(error) => {
                tracing::error!(%error, "cannot render the metrics");
                reply::problem(&Problem::new(ErrorCode::InternalError, "the metrics cannot be rendered"))
            }
        }
    }

    /// What a person sees who opens the address: the handlers, and how each is called.
    fn overview(&self) -> String {
        let routes = self.routes.all();
        let mut names: Vec<_> = routes.keys().collect();
        names.sort();
        let mut text = format!("mirra serves {} handlers\n\n", names.len());
        for name in names {
            let state = match &routes[name].state {
                State::Preparing => "  (being prepared)",
                State::Rejected(_) => "  (rejected; calling it tells why)",
                State::Ready { .. } => "",
            };
            let path = utf8_percent_encode(name, NON_ALPHANUMERIC);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "curl http://{}{RUN}{path} -d '{{}}'{state}", self.address);
        }
        text.push_str("\nGET /docs, /openapi.json, /healthz, /readyz, /metrics\n");
        text
    }
}

fn reading(method: &Method, answer: impl FnOnce() -> Reply) -> Reply {
    if matches!(*method, Method::GET | Method::HEAD) { answer() } else { reply::wrong_method("GET, HEAD") }
}

fn not_found(message: &str) -> Reply {
    reply::problem(&Problem::new(ErrorCode::NotFound, message))
}

/// Nearly every name is as it is in the path, and then nothing is copied.
fn decoded(name: &str) -> Cow<'_, str> {
    percent_decode_str(name).decode_utf8_lossy()
}
