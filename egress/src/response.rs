//! What the guest is answered.

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body as _, Incoming},
    ext::ReasonPhrase,
    http::response,
};
use mirra_host_sdk::{ErrorCode, Json, OperationError};
use serde::{Serialize, Serializer};
use url::Url;

use crate::{
    deadline::Deadline,
    dial::failed,
    limits::{Held, Memory},
    target::Target,
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

/// A later part of an answer.
#[derive(Serialize)]
struct More<'a> {
    #[serde(serialize_with = "as_base64")]
    body: &'a [u8],
}

/// The head of an answer, and what there is of its body.
pub fn head_json(head: &response::Parts, body: &[u8], url: &Url) -> Result<Json, OperationError> {
    // hyper keeps the server's wording only where it is not the usual one.
    let reason = match head.extensions.get::<ReasonPhrase>() {
        Some(reason) => Some(text(reason.as_bytes())),
        None => head.status.canonical_reason().map(str::to_owned),
    };
    json(&Answer {
        status: head.status.as_u16(),
        reason: reason.filter(|reason| !reason.is_empty()),
        headers: headers(&head.headers),
        body,
        url: url.as_str(),
    })
}

pub fn part_json(body: &[u8]) -> Result<Json, OperationError> {
    json(&More { body })
}

fn json(answer: &impl Serialize) -> Result<Json, OperationError> {
    let unwritable = |error| OperationError::new(ErrorCode::InternalError, format!("http.request: the answer is no JSON: {error}"));
    serde_json::value::to_raw_value(answer).map_err(unwritable)
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

/// A body that comes in parts of about this size at most, and in one if it is known to be no larger.
const PART_BYTES: usize = 256 << 10;

/// A body on its way.
pub struct Body {
    incoming: Incoming,
    pub target: Target,
    bytes_max: usize,
    bytes_left: usize,
    pub deadline: Deadline,
}

/// What a part waits for. Whatever else is there already is in it too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Nothing: the head of an answer is not held up by its body.
    Never,
    /// The next bytes.
    ForBytes,
    /// The end.
    ToTheEnd,
}

pub struct Part {
    pub bytes: Vec<u8>,
    pub is_last: bool,
}

impl Body {
    /// # Errors
    /// `PAYLOAD_TOO_LARGE` if it says beforehand that it is.
    pub fn new(incoming: Incoming, target: Target, bytes_max: usize, deadline: Deadline) -> Result<Body, OperationError> {
        let body = Body { incoming, target, bytes_max, bytes_left: bytes_max, deadline };
        if body.incoming.size_hint().lower() > bytes_max as u64 { Err(body.too_large()) } else { Ok(body) }
    }

    /// How long its first part is worth waiting for: a small answer is one piece of news instead of two.
    pub fn first_wait(&self) -> Wait {
        match self.incoming.size_hint().exact() {
            Some(bytes) if bytes <= PART_BYTES as u64 => Wait::ToTheEnd,
            _ => Wait::Never,
        }
    }

    pub async fn read(&mut self, wait: Wait, memory: &Memory, held: &mut Held) -> Result<Part, OperationError> {
        let mut bytes = Vec::new();
        while !self.incoming.is_end_stream() {
            let is_enough = match wait {
                Wait::Never => true,
                Wait::ForBytes => !bytes.is_empty(),
                Wait::ToTheEnd => false,
            };
            let frame = match is_enough {
                true if bytes.len() >= PART_BYTES => return Ok(Part { bytes, is_last: false }),
                true => match self.incoming.frame().now_or_never() {
                    Some(frame) => frame,
                    None => return Ok(Part { bytes, is_last: false }),
                },
                false => self.deadline.within("reading the answer", self.incoming.frame()).await?,
            };
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| failed(&self.target, "the connection broke within the answer"))?;
            // Trailers, which nothing reads.
            let Ok(data) = frame.into_data() else { continue };
            self.bytes_left = self.bytes_left.checked_sub(data.len()).ok_or_else(|| self.too_large())?;
            held.add(memory.hold(data.len())?);
            bytes.extend_from_slice(&data);
        }
        Ok(Part { bytes, is_last: true })
    }

    fn too_large(&self) -> OperationError {
        let Body { target, bytes_max, .. } = self;
        let message = format!("{target}: the answer has more than the {bytes_max} bytes that it may have, and was cut off: ask for less");
        OperationError::new(ErrorCode::PayloadTooLarge, message)
    }
}
