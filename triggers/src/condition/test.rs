//! What a condition does with the value of its field, compiled.

use std::{borrow::Cow, cmp::Ordering};

use jiff::Timestamp;
use memchr::memmem::Finder;
use regex::Regex;
use serde_json::{Number, Value};

use super::{operator::Operator, pattern::Patterns};
use crate::{
    event::Found,
    time::time,
    value::{compare, equal, fold, number, text},
};

/// A test of an operator or of the one it negates.
#[derive(Debug, Clone)]
pub enum Test {
    Equals(Value),
    Contains(Box<Part>),
    StartsWith(String),
    EndsWith(String),
    Order(Ordering, Bound),
    In(Vec<Value>),
    Exists(bool),
    Regex(Regex),
}

/// What a text has in it whatever its case, or an array among its items.
#[derive(Debug, Clone)]
pub struct Part {
    item: Value,
    folded: Finder<'static>,
}

/// What a value is less or greater than.
#[derive(Debug, Clone)]
pub enum Bound {
    Number(Number),
    Time(Timestamp),
}

impl Test {
    /// The value has been found short enough. The error goes on where the name of the value ends.
    pub fn new(operator: Operator, value: &Value, patterns: &mut Patterns) -> Result<Test, String> {
        let written = || text(value).map(Cow::into_owned).ok_or("must be a text");
        Ok(match operator {
            Operator::Equals | Operator::NotEquals => Test::Equals(value.clone()),
            Operator::Contains | Operator::NotContains => Test::Contains(Box::new(Part::new(value)?)),
            Operator::StartsWith => Test::StartsWith(written()?),
            Operator::EndsWith => Test::EndsWith(written()?),
            Operator::GreaterThan => Test::Order(Ordering::Greater, Bound::new(value)?),
            Operator::LessThan => Test::Order(Ordering::Less, Bound::new(value)?),
            Operator::In | Operator::NotIn => match value {
                Value::Array(items) if !items.is_empty() => Test::In(items.clone()),
                _ => return Err("must be an array of at least one value".into()),
            },
            Operator::Exists | Operator::NotExists => Test::Exists(value.as_bool().ok_or("must be true or false")?),
            Operator::Regex => Test::Regex(patterns.compile(value.as_str().ok_or("must be a text")?)?),
        })
    }

    /// Whether the value of a field passes. One that is missing passes nothing but `exists: false`.
    pub fn passes(&self, found: &Found<'_>) -> bool {
        let Some(actual) = found.value else { return matches!(self, Test::Exists(false)) };
        match self {
            Test::Equals(expected) => equal(actual, expected),
            Test::Contains(part) => part.is_in(actual, found),
            Test::StartsWith(start) => text(actual).is_some_and(|text| text.starts_with(&**start)),
            Test::EndsWith(end) => text(actual).is_some_and(|text| text.ends_with(&**end)),
            Test::Order(order, bound) => bound.order(actual) == Some(*order),
            Test::In(items) => items.iter().any(|item| equal(actual, item)),
            Test::Exists(expected) => *expected,
            Test::Regex(regex) => text(actual).is_some_and(|text| regex.is_match(&text)),
        }
    }
}

impl Part {
    fn new(item: &Value) -> Result<Part, String> {
        let folded = match item {
            Value::Bool(item) => Cow::Owned(item.to_string()),
            other => text(other).ok_or("must be a text, a number or a boolean")?,
        };
        Ok(Part { item: item.clone(), folded: Finder::new(&*fold(&folded)).into_owned() })
    }

    pub fn item(&self) -> &Value {
        &self.item
    }

    fn is_in(&self, actual: &Value, found: &Found<'_>) -> bool {
        match actual {
            Value::Array(items) => {
                let is_it = |item: &Value| text(item).is_some_and(|text| fold(&text).as_bytes() == self.folded.needle());
                items.iter().any(|item| equal(item, &self.item) || (item.is_string() && is_it(item)))
            }
            _ => found.folded().is_some_and(|text| self.folded.find(text.as_bytes()).is_some()),
        }
    }
}

impl Bound {
    fn new(value: &Value) -> Result<Bound, String> {
        let written_time = || value.as_str().and_then(time).map(Bound::Time);
        let bound = number(value).map(|number| Bound::Number(number.into_owned())).or_else(written_time);
        bound.ok_or_else(|| "must be a number, or a time such as 2026-01-15T10:00:00Z".into())
    }

    /// How a value stands to it, if they are of a kind.
    fn order(&self, actual: &Value) -> Option<Ordering> {
        match self {
            Bound::Number(bound) => compare(&*number(actual)?, bound),
            Bound::Time(bound) => Some(time(actual.as_str()?)?.cmp(bound)),
        }
    }
}
