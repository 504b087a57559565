//! From the dialect of OpenAPI 3.0 to JSON Schema, draft 7: for requests and for responses, as those differ in what is required.

use serde_json::{Map, Value, json};

use super::{Direction, REFERENCE, Schemas, formats};
use crate::pointer;

/// Keywords that mean the same in both. All others are dropped, so that none of them can mean something by accident.
const SAME: [&str; 10] =
    ["multipleOf", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "type"];
const LISTS: [&str; 3] = ["allOf", "oneOf", "anyOf"];
/// How far the search for properties that one direction does not have goes through `allOf`.
const SEARCH_DEPTH: usize = 8;
/// Schemas looked at in one search.
const SEARCHED_MAX: usize = 1_000;

pub fn json_schema(schemas: &Schemas, schema: &Value, direction: Direction) -> Value {
    Converter { schemas, direction }.convert(schema)
}

struct Converter<'s> {
    schemas: &'s Schemas,
    direction: Direction,
}

impl Converter<'_> {
    fn convert(&self, schema: &Value) -> Value {
        let Some(from) = schema.as_object() else { return json!({}) };
        if let Some(reference) = pointer::reference(schema) {
            return json!({ REFERENCE: self.schemas.id(reference) });
        }
        let mut to = Map::new();
        for keyword in SAME {
            if let Some(value) = from.get(keyword) {
                to.insert(keyword.into(), value.clone());
            }
        }
        self.range(from, &mut to);
        self.parts(from, &mut to);
        if let Some(format) = from.get("format").filter(|_| from.get("type").and_then(Value::as_str) == Some("string"))
            && format.as_str().is_some_and(|format| formats::ASSERTED.contains(&format))
        {
            to.insert("format".into(), format.clone());
        }
        if let Some(Value::Array(required)) = from.get("required") {
            let (mut hidden, mut left) = (Vec::new(), SEARCHED_MAX);
            self.hidden(schema, SEARCH_DEPTH, &mut left, &mut hidden);
            let required: Vec<_> = required.iter().filter(|name| name.as_str().is_none_or(|name| !hidden.contains(&name))).collect();
            to.insert("required".into(), json!(required));
        }
        if let Some(values) = from.get("enum") {
            to.insert("enum".into(), values.clone());
        }
        if from.get("nullable") == Some(&Value::Bool(true)) { nullable(to) } else { Value::Object(to) }
    }

    fn range(&self, from: &Map<String, Value>, to: &mut Map<String, Value>) {
        for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if let Some(value) = from.get(limit) {
                let keyword = if from.get(exclusive) == Some(&Value::Bool(true)) { exclusive } else { limit };
                to.insert(keyword.into(), value.clone());
            }
        }
        let (least, most) = match from.get("format").and_then(Value::as_str) {
            Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Some("int64") => (i64::MIN, i64::MAX),
            _ => return,
        };
        if from.get("type").and_then(Value::as_str) == Some("integer") {
            to.entry("minimum").or_insert_with(|| least.into());
            to.entry("maximum").or_insert_with(|| most.into());
        }
    }

    fn parts(&self, from: &Map<String, Value>, to: &mut Map<String, Value>) {
        if let Some(Value::Object(properties)) = from.get("properties") {
            let properties: Map<_, _> = properties.iter().map(|(name, property)| (name.clone(), self.convert(property))).collect();
            to.insert("properties".into(), Value::Object(properties));
        }
        for keyword in LISTS {
            if let Some(Value::Array(members)) = from.get(keyword) {
                to.insert(keyword.into(), members.iter().map(|member| self.convert(member)).collect());
            }
        }
        for keyword in ["items", "not", "additionalProperties"] {
            match from.get(keyword) {
                Some(Value::Bool(allowed)) => to.insert(keyword.into(), Value::Bool(*allowed)),
                Some(part) => to.insert(keyword.into(), self.convert(part)),
                None => None,
            };
        }
    }

    /// Names of properties that this direction does not have, so that they cannot be required of it.
    fn hidden<'s>(&'s self, schema: &'s Value, depth: usize, left: &mut usize, names: &mut Vec<&'s str>) {
        if depth == 0 || *left == 0 {
            return;
        }
        *left -= 1;
        let schema = self.schemas.followed(schema);
        let keyword = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if self.schemas.followed(property).get(keyword) == Some(&Value::Bool(true)) {
                names.push(name);
            }
        }
        for member in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.hidden(member, depth - 1, left, names);
        }
    }
}

/// The same schema, or null. An `enum` need not list the null, as authors seldom do.
fn nullable(mut schema: Map<String, Value>) -> Value {
    let composed = LISTS.iter().any(|keyword| schema.contains_key(*keyword)) || schema.contains_key("not");
    match schema.get("type").cloned() {
        Some(kind) if !composed => {
            schema.insert("type".into(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = schema.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            Value::Object(schema)
        }
        _ => json!({ "anyOf": [{ "type": "null" }, schema] }),
    }
}
