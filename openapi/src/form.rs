//! Bodies that are forms: `application/x-www-form-urlencoded` and `multipart/form-data`.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
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

/// A part of a multipart body.
#[derive(Debug)]
pub struct Part {
    pub name: String,
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub data: Vec<u8>,
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
    let parts = parts(media, members)?;
    let boundary = boundary(&parts);
    // As browsers write names: what would end the name, or the line, as `%22`, `%0D` and `%0A`.
    let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A").replace('\0', "");
    let mut body = Vec::new();
    for part in &parts {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name)).as_bytes());
        if let Some(filename) = &part.filename {
            body.extend_from_slice(format!("; filename=\"{}\"", quoted(filename)).as_bytes());
        }
        if let Some(kind) = &part.content_type {
            body.extend_from_slice(format!("\r\nContent-Type: {kind}").as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.data);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}

/// A line that is in none of the parts: made of what is in them, and tried.
fn boundary(parts: &[Part]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        part.data.hash(&mut hasher);
    }
    loop {
        let boundary = format!("mirra-{:016x}", hasher.finish());
        let found = |part: &Part| find(&part.data, boundary.as_bytes()).is_some();
        if !parts.iter().any(found) {
            return boundary;
        }
        0u8.hash(&mut hasher);
    }
}

fn find(data: &[u8], wanted: &[u8]) -> Option<usize> {
    data.windows(wanted.len()).position(|window| window == wanted)
}

/// The parts of a body as received. None: it is none.
pub fn read_multipart(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = content_type.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?.trim_matches('"');
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, delimiter.as_bytes())?;
        parts.push(read_part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
    Some(parts)
}

fn read_part(part: &[u8]) -> Option<Part> {
    let head_end = find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..head_end]).ok()?;
    let field = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = field("content-disposition")?;
    let quoted = |key: &str| {
        let (_, after) = disposition.split_once(&format!("; {key}=\""))?;
        let (text, _) = after.split_once('"')?;
        Some(text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
    };
    Some(Part {
        name: quoted("name")?,
        filename: quoted("filename"),
        content_type: field("content-type").map(str::to_owned),
        data: part[head_end + 4..].to_vec(),
    })
}

/// Whether the schema wants a list of the member, so that its parts or pairs are items.
pub fn is_list(schemas: &Schemas, property: Option<&&Value>) -> bool {
    property.is_some_and(|property| schemas.followed(property).get("type").and_then(Value::as_str) == Some("array"))
}
