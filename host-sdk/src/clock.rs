use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The calendar. Time is a parameter: whoever decides by date takes a clock, so that tests never sleep.
pub trait Clock: Send + Sync {
    /// Time since 1970-01-01T00:00:00Z.
    fn unix_time(&self) -> Duration;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_time(&self) -> Duration {
        // A machine set before 1970 runs at 1970.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    unix_time_us: AtomicU64,
}

impl ManualClock {
    pub fn at(unix_time: Duration) -> Self {
        ManualClock { unix_time_us: AtomicU64::new(unix_time.as_micros() as u64) }
    }

    pub fn advance(&self, by: Duration) {
        self.unix_time_us.fetch_add(by.as_micros() as u64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_time(&self) -> Duration {
        Duration::from_micros(self.unix_time_us.load(Ordering::SeqCst))
    }
}
