//! The time that one request has, and each part of its answer; waiting included.

use std::{future::Future, time::Duration};

use mirra_host_sdk::{ErrorCode, OperationError};
use tokio::time::{Instant, timeout_at};

/// No call lasts this long. Keeps the clock from running over, whatever a caller asks for.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

pub struct Deadline {
    at: Instant,
    total: Duration,
    /// All the time that the request has.
    end: Instant,
    /// What the guest gives each of its steps.
    step: Duration,
    /// What the messages begin with: the request's target.
    of: String,
}

impl Deadline {
    /// For the first step: the head of the answer, and what else is there by then.
    pub fn new(begun: Instant, total: Duration, step: Option<Duration>, of: String) -> Deadline {
        let total = total.min(TIME_MAX);
        let step = step.unwrap_or(total).min(total);
        Deadline { at: begun + step, total: step, end: begun + total, step, of }
    }

    /// The same for another part of the answer, which has as much time again, as long as there is any.
    pub fn renew(&mut self) {
        let now = Instant::now();
        self.at = self.end.min(now + self.step);
        self.total = self.at.saturating_duration_since(now);
    }

    pub fn time_left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The work's answer, or `TIMEOUT` and what the time ran out on: `still {doing} after 500 ms`.
    pub async fn within<T>(&self, doing: &str, work: impl Future<Output = T>) -> Result<T, OperationError> {
        let too_late = || format!("{}: still {doing} after {} ms, which is all the time there was", self.of, self.total.as_millis());
        timeout_at(self.at, work).await.map_err(|_| OperationError::new(ErrorCode::Timeout, too_late()))
    }
}
