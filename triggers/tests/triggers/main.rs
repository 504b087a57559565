//! Schedules, conditions, events and the index.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used)]

mod conditions;
mod events;
mod filters;
mod index;
mod limits;
mod properties;
mod schedules;

use mirra_triggers::{Conditions, Event};
use serde_json::{Value, json};

/// 2025-12-06T14:11:29.385Z.
pub const NOW: i64 = 1_765_030_289_385;

pub fn conditions(json: &Value) -> Conditions {
    Conditions::read(json).unwrap_or_else(|invalid| panic!("{invalid:?}: {json}"))
}

pub fn event(json: Value) -> Event {
    Event::read(json, NOW, || "new".into()).unwrap()
}

pub fn leaf(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({ "field": field, "operator": operator, "value": value.into() })
}

/// A condition within so many groups.
pub fn nested(groups: usize) -> Value {
    (0..groups).fold(leaf("text", "contains", "urgent"), |tree, _| json!({ "operator": "AND", "conditions": [tree] }))
}

/// The path and the text of what is wrong.
pub fn refused(json: &Value) -> (String, String) {
    let invalid = Conditions::read(json).unwrap_err();
    (invalid.field, invalid.message)
}
