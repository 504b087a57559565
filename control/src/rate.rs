//! How many requests a key may make.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
};

/// Requests a minute for each key.
const REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// Keys whose last minute is over are forgotten when there are so many.
const KEYS_MAX: usize = 10_000;

/// What is left to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub limit: u32,
    pub remaining: u32,
    /// Until all of it is there again.
    pub resets_after: Duration,
    /// None: the request may be made. Otherwise one may after this time.
    pub retry_after: Option<Duration>,
}

/// Counts for one process, in memory: a restart forgives a minute.
pub struct RateLimit {
    limiter: DefaultKeyedRateLimiter<String, StateInformationMiddleware>,
    clock: DefaultClock,
    per_minute: NonZeroU32,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit::per_minute(REQUESTS_PER_MINUTE)
    }
}

impl RateLimit {
    pub fn per_minute(per_minute: NonZeroU32) -> RateLimit {
        let limiter = RateLimiter::keyed(Quota::per_minute(per_minute)).with_middleware();
        RateLimit { limiter, clock: DefaultClock::default(), per_minute }
    }

    /// A minute.
    pub fn limit(&self) -> u32 {
        self.per_minute.get()
    }

    /// Counts a request of this key.
    pub fn take(&self, key: &str) -> Budget {
        if self.limiter.len() > KEYS_MAX {
            self.limiter.retain_recent();
        }
        let limit = self.limit();
        let each = Duration::from_secs(60) / limit;
        match self.limiter.check_key(&key.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Budget { limit, remaining, resets_after: each * (limit - remaining.min(limit)), retry_after: None }
            }
            Err(not_until) => {
                let retry_after = Some(not_until.wait_time_from(self.clock.now()));
                Budget { limit, remaining: 0, resets_after: Duration::from_secs(60), retry_after }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_thousand_requests_a_minute_and_others_have_theirs() {
        let rate = RateLimit::default();
        let first = rate.take("one");
        assert_eq!((first.limit, first.remaining, first.retry_after), (1_000, 999, None));
        let refused = (0..2_000).map(|_| rate.take("one")).find(|budget| budget.retry_after.is_some()).unwrap();
        assert_eq!(refused.remaining, 0);
        assert!(refused.retry_after.unwrap() <= Duration::from_millis(60));
        assert_eq!(rate.take("two").remaining, 999);
    }
}
