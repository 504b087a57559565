//! `event`, as the handler of a flow gets it: the union of what clients of all versions look for.

use std::collections::BTreeMap;

use mirra_host_sdk::{Json, Usd};
use mirra_triggers::Event;
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

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

/// A member of what is handed over. Nothing is copied but into the text of it all, where some of it stands several times.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Value(&'a Value),
    /// None is null.
    Text(Option<&'a str>),
    Json(&'a RawValue),
}

type Members<'a> = BTreeMap<&'a str, Part<'a>>;

/// The event's own fields and the flat names at the top; `data` with the flow's input and the whole event; `fields` with the aliases.
pub fn handed(handed: &Handed<'_>) -> Result<Json, ApiError> {
    let Handed { flow, row, event, budget, .. } = *handed;
    let whole = event.map(|event| json(event.members())).transpose()?;
    let aliases = event.map(Event::fields).unwrap_or_default();
    let data = data(handed, whole.as_deref(), &aliases)?;
    let trigger = trigger(handed, whole.as_deref())?;
    let (fields, budget) = (json(&aliases)?, json(&budget)?);
    let tick = row.tick_at.map(time::iso);

    let mut members: Members<'_> = event.map(|event| parts(event.members()).collect()).unwrap_or_default();
    for (name, alias) in [("messageText", "content_text"), ("senderName", "sender_name")].into_iter().filter(|_| event.is_some()) {
        members.insert(name, aliases.get(alias).map_or(Part::Text(None), |value| Part::Value(value)));
    }
    if tick.is_some() {
        members.insert("timestamp", Part::Text(tick.as_deref()));
    }
    members.extend(["data", "input", "body", "payload"].map(|alias| (alias, Part::Json(&data))));
    members.extend([
        ("fields", Part::Json(&fields)),
        ("trigger", Part::Json(&trigger)),
        ("executionId", Part::Text(Some(&row.id))),
        ("flowId", Part::Text(Some(&flow.id))),
        ("userId", Part::Text(Some(&flow.owner_id))),
        ("scriptId", Part::Text(flow.script_id.as_deref())),
        // Nobody's: a handler has what it may through `mirra`, and never a key that it could give away.
        ("apiKey", Part::Text(Some(""))),
        ("groupId", Part::Text(flow.team_id.as_deref())),
        ("scope", Part::Text(Some(&flow.scope))),
        ("remainingBudget", Part::Json(&budget)),
    ]);
    json(&members)
}

/// The event's own data, then the flow's, then what is given for this run.
fn data(handed: &Handed<'_>, whole: Option<&RawValue>, aliases: &BTreeMap<&str, &Value>) -> Result<Json, ApiError> {
    let Handed { flow, event, input, .. } = *handed;
    let given: Option<Map<String, Value>> = flow.script_input.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut data = match event.and_then(|event| event.members().get("data")) {
        Some(Value::Object(data)) => parts(data).collect(),
        Some(other) => Members::from([("data", Part::Value(other))]),
        None => Members::new(),
    };
    data.extend(given.iter().chain(input).flat_map(parts));
    if let Some(event) = event {
        for (name, alias) in [("text", "content_text"), ("sender", "sender_name"), ("senderId", "sender_id")] {
            if let Some(value) = aliases.get(alias) {
                data.entry(name).or_insert(Part::Value(value));
            }
        }
        data.insert("timestamp", Part::Text(Some(event.timestamp())));
        data.insert("event", whole.map_or(Part::Text(None), Part::Json));
    }
    json(&data)
}

/// Why it runs.
fn trigger(handed: &Handed<'_>, whole: Option<&RawValue>) -> Result<Json, ApiError> {
    let Handed { flow, row, event, .. } = *handed;
    let (attempt, tick) = (Value::from(row.attempt), row.tick_at.map(time::iso));
    let kind = if row.trigger == "manual" { "manual" } else { &flow.trigger_type };
    let mut trigger = Members::from([("type", Part::Text(Some(kind))), ("attempt", Part::Value(&attempt))]);
    if let Some(event) = event {
        trigger.insert("event", whole.map_or(Part::Text(None), Part::Json));
        trigger.insert("source", Part::Text(Some(event.source())));
    }
    if tick.is_some() {
        trigger.insert("scheduledAt", Part::Text(tick.as_deref()));
    }
    json(&trigger)
}

fn parts(map: &Map<String, Value>) -> impl Iterator<Item = (&str, Part<'_>)> {
    map.iter().map(|(name, value)| (name.as_str(), Part::Value(value)))
}

fn json<T: Serialize>(members: &T) -> Result<Json, ApiError> {
    serde_json::value::to_raw_value(members).map_err(|error| ApiError::internal("an event cannot be written", error))
}
