//! What the guest asks for, checked.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Uri,
    header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, UPGRADE},
};
use mirra_host_sdk::{ErrorCode, OperationError};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::{limits::EgressLimits, target::Target};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Arguments {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<Base64>,
    timeout_ms: Option<f64>,
    response_bytes_max: Option<usize>,
}

/// Decoded as it is read, so that a body of megabytes is not copied first.
struct Base64(Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Base64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a body in base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64, E> {
                STANDARD.decode(text).map(Base64).map_err(|error| E::custom(format_args!("the body is not base64: {error}")))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A request as the host itself writes one.
pub struct Fetch<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// Each character of a value stands for the byte of its number.
    pub headers: &'a [(String, String)],
    pub body: Bytes,
    /// For the head of the answer, and again for each part of it.
    pub timeout: Option<Duration>,
    /// Of the answer's body.
    pub response_bytes_max: usize,
}

/// A request that may be sent as it is, if its target is allowed.
pub struct Outgoing {
    pub target: Target,
    /// Without what follows `#`, which is never sent.
    pub url: Url,
    /// What the guest gives it until its answer begins, and then to each part of that.
    pub timeout: Option<Duration>,
    pub response_body_bytes_max: usize,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Outgoing {
    /// # Errors
    /// `VALIDATION_ERROR` for what is malformed, `PAYLOAD_TOO_LARGE` for what is too long.
    pub fn parse(arguments: &str, limits: &EgressLimits) -> Result<Outgoing, OperationError> {
        let arguments: Arguments = serde_json::from_str(arguments).map_err(|error| invalid(format_args!("arguments: {error}")))?;
        let Arguments { method, url, headers, body, timeout_ms, response_bytes_max } = arguments;
        let timeout = timeout_ms.map(milliseconds).transpose()?;
        let body = Bytes::from(body.map(|Base64(body)| body).unwrap_or_default());
        let response_bytes_max = response_bytes_max.unwrap_or(usize::MAX);
        Outgoing::new(&Fetch { method: &method, url: &url, headers: &headers, body, timeout, response_bytes_max }, limits)
    }

    /// The same of what is no JSON.
    pub fn new(fetch: &Fetch<'_>, limits: &EgressLimits) -> Result<Outgoing, OperationError> {
        let Fetch { body, timeout, .. } = fetch;
        at_most(body.len(), limits.request_body_bytes_max, "bytes of body")?;
        at_most(fetch.headers.len(), limits.headers_max, "headers")?;
        let in_headers: usize = fetch.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        at_most(fetch.url.len() + in_headers, limits.head_bytes_max, "bytes of URL and headers")?;

        let (url, target) = parse_url(fetch.url)?;
        let method = method(fetch.method)?;
        let headers = headers(fetch.headers, &target, &method, body.len())?;
        let uri = match url.query() {
            Some(query) => format!("{}?{query}", url.path()).parse(),
            None => url.path().parse(),
        };
        let uri = uri.map_err(|error| invalid(format_args!("url: {error}")))?;
        let response_body_bytes_max = fetch.response_bytes_max.min(limits.response_body_bytes_max);
        Ok(Outgoing { target, url, timeout: *timeout, response_body_bytes_max, method, uri, headers, body: body.clone() })
    }

    /// Once for every attempt; the body is shared.
    pub fn http(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Sending it twice has the effect of sending it once, by what HTTP says of its method.
    pub fn is_idempotent(&self) -> bool {
        self.method.is_idempotent()
    }
}

fn milliseconds(number: f64) -> Result<Duration, OperationError> {
    match number > 0.0 {
        // Longer than the clock can count is as good as no limit.
        true => Ok(Duration::try_from_secs_f64(number / 1000.0).unwrap_or(Duration::MAX)),
        false => Err(invalid("timeoutMs must be more than 0")),
    }
}

fn parse_url(text: &str) -> Result<(Url, Target), OperationError> {
    // The standard has these dropped without a word. Nobody writes them but to get something past somebody.
    if text.contains(|character: char| character.is_ascii_control()) {
        return Err(invalid("url: it has control characters in it"));
    }
    let mut url = Url::parse(text).map_err(|error| invalid(format_args!("url: {error}")))?;
    let target = Target::of(&url).ok_or_else(|| invalid("url: it must begin with http:// or https://"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("url: it has a user or password in it, which belong into the header 'authorization'"));
    }
    url.set_fragment(None);
    Ok((url, target))
}

fn method(name: &str) -> Result<Method, OperationError> {
    let method = Method::from_bytes(name.as_bytes()).map_err(|_| invalid("method: HTTP allows no such name"))?;
    // CONNECT would open a tunnel to somewhere else; TRACE answers what was sent, whatever is put in between.
    match method {
        Method::CONNECT | Method::TRACE => Err(invalid(format_args!("method: {method} is not offered"))),
        method => Ok(method),
    }
}

/// About the connection and not the message: set by us if at all. Guest libraries send them as a matter of course, so they are
/// dropped and not refused. `expect` is among them because the body follows at once.
const OURS: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "http2-settings",
    "expect",
];

fn headers(given: &[(String, String)], target: &Target, method: &Method, body_length: usize) -> Result<HeaderMap, OperationError> {
    let mut headers = HeaderMap::with_capacity(given.len() + 2);
    let host = target.to_string();
    for (index, (name, value)) in given.iter().enumerate() {
        let unnamed = |_| invalid(format_args!("headers: HTTP allows no name like that of number {}", index + 1));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(unnamed)?;
        let value = header_value(value).ok_or_else(|| invalid(format_args!("headers: HTTP allows no value like that of '{name}'")))?;
        let is_same_host = |value: &[u8]| {
            let with_port = format!("{}:{}", target.host, target.port);
            [&host, &with_port].iter().any(|host| host.as_bytes().eq_ignore_ascii_case(value))
        };
        match name.as_str() {
            // Where these say what is true anyway, there is nothing to object to.
            "host" if is_same_host(value.as_bytes()) => {}
            "host" => return Err(invalid(format_args!("headers: 'host' must be the URL's, which is {host}"))),
            "content-length" if value.as_bytes() == body_length.to_string().as_bytes() => {}
            "content-length" => return Err(invalid(format_args!("headers: 'content-length' must be the body's, which is {body_length}"))),
            _ if name == UPGRADE => return Err(invalid("headers: 'upgrade' is not offered, only requests and answers are")),
            ours if OURS.contains(&ours) => {}
            _ => drop(headers.append(name, value)),
        }
    }
    let unwritable = |_| invalid("url: its host cannot be written into a header");
    headers.insert(HOST, HeaderValue::try_from(host).map_err(unwritable)?);
    // hyper tells how long a body is, and says nothing of an empty one. Servers that expect a body want to be told.
    if [Method::POST, Method::PUT, Method::PATCH].contains(method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body_length));
    }
    Ok(headers)
}

/// Each character is a byte. Line ends and zeros, which would begin another header, are none that HTTP allows in a value.
fn header_value(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

fn at_most(count: usize, max: usize, what: &str) -> Result<(), OperationError> {
    if count <= max {
        return Ok(());
    }
    Err(OperationError::new(ErrorCode::PayloadTooLarge, format!("http.request: it has {count} {what}, and may have {max}")))
}

fn invalid(reason: impl fmt::Display) -> OperationError {
    OperationError::new(ErrorCode::ValidationError, format!("http.request: {reason}"))
}
