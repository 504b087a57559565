//! JSON pointers and `$ref`s, which are pointers with a `#` before them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::problem::{Problems, quoted};

/// One step further: `child("/paths", "/users")` is `/paths/~1users`.
pub fn child(pointer: &str, key: impl AsRef<str>) -> String {
    format!("{pointer}/{}", key.as_ref().replace('~', "~0").replace('/', "~1"))
}

/// What an object's `$ref` says, if it has one.
pub fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// Where a `$ref` points, if that is inside of the document: as a pointer.
pub fn local(reference: &str) -> Option<String> {
    let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    (pointer.is_empty() || pointer.starts_with('/')).then(|| pointer.into_owned())
}

/// An object of the document and its place, all `$ref`s followed.
#[derive(Clone)]
pub struct Found<'d> {
    pub pointer: String,
    pub members: &'d Map<String, Value>,
}

impl<'d> Found<'d> {
    pub fn child(&self, key: &str) -> String {
        child(&self.pointer, key)
    }

    pub fn text(&self, key: &str) -> Option<&'d str> {
        self.members.get(key)?.as_str()
    }
}

/// The object that stands at a place or that is referred to from there. What is wrong is a problem of the place.
pub fn follow<'d>(root: &'d Value, value: &'d Value, pointer: &str, problems: &mut Problems) -> Option<Found<'d>> {
    let (mut value, mut at) = (value, pointer.to_owned());
    let mut seen: Vec<String> = Vec::new();
    while let Some(reference) = value.get("$ref") {
        let target = target(root, reference, &child(&at, "$ref"), problems)?;
        if seen.contains(&target.0) || target.0 == at {
            problems.add(child(pointer, "$ref"), "the reference leads back to itself");
            return None;
        }
        if seen.len() >= CHAIN_MAX {
            problems.add(child(pointer, "$ref"), format!("more than {CHAIN_MAX} references to references"));
            return None;
        }
        seen.push(target.0.clone());
        (at, value) = target;
    }
    let Some(members) = value.as_object() else {
        problems.add(at, "must be an object");
        return None;
    };
    Some(Found { pointer: at, members })
}

const CHAIN_MAX: usize = 100;

/// What a `$ref` means.
pub fn target<'d>(root: &'d Value, reference: &Value, pointer: &str, problems: &mut Problems) -> Option<(String, &'d Value)> {
    let Some(text) = reference.as_str() else {
        problems.add(pointer, "must be a string");
        return None;
    };
    let Some(place) = local(text) else {
        problems.add(pointer, format!("{} leads out of the document; only references to its own parts (#/…) are followed", quoted(text)));
        return None;
    };
    let Some(value) = root.pointer(&place) else {
        problems.add(pointer, format!("{} is not there", quoted(text)));
        return None;
    };
    Some((place, value))
}
