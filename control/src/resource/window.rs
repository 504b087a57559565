//! How often an installation may be called.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mirra_host_sdk::ErrorCode;
use serde::{Deserialize, Serialize};

use super::pricing::period;
use crate::{
    ApiError,
    store::{InstallationRow, Store},
};

/// Installations that are counted in memory. Beyond these, all are counted anew from the store.
const COUNTED_MAX: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    pub requests: u64,
    pub window: Window,
}

/// Of the clock, in UTC: so how much of one is used is known after a restart, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    #[serde(rename = "1m")]
    Minute,
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "1d")]
    Day,
}

impl Window {
    pub fn ms(self) -> i64 {
        match self {
            Window::Minute => 60_000,
            Window::Hour => 3_600_000,
            Window::Day => 86_400_000,
        }
    }

    pub fn started_at(self, now: i64) -> i64 {
        now - now.rem_euclid(self.ms())
    }
}

/// What an installation has used of its window and of its month.
#[derive(Clone, Copy, Debug)]
struct Counted {
    window_started_at: i64,
    window_calls: u64,
    period_started_at: i64,
    period_calls: u64,
}

/// A call that may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub period_started_at: i64,
    /// Which one of its month, from 1.
    pub number: u64,
    /// Months that have begun since the last call, and are to be paid.
    pub months_begun: u64,
}

/// Counts the calls of all installations. In memory, since asking the store before each call would take longer than the rest of it;
/// several processes on the same store each have their own count.
#[derive(Default)]
pub struct Windows(Mutex<HashMap<String, Counted>>);

impl Windows {
    /// # Errors
    /// `RATE_LIMITED`, and when another call may be made.
    pub async fn take(&self, store: &Store, installation: &InstallationRow, limit: Option<RateLimit>, now: i64) -> Result<Place, ApiError> {
        let window = limit.map_or(Window::Day, |limit| limit.window);
        let is_known = self.counted().contains_key(&installation.id);
        if !is_known {
            let window_started_at = window.started_at(now);
            let first = Counted {
                window_started_at,
                window_calls: store.calls_since(&installation.id, window_started_at).await?,
                period_started_at: installation.period_started_at,
                period_calls: installation.period_calls.unsigned_abs(),
            };
            let mut counted = self.counted();
            if counted.len() >= COUNTED_MAX {
                counted.clear();
            }
            counted.entry(installation.id.clone()).or_insert(first);
        }
        let mut counted = self.counted();
        let counted = counted.entry(installation.id.clone()).or_insert(Counted {
            window_started_at: window.started_at(now),
            window_calls: 0,
            period_started_at: installation.period_started_at,
            period_calls: installation.period_calls.unsigned_abs(),
        });
        counted.take(limit, window, now)
    }

    /// The call was not made after all.
    pub fn give_back(&self, installation_id: &str) {
        if let Some(counted) = self.counted().get_mut(installation_id) {
            counted.window_calls = counted.window_calls.saturating_sub(1);
            counted.period_calls = counted.period_calls.saturating_sub(1);
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<String, Counted>> {
        // Numbers, each right by itself whatever happened to a thread that held them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn take(&mut self, limit: Option<RateLimit>, window: Window, now: i64) -> Result<Place, ApiError> {
        let window_started_at = window.started_at(now);
        // A clock that was put back does not open a window again.
        if window_started_at > self.window_started_at {
            (self.window_started_at, self.window_calls) = (window_started_at, 0);
        }
        if let Some(limit) = limit.filter(|limit| self.window_calls >= limit.requests) {
            let wait_ms = (self.window_started_at + window.ms()).saturating_sub(now).clamp(0, window.ms());
            let message = format!("this installation has made its {} calls of this {}", limit.requests, window.name());
            let retry_after = Some(Duration::from_millis(wait_ms.unsigned_abs()));
            return Err(ApiError { retry_after, ..ApiError::new(ErrorCode::RateLimited, message) });
        }
        let (period_started_at, months_begun) = period(self.period_started_at, now);
        if months_begun > 0 {
            (self.period_started_at, self.period_calls) = (period_started_at, 0);
        }
        self.window_calls += 1;
        self.period_calls += 1;
        Ok(Place { period_started_at, number: self.period_calls, months_begun })
    }
}

impl Window {
    fn name(self) -> &'static str {
        match self {
            Window::Minute => "minute",
            Window::Hour => "hour",
            Window::Day => "day",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::pricing::PERIOD_MS, *};

    fn counted() -> Counted {
        Counted { window_started_at: 0, window_calls: 0, period_started_at: 0, period_calls: 0 }
    }

    #[test]
    fn a_window_has_so_many_calls_and_tells_when_the_next_begins() {
        let limit = RateLimit { requests: 2, window: Window::Minute };
        let mut counted = counted();
        let mut take = |now| counted.take(Some(limit), limit.window, now);
        assert!(take(100).is_ok() && take(59_999).is_ok());
        let refusal = take(59_500).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after), (ErrorCode::RateLimited, Some(Duration::from_millis(500))));
        assert!(take(60_000).is_ok());
        // The clock goes back: what was used stays used.
        assert!(take(30_000).is_ok());
        assert!(take(59_999).is_err());
    }

    #[test]
    fn months_are_counted_apart_from_windows() {
        let mut counted = counted();
        let mut take = |now| counted.take(None, Window::Day, now).unwrap();
        assert_eq!((take(1).number, take(2).number), (1, 2));
        let place = take(2 * PERIOD_MS + 5);
        assert_eq!(place, Place { period_started_at: 2 * PERIOD_MS, number: 1, months_begun: 2 });
    }
}
