use mirra_host_sdk::{Json, Limits, Trigger, Usd, new_execution_id};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{ApiError, params};

/// Of an idempotency key.
const KEY_BYTES_MAX: usize = 255;
const EXECUTION_ID_PREFIX: &str = "exec_";
const EXECUTION_ID_DIGITS: usize = 24;

/// A call, as a scheduler asks for it.
#[derive(Clone, Debug, Deserialize)]
// What is misspelt here would run without its limit, or twice.
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InvocationRequest {
    handler: Option<String>,
    script_id: Option<String>,
    #[serde(default = "no_event")]
    pub event: Json,
    idempotency_key: Option<String>,
    #[serde(default)]
    pub limits: Wanted,
    #[serde(default)]
    pub trigger: Trigger,
    /// Made here where none is given.
    #[serde(default = "new_execution_id")]
    pub execution_id: String,
}

/// What is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By the name that it is served under.
    Handler(String),
    /// By its id.
    Script(String),
}

/// Limits of one call: none is more than it would have without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Wanted {
    pub timeout_ms: Option<u64>,
    pub memory_bytes_max: Option<u64>,
    pub cost_usd_max: Option<Usd>,
}

/// `{}`
pub fn no_event() -> Json {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

impl InvocationRequest {
    /// `json`, checked as far as it can be without asking anybody.
    pub fn read(json: &RawValue) -> Result<(InvocationRequest, Target), ApiError> {
        let mut request: InvocationRequest = params::read(json)?;
        let digits = request.execution_id.strip_prefix(EXECUTION_ID_PREFIX).unwrap_or_default();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != EXECUTION_ID_DIGITS || !digits.bytes().all(is_digit) {
            let message = format!("executionId must be '{EXECUTION_ID_PREFIX}' and {EXECUTION_ID_DIGITS} digits of 0-9 and a-f");
            return Err(ApiError::invalid("executionId", message));
        }
        let target = match (request.handler.take(), request.script_id.take()) {
            (Some(name), None) => Target::Handler(name),
            (None, Some(id)) => Target::Script(id),
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("handler", "handler and scriptId are both there: give the one to be called"));
            }
            (None, None) => {
                let message = "give handler, the name of a handler that is served here, or scriptId, the id of a script of yours";
                return Err(ApiError::invalid("handler", message));
            }
        };
        Ok((request, target))
    }

    /// Under which key it is asked for: that of the body or that of the header.
    pub fn idempotency_key(&self, header: Option<&[u8]>) -> Result<Option<String>, ApiError> {
        let invalid = |message: String| ApiError::invalid("idempotencyKey", message);
        let header = header.map(|header| String::from_utf8_lossy(unquoted(header)).into_owned());
        let key = match (&self.idempotency_key, header) {
            (Some(body), Some(header)) if *body != header => {
                return Err(invalid("idempotencyKey and the header Idempotency-Key differ: give one of them".to_owned()));
            }
            (Some(body), _) => body.clone(),
            (None, Some(header)) => header,
            (None, None) => return Ok(None),
        };
        let is_printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if !(1..=KEY_BYTES_MAX).contains(&key.len()) || !key.bytes().all(is_printable) {
            return Err(invalid(format!("an idempotency key must be 1 to {KEY_BYTES_MAX} printable ASCII characters")));
        }
        Ok(Some(key))
    }
}

/// The header's standard has it in quotes; nobody's client does.
fn unquoted(header: &[u8]) -> &[u8] {
    header.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(header)
}

impl Wanted {
    /// `allowed`, or less where that is wanted.
    pub fn within(self, allowed: Limits) -> Result<Limits, ApiError> {
        let invalid = |field: &str, message: String| ApiError::invalid(&format!("limits.{field}"), format!("limits.{field} {message}"));
        let number = |field: &str, wanted: Option<u64>, max: u64| match wanted.unwrap_or(max) {
            number if (1..=max).contains(&number) => Ok(number),
            number => Err(invalid(field, format!("must be between 1 and {max}, as much as is allowed here, and is {number}"))),
        };
        let cost_usd_max = self.cost_usd_max.unwrap_or(allowed.cost_usd_max);
        if cost_usd_max > allowed.cost_usd_max {
            let message = format!("must be at most {}, as much as is allowed here, and is {cost_usd_max}", allowed.cost_usd_max);
            return Err(invalid("costUsdMax", message));
        }
        Ok(Limits {
            timeout_ms: number("timeoutMs", self.timeout_ms, allowed.timeout_ms)?,
            memory_bytes_max: number("memoryBytesMax", self.memory_bytes_max, allowed.memory_bytes_max)?,
            cost_usd_max,
            ..allowed
        })
    }
}
