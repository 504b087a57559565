use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The codes of the API contract: a closed set that clients switch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    ValidationError,
    Unauthorized,
    NotFound,
    Conflict,
    PayloadTooLarge,
    RateLimited,
    InternalError,
    Timeout,
    MemoryLimit,
    CostLimit,
    HandlerError,
    ResourceDenied,
    OutputTooLarge,
}

impl ErrorCode {
    /// Every code, for metrics and documentation.
    pub const ALL: [ErrorCode; 13] = [
        ErrorCode::ValidationError,
        ErrorCode::Unauthorized,
        ErrorCode::NotFound,
        ErrorCode::Conflict,
        ErrorCode::PayloadTooLarge,
        ErrorCode::RateLimited,
        ErrorCode::InternalError,
        ErrorCode::Timeout,
        ErrorCode::MemoryLimit,
        ErrorCode::CostLimit,
        ErrorCode::HandlerError,
        ErrorCode::ResourceDenied,
        ErrorCode::OutputTooLarge,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::ValidationError => "VALIDATION_ERROR",
            ErrorCode::Unauthorized => "UNAUTHORIZED",
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::Conflict => "CONFLICT",
            ErrorCode::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            ErrorCode::RateLimited => "RATE_LIMITED",
            ErrorCode::InternalError => "INTERNAL_ERROR",
            ErrorCode::Timeout => "TIMEOUT",
            ErrorCode::MemoryLimit => "MEMORY_LIMIT",
            ErrorCode::CostLimit => "COST_LIMIT",
            ErrorCode::HandlerError => "HANDLER_ERROR",
            ErrorCode::ResourceDenied => "RESOURCE_DENIED",
            ErrorCode::OutputTooLarge => "OUTPUT_TOO_LARGE",
        }
    }

    /// A limit was hit, as opposed to a handler that failed by itself.
    pub fn is_limit(self) -> bool {
        use ErrorCode::*;
        matches!(self, Timeout | MemoryLimit | CostLimit | OutputTooLarge | PayloadTooLarge | RateLimited)
    }

    /// The HTTP status that carries it. The contract fixes those of requests; for executions the nearest in meaning.
    pub fn http_status(self) -> u16 {
        match self {
            ErrorCode::ValidationError => 400,
            ErrorCode::Unauthorized => 401,
            ErrorCode::CostLimit => 402,
            ErrorCode::ResourceDenied => 403,
            ErrorCode::NotFound => 404,
            ErrorCode::Conflict => 409,
            ErrorCode::PayloadTooLarge => 413,
            ErrorCode::RateLimited => 429,
            ErrorCode::InternalError | ErrorCode::HandlerError | ErrorCode::MemoryLimit | ErrorCode::OutputTooLarge => 500,
            ErrorCode::Timeout => 504,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call has no result, told for the handler's author. Never holds anything of the host's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct InvocationError {
    pub code: ErrorCode,
    /// What went wrong and, for a limit, which one and what to do.
    pub message: String,
    /// Class of the error that the handler threw, such as `TypeError`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Frames in the author's own files only, innermost first: `at name (file:line:column)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

impl InvocationError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        InvocationError { code, message: message.into(), name: None, stack: None }
    }
}

/// Why a handler could not be prepared.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// Its author's to mend.
    #[error("{}", Diagnostics(.0))]
    Rejected(Vec<Diagnostic>),
    /// The host's fault, with its cause chain for the operator.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl PrepareError {
    pub fn rejected(message: impl Into<String>) -> Self {
        PrepareError::Rejected(vec![Diagnostic { message: message.into(), ..Diagnostic::default() }])
    }
}

/// One thing wrong with a handler's code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub message: String,
    /// Relative to the handler's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// From 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The lines around it, with a marker below the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}:{}", self.column.unwrap_or(1))?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)?;
        match &self.frame {
            Some(frame) => write!(f, "\n{frame}"),
            None => Ok(()),
        }
    }
}

struct Diagnostics<'a>(&'a [Diagnostic]);

impl fmt::Display for Diagnostics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

/// The host failed: a message for whoever called, the cause chain for the operator.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct HostError {
    pub code: ErrorCode,
    pub message: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl HostError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        HostError { code, message: message.into(), source: None }
    }

    /// An internal error and what caused it.
    pub fn caused_by(message: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        HostError { code: ErrorCode::InternalError, message: message.into(), source: Some(source.into()) }
    }
}
