//! The other side: whether a request as it was received is one of the document's.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{
    form,
    media::{self, Form},
    multipart,
    operation::{Media, Operation, Parameter, Place},
    reading::{Pair, Readings, pairs},
    request::ParameterError,
    schema::{Alternative, Direction, Kinds},
    style::Style,
};

/// A request as it was received.
struct Received<'r> {
    path: Vec<(&'r str, &'r str)>,
    query: Vec<Pair>,
    headers: &'r [(String, String)],
}

impl Operation {
    /// Whether the document allows a request. Parameters that it says nothing of are let pass, as servers do.
    ///
    /// `path` is as it was sent, percent-encoded and without what the server's address adds before it.
    pub fn check_request(
        &self,
        path: &str,
        query: Option<&str>,
        headers: &[(String, String)],
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(), ParameterError> {
        let Some(path) = self.template.matched(path) else {
            let message = format!("the path does not fit {}", self.template.text());
            return Err(ParameterError { field: String::new(), message });
        };
        let received = Received { path, query: pairs(query.unwrap_or_default()), headers };
        for parameter in self.parameters() {
            self.check_parameter(parameter, &received)?;
        }
        self.check_body(content_type, body)
    }

    fn check_parameter(&self, parameter: &Parameter, received: &Received<'_>) -> Result<(), ParameterError> {
        let readings = self.readings(parameter, received);
        let Some(likeliest) = readings.first() else {
            return if parameter.required { Err(parameter.missing()) } else { Ok(()) };
        };
        let Some(id) = parameter.schema else { return Ok(()) };
        if readings.iter().any(|reading| self.schemas.is_valid(id, Direction::Request, reading)) {
            return Ok(());
        }
        self.schemas.check(id, Direction::Request, likeliest).map_err(|flaw| ParameterError::flaw(&parameter.name, &flaw))
    }

    fn readings(&self, parameter: &Parameter, received: &Received<'_>) -> Vec<Value> {
        let name = &*parameter.name;
        let text = match parameter.place {
            Place::Path => received.path.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
            Place::Query => received.query.iter().find(|pair| pair.name == name).map(|pair| pair.value.replace('+', " ")),
            Place::Header => received.header(name),
            Place::Cookie => received.cookie(name),
        };
        let Some(style) = parameter.style else {
            let decoded = |text: String| match parameter.place {
                Place::Header => text,
                _ => percent_decode_str(&text).decode_utf8_lossy().into_owned(),
            };
            return text.and_then(|text| serde_json::from_str(&decoded(text)).ok()).into_iter().collect();
        };
        let shapes = self.schemas.alternatives(self.parameter_schema(parameter));
        let readings = Readings::new(&shapes);
        match (parameter.place, text) {
            (Place::Query, _) => {
                let others: BTreeSet<&str> = self.parameters().filter(|other| other.place == Place::Query).map(Parameter::name).collect();
                let free = |pair: &str| !others.contains(pair) && !pair.contains('[');
                readings.query(name, style, parameter.explode, &received.query, &free)
            }
            (Place::Path, Some(text)) => readings.path(name, style, parameter.explode, &text),
            (place, Some(text)) => readings.commas(place, parameter.explode, &text),
            (_, None) => Vec::new(),
        }
    }

    fn check_body(&self, content_type: Option<&str>, bytes: &[u8]) -> Result<(), ParameterError> {
        let wrong = |message: String| ParameterError { field: String::new(), message };
        let Some(body) = &self.body else {
            return if bytes.is_empty() { Ok(()) } else { Err(wrong("the operation takes no body".into())) };
        };
        let Some(content_type) = content_type else {
            return match bytes.is_empty() {
                true if body.required => Err(wrong("a body is required".into())),
                true => Ok(()),
                false => Err(wrong("a body without a content type".into())),
            };
        };
        let Some(media) = media::matching(&body.media, content_type) else {
            return Err(wrong(format!("the operation takes no body of the content type {content_type}")));
        };
        let values: Vec<Value> = match Form::of(content_type) {
            Form::Json => vec![serde_json::from_slice(bytes).map_err(|error| wrong(format!("the body is no JSON: {error}")))?],
            Form::Text => vec![String::from_utf8_lossy(bytes).into_owned().into()],
            Form::Bytes => vec![STANDARD.encode(bytes).into()],
            Form::UrlEncoded => self.read_form(media, bytes),
            Form::Multipart => {
                self.read_multipart(media, content_type, bytes).ok_or_else(|| wrong("the body is no multipart/form-data".into()))?
            }
        };
        let fits = |value: &Value| media.schema.is_none_or(|id| self.schemas.is_valid(id, Direction::Request, value));
        match values.first() {
            Some(first) if !values.iter().any(fits) => self.checked(media, "", first),
            _ => Ok(()),
        }
    }

    /// The form's members with their types, and the same as texts wherever that may be.
    fn read_form(&self, media: &Media, bytes: &[u8]) -> Vec<Value> {
        let text = String::from_utf8_lossy(bytes);
        let pairs = pairs(&text);
        let properties = self.schemas.properties(self.media_schema(media)).unwrap_or_default();
        let mut readings = [Map::new(), Map::new()];
        let mut claimed: BTreeSet<&str> = BTreeSet::new();
        for (name, property) in &properties {
            let shapes = self.schemas.alternatives(property);
            let encoding = media.encoding.get(*name).cloned().unwrap_or_default();
            let style = encoding.style.unwrap_or(Style::Form);
            let own = pairs.iter().find(|pair| pair.name == *name);
            claimed.insert(name);
            let json = || serde_json::from_str::<Value>(&plain(&own?.value)).ok().filter(|value| is_json(value, &shapes));
            let found = match json().filter(|_| encoding.style.is_none()) {
                Some(value) => vec![value],
                None if own.is_none() && encoding.style.is_none() => Vec::new(),
                None => {
                    let explode = encoding.explode.unwrap_or(style == Style::Form);
                    Readings::new(&shapes).query(name, style, explode, &pairs, &|_| false)
                }
            };
            for (reading, value) in readings.iter_mut().zip([found.first(), found.get(1).or(found.first())]) {
                reading.extend(value.map(|value| ((*name).to_owned(), value.clone())));
            }
        }
        for pair in pairs.iter().filter(|pair| !claimed.contains(&*pair.name) && !pair.name.contains('[')) {
            readings.iter_mut().for_each(|reading| drop(reading.insert(pair.name.clone(), plain(&pair.value).into())));
        }
        readings.map(Value::Object).into()
    }

    fn read_multipart(&self, media: &Media, content_type: &str, bytes: &[u8]) -> Option<Vec<Value>> {
        let parts = multipart::read(content_type, bytes)?;
        let properties = self.schemas.properties(self.media_schema(media)).unwrap_or_default();
        let mut readings = [Map::new(), Map::new()];
        for part in parts {
            let property = properties.get(&*part.name);
            let kinds = property.map(|property| self.schemas.kinds_within(property)).unwrap_or(Kinds::ALL);
            for (reading, textual) in readings.iter_mut().zip([false, true]) {
                let text = String::from_utf8_lossy(&part.data);
                let json = part.content_type.as_deref().is_some_and(|kind| Form::of(kind) == Form::Json) && part.filename.is_none();
                let value = match json {
                    _ if part.filename.is_some() => STANDARD.encode(&part.data).into(),
                    true => serde_json::from_str(&text).ok()?,
                    false => kinds.read(&text, textual),
                };
                match (form::is_list(&self.schemas, property), reading.get_mut(&part.name)) {
                    (true, Some(Value::Array(items))) => items.push(value),
                    (true, _) if !value.is_array() => drop(reading.insert(part.name.clone(), vec![value].into())),
                    _ => drop(reading.insert(part.name.clone(), value)),
                }
            }
        }
        Some(readings.map(Value::Object).into())
    }
}

/// Whether a form has the value as JSON: it has no text of its own, and is not what a text of one of these shapes looks like.
fn is_json(value: &Value, shapes: &[Alternative]) -> bool {
    let may_be = |shape: &Alternative| match shape {
        Alternative::Object(..) => value.is_object(),
        Alternative::Array(items) => value.is_array() && *items != Kinds::STRING,
        Alternative::Scalar(kinds) => *kinds == Kinds::ALL,
    };
    !form::is_plain(value) && shapes.iter().any(may_be)
}

fn plain(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}

impl Received<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.header("cookie")?;
        cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }
}
