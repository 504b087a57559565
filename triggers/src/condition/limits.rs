//! What a tree may be at most: the numbers of the technical notes, and one of our own.

use serde_json::Value;

use crate::Invalid;

/// Levels of a tree: a condition is one, and each group around it one more.
pub const LEVELS_MAX: usize = 5;
/// Conditions of a tree; groups are not counted.
pub const CONDITIONS_MAX: usize = 50;
/// Characters of the name of a field.
pub const FIELD_CHARACTERS_MAX: usize = 100;
/// Characters of a text, of all items of an array together (each at least one), and of the JSON of any other value.
pub const VALUE_CHARACTERS_MAX: usize = 1_000;
/// What all compiled regular expressions of a tree may take together, in bytes.
pub const PATTERNS_BYTES_MAX: usize = 512 * 1024;

pub(super) fn check_field(at: &str, field: &str) -> Result<(), Invalid> {
    if field.is_empty() {
        return Err(Invalid::new(at, "is empty"));
    }
    if field.chars().nth(FIELD_CHARACTERS_MAX).is_some() {
        return Err(Invalid::new(at, format_args!("has more than {FIELD_CHARACTERS_MAX} characters")));
    }
    Ok(())
}

pub(super) fn check_value(at: &str, value: &Value) -> Result<(), Invalid> {
    if characters(value) > VALUE_CHARACTERS_MAX {
        return Err(Invalid::new(at, format_args!("has more than {VALUE_CHARACTERS_MAX} characters")));
    }
    Ok(())
}

fn characters(value: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string().chars().count(), |text| text.chars().count());
    match value {
        // Empty texts are not for free, or there could be any number of them.
        Value::Array(items) => items.iter().map(|item| text(item).max(1)).sum(),
        other => text(other),
    }
}
