//! Why a tree, a filter or an event is refused.

/// What is wrong with what was given, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The path of what is wrong, such as `conditions.conditions[1].operator`; empty if it is the whole.
    pub field: String,
    /// For whoever sent it; begins with the path.
    pub message: String,
}

impl Invalid {
    /// `problem` goes on where the path ends: `is required`.
    pub(crate) fn new(field: impl Into<String>, problem: impl std::fmt::Display) -> Invalid {
        let field = field.into();
        let message = format!("{field} {problem}");
        Invalid { field, message }
    }
}
