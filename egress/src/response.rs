//! What the guest is answered.

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Incoming},
    ext::ReasonPhrase,
    http::response::Parts,
};
use mirra_host_sdk::{ErrorCode, Json, OperationError};
use serde::{Serialize, Serializer};
use url::Url;

use crate::{
    dial::failed,
    limits::{Held, Memory},
    request::Outgoing,
};

/// About the connection, which the guest has none of; and the body has no chunks any more.
const OURS: [&str; 7] = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    headers: Vec<(&'a str, String)>,
    #[serde(serialize_with = "as_base64")]
    body: &'a [u8],
    url: &'a str,
}

/// The answer as JSON.
pub fn json(head: &Parts, body: &[u8], url: &Url) -> Result<Json, OperationError> {
    // hyper keeps the server's wording only where it is not the usual one.
    let reason = match head.extensions.get::<ReasonPhrase>() {
        Some(reason) => Some(text(reason.as_bytes())),
        None => head.status.canonical_reason().map(str::to_owned),
    };
    let answer = Answer {
        status: head.status.as_u16(),
        reason: reason.filter(|reason| !reason.is_empty()),
        headers: headers(&head.headers),
        body,
        url: url.as_str(),
    };
    let unwritable = |error| OperationError::new(ErrorCode::InternalError, format!("http.request: the answer is no JSON: {error}"));
    serde_json::value::to_raw_value(&answer).map_err(unwritable)
}

fn headers(headers: &HeaderMap) -> Vec<(&str, String)> {
    let kept = headers.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.as_str(), text(value.as_bytes()))).collect()
}

/// A character for each byte, as in requests.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Straight into the JSON: as a string first, the largest bodies would be there three times.
fn as_base64<S: Serializer>(body: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(body, &STANDARD))
}

/// Reads a body to its end, or to where it is too much.
pub async fn read_body(mut body: Incoming, request: &Outgoing, memory: &Memory, held: &mut Held) -> Result<Vec<u8>, OperationError> {
    let (target, bytes_max) = (&request.target, request.response_body_bytes_max);
    let too_large = || {
        let message = format!("{target}: the answer has more than the {bytes_max} bytes that it may have, and was cut off: ask for less");
        OperationError::new(ErrorCode::PayloadTooLarge, message)
    };
    // What says beforehand that it is too long need not be read first.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| failed(target, "the connection broke within the answer"))?;
        // Trailers, which nothing reads.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > bytes_max - bytes.len() {
            return Err(too_large());
        }
        held.add(memory.hold(data.len())?);
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
