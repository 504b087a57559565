//! When a flow runs: schedules, conditions over events, the events' normal form, and the index that finds the flows of an event.
//!
//! ```
//! use std::sync::Arc;
//!
//! use mirra_triggers::{Conditions, Event, Index, Schedule};
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schedule = Schedule::parse("0 9 * * 1-5")?;
//! assert_eq!(schedule.next_after(1_765_030_289_385), Some(1_765_184_400_000));
//!
//! let conditions = Conditions::read(&json!({
//!     "operator": "AND",
//!     "conditions": [
//!         { "field": "text", "operator": "contains", "value": "urgent" },
//!         { "field": "isGroupChat", "operator": "equals", "value": false },
//!     ],
//! }))?;
//! let mut index = Index::new();
//! index.insert("flow_1", "user_1", "telegram.message", Arc::new(conditions));
//!
//! let event = json!({ "type": "telegram.message", "content": { "text": "URGENT!" }, "telegram": { "isGroupChat": false } });
//! let event = Event::read(event, 1_765_030_289_385, || "event_1".into())?;
//! assert_eq!(index.matching("user_1", &event), ["flow_1"]);
//! # Ok(())
//! # }
//! ```
//!
//! There is no I/O in it and no clock: what the time is, whoever calls says. Nothing in it panics, and all of it ends soon, whatever it is given:
//! schedules, trees, patterns and events come from anybody.
//!
//! # Schedules
//! Five fields, in UTC, as the documents describe them and nothing else: see [`Schedule`].
//!
//! # Conditions
//! A tree compares fields of an event with values: see [`Operator`] for each. What is compared is JSON, and null is as if the member
//! were missing. A field that is missing meets no condition but the negated ones. Numbers and texts that JSON would read as numbers
//! are the same, as ids travel as both: `chatId` equals `5` and `"5"`, and `startsWith "-100"` finds the groups of Telegram.
//!
//! # Events
//! Events are sent in our own form, as CloudEvents, as updates of Telegram, or as requests to webhooks, and all become an [`Event`]. A
//! field has one name and several places: see [`Event::field`]. Where each documented field of each type stands is one table,
//! [`event_types`].
//!
//! # What it stands on
//! `croner` finds ticks, `regex` matches in time linear in the text, and `aho-corasick` looks for the literals of all flows in one pass.

mod condition;
mod event;
mod index;
mod invalid;
mod schedule;
mod time;
mod value;

pub use condition::{ConditionResult, Conditions, Operator, limits, read_filter};
pub use event::{Event, EventType, Example, Field, Webhook, canonical_event_type, event_types, read_event_type};
pub use index::Index;
pub use invalid::Invalid;
pub use schedule::{Schedule, ScheduleError};
