//! Parameters of operations. Fields that nobody knows are ignored, as clients send more than they need; wrong types are refused with the
//! name of the field.

use mirra_host_sdk::ErrorCode;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::ApiError;

pub fn read<T: DeserializeOwned>(json: &RawValue) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_str(json.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // The place in the text says nothing to whoever has sent an object.
        let message = message.split(" at line ").next().unwrap_or_default();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        match (missing, &*path) {
            (Some(field), ".") => ApiError::invalid(field, format!("{field} is required")),
            (Some(field), _) => ApiError::invalid(&format!("{path}.{field}"), format!("{path}.{field} is required")),
            (None, ".") => ApiError::new(ErrorCode::ValidationError, format!("the parameters are not an object: {message}")),
            (None, _) => ApiError::invalid(&path, format!("{path}: {message}")),
        }
    })
}

/// A number, or the text of one, as it stands in a URL.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Whole(u64),
        Any(f64),
        Text(String),
    }
    let number = Option::<Number>::deserialize(deserializer).map_err(|_| serde::de::Error::custom("expected a number"))?;
    let wrong = || serde::de::Error::custom("expected a whole number from 0");
    number
        .map(|number| match number {
            Number::Whole(number) => Ok(number),
            Number::Any(number) if number >= 0.0 && number.fract() == 0.0 => Ok(number as u64),
            Number::Any(_) => Err(wrong()),
            Number::Text(text) => text.parse().map_err(|_| wrong()),
        })
        .transpose()
}

/// Which part of a list: at most `max` of it, `default` where nothing is said.
pub fn limit(limit: Option<u64>, default: u64, max: u64) -> Result<u64, ApiError> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => Err(ApiError::invalid("limit", format!("limit must be between 1 and {max}"))),
    }
}

/// A text that is not empty and has at most `max` characters.
pub fn text(field: &str, text: &str, max: usize) -> Result<(), ApiError> {
    let length = text.chars().take(max + 1).count();
    if text.trim().is_empty() {
        return Err(ApiError::invalid(field, format!("{field} is empty")));
    }
    if length > max {
        return Err(ApiError::invalid(field, format!("{field} has more than {max} characters")));
    }
    Ok(())
}
