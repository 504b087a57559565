//! The capability itself: one request, from the guest's JSON to the guest's JSON.

use std::{sync::Arc, time::Duration};

use hyper::{HeaderMap, Response, body::Incoming, http::response::Parts};
use mirra_host_sdk::{AllowList, Answering, Capability, ErrorCode, HostError, Operation, OperationError, Reply, Usd};
use tokio::time::Instant;

use crate::{
    deadline::Deadline,
    dial::{Dialler, Link, SendError, failed},
    limits::{EgressLimits, Held, Memory},
    permission::{Permission, Reach},
    places::{Place, Places},
    pool::{Peer, Pool},
    request::{Fetch, Outgoing},
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

/// HTTP out of handlers, and of the host in a tenant's name. Registered as `http`:
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
/// Cloned, it is the same one. Operations run inside of a tokio runtime with timers and I/O. Dropping one closes its connection at once.
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
#[derive(Clone)]
pub struct Egress {
    shared: Arc<Shared>,
}

struct Shared {
    allowed: AllowList,
    limits: EgressLimits,
    request_usd: Usd,
    dialler: Dialler,
    pool: Arc<Pool>,
    places: Places,
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
            places: Places::new(&limits),
            memory: Memory::new(limits.held_bytes_max),
        };
        Ok(Egress { shared: Arc::new(shared) })
    }

    /// A request that the host makes in a tenant's name, such as one to an API with that tenant's credentials. `time_left` is for all of
    /// it. How large request and answer may be is for the host to say, within what all of them hold together.
    ///
    /// # Errors
    /// The same as of `http.request`.
    pub async fn fetch(
        &self,
        tenant: &Arc<str>,
        reach: Reach<'_>,
        fetch: Fetch<'_>,
        time_left: Duration,
    ) -> Result<Fetched, OperationError> {
        let begun = Instant::now();
        let shared = &self.shared;
        let held = shared.memory.hold(fetch.body.len())?;
        let limits = EgressLimits { request_body_bytes_max: usize::MAX, response_body_bytes_max: usize::MAX, ..shared.limits };
        let request = Outgoing::new(&fetch, &limits)?;
        let permission = reach.permission(&request.target, &shared.allowed)?;
        let (answer, link, place) = shared.send(&request, tenant, permission, begun, time_left).await?;
        let (head, body) = answer;
        let rest = Rest { shared: shared.clone(), tenant: tenant.clone(), body, link, _place: place };
        // What was sent is held until somebody answers.
        drop(held);
        Ok(Fetched { status: head.status.as_u16(), headers: head.headers, rest: Some(rest) })
    }
}

/// The answer to a request of the host's.
pub struct Fetched {
    pub status: u16,
    pub headers: HeaderMap,
    rest: Option<Rest>,
}

impl Fetched {
    /// More of the body as soon as there is any. None: that was all.
    pub async fn part(&mut self) -> Result<Option<Vec<u8>>, OperationError> {
        self.read(Wait::ForBytes).await
    }

    /// All of the body that has not been read yet.
    pub async fn whole(&mut self) -> Result<Vec<u8>, OperationError> {
        Ok(self.read(Wait::ToTheEnd).await?.unwrap_or_default())
    }

    async fn read(&mut self, wait: Wait) -> Result<Option<Vec<u8>>, OperationError> {
        let Some(mut rest) = self.rest.take() else { return Ok(None) };
        rest.body.deadline.renew();
        // What was handed on is whoever's who has it.
        let mut held = rest.shared.memory.hold(0)?;
        let part = rest.body.read(wait, &rest.shared.memory, &mut held).await?;
        match part.is_last {
            true => rest.park().await,
            false => self.rest = Some(rest),
        }
        Ok((!(part.is_last && part.bytes.is_empty())).then_some(part.bytes))
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
        let permission = Reach::Handler(operation.allowed_hosts.as_deref()).permission(&request.target, &self.allowed)?;
        let tenant = operation.user_id.unwrap_or_default();
        let time_left = operation.time_left;
        // Its text is not needed while this waits; a body is in `request` now.
        drop(operation.arguments);

        let ((head, mut body), link, place) = self.send(&request, &tenant, permission, begun, time_left).await?;
        let part = body.read(body.first_wait(), &self.memory, &mut held).await?;
        let json = response::head_json(&head, &part.bytes, &request.url)?;
        let rest = Rest { shared: self, tenant, body, link, _place: place };
        Ok(Reply { json, more: rest.after(part.is_last).await })
    }

    /// Waits for a place, sends, and waits for the head of the answer.
    async fn send(
        &self,
        request: &Outgoing,
        tenant: &Arc<str>,
        permission: Permission,
        begun: Instant,
        time_left: Duration,
    ) -> Result<((Parts, Body), Link, Place), OperationError> {
        let deadline = Deadline::new(begun, time_left, request.timeout, request.target.to_string());
        let place = deadline.within("waiting for other requests to end", self.places.take(tenant)).await?;
        let (answer, link) = self.exchange(request, tenant, permission, &deadline).await?;
        let (head, body) = answer.into_parts();
        let body = Body::new(body, request.target.clone(), request.response_body_bytes_max, deadline)?;
        Ok(((head, body), link, place))
    }

    /// Sends over a kept connection or a new one. A server may close a kept one at any time, and so while a request is on its
    /// way: such a request is sent again where that cannot do anything twice.
    async fn exchange(
        &self,
        request: &Outgoing,
        tenant: &Arc<str>,
        permission: Permission,
        deadline: &Deadline,
    ) -> Result<(Response<Incoming>, Link), OperationError> {
        let peer = Peer { tenant: tenant.clone(), target: request.target.clone() };
        loop {
            let kept = self.pool.take(&peer);
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
    tenant: Arc<str>,
    body: Body,
    link: Link,
    _place: Place,
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
    async fn after(self, is_over: bool) -> Option<Answering> {
        if !is_over {
            return Some(self.next());
        }
        self.park().await;
        None
    }

    async fn park(mut self) {
        if self.link.is_reusable().await {
            self.shared.pool.park(Peer { tenant: self.tenant, target: self.body.target }, self.link);
        }
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
