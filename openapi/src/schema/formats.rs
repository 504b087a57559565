//! Formats that are asserted. All others say something to people.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Those of strings; what `int32` and `int64` mean is a range.
pub const ASSERTED: [&str; 6] = ["date-time", "date", "uuid", "email", "uri", "byte"];

/// Adds those that the library does not bring.
pub fn add(options: jsonschema::ValidationOptions<'_>) -> jsonschema::ValidationOptions<'_> {
    options.with_format("byte", |text: &str| STANDARD.decode(text).is_ok()).with_format("uuid", is_uuid)
}

/// Five groups of hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hexadecimal = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
}
