//! What a schema says of the shape of its values, as far as writing and reading them as text needs it.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Number, Value};

use super::Schemas;

/// How far alternatives and references are followed.
const DEPTH_MAX: usize = 8;
const ALTERNATIVES_MAX: usize = 16;
/// Schemas looked at for one answer; references to references would let a small document ask for any number of them.
const VISITED_MAX: usize = 2_000;

/// Types that a text may be read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    pub number: bool,
    pub boolean: bool,
    pub string: bool,
}

impl Kinds {
    pub const ALL: Kinds = Kinds { number: true, boolean: true, string: true };
    pub const STRING: Kinds = Kinds { number: false, boolean: false, string: true };

    fn of(kind: &str) -> Kinds {
        Kinds { number: matches!(kind, "number" | "integer"), boolean: kind == "boolean", string: kind == "string" }
    }

    /// The value of a text; the text itself, wherever that may be, if `textual`.
    pub fn read(self, text: &str, textual: bool) -> Value {
        if self.string && textual {
            return text.into();
        }
        if self.number
            && let Ok(number) = text.parse::<Number>()
        {
            return Value::Number(number);
        }
        match text {
            "true" if self.boolean => Value::Bool(true),
            "false" if self.boolean => Value::Bool(false),
            _ => text.into(),
        }
    }

    fn or(self, other: Kinds) -> Kinds {
        Kinds { number: self.number || other.number, boolean: self.boolean || other.boolean, string: self.string || other.string }
    }
}

/// One of the shapes that a value may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alternative {
    Scalar(Kinds),
    Array(Kinds),
    /// Each known member, and whether there may be others.
    Object(BTreeMap<String, Alternative>, bool),
}

/// The properties of a body that is always an object.
#[derive(Clone, Debug, Default)]
pub struct Members {
    pub names: BTreeSet<String>,
    /// Those that forms send as files.
    pub files: BTreeSet<String>,
}

/// How much further a search may go.
#[derive(Clone, Copy)]
struct Bounds<'v> {
    depth: usize,
    visits: &'v Cell<usize>,
}

impl Bounds<'_> {
    fn below(self) -> Option<Self> {
        self.visits.set(self.visits.get().checked_sub(1)?);
        Some(Bounds { depth: self.depth.checked_sub(1)?, ..self })
    }
}

impl Schemas {
    /// The shapes of a schema's values, `allOf` taken together.
    pub fn alternatives(&self, schema: &Value) -> Vec<Alternative> {
        let mut found = Vec::new();
        self.collect(schema, Bounds { depth: DEPTH_MAX, visits: &Cell::new(VISITED_MAX) }, &mut found);
        found
    }

    fn collect(&self, schema: &Value, bounds: Bounds<'_>, found: &mut Vec<Alternative>) {
        let schema = self.followed(schema);
        let Some(below) = bounds.below().filter(|_| found.len() < ALTERNATIVES_MAX) else { return };
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => {
                let items = schema.get("items").map_or(Kinds::ALL, |items| self.kinds(items, below));
                return found.push(Alternative::Array(items));
            }
            Some("object") => return found.push(self.object(schema, below)),
            Some(kind) => return found.push(Alternative::Scalar(Kinds::of(kind))),
            None if schema.get("properties").is_some() => return found.push(self.object(schema, below)),
            None => {}
        }
        let before = found.len();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for member in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.collect(member, below, found);
            }
        }
        if found.len() == before {
            found.push(Alternative::Scalar(Kinds::ALL));
        }
    }

    fn object(&self, schema: &Value, below: Bounds<'_>) -> Alternative {
        let mut members = BTreeMap::new();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let mut shapes = Vec::new();
            self.collect(property, below, &mut shapes);
            members.insert(name.clone(), shapes.into_iter().next().unwrap_or(Alternative::Scalar(Kinds::ALL)));
        }
        Alternative::Object(members, schema.get("additionalProperties") != Some(&Value::Bool(false)))
    }

    /// The types of a schema's values, or of their items.
    pub fn kinds_within(&self, schema: &Value) -> Kinds {
        let kinds = |shape: &Alternative| match shape {
            Alternative::Scalar(kinds) | Alternative::Array(kinds) => *kinds,
            Alternative::Object(..) => Kinds::default(),
        };
        self.alternatives(schema).iter().map(kinds).fold(Kinds::default(), Kinds::or)
    }

    fn kinds(&self, schema: &Value, bounds: Bounds<'_>) -> Kinds {
        let mut shapes = Vec::new();
        self.collect(schema, bounds, &mut shapes);
        let scalar = |shape: &Alternative| if let Alternative::Scalar(kinds) = shape { *kinds } else { Kinds::default() };
        shapes.iter().map(scalar).fold(Kinds::default(), Kinds::or)
    }

    /// The properties of a schema whose values are all objects.
    pub fn members(&self, schema: &Value) -> Option<Members> {
        let properties = self.properties(schema)?;
        let files = properties.iter().filter(|(_, property)| self.is_file(property)).map(|(name, _)| (*name).to_owned());
        Some(Members { files: files.collect(), names: properties.keys().map(|name| (*name).to_owned()).collect() })
    }

    /// The same, each with its schema.
    pub fn properties<'s>(&'s self, schema: &'s Value) -> Option<BTreeMap<&'s str, &'s Value>> {
        let mut properties = BTreeMap::new();
        let bounds = Bounds { depth: DEPTH_MAX, visits: &Cell::new(VISITED_MAX) };
        self.gather(schema, bounds, &mut properties).then_some(properties)
    }

    /// Whether all values of the schema are objects.
    fn gather<'s>(&'s self, schema: &'s Value, bounds: Bounds<'_>, found: &mut BTreeMap<&'s str, &'s Value>) -> bool {
        let schema = self.followed(schema);
        let Some(below) = bounds.below() else { return false };
        let properties = schema.get("properties").and_then(Value::as_object);
        found.extend(properties.into_iter().flatten().map(|(name, property)| (&**name, property)));
        let kind = schema.get("type").and_then(Value::as_str);
        let mut is_object = kind == Some("object") || (kind.is_none() && properties.is_some());
        for (keyword, all) in [("allOf", false), ("anyOf", true), ("oneOf", true)] {
            let list = schema.get(keyword).and_then(Value::as_array);
            let objects: Vec<bool> = list.into_iter().flatten().map(|member| self.gather(member, below, found)).collect();
            is_object |= !objects.is_empty() && if all { objects.iter().all(|is| *is) } else { objects.iter().any(|is| *is) };
        }
        is_object
    }

    fn is_file(&self, schema: &Value) -> bool {
        let binary = |schema: &Value| schema.get("format").and_then(Value::as_str) == Some("binary");
        let schema = self.followed(schema);
        binary(schema) || schema.get("items").is_some_and(|items| binary(self.followed(items)))
    }
}
