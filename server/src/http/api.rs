//! `/api/sdk/…`: the operations of the control plane over HTTP.

use std::{
    net::IpAddr,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{HeaderName, RETRY_AFTER},
};
use mirra_control::{Answer, ApiError, Budget, Caller, Control, Means, RateLimit, Request as Asked, Routes, Unmatched, description};
use mirra_host_sdk::ErrorCode;

use super::{
    admission::Stranger,
    body,
    endpoint::Endpoint,
    reply::{self, Reply, seconds},
    stream::{self, Watched},
};
use crate::problem::Problem;

/// What the paths of the API begin with.
pub const PREFIX: &str = "/api/sdk";

/// A request's body: an entity of the memory or a document of an API, and some room.
pub const BODY_BYTES_MAX: u64 = 8 << 20;

/// What the API is made of.
pub struct Api {
    pub control: std::sync::Arc<Control>,
    pub routes: Routes,
    pub rate: RateLimit,
}

impl Api {
    /// What this API is, for programs.
    pub fn document(&self) -> Reply {
        static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
            // Written for people as well, who look at what has changed. JSON always serializes.
            let text = serde_json::to_string_pretty(&description::document()).unwrap_or_default();
            Bytes::from(text + "\n")
        });
        reply::json(StatusCode::OK, DOCUMENT.clone())
    }

    /// What calls, scripts, flows and accounts may use here.
    pub fn limits(&self) -> Reply {
        reply::json(StatusCode::OK, Bytes::from(description::limits(self.control.limits())))
    }

    /// The same for people.
    pub fn page(&self) -> Reply {
        static PAGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(description::page()));
        reply::html(PAGE.clone())
    }
}

/// The answer in its envelope, with how many requests are left.
pub async fn answer(endpoint: &Endpoint, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let (answered, budget) = match endpoint.caller(request.headers(), peer).await {
        Ok(caller) => {
            let budget = endpoint.api.rate.take(caller.key_id.as_deref().unwrap_or(caller.id()));
            let answered = if budget.retry_after.is_none() {
                call(&endpoint.api, &caller, request).await
            } else {
                let message = format!("this key has made its {} requests of this minute", budget.limit);
                Err(Problem::new(ErrorCode::RateLimited, message))
            };
            (answered, budget)
        }
        Err(Stranger { problem, budget }) => (Err(problem), budget),
    };
    let mut reply = answered.unwrap_or_else(|problem| {
        if let Some(causes) = &problem.causes {
            tracing::error!(causes, "{}", problem.message);
        }
        reply::problem(&problem)
    });
    insert_budget(&mut reply, budget);
    reply
}

async fn call(api: &Api, caller: &Caller, request: Request<Incoming>) -> Result<Reply, Problem> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let path = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let body = body::read_event(request, BODY_BYTES_MAX).await?;
    let matched = match api.routes.find(Asked { method: method.as_str(), path, query, body }) {
        Ok(matched) => matched,
        Err(Unmatched::Method(allowed)) => return Ok(reply::wrong_method(&allowed)),
        Err(Unmatched::Error(error)) => return Err(error.into()),
    };
    let answer = api.control.call(caller, &matched.adapter, &matched.operation, &matched.params, Means::default()).await?;
    if matched.is_page() {
        // A text in JSON.
        return Ok(reply::html(serde_json::from_str::<String>(answer.data.get()).unwrap_or_default()));
    }
    if let Some(more) = answer.more {
        let watched = Watched { control: api.control.clone(), caller: caller.clone() };
        return Ok(reply::events(stream::events(answer.data, more, watched)));
    }
    Ok(envelope(matched.shaped(answer)?))
}

pub fn envelope(answer: Answer) -> Reply {
    // Written by hand around what is JSON already. Numbers always serialize.
    let meta = answer.page.map(|page| format!(r#","meta":{}"#, serde_json::to_string(&page).unwrap_or_default())).unwrap_or_default();
    let text = [r#"{"success":true,"data":"#, answer.data.get(), &meta, "}"].concat();
    reply::json(StatusCode::OK, Bytes::from(text))
}

fn insert_budget(reply: &mut Reply, budget: Budget) {
    let resets_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + budget.resets_after;
    let headers = reply.headers_mut();
    headers.insert(HeaderName::from_static("x-ratelimit-limit"), budget.limit.into());
    headers.insert(HeaderName::from_static("x-ratelimit-remaining"), budget.remaining.into());
    headers.insert(HeaderName::from_static("x-ratelimit-reset"), seconds(resets_at));
    if let Some(retry_after) = budget.retry_after {
        headers.insert(RETRY_AFTER, seconds(retry_after));
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Problem {
        let ApiError { code, message, details, retry_after, cause } = error;
        let causes = cause.as_deref().map(|cause| {
            let all = std::iter::successors(Some(cause as &dyn std::error::Error), |&cause| cause.source());
            all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        });
        Problem { details: details.map(crate::problem::Details::Other), retry_after, causes, ..Problem::new(code, message) }
    }
}
