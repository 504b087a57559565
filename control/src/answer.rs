use mirra_host_sdk::{Answering, Json, Reply};
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::ApiError;

/// What an operation answers: `data` of the envelope, and where it is a list, which part of which.
pub struct Answer {
    pub data: Json,
    pub page: Option<Page>,
    /// What makes the next part, where an answer comes in parts: `data` is the first one.
    pub more: Option<Answering>,
}

/// `meta` of the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    pub total: u64,
    pub limit: u64,
    pub offset: u64,
}

impl Answer {
    pub fn of(data: &impl Serialize) -> Result<Answer, ApiError> {
        let data = to_raw_value(data).map_err(|error| ApiError::internal("the answer cannot be written", error))?;
        Ok(Answer { data, page: None, more: None })
    }

    /// One that comes in parts.
    pub fn stream(first: Reply) -> Answer {
        Answer { data: first.json, page: None, more: first.more }
    }

    pub fn list(data: &impl Serialize, page: Page) -> Result<Answer, ApiError> {
        Ok(Answer { page: Some(page), ..Answer::of(data)? })
    }
}
