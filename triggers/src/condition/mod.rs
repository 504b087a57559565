//! Which events a flow runs for.

mod filter;
mod leaf;
pub mod limits;
mod operator;
mod pattern;
mod read;
mod test;
mod tree;

use serde::Serialize;
use serde_json::Value;

use crate::{Event, event::View};
pub use filter::read_filter;
pub(crate) use leaf::Leaf;
pub(crate) use operator::Logic;
pub use operator::Operator;
pub(crate) use test::Test;
pub(crate) use tree::Tree;

/// A tree of conditions over the fields of an event, compiled once.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// None holds for every event.
    tree: Option<Tree>,
}

/// How one condition came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionResult {
    pub field: String,
    pub operator: Operator,
    /// What the condition was given.
    pub expected: Value,
    /// What the event has; null if it has nothing.
    pub actual: Value,
    pub passed: bool,
}

impl Conditions {
    /// No conditions: every event will do.
    pub fn every() -> Conditions {
        Conditions { tree: None }
    }

    /// Whether an event meets them. The time is linear in its texts, for an expression times what that has been compiled to.
    pub fn matches(&self, event: &Event) -> bool {
        self.match_view(&mut View::new(event))
    }

    pub(crate) fn match_view<'e>(&'e self, event: &mut View<'e>) -> bool {
        self.tree.as_ref().is_none_or(|tree| tree.holds(event))
    }

    /// How each condition of the tree comes out, from the first to the last, whatever the ones before it say.
    pub fn explain(&self, event: &Event) -> Vec<ConditionResult> {
        let mut results = Vec::new();
        if let Some(tree) = &self.tree {
            tree.for_each_leaf(&mut |leaf| results.push(leaf.explain(event)));
        }
        results
    }

    /// The tree as it was given, with each operator by its first name. Null if there are no conditions. [`Conditions::read`] reads it.
    pub fn to_json(&self) -> Value {
        self.tree.as_ref().map_or(Value::Null, Tree::to_json)
    }

    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }
}
