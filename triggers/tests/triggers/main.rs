//! Schedules, conditions, events and the index.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used)]

mod schedules;
