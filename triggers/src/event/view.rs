//! An event that many trees look at.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::{HashMap, hash_map::Entry},
};

use serde_json::Value;

use super::Event;
use crate::value::{fold, text};

/// Remembers what was found of an event, as most trees ask for the same few fields.
pub struct View<'e> {
    event: &'e Event,
    found: HashMap<&'e str, Found<'e>>,
}

/// The value of a field, which may be missing.
pub struct Found<'e> {
    pub value: Option<&'e Value>,
    folded: OnceCell<Option<Cow<'e, str>>>,
}

impl<'e> View<'e> {
    pub fn new(event: &'e Event) -> View<'e> {
        View { event, found: HashMap::new() }
    }

    pub fn field(&mut self, name: &'e str) -> &Found<'e> {
        match self.found.entry(name) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => place.insert(Found::new(self.event.field(name))),
        }
    }
}

impl<'e> Found<'e> {
    pub fn new(value: Option<&'e Value>) -> Found<'e> {
        Found { value, folded: OnceCell::new() }
    }

    /// The text of it, folded; None if it has none.
    pub fn folded(&self) -> Option<&str> {
        let folded = || {
            Some(match text(self.value?)? {
                Cow::Borrowed(text) => fold(text),
                Cow::Owned(text) => Cow::Owned(fold(&text).into_owned()),
            })
        };
        self.folded.get_or_init(folded).as_deref()
    }
}
