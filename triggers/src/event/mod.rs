//! What has happened, in the one form that conditions and handlers know.

mod cloud;
mod event_type;
mod fields;
mod known;
mod read;
mod telegram;
mod view;
mod webhook;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use event_type::{EventType, Example, Field, canonical_event_type, event_types, read_event_type};
pub(crate) use view::{Found, View};
pub use webhook::Webhook;

/// An event in its normal form: `id`, `type`, `source`, `timestamp` (ISO 8601 in UTC with milliseconds) and, if there are any,
/// `userId`, `actor {id, name}`, `content {text}`, a section that is called like the source, and whatever else was sent.
///
/// What makes two events the same is their `source` and `id`: senders of CloudEvents give ids that are theirs alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Event {
    members: Map<String, Value>,
}

impl Event {
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Such as `telegram.message`; never an alias.
    pub fn event_type(&self) -> &str {
        self.text("type")
    }

    pub fn source(&self) -> &str {
        self.text("source")
    }

    /// When it happened: ISO 8601 in UTC with milliseconds.
    pub fn timestamp(&self) -> &str {
        self.text("timestamp")
    }

    /// Whose event it is, once the server has said so.
    pub fn user_id(&self) -> Option<&str> {
        self.members.get("userId").and_then(Value::as_str)
    }

    /// Says whose event it is. Nobody says so from outside: [`Event::read`] drops what was sent.
    pub fn set_user_id(&mut self, user_id: &str) {
        self.members.insert("userId".into(), user_id.into());
    }

    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl From<Event> for Map<String, Value> {
    fn from(event: Event) -> Map<String, Value> {
        event.members
    }
}

/// As it was stored: nothing is added or dropped.
impl TryFrom<Map<String, Value>> for Event {
    type Error = String;

    fn try_from(members: Map<String, Value>) -> Result<Event, String> {
        match ["id", "type", "source", "timestamp"].iter().find(|name| !members.get(**name).is_some_and(Value::is_string)) {
            Some(name) => Err(format!("an event without {name}")),
            None => Ok(Event { members }),
        }
    }
}
