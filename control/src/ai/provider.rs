//! One request to a provider, and what its failures mean for whoever asked.

use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use mirra_egress::{Egress, Fetch, Fetched, Reach};
use mirra_host_sdk::{ErrorCode, OperationError};
use serde::Deserialize;

use super::config::Provider;
use crate::{ApiError, Means};

/// What a provider may answer.
pub const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The first wait before a request is made again; about twice as long before the second.
const RETRY_DELAY: Duration = Duration::from_millis(300);
const RETRIES_MAX: usize = 2;

/// Of a provider's own words.
const MESSAGE_CHARACTERS_MAX: usize = 500;

/// Why there is no answer.
pub struct Failure {
    pub error: ApiError,
    /// The same request may have one in a moment.
    pub is_transient: bool,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        Failure { error, is_transient: false }
    }
}

/// What a provider says of a failure, in a body or in an event.
#[derive(Default, Deserialize)]
pub struct Said {
    #[serde(default)]
    pub error: SaidError,
}

#[derive(Default, Deserialize)]
pub struct SaidError {
    #[serde(default)]
    pub r#type: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
}

impl SaidError {
    /// The status that would have come with it, had it not come within an answer.
    pub fn status(&self) -> u16 {
        match self.r#type.as_deref() {
            Some("invalid_request_error") => 400,
            Some("authentication_error") => 401,
            Some("permission_error") => 403,
            Some("not_found_error") => 404,
            Some("request_too_large") => 413,
            Some("rate_limit_error") => 429,
            Some("overloaded_error") => 529,
            _ => 500,
        }
    }
}

/// A request as it is sent.
pub struct Asked<'a> {
    pub provider: &'a Provider,
    /// In whose name.
    pub account_id: &'a str,
    /// Behind the provider's URL.
    pub path: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Asked<'_> {
    /// Until the head of the answer.
    pub async fn send(&self, egress: &Egress, time_left: Duration) -> Result<Fetched, Failure> {
        let url = format!("{}{}", self.provider.url, self.path);
        let body = self.body.clone();
        let fetch = Fetch { method: "POST", url: &url, headers: &self.headers, body, timeout: None, response_bytes_max: ANSWER_BYTES_MAX };
        // One account that waits for slow answers keeps nobody else waiting, nor its own requests to elsewhere.
        let tenant: Arc<str> = format!("{} {}", self.provider.name, self.account_id).into();
        let mut fetched = egress.fetch(&tenant, Reach::Anywhere, fetch, time_left).await.map_err(|error| self.provider.unreached(error))?;
        if (200..300).contains(&fetched.status) {
            return Ok(fetched);
        }
        let retry_after = fetched.headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let said: Said = serde_json::from_slice(&fetched.whole().await.unwrap_or_default()).unwrap_or_default();
        Err(self.provider.refused(fetched.status, said.error, retry_after.map(Duration::from_secs)))
    }
}

impl Provider {
    /// What it means that a request got through to nobody, or its answer to nobody.
    pub fn unreached(&self, error: OperationError) -> Failure {
        let name = self.name;
        match error.code {
            ErrorCode::Timeout => {
                let message = format!("{name} did not answer in the time that there was");
                ApiError { cause: Some(error.into()), ..ApiError::new(ErrorCode::Timeout, message) }.into()
            }
            ErrorCode::RateLimited => ApiError::from(error).into(),
            ErrorCode::PayloadTooLarge => {
                ApiError::internal(format!("the answer of {name} is longer than the {ANSWER_BYTES_MAX} bytes that it may have"), error)
                    .into()
            }
            _ => {
                let error = ApiError::internal(format!("{name} could not be reached, or broke off; try again in a moment"), error);
                Failure { error, is_transient: true }
            }
        }
    }

    /// What it means that a request was refused.
    pub fn refused(&self, status: u16, said: SaidError, retry_after: Option<Duration>) -> Failure {
        let name = self.name;
        let kind = said.r#type.unwrap_or_default();
        let cause = format!("{name} answered {status} {}", self.told(&kind));
        let is_unpaid = said.message.as_ref().is_some_and(|message| message.contains("credit balance"));
        let error = match status {
            400 if is_unpaid => ApiError::internal(format!("the operator's account with {name} is used up"), cause),
            400 | 404 | 413 | 422 => {
                let code = if status == 413 { ErrorCode::PayloadTooLarge } else { ErrorCode::ValidationError };
                let told = said.message.map_or_else(|| format!("{status} {kind}"), |message| self.told(&message));
                ApiError::new(code, format!("{name} refused the request: {told}"))
            }
            // Its own words may hold a part of the key.
            401..=403 => ApiError::internal(format!("the operator's key was refused by {name}"), cause),
            429 => {
                let message = format!("{name} takes no more requests for now; try again later");
                ApiError { retry_after, ..ApiError::new(ErrorCode::RateLimited, message) }
            }
            _ => ApiError::internal(format!("{name} is overloaded or fails; try again in a moment"), cause),
        };
        Failure { error, is_transient: status >= 500 }
    }

    /// A provider's own words, as far as they may be told.
    fn told(&self, text: &str) -> String {
        // First the key, so that no half of it is left.
        let text = self.key.as_ref().map_or_else(|| text.to_owned(), |key| text.replace(key.reveal(), "…"));
        text.chars().take(MESSAGE_CHARACTERS_MAX).collect()
    }

    /// Its answer is not what it has promised.
    pub fn unreadable(&self, error: serde_json::Error) -> ApiError {
        // Where it is wrong, and nothing of it: that may be anything.
        let cause = format!("not the expected JSON, at line {} column {}: {:?}", error.line(), error.column(), error.classify());
        ApiError::internal(format!("the answer of {} cannot be read", self.name), cause)
    }
}

/// Tries again what failed for a moment, as long as there is time.
pub async fn persistently<T, F>(means: &Means, attempt: impl FnMut() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let delays = ExponentialBuilder::default().with_min_delay(RETRY_DELAY).with_max_times(RETRIES_MAX).with_jitter();
    let delays = delays.with_total_delay(Some(means.time_left()));
    let answered = attempt.retry(delays).sleep(tokio::time::sleep).when(|failure: &Failure| failure.is_transient).await;
    answered.map_err(|failure| failure.error)
}
