//! Times as the API writes and reads them.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::ApiError;

pub const DAY_MS: i64 = 86_400_000;

/// ISO 8601 in UTC with milliseconds: `2026-01-15T10:00:00.000Z`.
pub fn iso(unix_ms: i64) -> String {
    let time = Timestamp::from_millisecond(unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Which end of a day a date alone means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Begin,
    End,
}

/// Milliseconds since 1970 of an ISO 8601 time, or of a date (UTC).
pub fn read(field: &str, text: &str, edge: Edge) -> Result<i64, ApiError> {
    let date = || {
        let begin = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        Some(if edge == Edge::End { begin + DAY_MS - 1 } else { begin })
    };
    let time = text.parse::<Timestamp>().ok().map(|time| time.as_millisecond());
    let message = || ApiError::invalid(field, format!("{field} must be a time as ISO 8601 writes it, such as 2026-01-15T10:00:00Z"));
    time.or_else(date).ok_or_else(message)
}

/// Until the next day begins (UTC).
pub fn until_tomorrow(unix_ms: i64) -> Duration {
    Duration::from_millis((DAY_MS - unix_ms.rem_euclid(DAY_MS)).unsigned_abs())
}

#[cfg(test)]
mod tests {
    #[test]
    fn milliseconds_are_always_written() {
        assert_eq!(super::iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(super::iso(1_705_312_800_007), "2024-01-15T10:00:00.007Z");
        assert_eq!(super::iso(i64::MAX), "1970-01-01T00:00:00.000Z");
    }
}
