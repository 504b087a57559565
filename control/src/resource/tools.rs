//! Methods of installed resources, as models are told of them.

use std::sync::Arc;

use mirra_openapi::Operation;
use serde_json::{Map, Value, json};

use super::{
    definition::Definition,
    is_allowed,
    known::{installed_row, shortened},
};
use crate::{ApiError, Caller, Control, Means, store::InstalledRow};

/// References are followed so deep; what is in there is anything, to a model.
const DEPTH_MAX: u32 = 6;

const DESCRIPTION_CHARACTERS_MAX: usize = 500;

/// Of what a model is told of one method.
const VALUES_MAX: usize = 2_000;

/// A method that a model may call.
pub struct MethodTool {
    /// The resource's name as handlers write it.
    pub resource: String,
    pub method: String,
    pub description: String,
    /// JSON Schema.
    pub parameters: Value,
}

/// Of these resources, or of all that are installed and can be called.
pub async fn tools(
    control: &Arc<Control>,
    caller: &Caller,
    means: &Means,
    named: Option<&[String]>,
    tools_max: usize,
) -> Result<Vec<MethodTool>, ApiError> {
    if named.is_none() && caller.may_use("resources").is_err() {
        return Ok(Vec::new());
    }
    caller.may_use("resources")?;
    let store = &control.opened().await?.store;
    let mut rows = Vec::new();
    match named {
        None => rows.extend(store.installations_of(caller.id()).await?.into_iter().filter(|row| row.installation.is_authenticated)),
        Some(named) => {
            for name in named {
                let missing = || {
                    let message =
                        format!("there are no tools of '{}': it is no adapter, and no resource that is installed", shortened(name));
                    ApiError::invalid("tools", message)
                };
                rows.push(installed_row(store, caller, name).await?.ok_or_else(missing)?);
            }
        }
    }
    let is_allowed = |row: &InstalledRow| is_allowed(means, &[&row.installation.slug, &row.installation.resource_id]);
    let mut tools = Vec::new();
    // One that is named by its id and by its name is one.
    rows.sort_by(|one, other| one.installation.id.cmp(&other.installation.id));
    rows.dedup_by(|one, other| one.installation.id == other.installation.id);
    for row in rows.into_iter().filter(is_allowed) {
        let definition = control.resources().await?.definition(store, &row.installation.resource_id).await?;
        tools.extend(of(&row.installation.slug, &definition).take(tools_max.saturating_sub(tools.len())));
    }
    Ok(tools)
}

fn of<'a>(resource: &'a str, definition: &'a Definition) -> impl Iterator<Item = MethodTool> + 'a {
    let document = definition.document.as_ref();
    definition.methods().filter_map(move |(method, operation)| {
        let description = operation.summary().or(operation.description()).unwrap_or(method);
        Some(MethodTool {
            resource: resource.to_owned(),
            method: method.to_owned(),
            description: description.chars().take(DESCRIPTION_CHARACTERS_MAX).collect(),
            parameters: parameters(document?.json(), operation)?,
        })
    })
}

/// One flat object, as calls take it. None: it has a name that no provider allows.
fn parameters(document: &Value, operation: &Operation) -> Option<Value> {
    let mut schemas = Schemas { document, left: VALUES_MAX };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let mut add = |name: &str, schema: &Value, is_required: bool| {
        if !is_nameable(name) {
            return !is_required;
        }
        properties.insert(name.to_owned(), schemas.told(schema, DEPTH_MAX));
        required.extend(is_required.then(|| Value::from(name)));
        true
    };
    let mut are_told =
        operation.parameters().all(|parameter| add(parameter.name(), operation.parameter_schema(parameter), parameter.required()));
    match operation.body() {
        Some(body) if body.is_flat() => {
            let schema = followed(document, operation.body_schema());
            let is_required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name));
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                are_told &= add(name, property, is_required(name) && body.required());
            }
        }
        Some(body) => are_told &= add("body", operation.body_schema(), body.required()),
        None => {}
    }
    are_told.then(|| json!({ "type": "object", "properties": properties, "required": required }))
}

/// As providers allow.
fn is_nameable(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// What of a schema is the same in OpenAPI 3.0 and in JSON Schema, and helps a model.
const TOLD: [&str; 11] =
    ["type", "description", "enum", "default", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];

struct Schemas<'d> {
    document: &'d Value,
    /// Schemas that may still be told.
    left: usize,
}

impl Schemas<'_> {
    /// Without references, which lead out of what a model is told.
    fn told(&mut self, schema: &Value, depth: u32) -> Value {
        if depth == 0 || self.left == 0 {
            return json!({});
        }
        self.left -= 1;
        let schema = followed(self.document, schema);
        let mut told: Map<String, Value> =
            TOLD.iter().filter_map(|keyword| Some(((*keyword).to_owned(), schema.get(*keyword)?.clone()))).collect();
        if let Some(items) = schema.get("items") {
            told.insert("items".to_owned(), self.told(items, depth - 1));
        }
        for keyword in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema[keyword].as_array() {
                told.insert(keyword.to_owned(), parts.iter().map(|part| self.told(part, depth - 1)).collect());
            }
        }
        if let Some(properties) = schema["properties"].as_object() {
            let nameable = properties.iter().filter(|(name, _)| is_nameable(name));
            let properties: Map<String, Value> = nameable.map(|(name, property)| (name.clone(), self.told(property, depth - 1))).collect();
            let required = schema["required"].as_array().into_iter().flatten();
            let required: Vec<Value> =
                required.filter(|name| name.as_str().is_some_and(|name| properties.contains_key(name))).cloned().collect();
            told.insert("required".to_owned(), required.into());
            told.insert("properties".to_owned(), properties.into());
        }
        Value::Object(told)
    }
}

fn followed<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = |schema: &'a Value| document.pointer(schema["$ref"].as_str()?.strip_prefix('#')?);
    // Documents with references that lead round in a circle were refused; a few more steps than anybody takes.
    (0..8).try_fold(schema, |schema, _| target(schema).ok_or(schema)).unwrap_or_else(|last| last)
}
