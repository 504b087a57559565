//! Methods of installed resources, as models are told of them.

use std::sync::Arc;

use mirra_openapi::{Operation, Parameter};
use serde_json::{Map, Value, json};

use super::{
    definition::Definition,
    known::{installed_row, shortened},
    slug,
};
use crate::{ApiError, Caller, Control, Means, store::InstalledRow};

/// References are followed so deep; what is in there is anything, to a model.
const DEPTH_MAX: u32 = 6;

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
pub async fn tools(control: &Arc<Control>, caller: &Caller, means: &Means, named: Option<&[String]>) -> Result<Vec<MethodTool>, ApiError> {
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
    let is_allowed = |row: &InstalledRow| {
        let names = [&row.installation.slug, &row.installation.resource_id];
        means.allowed_resources.iter().all(|list| list.iter().any(|entry| names.contains(&entry) || slug(entry) == row.installation.slug))
    };
    let mut tools = Vec::new();
    for row in rows.into_iter().filter(is_allowed) {
        let definition = control.resources().await?.definition(store, &row.installation.resource_id).await?;
        tools.extend(of(&row.installation.slug, &definition));
    }
    Ok(tools)
}

fn of(resource: &str, definition: &Definition) -> Vec<MethodTool> {
    let Some(document) = &definition.document else { return Vec::new() };
    let methods = definition.methods().map(|(method, operation)| MethodTool {
        resource: resource.to_owned(),
        method: method.to_owned(),
        description: operation.summary().or(operation.description()).unwrap_or(method).to_owned(),
        parameters: parameters(document.json(), operation),
    });
    methods.collect()
}

/// One flat object, as calls take it.
fn parameters(document: &Value, operation: &Operation) -> Value {
    let (mut properties, mut required, mut left) = (Map::new(), Vec::new(), VALUES_MAX);
    let mut add = |name: &str, schema: &Value, is_required: bool| {
        properties.insert(name.to_owned(), whole(document, schema, DEPTH_MAX, &mut left));
        if is_required {
            required.push(Value::from(name));
        }
    };
    operation
        .parameters()
        .for_each(|parameter: &Parameter| add(parameter.name(), operation.parameter_schema(parameter), parameter.required()));
    match operation.body() {
        Some(body) if body.is_flat() => {
            let schema = followed(document, operation.body_schema());
            let is_required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name));
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                add(name, property, is_required(name) && body.required());
            }
        }
        Some(body) => add("body", operation.body_schema(), body.required()),
        None => {}
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// A schema without references, which lead out of what a model is told.
fn whole(document: &Value, schema: &Value, depth: u32, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if depth == 0 || *left == 0 {
        return json!({});
    }
    match followed(document, schema) {
        Value::Object(members) => {
            let member = |(name, member): (&String, &Value)| {
                // The names of properties are no schema themselves.
                let depth = if name == "properties" { depth } else { depth - 1 };
                (name.clone(), whole(document, member, depth, left))
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| whole(document, item, depth, left)).collect()),
        other => other.clone(),
    }
}

fn followed<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = |schema: &'a Value| document.pointer(schema["$ref"].as_str()?.strip_prefix('#')?);
    // Documents with references that lead round in a circle were refused; a few more steps than anybody takes.
    (0..8).try_fold(schema, |schema, _| target(schema).ok_or(schema)).unwrap_or_else(|last| last)
}
