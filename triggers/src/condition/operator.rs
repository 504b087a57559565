//! What a condition asks of a field, and how a group joins conditions.

use serde::{Serialize, Serializer};

/// What a condition asks of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The same value: texts to the letter, numbers by what they count (`1` is `1.0`), a number and a text that JSON would read as that
    /// number, arrays and objects by all that is in them.
    Equals,
    NotEquals,
    /// A text has the value as a part of it, whatever the case; an array has it as an item. A number is searched as it is written.
    Contains,
    NotContains,
    /// To the letter; a number is taken as it is written.
    StartsWith,
    /// As [`Operator::StartsWith`].
    EndsWith,
    /// Numbers, and texts of numbers, with a number; times as ISO 8601 writes them with a time, which is UTC if it does not say.
    GreaterThan,
    LessThan,
    /// Equals one of the items of the value, which is an array of at least one.
    In,
    NotIn,
    /// The field is there (`true`, also if there is no value) or is not (`false`).
    Exists,
    NotExists,
    /// A regular expression matches somewhere in a text, or in a number as it is written. The syntax is that of the `regex` crate, which
    /// has no look-around and no references back.
    Regex,
}

/// Each operator with its names, of which the first is ours.
const NAMES: [(Operator, &[&str]); 13] = [
    (Operator::Equals, &["equals"]),
    (Operator::NotEquals, &["notEquals", "not_equals"]),
    (Operator::Contains, &["contains"]),
    (Operator::NotContains, &["notContains", "not_contains"]),
    (Operator::StartsWith, &["startsWith", "starts_with"]),
    (Operator::EndsWith, &["endsWith", "ends_with"]),
    (Operator::GreaterThan, &["greaterThan", "greater_than"]),
    (Operator::LessThan, &["lessThan", "less_than"]),
    (Operator::In, &["in"]),
    (Operator::NotIn, &["notIn", "not_in"]),
    (Operator::Exists, &["exists"]),
    (Operator::NotExists, &["notExists", "not_exists"]),
    (Operator::Regex, &["regex", "matchesRegex", "matches_regex"]),
];

impl Operator {
    /// By any of its names.
    pub fn named(name: &str) -> Option<Operator> {
        NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(operator, _)| *operator)
    }

    /// Its first name: `notEquals`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(operator, _)| *operator == self).and_then(|(_, names)| names.first()).unwrap_or(&"")
    }

    /// The first names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter_map(|(_, names)| names.first().copied())
    }

    /// Whether it holds just where another operator does not, which is also where there is no such field.
    pub(crate) fn is_negated(self) -> bool {
        matches!(self, Operator::NotEquals | Operator::NotContains | Operator::NotIn | Operator::NotExists)
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How a group joins its conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logic {
    /// All of them hold.
    And,
    /// At least one of them holds.
    Or,
    /// None of them holds.
    Not,
}

const LOGIC: [(Logic, &str); 3] = [(Logic::And, "AND"), (Logic::Or, "OR"), (Logic::Not, "NOT")];

impl Logic {
    /// In any case.
    pub fn named(name: &str) -> Option<Logic> {
        LOGIC.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(logic, _)| *logic)
    }

    pub fn name(self) -> &'static str {
        LOGIC.iter().find(|(logic, _)| *logic == self).map_or("", |(_, name)| name)
    }
}
