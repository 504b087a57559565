//! How values of parameters are written: the styles of OpenAPI.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Everything but what RFC 3986 calls unreserved.
pub const ALL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Where a dot, or whatever else stands around a value, would be taken for a delimiter.
pub const EVERYTHING: &AsciiSet = NON_ALPHANUMERIC;
/// For `allowReserved`: what may stand in the value of a query without ending it.
pub const RESERVED: &AsciiSet =
    &ALL.remove(b':').remove(b'/').remove(b'?').remove(b'@').remove(b'!').remove(b'$').remove(b'\'').remove(b'(').remove(b')').remove(b'*');

/// One of OpenAPI's styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

impl Style {
    pub fn read(name: &str) -> Option<Style> {
        Some(match name {
            "simple" => Style::Simple,
            "label" => Style::Label,
            "matrix" => Style::Matrix,
            "form" => Style::Form,
            "spaceDelimited" => Style::SpaceDelimited,
            "pipeDelimited" => Style::PipeDelimited,
            "deepObject" => Style::DeepObject,
            _ => return None,
        })
    }

    /// What stands between the items of a list in a query, as it is written, and as it would be read within an item.
    fn delimiter(self) -> (&'static str, char) {
        match self {
            Style::SpaceDelimited => ("%20", ' '),
            Style::PipeDelimited => ("%7C", '|'),
            // Within an item a comma is written `%2C`.
            _ => (",", '\0'),
        }
    }
}

/// The text of a value that is neither array nor object.
pub fn scalar(value: &Value) -> Result<Cow<'_, str>, String> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Owned(number.to_string())),
        Value::Bool(value) => Ok(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null => Err("holds null, which has no text".into()),
        Value::Array(_) | Value::Object(_) => Err("is nested deeper than a parameter can be".into()),
    }
}

fn encoded(value: &Value, set: &'static AsciiSet) -> Result<String, String> {
    Ok(utf8_percent_encode(&scalar(value)?, set).to_string())
}

/// The items of an array, or names and values of an object in turn. None: neither.
fn items(value: &Value, explode: bool, write: impl Fn(&Value) -> Result<String, String>) -> Option<Result<Vec<String>, String>> {
    match value {
        Value::Array(items) => Some(items.iter().map(write).collect()),
        Value::Object(members) => {
            let pair = |(name, value): (&String, &Value)| {
                let (name, value) = (write(&Value::String(name.clone()))?, write(value)?);
                Ok(if explode { vec![format!("{name}={value}")] } else { vec![name, value] })
            };
            Some(members.iter().map(pair).collect::<Result<Vec<_>, _>>().map(|pairs| pairs.concat()))
        }
        _ => None,
    }
}

/// A value in a path.
pub fn path(name: &str, style: Style, explode: bool, value: &Value, set: &'static AsciiSet) -> Result<String, String> {
    // A dot is what separates in this style.
    let set = if style == Style::Label { EVERYTHING } else { set };
    let name = utf8_percent_encode(name, EVERYTHING);
    let list = match items(value, explode, |item| encoded(item, set)) {
        Some(list) => list?,
        None => {
            let text = encoded(value, set)?;
            return Ok(match style {
                Style::Label => format!(".{text}"),
                Style::Matrix => format!(";{name}={text}"),
                _ => text,
            });
        }
    };
    if list.is_empty() {
        return Err("is empty, which a path has no place for".into());
    }
    Ok(match (style, explode) {
        (Style::Label, true) => format!(".{}", list.join(".")),
        (Style::Label, false) => format!(".{}", list.join(",")),
        (Style::Matrix, true) if value.is_array() => list.iter().map(|item| format!(";{name}={item}")).collect(),
        (Style::Matrix, true) => list.iter().map(|item| format!(";{item}")).collect(),
        (Style::Matrix, false) => format!(";{name}={}", list.join(",")),
        _ => list.join(","),
    })
}

/// A value in a query or a form: as pairs with a `=` between, each ready to stand between `&`s.
pub fn query(name: &str, style: Style, explode: bool, value: &Value, set: &'static AsciiSet) -> Result<Vec<String>, String> {
    let write = |value: &Value| encoded(value, set);
    let key = utf8_percent_encode(name, ALL);
    match value {
        Value::Object(members) if style == Style::DeepObject => {
            members.iter().map(|(member, value)| Ok(format!("{key}%5B{}%5D={}", utf8_percent_encode(member, ALL), write(value)?))).collect()
        }
        Value::Object(members) if explode => {
            members.iter().map(|(member, value)| Ok(format!("{}={}", utf8_percent_encode(member, ALL), write(value)?))).collect()
        }
        Value::Array(items) if explode || style == Style::DeepObject => {
            items.iter().map(|item| Ok(format!("{key}={}", write(item)?))).collect()
        }
        Value::Array(_) | Value::Object(_) => {
            let (delimiter, within) = style.delimiter();
            let checked = |item: &Value| {
                if scalar(item)?.contains(within) && within != '\0' {
                    return Err(format!("holds an item with a {within:?}, which separates items here"));
                }
                encoded(item, ALL)
            };
            let list = items(value, false, checked).unwrap_or_else(|| Ok(Vec::new()))?;
            Ok(if list.is_empty() { Vec::new() } else { vec![format!("{key}={}", list.join(delimiter))] })
        }
        scalar => Ok(vec![format!("{key}={}", write(scalar)?)]),
    }
}

/// A value in a header.
pub fn header(explode: bool, value: &Value) -> Result<String, String> {
    let plain = |item: &Value| {
        let text = scalar(item)?;
        if text.contains([',', '=']) || text.trim() != text {
            return Err("holds an item with a comma, an equals sign or white space around it, which separate items here".to_owned());
        }
        Ok(text.into_owned())
    };
    let text = match items(value, explode, plain) {
        Some(list) => list?.join(","),
        None => scalar(value)?.into_owned(),
    };
    // Control characters would end the header, or the request.
    if text.contains(|character: char| character.is_control() && character != '\t') {
        return Err("holds a control character, which no header may".into());
    }
    Ok(text)
}

/// A value in a cookie; several are separated by commas, whatever `explode` says, as one cookie is one value.
pub fn cookie(value: &Value) -> Result<String, String> {
    match items(value, false, |item| encoded(item, ALL)) {
        Some(list) => Ok(list?.join(",")),
        None => encoded(value, ALL),
    }
}
