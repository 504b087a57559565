//! The simple filter: one flat object instead of a tree.

use serde_json::{Map, Value};

use super::{
    Conditions,
    leaf::{Leaf, Places},
    limits::CONDITIONS_MAX,
    operator::{Logic, Operator},
    pattern::Patterns,
    tree::Tree,
};
use crate::{Invalid, read_event_type};

/// How the name of a member ends, and what that asks of the field.
const SUFFIXES: [(&str, Operator); 8] = [
    ("_starts_with", Operator::StartsWith),
    ("_ends_with", Operator::EndsWith),
    ("_contains", Operator::Contains),
    ("_matches", Operator::Regex),
    ("_not", Operator::NotEquals),
    ("_gt", Operator::GreaterThan),
    ("_lt", Operator::LessThan),
    ("_in", Operator::In),
];

/// Reads `{when: "telegram.message", message_text_contains: "urgent"}`: a type of events, and conditions that all have to hold.
///
/// A member is called like a field, with a suffix that stands for an operator; without one, the field equals the value. With an array the
/// field is one of its items (`_not`: none of them), or contains, starts with, ends with or matches one. Names stay as they
/// are: events know `message_text` as well as `text`. A field whose own name ends like a suffix needs a tree.
pub fn read_filter(filter: &Map<String, Value>) -> Result<(String, Conditions), Invalid> {
    let event_type = match filter.get("when") {
        None | Some(Value::Null) => return Err(Invalid::new("when", "is required")),
        Some(Value::String(text)) => read_event_type("when", text)?,
        Some(_) => return Err(Invalid::new("when", "must be a text")),
    };
    let members = filter.iter().filter(|(name, _)| *name != "when");
    let members: Vec<Member> = members.map(|(name, value)| Member::read(name, value)).collect();
    if members.iter().map(Member::conditions).sum::<usize>() > CONDITIONS_MAX {
        return Err(Invalid { field: String::new(), message: format!("the filter has more than {CONDITIONS_MAX} conditions") });
    }
    let mut patterns = Patterns::new();
    let trees = members.iter().map(|member| member.tree(&mut patterns)).collect::<Result<_, _>>()?;
    Ok((event_type, Conditions::all_of(trees)))
}

/// A member of a filter.
struct Member<'f> {
    name: &'f str,
    field: &'f str,
    operator: Operator,
    value: &'f Value,
}

impl<'f> Member<'f> {
    fn read(name: &'f str, value: &'f Value) -> Member<'f> {
        let suffixed = SUFFIXES.iter().find_map(|(suffix, operator)| Some((name.strip_suffix(suffix)?, *operator)));
        let (field, operator) = suffixed.unwrap_or((name, Operator::Equals));
        let operator = match operator {
            Operator::Equals if value.is_array() => Operator::In,
            Operator::NotEquals if value.is_array() => Operator::NotIn,
            operator => operator,
        };
        Member { name, field, operator, value }
    }

    /// The items that the field is to be compared with one by one.
    fn alternatives(&self) -> Option<&'f [Value]> {
        let is_of_text = matches!(self.operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith | Operator::Regex);
        self.value.as_array().map(Vec::as_slice).filter(|_| is_of_text)
    }

    fn conditions(&self) -> usize {
        self.alternatives().map_or(1, <[Value]>::len)
    }

    fn tree(&self, patterns: &mut Patterns) -> Result<Tree, Invalid> {
        if self.value.is_object() {
            return Err(Invalid::new(self.name, "must not be an object"));
        }
        let Some(values) = self.alternatives() else { return self.leaf(self.operator, self.value, patterns) };
        // The limits of an array are those of `in`.
        self.leaf(Operator::In, self.value, patterns)?;
        let members = values.iter().map(|value| self.leaf(self.operator, value, patterns)).collect::<Result<_, _>>()?;
        Ok(Tree::Group { logic: Logic::Or, members })
    }

    fn leaf(&self, operator: Operator, value: &Value, patterns: &mut Patterns) -> Result<Tree, Invalid> {
        Leaf::new(self.field, operator, Some(value), &Places { field: self.name, value: self.name }, patterns).map(Tree::Leaf)
    }
}
