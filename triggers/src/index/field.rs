//! The flows that wait for something in one field.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use aho_corasick::AhoCorasick;
use serde_json::Value;

use super::clue::{Key, Sign};
use crate::{
    event::Found,
    value::{fold, text},
};

type Slots = BTreeSet<usize>;

/// Slots by the signs that they wait for.
#[derive(Debug, Clone, Default)]
pub struct Field {
    keys: HashMap<Key, Slots>,
    parts: HashMap<String, Slots>,
    /// Made of the parts when it is first needed after they have changed.
    finder: OnceLock<Finder>,
}

#[derive(Debug, Clone)]
struct Finder {
    parts: Vec<String>,
    /// None if there are more parts than it can hold; then each may be anywhere.
    automaton: Option<AhoCorasick>,
}

impl Field {
    pub fn insert(&mut self, sign: Sign, slot: usize) {
        match sign {
            Sign::Key(key) => self.keys.entry(key).or_default().insert(slot),
            Sign::Part(part) => {
                if !self.parts.contains_key(&part) {
                    self.finder.take();
                }
                self.parts.entry(part).or_default().insert(slot)
            }
        };
    }

    pub fn remove(&mut self, sign: &Sign, slot: usize) {
        match sign {
            Sign::Key(key) => {
                let rest = self.keys.get_mut(key).is_some_and(|slots| slots.remove(&slot) && slots.is_empty());
                if rest {
                    self.keys.remove(key);
                }
            }
            Sign::Part(part) => {
                let rest = self.parts.get_mut(part).is_some_and(|slots| slots.remove(&slot) && slots.is_empty());
                // The finder may go on finding it: then there is nobody who waits.
                if rest {
                    self.parts.remove(part);
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.parts.is_empty()
    }

    /// Adds the slots whose sign may be in the field.
    pub fn collect(&self, field: &Found<'_>, slots: &mut Vec<usize>) {
        let Some(value) = field.value else { return };
        slots.extend(Key::of(value).and_then(|key| self.keys.get(&key)).into_iter().flatten());
        if self.parts.is_empty() {
            return;
        }
        let finder = self.finder.get_or_init(|| Finder::new(self.parts.keys().cloned().collect()));
        let mut found = vec![false; finder.parts.len()];
        match value {
            Value::Array(items) => items.iter().filter_map(text).for_each(|text| finder.find(&fold(&text), &mut found)),
            _ => field.folded().into_iter().for_each(|text| finder.find(text, &mut found)),
        }
        let found = finder.parts.iter().zip(found).filter(|(_, found)| *found);
        slots.extend(found.filter_map(|(part, _)| self.parts.get(part)).flatten());
    }
}

impl Finder {
    fn new(parts: Vec<String>) -> Finder {
        let automaton = AhoCorasick::new(&parts).ok();
        Finder { parts, automaton }
    }

    /// Marks the parts that are in a text.
    fn find(&self, text: &str, found: &mut [bool]) {
        let Some(automaton) = &self.automaton else { return found.fill(true) };
        for part in automaton.find_overlapping_iter(text) {
            if let Some(found) = found.get_mut(part.pattern().as_usize()) {
                *found = true;
            }
        }
    }
}
