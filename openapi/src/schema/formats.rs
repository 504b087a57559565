//! Formats that are asserted. All others say something to people.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Those of strings; what `int32` and `int64` mean is a range.
pub const ASSERTED: [&str; 6] = ["date-time", "date", "uuid", "email", "uri", "byte"];

/// Adds those that the library does not bring.
pub fn add<'i>(options: jsonschema::ValidationOptions<'i>) -> jsonschema::ValidationOptions<'i> {
    // A date with a time is one of RFC 3339 in all of its letters; servers send both cases.
    options.with_format("byte", |text: &str| STANDARD.decode(text).is_ok())
}
