//! Times as events and conditions write them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// No time that is written in full is longer.
const BYTES_MAX: usize = 64;

/// ISO 8601 in UTC with milliseconds: `2026-01-15T10:00:00.000Z`.
pub fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// An instant: a date and a time with `Z` or an offset, as ISO 8601 writes them.
pub fn instant(text: &str) -> Option<Timestamp> {
    may_be_time(text).then(|| text.parse().ok())?
}

/// An instant, or a date with or without a time, which is taken as UTC.
pub fn time(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    instant(text).or_else(|| may_be_time(text).then(civil)?.map(|zoned| zoned.timestamp()))
}

/// Most texts are no times, and this is seen at once.
fn may_be_time(text: &str) -> bool {
    text.len() <= BYTES_MAX && text.starts_with(|first: char| first.is_ascii_digit())
}
