//! Values of parameters, read from what a request says: the opposite of [`style`](crate::style).

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{
    operation::Place,
    schema::{Alternative, Kinds},
    style::Style,
};

/// A pair of a query or form: the name decoded, the value not yet, since its delimiters may be what is not encoded.
pub struct Pair {
    pub name: String,
    pub value: String,
}

/// The pairs of a query or of a form.
pub fn pairs(text: &str) -> Vec<Pair> {
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Pair { name: plus_decoded(name), value: value.to_owned() }
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn plus_decoded(text: &str) -> String {
    decoded(&text.replace('+', " "))
}

fn kinds_of(shape: Option<&Alternative>) -> Kinds {
    match shape {
        Some(Alternative::Scalar(kinds) | Alternative::Array(kinds)) => *kinds,
        _ => Kinds::ALL,
    }
}

/// What one text may mean, the likeliest first. The schema decides.
pub struct Readings<'s> {
    shapes: &'s [Alternative],
}

impl<'s> Readings<'s> {
    pub fn new(shapes: &'s [Alternative]) -> Readings<'s> {
        Readings { shapes }
    }

    fn each(&self, read: impl Fn(&Alternative, bool) -> Option<Value>) -> Vec<Value> {
        let both = self.shapes.iter().flat_map(|shape| [(shape, false), (shape, true)]);
        both.filter_map(|(shape, textual)| read(shape, textual)).collect()
    }

    /// From a segment of a path.
    pub fn path(&self, name: &str, style: Style, explode: bool, text: &str) -> Vec<Value> {
        self.each(|shape, textual| match style {
            Style::Label => list(shape, text.strip_prefix('.')?, if explode { "." } else { "," }, explode, textual, &decoded),
            Style::Matrix => matrix(shape, name, text.strip_prefix(';')?, explode, textual),
            _ => list(shape, text, ",", explode, textual, &decoded),
        })
    }

    /// From a header or a cookie, which separate by commas.
    pub fn commas(&self, place: Place, explode: bool, text: &str) -> Vec<Value> {
        let plain = |text: &str| text.trim().to_owned();
        self.each(|shape, textual| match place {
            Place::Cookie => list(shape, text, ",", false, textual, &decoded),
            _ => list(shape, text, ",", explode, textual, &plain),
        })
    }

    /// From pairs of a query or form; `free` says which pairs nothing else claims. Empty: there is nothing of it.
    pub fn query(&self, name: &str, style: Style, explode: bool, pairs: &[Pair], free: &dyn Fn(&str) -> bool) -> Vec<Value> {
        let own = || pairs.iter().filter(|pair| pair.name == name);
        self.each(|shape, textual| match shape {
            Alternative::Object(members, others) if style == Style::DeepObject || explode => {
                let within = |pair: &Pair| match style {
                    Style::DeepObject => Some(pair.name.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?.to_owned()),
                    _ => (members.contains_key(&pair.name) || (*others && free(&pair.name))).then(|| pair.name.clone()),
                };
                let member = |pair: &Pair| {
                    let name = within(pair)?;
                    let value = kinds_of(members.get(&name)).read(&plus_decoded(&pair.value), textual);
                    Some((name, value))
                };
                let object: Map<String, Value> = pairs.iter().filter_map(member).collect();
                (!object.is_empty()).then_some(Value::Object(object))
            }
            Alternative::Array(kinds) if explode || style == Style::DeepObject => {
                let items: Vec<Value> = own().map(|pair| kinds.read(&plus_decoded(&pair.value), textual)).collect();
                (!items.is_empty()).then_some(Value::Array(items))
            }
            _ => {
                let text = &own().next()?.value;
                let (text, delimiter) = match style {
                    Style::SpaceDelimited => (text.replace('+', "%20"), "%20"),
                    Style::PipeDelimited => (text.replace("%7c", "|").replace("%7C", "|"), "|"),
                    _ => (text.clone(), ","),
                };
                list(shape, &text, delimiter, false, textual, &plus_decoded)
            }
        })
    }
}

/// A text that stands alone, or is a list by the schema.
fn list(shape: &Alternative, text: &str, delimiter: &str, explode: bool, textual: bool, decode: &dyn Fn(&str) -> String) -> Option<Value> {
    match shape {
        Alternative::Scalar(kinds) => Some(kinds.read(&decode(text), textual)),
        Alternative::Array(kinds) => Some(text.split(delimiter).map(|item| kinds.read(&decode(item), textual)).collect::<Vec<_>>().into()),
        Alternative::Object(members, _) => {
            let mut object = Map::new();
            let mut items = text.split(delimiter);
            while let Some(item) = items.next() {
                let (name, value) = if explode { item.split_once('=')? } else { (item, items.next()?) };
                let name = decode(name);
                let value = kinds_of(members.get(&name)).read(&decode(value), textual);
                object.insert(name, value);
            }
            Some(Value::Object(object))
        }
    }
}

/// `;name=a,b`, `;name=a;name=b` or `;x=1;y=2`, without the first semicolon.
fn matrix(shape: &Alternative, name: &str, text: &str, explode: bool, textual: bool) -> Option<Value> {
    match shape {
        Alternative::Object(..) if explode => list(shape, text, ";", true, textual, &decoded),
        Alternative::Array(kinds) if explode => {
            let item = |text: &str| {
                let (key, value) = text.split_once('=')?;
                (decoded(key) == name).then(|| kinds.read(&decoded(value), textual))
            };
            text.split(';').map(item).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        _ => {
            let (key, value) = text.split_once('=')?;
            if decoded(key) == name { list(shape, value, ",", false, textual, &decoded) } else { None }
        }
    }
}
