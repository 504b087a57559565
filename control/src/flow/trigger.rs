//! What starts a flow, in every form that clients send, as one of three.

use mirra_host_sdk::ErrorCode;
use mirra_triggers::{Conditions, Invalid, Schedule, read_event_type, read_filter};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ApiError;

/// What starts a flow.
#[derive(Clone, Debug)]
pub enum Trigger {
    Time(Schedule),
    Event { event_type: String, conditions: Conditions },
    Webhook,
}

/// The fields by which clients say so; one of the ways, and no other.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TriggerFields {
    /// A cron expression of five fields, in UTC.
    pub schedule: Option<String>,
    /// Such as telegram.message.
    pub event_type: Option<String>,
    /// A tree of conditions over the event's fields.
    pub conditions: Option<Value>,
    /// `{"when": "telegram.message", "message_text_contains": "urgent"}`, or a tree.
    pub event_filter: Option<Value>,
    /// Started by requests to an address of its own.
    pub webhook: Option<bool>,
    /// `{"type": "time", "config": {"cronExpression"}}` or `{"type": "event", "config": {"eventType", "rootCondition"}}`
    pub trigger: Option<Nested>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Nested {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "crate::params::some")]
    config: NestedConfig,
    event_type: Option<String>,
    #[serde(alias = "source")]
    event_source: Option<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NestedConfig {
    #[serde(alias = "schedule")]
    cron_expression: Option<String>,
    event_type: Option<String>,
    #[serde(alias = "source")]
    event_source: Option<String>,
    #[serde(alias = "conditions")]
    root_condition: Option<Value>,
    event_filter: Option<Value>,
}

impl TriggerFields {
    /// None: nothing is said of it.
    pub fn read(self) -> Result<Option<Trigger>, ApiError> {
        let TriggerFields { schedule, event_type, conditions, event_filter, webhook, trigger } = self;
        let is_webhook = webhook == Some(true);
        let is_event = event_type.is_some() || event_filter.is_some();
        if usize::from(schedule.is_some()) + usize::from(is_event) + usize::from(is_webhook) + usize::from(trigger.is_some()) > 1 {
            let message = "a flow has one trigger: give one of schedule, eventType (or eventFilter), webhook and trigger";
            return Err(ApiError::invalid("trigger", message));
        }
        if let Some(nested) = trigger {
            return nested.read(conditions).map(Some);
        }
        if let Some(schedule) = schedule {
            return read_schedule("schedule", &schedule).map(Some);
        }
        if is_webhook {
            return Ok(Some(Trigger::Webhook));
        }
        if is_event {
            return read_event(event_type, event_filter, conditions, None).map(Some);
        }
        Ok(None)
    }
}

impl Nested {
    fn read(self, conditions: Option<Value>) -> Result<Trigger, ApiError> {
        let Nested { kind, config, event_type, event_source } = self;
        match &*kind {
            "time" | "schedule" | "cron" => {
                let expression = config.cron_expression.ok_or_else(|| missing("trigger.config.cronExpression"))?;
                read_schedule("trigger.config.cronExpression", &expression)
            }
            "event" => {
                let source = event_source.or(config.event_source);
                read_event(event_type.or(config.event_type), config.event_filter, config.root_condition.or(conditions), source)
            }
            "webhook" => Ok(Trigger::Webhook),
            _ => Err(ApiError::invalid("trigger.type", "trigger.type must be time, event or webhook")),
        }
    }
}

fn missing(field: &str) -> ApiError {
    ApiError::invalid(field, format!("{field} is required"))
}

fn read_schedule(field: &str, expression: &str) -> Result<Trigger, ApiError> {
    let refused = |error: mirra_triggers::ScheduleError| {
        let details = json!({ "field": field, "value": expression, "cronExpression": expression });
        ApiError { details: Some(Box::new(details)), ..ApiError::new(ErrorCode::ValidationError, error.to_string()) }
    };
    Schedule::parse(expression).map(Trigger::Time).map_err(refused)
}

/// A type, and a filter or a tree over it. Where no type is said, the tree may.
fn read_event(event_type: Option<String>, filter: Option<Value>, tree: Option<Value>, source: Option<String>) -> Result<Trigger, ApiError> {
    let (filter, tree) = match filter {
        // A tree under the other name.
        Some(value) if value.get("operator").is_some() || value.is_array() => (None, Some(value)),
        Some(Value::Object(members)) => (Some(members), tree),
        Some(Value::Null) | None => (None, tree),
        Some(_) => return Err(ApiError::invalid("eventFilter", "eventFilter must be an object")),
    };
    if let Some(mut members) = filter {
        if let (Some(event_type), None) = (&event_type, members.get("when")) {
            members.insert("when".into(), event_type.as_str().into());
        }
        let (event_type, conditions) = read_filter(&members).map_err(within("eventFilter"))?;
        return Ok(Trigger::Event { event_type, conditions });
    }
    // A list of none is what clients send who want every event of the type.
    let tree = tree.filter(|tree| tree.as_array().is_none_or(|list| !list.is_empty()));
    let tree = tree.map(with_plural_conditions).unwrap_or_default();
    let conditions = Conditions::read(&tree).map_err(invalid)?;
    let named = event_type.or_else(|| type_in(&tree)).or_else(|| match source.as_deref() {
        Some("telegram") => Some("telegram.message".to_owned()),
        Some("flow") => Some("flow.complete".to_owned()),
        _ => None,
    });
    let event_type = named.ok_or_else(|| missing("eventType"))?;
    let event_type = read_event_type("eventType", &event_type).map_err(invalid)?;
    Ok(Trigger::Event { event_type, conditions })
}

/// What a tree says of the type, if every event that meets it has that type.
fn type_in(tree: &Value) -> Option<String> {
    let is_type = |leaf: &Value| {
        let (field, operator) = (leaf.get("field")?.as_str()?, leaf.get("operator")?.as_str()?);
        let names_type = matches!(field, "type" | "eventType" | "event_type") && operator == "equals";
        if names_type { leaf.get("value")?.as_str().map(str::to_owned) } else { None }
    };
    let members = match tree {
        Value::Array(members) => members.as_slice(),
        tree if tree.get("operator")?.as_str()?.eq_ignore_ascii_case("and") => tree.get("conditions")?.as_array()?,
        leaf => std::slice::from_ref(leaf),
    };
    members.iter().find_map(is_type)
}

/// `NOT` with its one condition as `condition`, as some clients write it.
fn with_plural_conditions(tree: Value) -> Value {
    match tree {
        Value::Array(members) => Value::Array(members.into_iter().map(with_plural_conditions).collect()),
        Value::Object(mut members) => {
            if let (Some(only), None) = (members.remove("condition"), members.get("conditions")) {
                members.insert("conditions".into(), Value::Array(vec![only]));
            }
            let within = |(name, value): (String, Value)| {
                let value = if name == "conditions" { with_plural_conditions(value) } else { value };
                (name, value)
            };
            Value::Object(members.into_iter().map(within).collect::<Map<_, _>>())
        }
        other => other,
    }
}

pub fn invalid(error: Invalid) -> ApiError {
    ApiError::invalid(&error.field, error.message)
}

fn within(name: &'static str) -> impl Fn(Invalid) -> ApiError {
    move |error| {
        let field = if error.field.is_empty() { name.to_owned() } else { format!("{name}.{}", error.field) };
        ApiError::invalid(&field, format!("{name}.{}", error.message))
    }
}
