//! Schemas of a document. Each stays where it stands and is known by its place; what refers to it refers to the place, so a document
//! never grows by being read, however its schemas are woven together.

mod check;
mod convert;
mod flaw;
mod formats;
mod known;

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
};

use jsonschema::{Draft, Keyword, PatternOptions, ValidationError, Validator};
use serde_json::Value;

pub use check::Gathered;
pub use flaw::Flaw;
pub use known::{Alternative, Kinds, Members};

use crate::pointer;

/// Which schema, as a number of its place.
pub type SchemaId = usize;

/// A request leaves `readOnly` properties out, a response those that are `writeOnly`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

/// References followed while one value is checked. Alternatives that refer to each other could otherwise take a lifetime.
const STEPS_MAX: u32 = 1_000_000;
/// References within each other while one value is checked; each stands on the stack.
const NESTED_MAX: u32 = 200;
/// Of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// The keyword that a `$ref` becomes, with the number of the schema it means.
const REFERENCE: &str = "x-reference";

thread_local! {
    static STEPS: Cell<u32> = const { Cell::new(0) };
    static NESTED: Cell<u32> = const { Cell::new(0) };
    static EXHAUSTED: Cell<bool> = const { Cell::new(false) };
}

struct Entry {
    pointer: String,
    request: OnceLock<Result<Validator, String>>,
    response: OnceLock<Result<Validator, String>>,
}

/// All schemas that something refers to, each compiled when it is first needed.
pub struct Schemas {
    root: Arc<Value>,
    entries: Vec<Entry>,
    index: HashMap<String, SchemaId>,
    this: Weak<Schemas>,
}

impl Schemas {
    pub fn new(root: Arc<Value>, gathered: Gathered) -> Arc<Schemas> {
        let entry = |pointer| Entry { pointer, request: OnceLock::new(), response: OnceLock::new() };
        Arc::new_cyclic(|this| Schemas {
            root,
            index: gathered.index,
            entries: gathered.pointers.into_iter().map(entry).collect(),
            this: this.clone(),
        })
    }

    /// The schema as it stands in the document.
    pub fn json(&self, id: SchemaId) -> &Value {
        self.entries.get(id).and_then(|entry| self.root.pointer(&entry.pointer)).unwrap_or(&Value::Null)
    }

    pub fn pointer(&self, id: SchemaId) -> &str {
        self.entries.get(id).map_or("", |entry| &entry.pointer)
    }

    /// What a `$ref` of the document means.
    pub fn id(&self, reference: &str) -> Option<SchemaId> {
        self.index.get(&pointer::local(reference)?).copied()
    }

    /// The schema itself, or the one that it is only a reference to.
    pub fn followed<'s>(&'s self, mut schema: &'s Value) -> &'s Value {
        // Circles were refused; the bound is for what this function does not see.
        for _ in 0..100 {
            match pointer::reference(schema).and_then(|reference| self.id(reference)) {
                Some(id) => schema = self.json(id),
                None => break,
            }
        }
        schema
    }

    /// The first thing about a value that its schema does not allow.
    pub fn check(&self, id: SchemaId, direction: Direction, value: &Value) -> Result<(), Flaw> {
        let compiled = match self.compiled(id, direction) {
            Ok(compiled) => compiled,
            Err(message) => return Err(Flaw::new(format!("cannot be checked: {message}"))),
        };
        begin();
        let valid = compiled.is_valid(value);
        if EXHAUSTED.get() {
            return Err(Flaw::new("is nested too deeply, or has too many readings, to be checked against its schema"));
        }
        if valid {
            return Ok(());
        }
        begin();
        match compiled.validate(value) {
            Err(error) => Err(Flaw::of(&error)),
            Ok(()) => Err(Flaw::new("does not fit its schema")),
        }
    }

    pub fn is_valid(&self, id: SchemaId, direction: Direction, value: &Value) -> bool {
        begin();
        self.compiled(id, direction).is_ok_and(|compiled| compiled.is_valid(value)) && !EXHAUSTED.get()
    }

    fn compiled(&self, id: SchemaId, direction: Direction) -> Result<&Validator, &str> {
        let Some(entry) = self.entries.get(id) else { return Err("there is no such schema") };
        let kept = match direction {
            Direction::Request => &entry.request,
            Direction::Response => &entry.response,
        };
        let compiled = kept.get_or_init(|| {
            let schemas = self.this.clone();
            let schema = convert::json_schema(self, self.json(id), direction);
            options()
                .with_keyword(REFERENCE, move |_, id, _| {
                    let id = id.as_u64().and_then(|id| SchemaId::try_from(id).ok()).unwrap_or(SchemaId::MAX);
                    Ok(Box::new(Reference { schemas: schemas.clone(), id, direction }))
                })
                .build(&schema)
                .map_err(|error| error.to_string())
        });
        compiled.as_ref().map_err(String::as_str)
    }
}

fn begin() {
    STEPS.set(0);
    NESTED.set(0);
    EXHAUSTED.set(false);
}

fn options<'i>() -> jsonschema::ValidationOptions<'i> {
    formats::add(
        jsonschema::options()
            .with_draft(Draft::Draft7)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .should_validate_formats(true),
    )
}

/// A schema within another. A keyword of our own, since the library would compile the schema anew wherever it is referred to.
struct Reference {
    schemas: Weak<Schemas>,
    id: SchemaId,
    direction: Direction,
}

impl Reference {
    fn within<T>(&self, then: impl FnOnce(&Validator) -> T) -> Option<T> {
        let schemas = self.schemas.upgrade()?;
        let compiled = schemas.compiled(self.id, self.direction).ok()?;
        if EXHAUSTED.get() || STEPS.get() >= STEPS_MAX || NESTED.get() >= NESTED_MAX {
            EXHAUSTED.set(true);
            return None;
        }
        STEPS.set(STEPS.get() + 1);
        NESTED.set(NESTED.get() + 1);
        let result = then(compiled);
        NESTED.set(NESTED.get() - 1);
        Some(result)
    }
}

impl<'i> Keyword<'i> for Reference {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.within(|compiled| compiled.validate(instance).map_err(|error| Flaw::of(&error))) {
            Some(Ok(())) => Ok(()),
            Some(Err(flaw)) => Err(ValidationError::custom(flaw.packed())),
            None => Err(ValidationError::custom("cannot be checked against its schema")),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.within(|compiled| compiled.is_valid(instance)).unwrap_or(false)
    }
}
