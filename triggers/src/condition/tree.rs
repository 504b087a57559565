//! Conditions within groups.

use serde_json::{Value, json};

use super::{leaf::Leaf, operator::Logic};
use crate::event::View;

/// At most [`super::limits::LEVELS_MAX`] levels, so what walks it may call itself.
#[derive(Debug, Clone)]
pub enum Tree {
    Leaf(Leaf),
    Group { logic: Logic, members: Vec<Tree> },
}

impl Tree {
    pub fn holds<'e>(&'e self, event: &mut View<'e>) -> bool {
        match self {
            Tree::Leaf(leaf) => leaf.holds(event),
            Tree::Group { logic: Logic::And, members } => members.iter().all(|member| member.holds(event)),
            Tree::Group { logic: Logic::Or, members } => members.iter().any(|member| member.holds(event)),
            Tree::Group { logic: Logic::Not, members } => !members.iter().any(|member| member.holds(event)),
        }
    }

    pub fn for_each_leaf(&self, visit: &mut impl FnMut(&Leaf)) {
        match self {
            Tree::Leaf(leaf) => visit(leaf),
            Tree::Group { members, .. } => members.iter().for_each(|member| member.for_each_leaf(visit)),
        }
    }

    pub fn to_json(&self) -> Value {
        match self {
            Tree::Leaf(leaf) => leaf.to_json(),
            Tree::Group { logic, members } => {
                json!({ "operator": logic.name(), "conditions": members.iter().map(Tree::to_json).collect::<Vec<_>>() })
            }
        }
    }
}
