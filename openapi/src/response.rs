//! From a server's answer to a value.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    media::{self, Form},
    operation::{Media, Operation, Response, Statuses},
    schema::Direction,
};

/// Bytes of a body.
pub const RESPONSE_BYTES_MAX: usize = 10 << 20;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseError {
    /// A JSON pointer into the body.
    pub pointer: String,
    pub message: String,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() { self.message.fmt(formatter) } else { write!(formatter, "{} {}", self.pointer, self.message) }
    }
}

impl std::error::Error for ResponseError {}

fn error(message: impl Into<String>) -> ResponseError {
    ResponseError { pointer: String::new(), message: message.into() }
}

impl Operation {
    /// The value of an answer: JSON as it is, text as a string, other bytes as base64, and nothing as null. It fits the schema that
    /// the document has for the status; an answer that the document says nothing of is taken as its content type tells.
    pub fn response(&self, status: u16, content_type: Option<&str>, body: &[u8]) -> Result<Value, ResponseError> {
        if body.len() > RESPONSE_BYTES_MAX {
            return Err(error(format!("the body has {} bytes; at most {RESPONSE_BYTES_MAX} are read", body.len())));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        let declared = self.declared(status).map_or(&[][..], |response| &response.media);
        let content_type = content_type.map(str::trim).filter(|content_type| !content_type.is_empty());
        let media = match (content_type, declared) {
            (Some(content_type), _) => media::matching(declared, content_type),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let content_type = content_type.or_else(|| media.map(|media| &*media.content_type)).unwrap_or("text/plain");
        let form = Form::of(content_type);
        let value = match form {
            Form::Json => {
                serde_json::from_slice(body).map_err(|cause| error(format!("the body says that it is JSON and is not: {cause}")))?
            }
            Form::Text | Form::UrlEncoded => String::from_utf8_lossy(body).into_owned().into(),
            Form::Multipart | Form::Bytes => STANDARD.encode(body).into(),
        };
        match media {
            Some(media) if matches!(form, Form::Json | Form::Text) => self.fits(media, &value)?,
            _ => {}
        }
        Ok(value)
    }

    /// What the document says of a status: the status itself, then its range, then what holds for all others.
    fn declared(&self, status: u16) -> Option<&Response> {
        let find = |statuses: Statuses| self.responses.iter().find(|response| response.statuses == statuses);
        find(Statuses::One(status)).or_else(|| find(Statuses::Range(status / 100))).or_else(|| find(Statuses::Default))
    }

    fn fits(&self, media: &Media, value: &Value) -> Result<(), ResponseError> {
        let Some(id) = media.schema else { return Ok(()) };
        self.schemas.check(id, Direction::Response, value).map_err(|flaw| {
            let message = if flaw.pointer.is_empty() { format!("the body {}", flaw.message) } else { flaw.message };
            ResponseError { pointer: flaw.pointer, message }
        })
    }
}
