//! Schemas and operations as types see them: objects with members, whatever they are put together of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Named;
use crate::{Operation, pointer};

/// `allOf` within `allOf` that is followed.
const DEPTH_MAX: usize = 8;

/// A member of an object.
#[derive(Clone, Copy)]
pub struct Member<'d> {
    pub schema: &'d Value,
    pub required: bool,
    pub description: Option<&'d str>,
    /// It may be a file with a name and a content type, as well.
    pub file: bool,
}

/// An object, its parts taken together.
#[derive(Default)]
pub struct Object<'d> {
    pub members: BTreeMap<&'d str, Member<'d>>,
    /// What members of other names are, if the document says so.
    pub others: Option<&'d Value>,
}

/// The object that a schema is. None: it is something else, or one of several.
pub fn object<'d>(named: &Named<'d>, schema: &'d Value) -> Option<Object<'d>> {
    let mut object = Object::default();
    let mut required = BTreeSet::new();
    if !gather(named, schema, DEPTH_MAX, &mut object, &mut required) {
        return None;
    }
    for (name, member) in &mut object.members {
        member.required |= required.contains(name);
    }
    Some(object)
}

fn gather<'d>(named: &Named<'d>, schema: &'d Value, depth: usize, object: &mut Object<'d>, required: &mut BTreeSet<&'d str>) -> bool {
    if depth == 0 || !named.room() {
        return false;
    }
    if let Some(reference) = pointer::reference(schema) {
        return named.document.schema(reference).is_some_and(|(_, schema)| gather(named, schema, depth - 1, object, required));
    }
    if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
        return false;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let description = schema.get("description").and_then(Value::as_str);
        object.members.insert(name, Member { schema, required: false, description, file: false });
    }
    required.extend(schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
    if let Some(others) = schema.get("additionalProperties").filter(|others| others.is_object()) {
        object.others = Some(others);
    }
    let parts = schema.get("allOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    // One that says nothing of types only adds to the others.
    let all = parts.iter().all(|part| part.get("type").is_none() && part.get("$ref").is_none() || is_object(named, part, depth - 1));
    for part in parts {
        gather(named, part, depth - 1, object, required);
    }
    let kind = schema.get("type").and_then(Value::as_str);
    all && (kind == Some("object") || (kind.is_none() && (properties.is_some() || !parts.is_empty())))
}

fn is_object(named: &Named<'_>, schema: &Value, depth: usize) -> bool {
    if depth == 0 || !named.room() {
        return false;
    }
    if let Some(reference) = pointer::reference(schema) {
        return named.document.schema(reference).is_some_and(|(_, schema)| is_object(named, schema, depth - 1));
    }
    let parts = schema.get("allOf").and_then(Value::as_array);
    match schema.get("type").and_then(Value::as_str) {
        Some(kind) => kind == "object",
        None => schema.get("properties").is_some() || parts.is_some_and(|parts| parts.iter().all(|part| is_object(named, part, depth - 1))),
    }
}

fn is_read_only(named: &Named<'_>, schema: &Value) -> bool {
    let schema = pointer::reference(schema).and_then(|reference| named.document.schema(reference)).map_or(schema, |(_, schema)| schema);
    schema.get("readOnly") == Some(&Value::Bool(true))
}

/// What a method takes.
pub struct Taken<'d> {
    pub members: BTreeMap<&'d str, Member<'d>>,
    /// A body whose members are parameters, but is no plain object.
    pub also: Option<&'d Value>,
    pub required: bool,
}

/// The one object of parameters that a call gives.
pub fn taken<'d>(named: &Named<'d>, operation: &'d Operation) -> Taken<'d> {
    let mut members = BTreeMap::new();
    for parameter in operation.parameters() {
        let schema = operation.parameter_schema(parameter);
        let description = parameter.description().or_else(|| schema.get("description").and_then(Value::as_str));
        let required = parameter.required() && schema.get("default").is_none();
        members.insert(parameter.name(), Member { schema, required, description, file: false });
    }
    let mut also = None;
    if let Some(body) = operation.body() {
        let schema = operation.body_schema();
        if !body.is_flat() {
            members.insert("body", Member { schema, required: body.required(), description: body.description(), file: false });
        } else if let Some(object) = object(named, schema) {
            // What only answers have is nothing to give.
            let own = object.members.into_iter().filter(|(_, member)| !is_read_only(named, member.schema));
            let files = body.files();
            let member = |(name, member): (&'d str, Member<'d>)| {
                let required = member.required && body.required();
                (name, Member { required, file: files.is_some_and(|files| files.contains(name)), ..member })
            };
            members.extend(own.map(member));
        } else {
            also = Some(schema);
        }
    }
    let required =
        members.values().any(|member| member.required) || (also.is_some() && operation.body().is_some_and(|body| body.required()));
    Taken { members, also, required }
}
