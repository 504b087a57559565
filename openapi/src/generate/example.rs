//! The least that a call takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{Document, Operation, pointer};

/// Schemas within schemas; beyond that, anything will do.
const DEPTH_MAX: usize = 12;
/// Of a text that has to have a length.
const TEXT_MAX: u64 = 1_000;

/// Parameters for a call of an operation: those that are required, each with the smallest value that its schema allows. A schema with
/// conditions that need thought (patterns, formats of its own) may want another one.
pub fn example(document: &Document, operation: &Operation) -> Map<String, Value> {
    let example = Example { document: document.json() };
    let mut params = Map::new();
    for parameter in operation.parameters().filter(|parameter| parameter.required()) {
        params.insert(parameter.name().to_owned(), example.value(operation.parameter_schema(parameter), DEPTH_MAX));
    }
    match operation.body() {
        Some(body) if body.is_flat() => params.extend(example.object(operation.body_schema(), DEPTH_MAX)),
        Some(body) if body.required() => drop(params.insert("body".to_owned(), example.value(operation.body_schema(), DEPTH_MAX))),
        _ => {}
    }
    params
}

struct Example<'d> {
    document: &'d Value,
}

impl<'d> Example<'d> {
    fn value(&self, schema: &'d Value, depth: usize) -> Value {
        let Some(depth) = depth.checked_sub(1) else { return Value::Null };
        if let Some(target) = self.target(schema) {
            return self.value(target, depth);
        }
        for keyword in ["enum", "oneOf", "anyOf"] {
            if let Some(first) = schema[keyword].as_array().and_then(|values| values.first()) {
                return if keyword == "enum" { first.clone() } else { self.value(first, depth) };
            }
        }
        let number = |key: &str| schema[key].as_u64().unwrap_or(0);
        match schema["type"].as_str() {
            Some("string") => text(schema["format"].as_str(), number("minLength")),
            Some("integer" | "number") => number("minimum").into(),
            Some("boolean") => true.into(),
            Some("array") => (0..number("minItems").min(TEXT_MAX)).map(|_| self.value(&schema["items"], depth)).collect(),
            _ => Value::Object(self.object(schema, depth)),
        }
    }

    /// What an object must have, its parts taken together.
    fn object(&self, schema: &'d Value, depth: usize) -> Map<String, Value> {
        let (mut properties, mut required) = (BTreeMap::new(), BTreeSet::new());
        self.gather(schema, depth, &mut properties, &mut required);
        let members = required.into_iter().filter_map(|name| Some((name.to_owned(), self.value(properties.get(name)?, depth))));
        members.collect()
    }

    fn gather(&self, schema: &'d Value, depth: usize, properties: &mut BTreeMap<&'d str, &'d Value>, required: &mut BTreeSet<&'d str>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if let Some(target) = self.target(schema) {
            return self.gather(target, depth, properties, required);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.gather(part, depth, properties, required);
        }
        properties.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, property)| (name.as_str(), property)));
        required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
    }

    fn target(&self, schema: &'d Value) -> Option<&'d Value> {
        self.document.pointer(&pointer::local(pointer::reference(schema)?)?)
    }
}

fn text(format: Option<&str>, length_min: u64) -> Value {
    match format {
        Some("date-time") => json!("2024-01-01T00:00:00Z"),
        Some("date") => json!("2024-01-01"),
        Some("uri") => json!("https://example.com"),
        Some("email") => json!("a@example.com"),
        Some("uuid") => json!("00000000-0000-4000-8000-000000000000"),
        Some("binary" | "byte") => json!("aGk="),
        _ => "x".repeat(usize::try_from(length_min.clamp(1, TEXT_MAX)).unwrap_or(1)).into(),
    }
}
