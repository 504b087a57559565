//! From text to JSON: JSON or YAML, within bounds that no document comes near and no bomb stays within.

use std::fmt;

use serde_json::{Map, Value};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::problem::{Problems, quoted};

/// Bytes of a document's text.
pub const TEXT_BYTES_MAX: usize = 4 << 20;
/// Objects and arrays within each other.
pub const DEPTH_MAX: usize = 64;
/// Values that a YAML text may come to, with all that its aliases repeat.
const NODES_MAX: usize = 1_000_000;

/// Reads JSON, which begins with a brace, or YAML.
pub fn read(text: &str) -> Result<Value, Problems> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Problems::one(format!("the document has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len())));
    }
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '[']) {
        let Strict(value) = serde_json::from_str(text).map_err(|error| Problems::one(format!("the document is no valid JSON: {error}")))?;
        return Ok(value);
    }
    yaml(text)
}

fn yaml(text: &str) -> Result<Value, Problems> {
    let mut options = serde_saphyr::options! { with_snippet: false };
    if let Some(budget) = &mut options.budget {
        budget.max_depth = DEPTH_MAX;
        budget.max_documents = 1;
        budget.max_nodes = NODES_MAX;
        budget.max_events = 2 * NODES_MAX;
        budget.max_aliases = 1_000;
        budget.max_anchors = 1_000;
        budget.max_total_scalar_bytes = 4 * TEXT_BYTES_MAX;
    }
    options.alias_limits.max_total_replayed_events = NODES_MAX / 10;
    let Strict(value) = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        // What the reader could be told to allow is nothing to the author of a document.
        let message = error.to_string().replace(", set DuplicateKeyPolicy in Options if acceptable", "");
        Problems::one(format!("the document is no valid YAML: {}", message.lines().next().unwrap_or_default()))
    })?;
    Ok(value)
}

/// The bound on nesting, for values that did not come as text.
pub fn depth_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| depth_within(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|member| depth_within(member, depth - 1)),
        _ => true,
    }
}

/// A value none of whose objects has a key twice, which readers would take differently.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        Level(DEPTH_MAX).deserialize(deserializer).map(Strict)
    }
}

/// Reads one value that may be nested so much deeper.
struct Level(usize);

impl Level {
    fn below<E: Error>(&self) -> Result<usize, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom(format!("nested more than {DEPTH_MAX} deep")))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that JSON does not have"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Level(below))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {} stands there twice", quoted(&key))));
            }
            members.insert(key, access.next_value_seed(Level(below))?);
        }
        Ok(Value::Object(members))
    }
}
