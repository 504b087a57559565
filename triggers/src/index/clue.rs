//! What must be in an event for a tree to hold.

use serde_json::Value;

use super::pattern::literals;
use crate::{
    Conditions,
    condition::{Leaf, Logic, Test, Tree},
    value::{fold, number},
};

/// More of a literal would find no fewer flows, and would make the automaton large.
const PART_BYTES_MAX: usize = 32;
/// A part that is shorter is in too many texts.
const PART_BYTES_GOOD: usize = 4;

/// A field has a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clue {
    pub field: String,
    pub sign: Sign,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// It has this value.
    Key(Key),
    /// This is a part of it, or of an item of it, both folded.
    Part(String),
}

/// Values that are equal have the same key, though not only they.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The bits of a floating-point number.
    Number(u64),
    Text(String),
    Boolean(bool),
}

impl Key {
    /// Arrays and objects have none.
    pub fn of(value: &Value) -> Option<Key> {
        if let Some(number) = number(value) {
            // Adding zero makes -0 the same as 0.
            return Some(Key::Number((number.as_f64()? + 0.0).to_bits()));
        }
        match value {
            Value::String(text) => Some(Key::Text(text.clone())),
            Value::Bool(value) => Some(Key::Boolean(*value)),
            _ => None,
        }
    }
}

/// Of which at least one is there whenever the conditions hold. None if nothing is known of such.
pub fn clues(conditions: &Conditions) -> Option<Vec<Clue>> {
    conditions.tree().and_then(Clues::of_tree).map(|clues| clues.clues)
}

struct Clues {
    /// How many events the worst of them is in, as a guess: the lower, the fewer.
    frequency: u8,
    clues: Vec<Clue>,
}

impl Clues {
    fn of_tree(tree: &Tree) -> Option<Clues> {
        match tree {
            Tree::Leaf(leaf) => Clues::of_leaf(leaf),
            // Any member's will do, so the best of them.
            Tree::Group { logic: Logic::And, members } => {
                members.iter().filter_map(Clues::of_tree).min_by_key(|clues| (clues.frequency, clues.clues.len()))
            }
            Tree::Group { logic: Logic::Or, members } => {
                let mut all = Clues { frequency: 0, clues: Vec::new() };
                for member in members {
                    let clues = Clues::of_tree(member)?;
                    all.frequency = all.frequency.max(clues.frequency);
                    all.clues.extend(clues.clues);
                }
                Some(all)
            }
            Tree::Group { logic: Logic::Not, .. } => None,
        }
    }

    fn of_leaf(leaf: &Leaf) -> Option<Clues> {
        if leaf.operator.is_negated() {
            return None;
        }
        let signs = match &leaf.test {
            Test::Equals(value) => vec![Sign::Key(Key::of(value)?)],
            Test::In(items) => items.iter().map(|item| Key::of(item).map(Sign::Key)).collect::<Option<_>>()?,
            Test::Contains(part) => vec![Sign::part_of(part.item())?],
            Test::StartsWith(text) | Test::EndsWith(text) => vec![Sign::part(text)?],
            Test::Regex(regex) => literals(regex.as_str())?.iter().map(|literal| Sign::part(literal)).collect::<Option<_>>()?,
            Test::Order(..) | Test::Exists(_) => return None,
        };
        let frequency = signs.iter().map(Sign::frequency).max()?;
        let clue = |sign| Clue { field: leaf.field.clone(), sign };
        Some(Clues { frequency, clues: signs.into_iter().map(clue).collect() })
    }
}

impl Sign {
    /// Of what a field contains: as an item of an array, a number is equal to texts that it is no part of, so only other texts are one.
    fn part_of(item: &Value) -> Option<Sign> {
        let text = item.as_str().filter(|_| number(item).is_none())?;
        Sign::part(text)
    }

    fn part(text: &str) -> Option<Sign> {
        let folded = fold(text);
        let part = &folded[..folded.floor_char_boundary(PART_BYTES_MAX)];
        (!part.is_empty()).then(|| Sign::Part(part.to_owned()))
    }

    fn frequency(&self) -> u8 {
        match self {
            Sign::Key(Key::Number(_) | Key::Text(_)) => 0,
            Sign::Part(part) if part.len() >= PART_BYTES_GOOD => 1,
            Sign::Part(_) => 2,
            Sign::Key(Key::Boolean(_)) => 3,
        }
    }
}
