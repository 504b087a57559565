//! Trees as they are sent to us.

use serde_json::{Map, Value};

use super::{
    Conditions,
    leaf::{Leaf, Places},
    limits::{CONDITIONS_MAX, LEVELS_MAX},
    operator::{Logic, Operator},
    pattern::Patterns,
    tree::Tree,
};
use crate::Invalid;

const ROOT: &str = "conditions";

impl Conditions {
    /// A tree of groups `{operator: AND | OR | NOT, conditions: […]}` and conditions `{field, operator, value}`; a single condition; or an
    /// array of them, which all have to hold. `NOT` holds where none of its conditions does. Null is no conditions: see
    /// [`Conditions::every`]. Other members are ignored.
    ///
    /// A tree has at most 5 levels, of which a condition is one and each group around it one more, 50 conditions, 100 characters in the
    /// name of a field, 1,000 in a value, and 512 KiB of compiled regular expressions.
    pub fn read(json: &Value) -> Result<Conditions, Invalid> {
        let mut reader = Reader { conditions: 0, patterns: Patterns::new() };
        let tree = match json {
            Value::Null => return Ok(Conditions::every()),
            Value::Array(members) => reader.group(Logic::And, members, ROOT, 1)?,
            other => reader.tree(other, ROOT, 1)?,
        };
        Ok(Conditions { tree: Some(tree) })
    }

    /// Within the limits of a tree.
    pub(super) fn all_of(mut trees: Vec<Tree>) -> Conditions {
        let tree = if trees.len() > 1 { Some(Tree::Group { logic: Logic::And, members: trees }) } else { trees.pop() };
        Conditions { tree }
    }
}

struct Reader {
    /// How many there have been.
    conditions: usize,
    patterns: Patterns,
}

impl Reader {
    fn tree(&mut self, json: &Value, at: &str, level: usize) -> Result<Tree, Invalid> {
        if level > LEVELS_MAX {
            return Err(Invalid::new(at, format_args!("is deeper than {LEVELS_MAX} levels")));
        }
        let Value::Object(members) = json else { return Err(Invalid::new(at, "must be an object")) };
        let place = format!("{at}.operator");
        let operator = match members.get("operator") {
            None | Some(Value::Null) => return Err(Invalid::new(place, "is required")),
            Some(Value::String(operator)) => operator,
            Some(_) => return Err(Invalid::new(place, "must be a text")),
        };
        if let Some(logic) = Logic::named(operator) {
            let at = format!("{at}.conditions");
            return match members.get("conditions") {
                None | Some(Value::Null) => Err(Invalid::new(at, "is required")),
                Some(Value::Array(members)) => self.group(logic, members, &at, level),
                Some(_) => Err(Invalid::new(at, "must be an array")),
            };
        }
        let operator = Operator::named(operator).ok_or_else(|| unknown(&place))?;
        self.leaf(members, operator, at).map(Tree::Leaf)
    }

    fn group(&mut self, logic: Logic, members: &[Value], at: &str, level: usize) -> Result<Tree, Invalid> {
        if members.is_empty() {
            return Err(Invalid::new(at, "is empty"));
        }
        let member = |(index, member)| self.tree(member, &format!("{at}[{index}]"), level + 1);
        let members = members.iter().enumerate().map(member).collect::<Result<_, _>>()?;
        Ok(Tree::Group { logic, members })
    }

    fn leaf(&mut self, members: &Map<String, Value>, operator: Operator, at: &str) -> Result<Leaf, Invalid> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return Err(Invalid::new(ROOT, format_args!("has more than {CONDITIONS_MAX} conditions")));
        }
        let (field_at, value_at) = (format!("{at}.field"), format!("{at}.value"));
        let field = match members.get("field") {
            None | Some(Value::Null) => return Err(Invalid::new(field_at, "is required")),
            Some(Value::String(field)) => field,
            Some(_) => return Err(Invalid::new(field_at, "must be a text")),
        };
        Leaf::new(field, operator, members.get("value"), &Places { field: &field_at, value: &value_at }, &mut self.patterns)
    }
}

fn unknown(place: &str) -> Invalid {
    let known: Vec<&str> = ["AND", "OR", "NOT"].into_iter().chain(Operator::names()).collect();
    Invalid::new(place, format_args!("is none of {}", known.join(", ")))
}
