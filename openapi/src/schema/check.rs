//! Whether schemas are ones of OpenAPI 3.0, and which there are.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{SchemaId, options};
use crate::{
    pointer::{child, target},
    problem::{Problems, quoted},
};

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];
const COUNTS: [&str; 6] = ["maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"];
const FLAGS: [&str; 7] = ["nullable", "readOnly", "writeOnly", "deprecated", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum"];
const TEXTS: [&str; 4] = ["title", "description", "format", "pattern"];
/// Different ones in a document; each is compiled.
const PATTERNS_MAX: usize = 1_000;
/// Schemas that apply to one and the same value by `allOf` and its kin, without a reference: each of them costs at every value.
const WIDTH_MAX: usize = 500;

/// The schemas found so far, by the places that they stand at.
#[derive(Default)]
pub struct Gathered {
    pub pointers: Vec<String>,
    pub index: HashMap<String, SchemaId>,
    /// Which schemas a schema says to be true of the same value: circles of these would have no end.
    same_value: Vec<Vec<(SchemaId, String)>>,
    patterns: HashMap<String, Option<String>>,
}

impl Gathered {
    /// The schema at this place, which is checked with the others.
    pub fn add(&mut self, pointer: &str) -> SchemaId {
        if let Some(id) = self.index.get(pointer) {
            return *id;
        }
        let id = self.pointers.len();
        self.pointers.push(pointer.to_owned());
        self.index.insert(pointer.to_owned(), id);
        self.same_value.push(Vec::new());
        id
    }

    /// Checks all that were added, and those they refer to.
    pub fn check(&mut self, root: &Value, problems: &mut Problems) {
        let mut next = 0;
        while let Some(pointer) = self.pointers.get(next).cloned().filter(|_| !problems.full()) {
            let schema = root.pointer(&pointer).unwrap_or(&Value::Null);
            let mut checker = Checker { root, gathered: self, problems, owner: next, width: 0 };
            checker.schema(schema, &pointer, true);
            if checker.width > WIDTH_MAX {
                let message = format!("{} schemas apply to one value; at most {WIDTH_MAX} may", checker.width);
                problems.add(&*pointer, message);
            }
            next += 1;
        }
        self.circles(problems);
    }

    /// Depth first, without recursion: there may be as many references as the document has room for.
    fn circles(&self, problems: &mut Problems) {
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut state = vec![0u8; self.pointers.len()];
        for start in 0..self.pointers.len() {
            let mut path = if state[start] == 0 { vec![(start, 0)] } else { Vec::new() };
            while let Some((id, edge)) = path.last_mut() {
                state[*id] = OPEN;
                let Some((to, place)) = self.same_value[*id].get(*edge) else {
                    state[*id] = DONE;
                    path.pop();
                    continue;
                };
                *edge += 1;
                match state[*to] {
                    OPEN => problems.add(place, "the reference leads back to the schema itself, with nothing in between"),
                    DONE => {}
                    _ => path.push((*to, 0)),
                }
            }
        }
    }

    fn pattern(&mut self, pattern: &str) -> Option<String> {
        if self.patterns.len() >= PATTERNS_MAX && !self.patterns.contains_key(pattern) {
            return Some(format!("the document has more than {PATTERNS_MAX} patterns"));
        }
        let check = || options().build(&json!({ "pattern": pattern })).err().map(|error| error.to_string());
        self.patterns.entry(pattern.to_owned()).or_insert_with(check).clone()
    }
}

struct Checker<'c> {
    root: &'c Value,
    gathered: &'c mut Gathered,
    problems: &'c mut Problems,
    owner: SchemaId,
    width: usize,
}

impl Checker<'_> {
    /// `same`: about the same value as the schema that is being checked as a whole.
    fn schema(&mut self, schema: &Value, pointer: &str, same: bool) {
        if self.problems.full() {
            return;
        }
        self.width += usize::from(same);
        let Some(members) = schema.as_object() else {
            return self.problems.add(pointer, "a schema must be an object");
        };
        if let Some(reference) = members.get("$ref") {
            let place = child(pointer, "$ref");
            if let Some((target, _)) = target(self.root, reference, &place, self.problems) {
                let id = self.gathered.add(&target);
                if same {
                    self.gathered.same_value[self.owner].push((id, place));
                }
            }
            return;
        }
        self.kind(members, pointer);
        self.values(members, pointer);
        self.parts(members, pointer, same);
    }

    fn kind(&mut self, members: &Map<String, Value>, pointer: &str) {
        let at = || child(pointer, "type");
        match members.get("type") {
            None => {}
            Some(Value::String(kind)) if kind == "array" && !members.contains_key("items") => {
                self.problems.add(pointer, "an array must say what its items are");
            }
            Some(Value::String(kind)) if TYPES.contains(&&**kind) => {}
            Some(Value::String(kind)) => {
                let hint = if kind == "null" { "; a value that may be null is `nullable: true`" } else { "" };
                self.problems.add(at(), format!("{} is no type of OpenAPI 3.0, which are {}{hint}", quoted(kind), TYPES.join(", ")));
            }
            Some(Value::Array(_)) => self.problems.add(at(), "must be one type; several are written as `anyOf`, null as `nullable: true`"),
            Some(_) => self.problems.add(at(), "must be a string"),
        }
    }

    fn values(&mut self, members: &Map<String, Value>, pointer: &str) {
        for (names, fits, wanted) in [
            (&COUNTS[..], (|value: &Value| value.as_u64().is_some()) as fn(&Value) -> bool, "a whole number from 0"),
            (&FLAGS[..], |value| value.is_boolean(), "true or false"),
            (&TEXTS[..], |value| value.is_string(), "a string"),
            (&["minimum", "maximum"][..], |value| value.is_number(), "a number"),
            (&["multipleOf"][..], |value| value.as_f64().is_some_and(|number| number > 0.0), "a number above 0"),
            (&["enum"][..], |value| value.as_array().is_some_and(|values| !values.is_empty()), "an array that is not empty"),
        ] {
            for name in names {
                if members.get(*name).is_some_and(|value| !fits(value)) {
                    self.problems.add(child(pointer, name), format!("must be {wanted}"));
                }
            }
        }
        if let Some(required) = members.get("required") {
            let names = required.as_array().map(|names| names.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
            if names.flatten().is_none() {
                self.problems.add(child(pointer, "required"), "must be an array of names of properties");
            }
        }
        if members.get("readOnly") == Some(&Value::Bool(true)) && members.get("writeOnly") == Some(&Value::Bool(true)) {
            self.problems.add(child(pointer, "writeOnly"), "cannot be true where readOnly is");
        }
        if let Some(pattern) = members.get("pattern").and_then(Value::as_str)
            && let Some(message) = self.gathered.pattern(pattern)
        {
            let message = message.lines().last().unwrap_or_default().to_owned();
            self.problems.add(child(pointer, "pattern"), format!("is no pattern that can be used: {message}"));
        }
    }

    fn parts(&mut self, members: &Map<String, Value>, pointer: &str, same: bool) {
        if let Some(properties) = members.get("properties") {
            let at = child(pointer, "properties");
            match properties.as_object() {
                None => self.problems.add(at, "must be an object of schemas"),
                Some(properties) => properties.iter().for_each(|(name, property)| self.schema(property, &child(&at, name), false)),
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let at = child(pointer, keyword);
            match members.get(keyword) {
                None => {}
                Some(Value::Array(list)) if !list.is_empty() => {
                    list.iter().enumerate().for_each(|(number, member)| self.schema(member, &child(&at, number.to_string()), same));
                }
                Some(_) => self.problems.add(at, "must be an array of schemas that is not empty"),
            }
        }
        if let Some(not) = members.get("not") {
            self.schema(not, &child(pointer, "not"), same);
        }
        if let Some(items) = members.get("items") {
            self.schema(items, &child(pointer, "items"), false);
        }
        if let Some(additional) = members.get("additionalProperties").filter(|additional| !additional.is_boolean()) {
            self.schema(additional, &child(pointer, "additionalProperties"), false);
        }
    }
}
