//! The capability itself: one request, from the guest's JSON to the guest's JSON.

use std::sync::Arc;

use hyper::{Response, body::Incoming};
use mirra_host_sdk::{AllowList, Answering, Capability, ErrorCode, HostError, Operation, OperationError, Reply, Usd};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    deadline::Deadline,
    dial::{Dialler, Link, SendError, failed},
    limits::{EgressLimits, Held, Memory},
    permission::Permission,
    pool::Pool,
    request::Outgoing,
    resolve::{Resolve, SystemResolver},
    response::{self, Body, Wait},
};

/// What an [`Egress`] is made of.
#[derive(Clone)]
pub struct EgressConfig {
    pub allowed: AllowList,
    pub limits: EgressLimits,
    /// For every request, answered or not. US dollars.
    pub request_usd: Usd,
    pub resolver: Arc<dyn Resolve>,
    /// Certificates in PEM, any number, that are trusted like Mozilla's: of a company's own authority.
    pub root_certificates_pem: String,
}

impl EgressConfig {
    /// Free of charge, with the default limits and the system's resolver.
    pub fn new(allowed: AllowList) -> EgressConfig {
        EgressConfig {
            allowed,
            limits: EgressLimits::default(),
            request_usd: Usd::ZERO,
            resolver: Arc::new(SystemResolver::new()),
            root_certificates_pem: String::new(),
        }
    }
}

/// HTTP out of the handlers of **one** tenant. Registered as `http`:
///
/// ```
/// use mirra_egress::{Egress, EgressConfig};
/// use mirra_host_sdk::{AllowList, Capabilities};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let allowed = AllowList::parse(["api.example.com", "*.example.org"])?;
/// let capabilities = Capabilities::default().with("http", Egress::new(EgressConfig::new(allowed))?);
/// # Ok(())
/// # }
/// ```
///
/// Operations run inside of a tokio runtime with timers and I/O. Dropping one closes its connection at once.
///
/// # Errors
/// What `http.request` fails with:
///
/// | code | when |
/// |---|---|
/// | `VALIDATION_ERROR` | the arguments, the URL or a header are malformed |
/// | `RESOURCE_DENIED` | the allow list does not have the host, or it is not public and matched a wildcard only |
/// | `PAYLOAD_TOO_LARGE` | the request or its answer is too large |
/// | `RATE_LIMITED` | all requests together hold too much memory |
/// | `TIMEOUT` | `timeoutMs` has passed without the answer's head or, later, another part; or what is left of the call's time |
/// | `HANDLER_ERROR` | the name does not resolve, nobody answers, TLS fails, the server breaks off or speaks no HTTP |
pub struct Egress {
    shared: Arc<Shared>,
}

struct Shared {
    allowed: AllowList,
    limits: EgressLimits,
    request_usd: Usd,
    dialler: Dialler,
    pool: Arc<Pool>,
    places: Arc<Semaphore>,
    memory: Memory,
}

impl Egress {
    /// # Errors
    /// A root certificate is none.
    pub fn new(config: EgressConfig) -> Result<Egress, HostError> {
        let EgressConfig { allowed, limits, request_usd, resolver, root_certificates_pem } = config;
        let shared = Shared {
            allowed,
            limits,
            request_usd,
            dialler: Dialler::new(resolver, &root_certificates_pem, &limits)?,
            pool: Pool::new(&limits),
            places: Arc::new(Semaphore::new(limits.requests_max.min(Semaphore::MAX_PERMITS))),
            memory: Memory::new(limits.held_bytes_max),
        };
        Ok(Egress { shared: Arc::new(shared) })
    }
}

impl Capability for Egress {
    fn price(&self, _operation: &Operation) -> Usd {
        self.shared.request_usd
    }

    fn call(&self, operation: Operation) -> Answering {
        // Both count from now on and not from the first poll: a guest may start a thousand before it waits for any.
        let begun = Instant::now();
        let held = match self.shared.memory.hold(operation.arguments.get().len()) {
            Ok(held) => held,
            // What it would have sent is not kept until somebody hears of that.
            Err(refusal) => return Box::pin(std::future::ready(Err(refusal))),
        };
        let shared = self.shared.clone();
        Box::pin(async move { shared.request(operation, begun, held).await })
    }
}

impl Shared {
    async fn request(self: Arc<Self>, operation: Operation, begun: Instant, mut held: Held) -> Result<Reply, OperationError> {
        if operation.method != "request" {
            let message = format!("http.{} is no operation: there is http.request", operation.method);
            return Err(OperationError::new(ErrorCode::ValidationError, message));
        }
        let request = Outgoing::parse(operation.arguments.get(), &self.limits)?;
        let permission = Permission::of(&request.target, &self.allowed, operation.allowed_hosts.as_deref())?;
        let deadline = Deadline::new(begun, operation.time_left, request.timeout, request.target.to_string());
        // Its text is not needed while this waits; a body is in `request` now.
        drop(operation);

        // They are never closed, so what comes is a place.
        let place = deadline.within("waiting for other requests to end", self.places.clone().acquire_owned()).await?.ok();
        let (answer, link) = self.send(&request, permission, &deadline).await?;
        let (head, body) = answer.into_parts();
        let mut body = Body::new(body, request.target.clone(), request.response_body_bytes_max, deadline)?;
        let part = body.read(body.first_wait(), &self.memory, &mut held).await?;
        let json = response::head_json(&head, &part.bytes, &request.url)?;
        let rest = Rest { shared: self, body, link, _place: place };
        Ok(Reply { json, more: rest.after(part.is_last).await })
    }

    /// Sends over a kept connection or a new one. A server may close a kept one at any time, and so while a request is on its
    /// way: such a request is sent again where that cannot do anything twice.
    async fn send(
        &self,
        request: &Outgoing,
        permission: Permission,
        deadline: &Deadline,
    ) -> Result<(Response<Incoming>, Link), OperationError> {
        loop {
            let kept = self.pool.take(&request.target);
            let is_kept = kept.is_some();
            let mut link = match kept {
                Some(link) => link,
                None => self.dialler.dial(&request.target, permission, deadline).await?,
            };
            match deadline.within("waiting for an answer", link.send(request.http())).await? {
                Ok(answer) => return Ok((answer, link)),
                Err(SendError { error, is_unsent }) => {
                    let may_repeat = is_unsent || (request.is_idempotent() && !error.is_parse());
                    if !(is_kept && may_repeat) {
                        return Err(unanswered(request, &error));
                    }
                }
            }
        }
    }
}

/// What is left of an answer, and what it comes over.
struct Rest {
    shared: Arc<Shared>,
    body: Body,
    link: Link,
    _place: Option<OwnedSemaphorePermit>,
}

impl Rest {
    fn next(mut self) -> Answering {
        Box::pin(async move {
            self.body.deadline.renew();
            let mut held = self.shared.memory.hold(0)?;
            let part = self.body.read(Wait::ForBytes, &self.shared.memory, &mut held).await?;
            let json = response::part_json(&part.bytes)?;
            Ok(Reply { json, more: self.after(part.is_last).await })
        })
    }

    /// What makes the next part; after the last one, the connection is for others.
    async fn after(mut self, is_over: bool) -> Option<Answering> {
        if !is_over {
            return Some(self.next());
        }
        if self.link.is_reusable().await {
            self.shared.pool.park(self.body.target, self.link);
        }
        None
    }
}

fn unanswered(request: &Outgoing, error: &hyper::Error) -> OperationError {
    let target = &request.target;
    match error {
        error if error.is_parse_too_large() => {
            OperationError::new(ErrorCode::PayloadTooLarge, format!("{target}: the answer's headers are too many or too large"))
        }
        error if error.is_parse() => failed(target, "what it answered is not HTTP/1"),
        _ => failed(target, "the connection was closed before an answer came"),
    }
}
