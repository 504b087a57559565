//! `event`, as the handler of a flow gets it: the union of what clients of all versions look for.

use mirra_host_sdk::{Json, Usd};
use mirra_triggers::Event;
use serde_json::{Map, Value, json};

use crate::{
    ApiError,
    store::{ExecutionRow, FlowRow},
    time,
};

/// What a run is given.
pub struct Handed<'a> {
    pub flow: &'a FlowRow,
    pub row: &'a ExecutionRow,
    /// What has happened, where that is why it runs.
    pub event: Option<&'a Event>,
    /// Merged over what the flow has as its input.
    pub input: Option<&'a Map<String, Value>>,
    pub budget: Usd,
}

/// The event's own fields and the flat names at the top; `data` with the flow's input and the whole event; `fields` with the aliases.
pub fn handed(handed: &Handed<'_>) -> Result<Json, ApiError> {
    let Handed { flow, row, event, input, budget } = handed;
    let mut members = event.map(|event| event.members().clone()).unwrap_or_default();
    let fields = event.map(|event| event.fields()).unwrap_or_default();
    let mut data = match members.remove("data") {
        Some(Value::Object(data)) => data,
        Some(other) => Map::from_iter([("data".to_owned(), other)]),
        None => Map::new(),
    };
    if let Some(Value::Object(given)) = flow.script_input.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
        data.extend(given);
    }
    data.extend(input.iter().flat_map(|input| (*input).clone()));
    let mut trigger = json!({ "type": flow.trigger_type, "attempt": row.attempt });
    if row.trigger == "manual" {
        trigger["type"] = "manual".into();
    }
    if let Some(event) = event {
        let field = |name: &str| fields.get(name).cloned();
        let named = [("text", "content_text"), ("sender", "sender_name"), ("senderId", "sender_id")];
        let named = named.into_iter().filter_map(|(name, alias)| Some((name.to_owned(), field(alias)?)));
        named.for_each(|(name, value)| _ = data.entry(name).or_insert(value));
        data.insert("timestamp".into(), event.timestamp().into());
        data.insert("event".into(), Value::Object(event.members().clone()));
        trigger["event"] = Value::Object(event.members().clone());
        trigger["source"] = event.source().into();
        for (name, alias) in [("messageText", "content_text"), ("senderName", "sender_name")] {
            members.insert(name.to_owned(), field(alias).unwrap_or(Value::Null));
        }
    }
    if let Some(tick_at) = row.tick_at {
        trigger["scheduledAt"] = time::iso(tick_at).into();
        members.insert("timestamp".into(), time::iso(tick_at).into());
    }
    let data = Value::Object(data);
    for alias in ["data", "input", "body", "payload"] {
        members.insert(alias.to_owned(), data.clone());
    }
    let rest = [
        ("fields", Value::Object(fields)),
        ("trigger", trigger),
        ("executionId", row.id.clone().into()),
        ("flowId", flow.id.clone().into()),
        ("userId", flow.owner_id.clone().into()),
        ("scriptId", flow.script_id.clone().into()),
        // Nobody's: a handler has what it may through `mirra`, and never a key that it could give away.
        ("apiKey", "".into()),
        ("groupId", flow.team_id.clone().into()),
        ("scope", flow.scope.clone().into()),
        ("remainingBudget", json!(budget)),
    ];
    members.extend(rest.map(|(name, value)| (name.to_owned(), value)));
    serde_json::value::to_raw_value(&members).map_err(|error| ApiError::internal("an event cannot be written", error))
}
