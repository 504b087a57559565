//! Why an operation has no result.

use std::time::Duration;

use mirra_host_sdk::{ErrorCode, OperationError};
use serde_json::{Value, json};

/// For whoever called, with the cause for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub code: ErrorCode,
    pub message: String,
    /// What a program may want to know besides, such as `{"field": "limit"}`.
    pub details: Option<Box<Value>>,
    /// Of `RATE_LIMITED`: when it is worth trying again.
    pub retry_after: Option<Duration>,
    /// What failed in the host; told to nobody who calls.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError { code, message: message.into(), details: None, retry_after: None, cause: None }
    }

    /// A parameter is not what it has to be.
    pub fn invalid(field: &str, message: impl Into<String>) -> ApiError {
        ApiError { details: Some(Box::new(json!({ "field": field }))), ..ApiError::new(ErrorCode::ValidationError, message) }
    }

    /// There is no such thing, or it is somebody else's: which of the two is told to nobody.
    pub fn not_found(what: &str) -> ApiError {
        ApiError::new(ErrorCode::NotFound, format!("there is no {what}"))
    }

    pub fn internal(message: impl Into<String>, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
        ApiError { cause: Some(cause.into()), ..ApiError::new(ErrorCode::InternalError, message) }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> ApiError {
        ApiError::internal("the store could not be read or written", error)
    }
}

/// Of a request to the world.
impl From<OperationError> for ApiError {
    fn from(error: OperationError) -> ApiError {
        ApiError::new(error.code, error.message)
    }
}

impl From<ApiError> for OperationError {
    fn from(error: ApiError) -> OperationError {
        if let Some(cause) = &error.cause {
            tracing::error!(%cause, message = error.message, "an operation failed");
        }
        OperationError::new(error.code, error.message)
    }
}
