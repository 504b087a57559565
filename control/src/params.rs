//! Parameters of operations. Fields that nobody knows are ignored, as clients send more than they need; wrong types are refused with the
//! name of the field.

use std::{borrow::Cow, marker::PhantomData};

use mirra_host_sdk::{ErrorCode, Json};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{Answer, ApiError, Page};

const MESSAGE_CHARACTERS_MAX: usize = 200;

pub fn read<T: DeserializeOwned>(json: &RawValue) -> Result<T, ApiError> {
    // An array would pass for the fields in their order.
    if !json.get().starts_with('{') {
        return Err(ApiError::new(ErrorCode::ValidationError, "the parameters must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // The place in the text says nothing to whoever has sent an object.
        let message = message.split(" at line ").next().unwrap_or_default();
        // It may repeat what was sent, however long that is.
        let message = message.char_indices().nth(MESSAGE_CHARACTERS_MAX).map_or(message, |(end, _)| &message[..end]);
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        match (missing, &*path) {
            (Some(field), ".") => ApiError::invalid(field, format!("{field} is required")),
            (Some(field), _) => ApiError::invalid(&format!("{path}.{field}"), format!("{path}.{field} is required")),
            (None, ".") => ApiError::new(ErrorCode::ValidationError, format!("the parameters are not an object: {message}")),
            (None, _) => ApiError::invalid(&path, format!("{path}: {message}")),
        }
    })
}

/// A whole number, or the text of one, as it stands in a URL.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Number(number) => {
            let whole = |number: f64| (number >= 0.0 && number.fract() == 0.0).then_some(number as u64);
            number.as_u64().or_else(|| number.as_f64().and_then(whole))
        }
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.map(Some).ok_or_else(|| serde::de::Error::custom("expected a whole number from 0"))
}

/// Parameters that several structures read, each its part: taken together by `flatten`, an error could not name the field any more.
/// `S` is all of them, for the documentation.
pub struct Given<S> {
    json: Json,
    all: PhantomData<fn() -> S>,
}

impl<S> Given<S> {
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        read(&self.json)
    }
}

impl<'de, S> Deserialize<'de> for Given<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(|json| Given { json, all: PhantomData })
    }
}

impl<S: JsonSchema> JsonSchema for Given<S> {
    fn schema_name() -> Cow<'static, str> {
        S::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        S::json_schema(generator)
    }
}

/// What is null as if it were not there: some clients send all fields.
pub fn some<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A text, or a number that is meant as one.
pub fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::String(text) => Ok(Some(text)),
        _ => Err(serde::de::Error::custom("expected a number or a text")),
    }
}

/// Which part of a list: at most `max` of it, `default` where nothing is said.
pub fn limit(limit: Option<u64>, default: u64, max: u64) -> Result<u64, ApiError> {
    match limit {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => Err(ApiError::invalid("limit", format!("limit must be between 1 and {max}"))),
    }
}

/// The same, where `max` is as much as anybody gets: clients that ask for more than there is at once read what they are given.
pub fn limit_or_most(asked: Option<u64>, default: u64, max: u64) -> Result<u64, ApiError> {
    limit(asked.map(|limit| limit.min(max)), default, max)
}

/// Which part of a list that is never long. Older clients read all of it and say nothing.
#[derive(Default, Deserialize, JsonSchema)]
pub struct Part {
    /// All if not given.
    #[serde(default, deserialize_with = "count")]
    #[schemars(with = "Option<u64>")]
    pub limit: Option<u64>,
    /// How many to leave out at the beginning.
    #[serde(default, deserialize_with = "count")]
    #[schemars(with = "Option<u64>")]
    pub offset: Option<u64>,
}

/// As many as an account has of anything that is listed so.
const LISTED_MAX: u64 = 10_000;

impl Part {
    pub fn of<T: Serialize>(&self, all: impl ExactSizeIterator<Item = T>) -> Result<Answer, ApiError> {
        let limit = limit_or_most(self.limit, LISTED_MAX, LISTED_MAX)?;
        let (total, offset) = (all.len() as u64, self.offset.unwrap_or(0));
        let listed: Vec<T> = all.skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(limit as usize).collect();
        Answer::list(&listed, Page { total, limit, offset })
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
