//! The event: the body of a request, read no further than it may be long.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::{
    Request,
    body::{Body, Incoming},
    header::EXPECT,
};
use mirra_host_sdk::{ErrorCode, Json};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::problem::Problem;

/// A client that takes longer to send its event holds a connection that others could use.
const READ_TIME_MAX: Duration = Duration::from_secs(30);

/// Reserved for a body before any of it has arrived, whatever length it claims.
const RESERVED_MAX: u64 = 64 << 10;

/// What an overlong body's client is given to read the refusal before its connection is cut.
const LINGER: Duration = Duration::from_secs(2);

/// The body as JSON; `{}` for an empty one.
pub async fn read_event(request: Request<Incoming>, bytes_max: u64) -> Result<Json, Problem> {
    let bytes = read_bytes(request, bytes_max).await?;
    if bytes.is_empty() {
        return Ok(empty_event());
    }
    let not_utf8 = |_| Problem::new(ErrorCode::ValidationError, "the body is not JSON: it is not UTF-8");
    let text = String::from_utf8(bytes).map_err(not_utf8)?;
    RawValue::from_string(text).map_err(|error| Problem::not_json("the body is not JSON", &error))
}

/// The body, whatever it is.
pub async fn read_bytes(request: Request<Incoming>, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    let bytes = timeout(READ_TIME_MAX, read(request, bytes_max)).await;
    bytes.unwrap_or_else(|_| Err(Problem::new(ErrorCode::ValidationError, "the body took too long to arrive")))
}

fn empty_event() -> Json {
    // `{}` is JSON.
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

async fn read(request: Request<Incoming>, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    let is_waiting_for_leave = request.headers().contains_key(EXPECT);
    let mut body = request.into_body();
    let claimed = body.size_hint().lower();
    let mut is_too_long = claimed > bytes_max;
    let mut bytes = Vec::with_capacity(claimed.min(RESERVED_MAX) as usize);
    while !is_too_long && let Some(frame) = body.frame().await {
        let cut_off = |error| Problem::new(ErrorCode::ValidationError, format!("the body ended early: {error}"));
        // What is no data is a trailer, and of no interest.
        let Ok(data) = frame.map_err(cut_off)?.into_data() else { continue };
        is_too_long = (bytes.len() + data.len()) as u64 > bytes_max;
        if !is_too_long {
            bytes.extend_from_slice(&data);
        }
    }
    if !is_too_long {
        return Ok(bytes);
    }
    if !is_waiting_for_leave {
        tokio::spawn(discard(body));
    }
    Err(Problem::new(ErrorCode::PayloadTooLarge, format!("the event is longer than the {bytes_max} bytes that are allowed")))
}

/// Reads on without keeping anything: a connection that is cut while its client still writes loses the answer with it.
async fn discard(mut body: Incoming) {
    let read_on = async { while let Some(Ok(_)) = body.frame().await {} };
    // A client that sends for longer is cut.
    let _ = timeout(LINGER, read_on).await;
}
