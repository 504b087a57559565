//! When a flow runs.
mod invalid;
mod schedule;
mod time;
pub use invalid::Invalid;
pub use schedule::{Schedule, ScheduleError};
