//! What a value is wrong in, in words.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use crate::pointer::child;

/// Begins a flaw that is carried within the message of an error of the library.
const PACKED: char = '\u{0}';
const MESSAGE_CHARACTERS_MAX: usize = 200;
const ALTERNATIVES_MAX: usize = 4;

/// Where in a value something is wrong, and what: as the end of a sentence that begins with the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub pointer: String,
    pub message: String,
}

impl Flaw {
    pub fn new(message: impl Into<String>) -> Flaw {
        Flaw { pointer: String::new(), message: message.into() }
    }

    /// `user.emails.0`, for values that are nested in a member of this name.
    pub fn field(&self, name: &str) -> String {
        let mut field = name.to_owned();
        for step in self.pointer.split('/').skip(1) {
            if !field.is_empty() {
                field.push('.');
            }
            field.push_str(&step.replace("~1", "/").replace("~0", "~"));
        }
        field
    }

    /// As the text of an error, from which [`Flaw::of`] takes it again.
    pub fn packed(&self) -> String {
        format!("{PACKED}{}{PACKED}{}", self.pointer, self.message)
    }

    pub fn of(error: &ValidationError<'_>) -> Flaw {
        let at = error.instance_path().as_str().to_owned();
        match error.kind() {
            ValidationErrorKind::Custom { message, .. } => match message.strip_prefix(PACKED).and_then(|rest| rest.split_once(PACKED)) {
                Some((pointer, message)) => Flaw { pointer: at + pointer, message: message.into() },
                None => Flaw { pointer: at, message: message.clone() },
            },
            ValidationErrorKind::Required { property } => {
                Flaw { pointer: child(&at, property.as_str().unwrap_or_default()), message: "is required".into() }
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let pointer = unexpected.first().map_or(at.clone(), |name| child(&at, name));
                Flaw { pointer, message: "is not known to the schema, which allows no other members".into() }
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => alternatives(at, context),
            ValidationErrorKind::Type { kind } => Flaw { pointer: at, message: format!("must be {}", kinds(kind)) },
            ValidationErrorKind::Enum { options } => Flaw { pointer: at, message: format!("must be one of {}", listed(options)) },
            ValidationErrorKind::Format { format } => Flaw { pointer: at, message: format!("must be a valid {format}") },
            ValidationErrorKind::OneOfMultipleValid { .. } => {
                Flaw { pointer: at, message: "fits more than one of the alternatives".into() }
            }
            _ => {
                let message = error.masked_with("it").to_string();
                let message = message.strip_prefix("it ").unwrap_or(&message);
                Flaw { pointer: at, message: message.chars().take(MESSAGE_CHARACTERS_MAX).collect() }
            }
        }
    }
}

/// The alternative that came furthest says the most; if none got beyond the value itself, all of them say what they want.
fn alternatives(at: String, context: &[Vec<ValidationError<'static>>]) -> Flaw {
    let flaws: Vec<Flaw> = context.iter().filter_map(|errors| errors.first()).map(Flaw::of).collect();
    let steps = |flaw: &Flaw| flaw.pointer.matches('/').count();
    let own = at.matches('/').count();
    // Where a member says which alternative is meant, the others want it to be another.
    let rank = |flaw: &&Flaw| (steps(flaw), !flaw.message.starts_with("must be one of"));
    if let Some(furthest) = flaws.iter().max_by_key(rank).filter(|flaw| steps(flaw) > own) {
        return furthest.clone();
    }
    let mut messages: Vec<&str> = Vec::new();
    for flaw in &flaws {
        // That it might be null as well is no news to whoever sent something else.
        if flaw.message != "must be null" && !messages.contains(&&*flaw.message) {
            messages.push(&flaw.message);
        }
    }
    messages.truncate(ALTERNATIVES_MAX);
    Flaw { pointer: at, message: messages.join(", or ") }
}

fn kinds(kind: &TypeKind) -> String {
    let named = |name: &str| match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(kind) => named(&kind.to_string()),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| named(&kind.to_string())).collect::<Vec<_>>().join(" or "),
    }
}

fn listed(options: &Value) -> String {
    let text: Vec<String> = options.as_array().into_iter().flatten().map(Value::to_string).collect();
    let all = text.join(", ");
    match all.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &all[..end]),
        None => all,
    }
}
