//! Events as they are sent to us.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Event, cloud, event_type::read_event_type};
use crate::{Invalid, time};

const TEXT_CHARACTERS_MAX: usize = 200;

impl Event {
    /// An event in our own form, or a CloudEvent 1.0 in its structured JSON form.
    ///
    /// Only `type` is required. `source` is what stands before the first dot of the type, `timestamp` is now (Unix milliseconds) and
    /// `id` a new one, unless they are given. An alias of a type becomes the type, and a time becomes UTC with milliseconds. All
    /// other members stay as they are, except `userId`, which is dropped: whose event it is depends on who is logged in.
    ///
    /// Of a CloudEvent, `time` becomes `timestamp`, `specversion` is dropped, and the rest stays: its data is in `data`, where
    /// conditions find the members of it.
    pub fn read(json: Value, unix_ms_now: i64, new_id: impl FnOnce() -> String) -> Result<Event, Invalid> {
        let Value::Object(mut members) = json else {
            return Err(Invalid { field: String::new(), message: "an event must be a JSON object".into() });
        };
        if members.contains_key("specversion") {
            cloud::normalise(&mut members)?;
        }
        members.remove("userId");
        let sent_type = text(&mut members, "type")?.ok_or_else(|| Invalid::new("type", "is required"))?;
        let event_type = read_event_type("type", &sent_type)?;
        let source = short_text(&mut members, "source")?;
        let source = source.unwrap_or_else(|| sent_type.split('.').next().unwrap_or_default().to_owned());
        let id = short_text(&mut members, "id")?.unwrap_or_else(new_id);
        let timestamp = match text(&mut members, "timestamp")? {
            Some(text) => {
                time::instant(&text).ok_or_else(|| Invalid::new("timestamp", "must be a time such as 2026-01-15T10:00:00.000Z"))?
            }
            None => Timestamp::from_millisecond(unix_ms_now).unwrap_or(Timestamp::UNIX_EPOCH),
        };
        check_part(&mut members, "actor", &["id", "name"])?;
        check_part(&mut members, "content", &["text"])?;
        for (name, text) in [("id", id), ("type", event_type), ("source", source), ("timestamp", time::iso(timestamp))] {
            members.insert(name.into(), text.into());
        }
        Ok(Event { members })
    }
}

/// Takes a text out; null is as if it were missing.
pub fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Invalid> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid::new(name, "must be a text")),
    }
}

fn short_text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Invalid> {
    let text = text(members, name)?;
    let is_good =
        |text: &String| !text.is_empty() && text.chars().nth(TEXT_CHARACTERS_MAX).is_none() && !text.chars().any(char::is_control);
    if text.as_ref().is_none_or(is_good) {
        return Ok(text);
    }
    Err(Invalid::new(name, format_args!("must be a text of 1 to {TEXT_CHARACTERS_MAX} printable characters")))
}

/// A part with members that we know is an object, and they are texts; an id may be a number.
fn check_part(members: &mut Map<String, Value>, name: &str, texts: &[&str]) -> Result<(), Invalid> {
    let part = match members.get(name) {
        None => return Ok(()),
        Some(Value::Null) => {
            members.remove(name);
            return Ok(());
        }
        Some(Value::Object(part)) => part,
        Some(_) => return Err(Invalid::new(name, "must be an object")),
    };
    let is_good = |text: &str, value: &Value| value.is_string() || value.is_null() || (text == "id" && value.is_number());
    match texts.iter().find(|text| part.get(**text).is_some_and(|value| !is_good(text, value))) {
        Some(text) => Err(Invalid::new(format!("{name}.{text}"), "must be a text")),
        None => Ok(()),
    }
}
