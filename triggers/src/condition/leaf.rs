//! One condition: a field, an operator and a value.

use serde_json::{Value, json};

use super::{ConditionResult, limits, operator::Operator, pattern::Patterns, test::Test};
use crate::{
    Event, Invalid,
    event::{Found, View},
};

#[derive(Debug, Clone)]
pub struct Leaf {
    pub field: String,
    pub operator: Operator,
    /// As it was given, which it need not be for `exists`.
    value: Option<Value>,
    pub test: Test,
}

/// Where the parts of a condition stand, for whoever has to correct them.
pub struct Places<'p> {
    pub field: &'p str,
    pub value: &'p str,
}

impl Leaf {
    pub fn new(field: &str, operator: Operator, value: Option<&Value>, at: &Places<'_>, patterns: &mut Patterns) -> Result<Leaf, Invalid> {
        limits::check_field(at.field, field)?;
        let value = value.filter(|value| !value.is_null());
        let test = match value {
            Some(value) => {
                limits::check_value(at.value, value)?;
                Test::new(operator, value, patterns).map_err(|problem| Invalid::new(at.value, problem))?
            }
            None if matches!(operator, Operator::Exists | Operator::NotExists) => Test::Exists(true),
            None => return Err(Invalid::new(at.value, "is required")),
        };
        Ok(Leaf { field: field.to_owned(), operator, value: value.cloned(), test })
    }

    pub fn holds<'e>(&'e self, event: &mut View<'e>) -> bool {
        self.holds_for(event.field(&self.field))
    }

    fn holds_for(&self, actual: &Found<'_>) -> bool {
        self.test.passes(actual) != self.operator.is_negated()
    }

    pub fn explain(&self, event: &Event) -> ConditionResult {
        let actual = Found::new(event.field(&self.field));
        ConditionResult {
            field: self.field.clone(),
            operator: self.operator,
            expected: self.value.clone().unwrap_or(Value::Bool(true)),
            actual: actual.value.cloned().unwrap_or_default(),
            passed: self.holds_for(&actual),
        }
    }

    pub fn to_json(&self) -> Value {
        let mut json = json!({ "field": self.field, "operator": self.operator });
        if let (Some(members), Some(value)) = (json.as_object_mut(), &self.value) {
            members.insert("value".into(), value.clone());
        }
        json
    }
}
