//! When a flow runs.
mod condition;
mod event;
mod index;
mod invalid;
mod schedule;
mod time;
mod value;
pub use condition::{ConditionResult, Conditions, Operator, read_filter};
pub use event::{Event, EventType, Example, Field, Webhook, canonical_event_type, event_types, read_event_type};
pub use index::Index;
pub use invalid::Invalid;
pub use schedule::{Schedule, ScheduleError};
