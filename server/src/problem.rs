//! Why something asked of mirra has no result, in the envelope of the API contract.

use std::{error::Error, fmt, time::Duration};

use mirra_host_sdk::{Diagnostic, ErrorCode, HostError, InvocationError, PrepareError};
use serde::Serialize;

/// Serializes as `{"success":false,"error":{"code","message","details"?}}`.
#[derive(Clone, Debug)]
pub struct Problem {
    pub code: ErrorCode,
    pub message: String,
    pub details: Option<Details>,
    /// When it is worth trying again: of `RATE_LIMITED`, and of `INTERNAL_ERROR` where there is no answer for the moment only.
    pub retry_after: Option<Duration>,
    /// What made the host fail: for the operator, never for whoever called.
    pub causes: Option<String>,
}

/// What a machine may want to know besides.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Details {
    Thrown {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack: Option<String>,
    },
    /// Where JSON that was sent is none: both from 1, the column in bytes.
    Place {
        line: usize,
        column: usize,
    },
    Rejected {
        diagnostics: Vec<Diagnostic>,
    },
    /// As the operation has it, such as `{"field": "limit"}`.
    Other(Box<serde_json::Value>),
}

impl Problem {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), details: None, retry_after: None, causes: None }
    }

    /// For a moment there is no answer.
    pub fn unavailable(message: impl Into<String>) -> Problem {
        Problem { retry_after: Some(Duration::from_secs(1)), ..Problem::new(ErrorCode::InternalError, message) }
    }

    /// `what` is not JSON, or not the JSON that was expected.
    pub fn not_json(what: &str, error: &serde_json::Error) -> Problem {
        let details = Details::Place { line: error.line(), column: error.column() };
        Problem { details: Some(details), ..Problem::new(ErrorCode::ValidationError, format!("{what}: {error}")) }
    }

    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            success: bool,
            error: Body<'a>,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            code: ErrorCode,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            details: Option<&'a Details>,
        }
        let error = Body { code: self.code, message: &self.message, details: self.details.as_ref() };
        // Strings and numbers always serialize.
        serde_json::to_vec(&Envelope { success: false, error }).unwrap_or_default()
    }
}

impl From<InvocationError> for Problem {
    fn from(error: InvocationError) -> Problem {
        let InvocationError { code, message, name, stack } = error;
        let details = (name.is_some() || stack.is_some()).then_some(Details::Thrown { name, stack });
        Problem { details, ..Problem::new(code, message) }
    }
}

impl From<PrepareError> for Problem {
    fn from(error: PrepareError) -> Problem {
        let message = error.to_string();
        match error {
            PrepareError::Rejected(diagnostics) => {
                Problem { details: Some(Details::Rejected { diagnostics }), ..Problem::new(ErrorCode::ValidationError, message) }
            }
            PrepareError::Host(error) => Problem::from(error),
        }
    }
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Problem {
        let causes = std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
        let causes = causes.reduce(|all, cause| format!("{all}: {cause}"));
        Problem { causes, ..Problem::new(error.code, error.message) }
    }
}

/// For the operator.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.as_ref().map_or(Ok(()), |causes| write!(f, "\n  caused by: {causes}"))
    }
}
