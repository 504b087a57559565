//! Answers.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use http_body_util::{Either, Full, StreamBody};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    },
};
use mirra_control::Kept;
use mirra_host_sdk::{ErrorCode, Outcome, Usage, Usd};

use crate::problem::Problem;

/// Whole, or in parts as they are made.
pub type Body = Either<Full<Bytes>, StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>>;

pub type Reply = Response<Body>;

/// Where nothing tells when it is worth trying again.
const RETRY_SOON: Duration = Duration::from_secs(1);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    with_body(status, TEXT, text.into())
}

/// A page without scripts, which nobody else's page may show inside of it.
pub fn html(text: impl Into<Bytes>) -> Reply {
    let mut reply = with_body(StatusCode::OK, HTML, text.into());
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    reply.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    reply
}

pub fn json(status: StatusCode, json: Bytes) -> Reply {
    with_body(status, JSON, json)
}

/// Server-sent events, each as it is there.
pub fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> Reply {
    parts(EVENTS, events)
}

/// Parts, each as it is there.
pub fn parts(content_type: HeaderValue, parts: impl Stream<Item = Bytes> + Send + 'static) -> Reply {
    let mut reply = Response::new(Either::Right(StreamBody::new(parts.map(|bytes| Ok(Frame::data(bytes))).boxed())));
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that collect an answer before they hand it on are told not to.
    reply.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    reply
}

/// An outcome, whole.
pub fn kept(Kept { outcome, is_replayed }: Kept) -> Reply {
    let mut reply = with_body(StatusCode::OK, JSON, outcome.into());
    if is_replayed {
        reply.headers_mut().insert(HeaderName::from_static("x-mirra-replayed"), HeaderValue::from_static("true"));
    }
    reply
}

pub fn problem(problem: &Problem) -> Reply {
    let status = StatusCode::from_u16(problem.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = with_body(status, JSON, problem.to_json().into());
    match problem.code {
        ErrorCode::RateLimited => drop(reply.headers_mut().insert(RETRY_AFTER, seconds(problem.retry_after.unwrap_or(RETRY_SOON)))),
        ErrorCode::InternalError => {
            if let Some(retry_after) = problem.retry_after {
                *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                reply.headers_mut().insert(RETRY_AFTER, seconds(retry_after));
            }
        }
        ErrorCode::Unauthorized => drop(reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        _ => {}
    }
    reply
}

/// Rounded up: whoever waits that long has waited long enough.
pub fn seconds(time: Duration) -> HeaderValue {
    HeaderValue::from(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

/// For a while there is no answer.
pub fn unavailable(message: &str) -> Reply {
    problem(&Problem::unavailable(message))
}

pub fn wrong_method(allowed: &str) -> Reply {
    let mut reply = problem(&Problem::new(ErrorCode::ValidationError, format!("this address takes {allowed} only")));
    *reply.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    // Names of methods always fit into a header.
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        reply.headers_mut().insert(ALLOW, allowed);
    }
    reply
}

/// The result of a call as it is, or its failure in the envelope; what it used in the headers either way.
pub fn outcome(outcome: Outcome) -> Reply {
    let Outcome { execution_id, result, usage, .. } = outcome;
    let mut reply = match result {
        Ok(json) => with_body(StatusCode::OK, JSON, Bytes::from(Box::<str>::from(json).into_boxed_bytes())),
        Err(error) => problem(&Problem::from(error)),
    };
    insert_usage(reply.headers_mut(), &usage);
    // Ids are hex digits, so they always fit into a header.
    if let Ok(id) = HeaderValue::try_from(execution_id) {
        reply.headers_mut().insert(HeaderName::from_static("x-mirra-execution-id"), id);
    }
    reply
}

fn insert_usage(headers: &mut HeaderMap, usage: &Usage) {
    let Usage { cold_start_us, wall_us, cost_usd, .. } = *usage;
    headers.insert(HeaderName::from_static("x-mirra-cold-start-us"), cold_start_us.into());
    headers.insert(HeaderName::from_static("x-mirra-duration-us"), wall_us.into());
    headers.insert(HeaderName::from_static("x-mirra-cost-usd"), decimal(cost_usd));
}

fn decimal(amount: Usd) -> HeaderValue {
    // Digits and a point always fit into a header.
    HeaderValue::try_from(amount.to_string()).unwrap_or(HeaderValue::from_static("0"))
}

fn with_body(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(body)));
    *reply.status_mut() = status;
    // Room for all headers of a call at once.
    reply.headers_mut().reserve(8);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}
