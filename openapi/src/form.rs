//! Bodies that are forms: `application/x-www-form-urlencoded` and `multipart/form-data`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    multipart::Part,
    operation::{Encoding, Media},
    schema::Schemas,
    style::{self, Style},
};

/// What is wrong with a member of a form.
pub struct Wrong {
    pub member: String,
    pub message: String,
}

impl Wrong {
    fn of(member: &str) -> impl Fn(String) -> Wrong {
        move |message| Wrong { member: member.into(), message }
    }
}

/// Whether a value has a text of its own, or one for each of its items.
pub fn is_plain(value: &Value) -> bool {
    let scalar = |value: &Value| !value.is_array() && !value.is_object();
    scalar(value) || value.as_array().is_some_and(|items| items.iter().all(scalar))
}

/// Members that are null are not sent: a form has no null.
pub fn url_encoded(media: &Media, members: &Map<String, Value>) -> Result<Vec<u8>, Wrong> {
    let plain = Encoding::default();
    let mut pairs = Vec::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let encoding = media.encoding.get(&**name).unwrap_or(&plain);
        let set = if encoding.allow_reserved { style::RESERVED } else { style::ALL };
        let style = encoding.style.unwrap_or(Style::Form);
        let json = encoding.style.is_none() && !is_plain(value);
        let text = if json { Value::String(value.to_string()) } else { Value::Null };
        let value = if json { &text } else { value };
        let explode = encoding.explode.unwrap_or(style == Style::Form);
        pairs.extend(style::query(name, style, explode, value, set).map_err(Wrong::of(name))?);
    }
    Ok(pairs.join("&").into_bytes())
}

/// `{filename, contentType, data}`, or the data alone.
pub fn is_file_object(value: &Value) -> bool {
    value.get("data").is_some_and(Value::is_string)
}

/// The body as its schema describes it, files being strings.
pub fn without_file_objects(media: &Media, members: &Map<String, Value>) -> Map<String, Value> {
    let data = |value: &Value| if is_file_object(value) { value["data"].clone() } else { value.clone() };
    let files = media.members.as_ref().map(|members| &members.files);
    let member = |(name, value): (&String, &Value)| {
        let value = match value {
            value if !files.is_some_and(|files| files.contains(name)) => value.clone(),
            Value::Array(items) => items.iter().map(data).collect(),
            value => data(value),
        };
        (name.clone(), value)
    };
    members.iter().map(member).collect()
}

fn file(name: &str, value: &Value) -> Result<Part, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let data = value.as_str().map(str::to_owned).or_else(|| text("data"));
    let data = data.ok_or("must be base64, or an object with filename, contentType and data")?;
    let data = STANDARD.decode(data).map_err(|error| format!("must be base64: {error}"))?;
    let content_type = text("contentType").unwrap_or_else(|| "application/octet-stream".into());
    Ok(Part { name: name.into(), filename: Some(text("filename").unwrap_or_else(|| name.into())), content_type: Some(content_type), data })
}

fn parts(media: &Media, members: &Map<String, Value>) -> Result<Vec<Part>, Wrong> {
    let files = media.members.as_ref().map(|members| &members.files);
    let mut parts = Vec::new();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let items = match value {
            Value::Array(items) if is_plain(value) || items.iter().all(is_file_object) => items.as_slice(),
            value => std::slice::from_ref(value),
        };
        let is_file = files.is_some_and(|files| files.contains(name));
        let set = media.encoding.get(&**name).and_then(|encoding| encoding.content_type.clone());
        for item in items {
            let mut part = if is_file {
                file(name, item).map_err(Wrong::of(name))?
            } else {
                let (data, kind) = match style::scalar(item) {
                    Ok(text) => (text.into_owned().into_bytes(), None),
                    Err(_) => (item.to_string().into_bytes(), Some("application/json".to_owned())),
                };
                Part { name: name.clone(), filename: None, content_type: kind, data }
            };
            if let Some(set) = set.as_ref().filter(|set| !set.contains([',', '*'])) {
                part.content_type = Some(set.to_string());
            }
            if part.content_type.as_ref().is_some_and(|kind| kind.contains(char::is_control)) {
                return Err(Wrong::of(name)("has a content type with a control character in it".into()));
            }
            parts.push(part);
        }
    }
    Ok(parts)
}

/// The content type with the boundary, and the bytes.
pub fn multipart(media: &Media, members: &Map<String, Value>) -> Result<(String, Vec<u8>), Wrong> {
    Ok(crate::multipart::write(&parts(media, members)?))
}

/// Whether the schema wants a list of the member, so that its parts or pairs are items.
pub fn is_list(schemas: &Schemas, property: Option<&&Value>) -> bool {
    property.is_some_and(|property| schemas.followed(property).get("type").and_then(Value::as_str) == Some("array"))
}
