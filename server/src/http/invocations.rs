//! `POST /v1/invocations`: a call for somebody else's scheduler, of a handler that is served here or of a script; once, if it has a key.

use std::{net::IpAddr, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::{HeaderMap, Method, Request, body::Incoming};
use mirra_control::{Caller, IdempotencyKey, InvocationRequest, Kept, Target};
use mirra_host_sdk::{ErrorCode, Invocation, LogEntry, LogSink, Outcome};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    body,
    endpoint::Endpoint,
    parts::{self, Format},
    reply::{self, Reply},
    run,
};
use crate::{problem::Problem, routes::State};

pub const PATH: &str = "/v1/invocations";

/// What stands around an event.
const ENVELOPE_BYTES_MAX: u64 = 64 << 10;

/// A call that goes on. Dropped, it ends, unless it is one that goes to its end in any case.
pub type Running = BoxFuture<'static, Result<Kept, Problem>>;

/// Log lines while it does. They are as many as a call may log, so that nothing has to wait for whoever reads them.
pub type Lines = UnboundedReceiver<LogEntry>;

pub async fn answer(endpoint: &Arc<Endpoint>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    if request.method() != Method::POST {
        return reply::wrong_method("POST");
    }
    let format = Format::wanted(request.headers());
    let answered = match (begin(endpoint, request, peer, format.is_some()).await, format) {
        (Ok((running, lines)), Some(format)) => parts::answer(format, running, lines).await,
        (Ok((running, _)), None) => running.await.map(reply::kept),
        (Err(problem), _) => Err(problem),
    };
    answered.unwrap_or_else(|problem| {
        if let Some(causes) = &problem.causes {
            tracing::error!(causes, "{}", problem.message);
        }
        reply::problem(&problem)
    })
}

/// Everything that can be wrong before the call, in the order in which it is found out.
async fn begin(endpoint: &Arc<Endpoint>, request: Request<Incoming>, peer: IpAddr, wants_lines: bool) -> Result<(Running, Lines), Problem> {
    // Before anything of the body is read, which strangers could make long.
    let admitted = Admitted::by(endpoint, request.headers(), peer).await?;
    let header = request.headers().get("idempotency-key").map(|value| value.as_bytes().to_vec());
    let body = body::read_event(request, endpoint.limits.event_bytes_max.saturating_add(ENVELOPE_BYTES_MAX)).await?;
    let (asked, target) = InvocationRequest::read(&body)?;
    let key = asked.idempotency_key(header.as_deref())?;
    let caller = admitted.may(endpoint, &target).await?;
    if endpoint.is_draining() {
        return Err(Problem::unavailable("the server is shutting down; try again in a moment"));
    }
    let key = key.map(|key| IdempotencyKey::new(caller.id(), key, &target, &asked));
    let (sender, lines) = unbounded_channel();
    let call = Call { endpoint: endpoint.clone(), caller, target, asked, lines: wants_lines.then_some(sender) };
    Ok((call.start(key)?, lines))
}

/// What whoever asks may call.
struct Admitted {
    handlers: Result<(), Problem>,
    scripts: Result<Caller, Problem>,
}

impl Admitted {
    async fn by(endpoint: &Endpoint, headers: &HeaderMap, peer: IpAddr) -> Result<Admitted, Problem> {
        let scripts = endpoint.caller(headers, peer).await.map_err(|stranger| stranger.problem);
        match (endpoint.admit(headers, peer).await, scripts) {
            (Err(refusal), Err(_)) => Err(refusal),
            (handlers, scripts) => Ok(Admitted { handlers, scripts }),
        }
    }

    /// In whose name it is called: handlers that are served are the owner's.
    async fn may(self, endpoint: &Endpoint, target: &Target) -> Result<Caller, Problem> {
        match target {
            Target::Handler(_) => {
                self.handlers?;
                Ok(endpoint.api.control.owner().await?.clone())
            }
            Target::Script(id) => {
                let caller = self.scripts?;
                endpoint.api.control.may_invoke(&caller, id)?;
                let budget = endpoint.api.rate.take(caller.key_id.as_deref().unwrap_or(caller.id()));
                if budget.retry_after.is_some() {
                    let message = format!("this key has made its {} requests of this minute", budget.limit);
                    return Err(Problem { retry_after: budget.retry_after, ..Problem::new(ErrorCode::RateLimited, message) });
                }
                Ok(caller)
            }
        }
    }
}

struct Call {
    endpoint: Arc<Endpoint>,
    caller: Caller,
    target: Target,
    asked: InvocationRequest,
    /// None: nobody wants them before it has ended.
    lines: Option<UnboundedSender<LogEntry>>,
}

impl Call {
    /// A script is in its history, and what has a key is known by it: those go on when whoever asked has gone away.
    fn start(self, key: Option<IdempotencyKey>) -> Result<Running, Problem> {
        let endpoint = self.endpoint.clone();
        let goes_to_its_end = key.is_some() || matches!(self.target, Target::Script(_));
        let work = async move {
            let control = self.endpoint.api.control.clone();
            match key {
                Some(key) => control.once(&key, self.make()).await,
                None => {
                    let outcome = self.make().await?;
                    let text = serde_json::to_string(&outcome);
                    let outcome = text.map_err(|_| Problem::new(ErrorCode::InternalError, "the outcome cannot be written"))?;
                    Ok(Kept { outcome, is_replayed: false })
                }
            }
        };
        if !goes_to_its_end {
            return Ok(work.boxed());
        }
        let stay = endpoint.stay()?;
        let task = tokio::spawn(async move {
            let _stay = stay;
            work.await
        });
        let broken = |_| Err(Problem::new(ErrorCode::InternalError, "the call broke off: the server's log has the cause"));
        Ok(task.map(move |ended| ended.unwrap_or_else(broken)).boxed())
    }

    /// An error: nothing ran.
    async fn make(&self) -> Result<Outcome, Problem> {
        let outcome = match &self.target {
            Target::Handler(name) => self.handler(name).await?,
            Target::Script(id) => {
                let sink = self.sink(None);
                self.endpoint.api.control.invoke_script(&self.caller, id, &self.asked, sink).await?
            }
        };
        match outcome.result {
            // An executor without a place says so in an outcome, and one that has run has used some time.
            Err(error) if outcome.usage.wall_us == 0 && matches!(error.code, ErrorCode::RateLimited | ErrorCode::PayloadTooLarge) => {
                Err(Problem::from(error))
            }
            result => Ok(Outcome { result, ..outcome }),
        }
    }

    async fn handler(&self, name: &str) -> Result<Outcome, Problem> {
        let unknown = || Problem::new(ErrorCode::NotFound, format!("there is no handler {name}; GET / lists all"));
        let route = self.endpoint.routes.get(name).ok_or_else(unknown)?;
        let id = match &route.state {
            State::Ready { id, .. } => id,
            State::Rejected(problem) => return Err(Problem::clone(problem)),
            State::Preparing => return Err(Problem::unavailable("the handler is being prepared; try again in a moment")),
        };
        let limits = self.asked.limits.within(self.endpoint.limits)?;
        let invocation = Invocation {
            execution_id: self.asked.execution_id.clone(),
            script_id: route.name.clone(),
            version: id.0.clone(),
            trigger: self.asked.trigger,
            log_sink: self.sink(Some(route.log_sink.clone())),
            ..Invocation::new(id.clone(), self.asked.event.clone(), limits)
        };
        run::invoke(&self.endpoint, &route, invocation).await
    }

    fn sink(&self, server: Option<Arc<dyn LogSink>>) -> Option<Arc<dyn LogSink>> {
        match &self.lines {
            Some(client) => Some(Arc::new(Both { server, client: client.clone() })),
            None => server,
        }
    }
}

/// The server's log and whoever reads along.
struct Both {
    server: Option<Arc<dyn LogSink>>,
    client: UnboundedSender<LogEntry>,
}

impl LogSink for Both {
    fn log(&self, entry: &LogEntry) {
        if let Some(server) = &self.server {
            server.log(entry);
        }
        // Who has gone away misses it.
        let _ = self.client.send(entry.clone());
    }
}
