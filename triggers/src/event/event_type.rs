//! Types of events and what is known of them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::known;
use crate::Invalid;

const CHARACTERS_MAX: usize = 200;

/// A type of events that the documents describe. There may be any others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventType {
    pub name: &'static str,
    pub description: &'static str,
    pub fields: &'static [Field],
}

/// A field that conditions and handlers may name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub name: &'static str,
    /// `string`, `number`, `boolean` or `array`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub description: &'static str,
    pub example: Example,
    /// Its other names: those of the simple filter, which are those that a handler finds in `event.fields`.
    pub aliases: &'static [&'static str],
    /// Where it may stand in an event, the likeliest first.
    #[serde(skip)]
    pub(super) paths: &'static [&'static str],
}

/// A value that a field may have.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum Example {
    Text(&'static str),
    Number(i64),
    Boolean(bool),
    Texts(&'static [&'static str]),
}

/// All types that the documents describe.
pub fn event_types() -> &'static [EventType] {
    known::EVENT_TYPES
}

/// The type that an alias stands for; any other type is itself.
pub fn canonical_event_type(event_type: &str) -> &str {
    known::ALIASES.iter().find(|(alias, _)| *alias == event_type).map_or(event_type, |(_, name)| name)
}

/// A type, and never an alias of it: at most 200 letters, digits and `. _ - : /`, of which the first is a letter or digit. Any such
/// type may be of somebody's own. `field` is where it stands.
pub fn read_event_type(field: &str, text: &str) -> Result<String, Invalid> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
    if text.len() > CHARACTERS_MAX || !text.starts_with(|first: char| first.is_ascii_alphanumeric()) || !text.bytes().all(is_name) {
        let problem = format_args!("must be a type such as telegram.message: 1 to {CHARACTERS_MAX} letters, digits and . _ - : /");
        return Err(Invalid::new(field, problem));
    }
    Ok(canonical_event_type(text).to_owned())
}

impl EventType {
    /// An event of this type as it might be sent, with every field as in its example.
    pub fn sample(&self) -> Value {
        let mut members = Map::new();
        members.insert("type".into(), self.name.into());
        for field in self.fields {
            let path = field.paths.first().unwrap_or(&field.name);
            let (section, name) = path.split_once('.').map_or((None, *path), |(section, name)| (Some(section), name));
            let within = match section {
                Some(section) => members.entry(section).or_insert_with(|| json!({})).as_object_mut(),
                None => Some(&mut members),
            };
            within.map(|within| within.insert(name.to_owned(), json!(field.example)));
        }
        members.into()
    }
}

impl Field {
    pub(super) const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        paths: &'static [&'static str],
        description: &'static str,
        example: Example,
    ) -> Field {
        let kind = match example {
            Example::Text(_) => "string",
            Example::Number(_) => "number",
            Example::Boolean(_) => "boolean",
            Example::Texts(_) => "array",
        };
        Field { name, kind, description, example, aliases, paths }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}
