//! What is wrong with a document, and where.

use std::fmt;

const PROBLEMS_MAX: usize = 50;
const QUOTED_CHARACTERS_MAX: usize = 80;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer into the document: `/paths/~1users/get/parameters/0/schema/type`. Empty: the document as a whole.
    pub pointer: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() { self.message.fmt(formatter) } else { write!(formatter, "{}: {}", self.pointer, self.message) }
    }
}

/// All that is wrong with a document, in its order; what goes beyond fifty is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub(crate) fn one(message: impl Into<String>) -> Problems {
        Problems(vec![Problem { pointer: String::new(), message: message.into() }])
    }

    pub(crate) fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        let problem = Problem { pointer: pointer.into(), message: message.into() };
        // What several operations refer to is looked at for each of them.
        if self.0.len() < PROBLEMS_MAX && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Whether looking for more is of no use.
    pub(crate) fn full(&self) -> bool {
        self.0.len() >= PROBLEMS_MAX
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            write!(formatter, "{}{problem}", if number > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A text of the document or of a caller within a message: quoted, on one line, and not longer than one reads.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARACTERS_MAX) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
