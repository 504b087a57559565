//! Where the fields of an event stand.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Event, event_type::Field, known};

impl Event {
    /// The value of a field; null is as if it were missing.
    ///
    /// A field is a path with dots (`content.text`, `attendees.0`). It is looked for at the top of the event, then in the sections of it:
    /// the one called like the source, the one called like the first part of the type, and `data`. Last, it is taken for one of the
    /// names that the documents give to fields of this type: `text` and `message_text` are `content.text`.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.at(name).or_else(|| self.known_fields().find(|field| field.is_called(name)).and_then(|field| self.value(field)))
    }

    /// What a handler finds in `event.fields`: those of the flat names (`content_text`, `chat_id`, `messageText`) that this event has.
    pub fn fields(&self) -> BTreeMap<&'static str, &Value> {
        let mut fields = BTreeMap::new();
        for field in self.known_fields() {
            let Some(value) = self.value(field) else { continue };
            for name in field.aliases {
                fields.entry(*name).or_insert(value);
            }
        }
        fields
    }

    /// Those of its type, then those of all types.
    fn known_fields(&self) -> impl Iterator<Item = &'static Field> {
        let event_type = self.event_type();
        let own = known::EVENT_TYPES.iter().find(|known| known.name == event_type).map_or(&[][..], |known| known.fields);
        own.iter().chain(known::COMMON)
    }

    /// Its names come before its paths, of which the last are only likely.
    fn value(&self, field: &Field) -> Option<&Value> {
        std::iter::once(&field.name).chain(field.aliases).chain(field.paths).find_map(|path| self.at(path))
    }

    fn at(&self, path: &str) -> Option<&Value> {
        let source = self.source();
        let prefix = Some(self.event_type().split('.').next().unwrap_or_default()).filter(|prefix| *prefix != source);
        let sections = [Some(source), prefix, Some("data")];
        let sections = sections.into_iter().flatten().filter_map(|section| self.members.get(section)?.as_object());
        std::iter::once(&self.members).chain(sections).find_map(|object| walk(object, path))
    }
}

fn walk<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let mut names = path.split('.');
    let first = object.get(names.next()?)?;
    let value = names.try_fold(first, |value, name| match value {
        Value::Object(object) => object.get(name),
        Value::Array(items) if name.starts_with(|first: char| first.is_ascii_digit()) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    });
    value.filter(|value| !value.is_null())
}
