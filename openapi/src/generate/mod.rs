//! What authors of handlers read: types of a client in TypeScript and in Python, and a page of documentation.
//!
//! A document names types, properties and methods, so everything of it is quoted, escaped or renamed: what comes out is always valid.

mod example;
mod html;
mod python;
mod shape;
mod typescript;

pub use example::example;
pub use html::{escaped, page};
pub use python::python;
pub use typescript::typescript;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap, VecDeque},
};

use serde_json::Value;

use crate::{Document, Operation};

/// An operation and the name of its method.
pub type Method<'d> = (String, &'d Operation);

/// Schemas written out; parts shared by reference could otherwise be written any number of times.
const WRITTEN_MAX: usize = 100_000;
/// Bytes, beyond which whatever is left is told by its name only.
const TEXT_MAX: usize = 16 << 20;

/// The schemas that have names, as they are met.
struct Named<'d> {
    document: &'d Document,
    taken: RefCell<BTreeSet<String>>,
    names: RefCell<HashMap<String, String>>,
    waiting: RefCell<VecDeque<(String, &'d Value)>>,
    left: Cell<usize>,
}

impl<'d> Named<'d> {
    fn new(document: &'d Document, taken: &[&str]) -> Named<'d> {
        Named {
            document,
            taken: RefCell::new(taken.iter().map(|name| (*name).to_owned()).collect()),
            names: RefCell::default(),
            waiting: RefCell::default(),
            left: Cell::new(WRITTEN_MAX),
        }
    }

    /// A name of a type that no other has: `user-list` becomes `UserList`.
    fn unique(&self, text: &str) -> String {
        let name = pascal(text);
        let mut taken = self.taken.borrow_mut();
        let mut unique = name.clone();
        let mut number = 2;
        while !taken.insert(unique.clone()) {
            unique = format!("{name}{number}");
            number += 1;
        }
        unique
    }

    /// The name of what a `$ref` means, which is then written as well.
    fn of(&self, reference: &str) -> Option<String> {
        let (pointer, schema) = self.document.schema(reference)?;
        if let Some(name) = self.names.borrow().get(pointer) {
            return Some(name.clone());
        }
        let name = self.unique(pointer.rsplit('/').next().unwrap_or_default());
        self.names.borrow_mut().insert(pointer.to_owned(), name.clone());
        self.waiting.borrow_mut().push_back((name.clone(), schema));
        Some(name)
    }

    fn next(&self) -> Option<(String, &'d Value)> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Whether there is room for one more.
    fn room(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}

/// Letters and digits, words beginning with a capital.
fn pascal(text: &str) -> String {
    let mut name = String::new();
    let mut begins = true;
    for character in text.chars().take(80) {
        if !character.is_ascii_alphanumeric() {
            begins = true;
        } else if begins {
            name.extend(character.to_uppercase());
            begins = false;
        } else {
            name.push(character);
        }
    }
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) { name } else { format!("T{name}") }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// What is said of an operation: its summary, its description, and whether it is going away.
fn said(operation: &Operation) -> Vec<&str> {
    let mut lines: Vec<&str> = operation.summary().into_iter().flat_map(str::lines).collect();
    if let Some(description) = operation.description().filter(|description| Some(*description) != operation.summary()) {
        lines.extend(description.lines());
    }
    if operation.deprecated() {
        lines.push("Deprecated.");
    }
    lines
}
