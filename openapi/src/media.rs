//! Content types: which of those a document offers is meant, and what its bodies are.

use crate::operation::Media;

/// How a body of some content type is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    UrlEncoded,
    Multipart,
    Text,
    Bytes,
}

/// `application/json`, without parameters and in lower case.
pub fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

impl Form {
    pub fn of(content_type: &str) -> Form {
        let essence = essence(content_type);
        match &*essence {
            "application/json" => Form::Json,
            "application/x-www-form-urlencoded" => Form::UrlEncoded,
            "multipart/form-data" => Form::Multipart,
            "application/xml" | "application/javascript" | "application/yaml" => Form::Text,
            _ if essence.ends_with("+json") => Form::Json,
            _ if essence.ends_with("+xml") || essence.starts_with("text/") => Form::Text,
            _ => Form::Bytes,
        }
    }
}

/// Which of several a request is written in: JSON before forms, these before the rest.
pub fn preferred(media: &[Media]) -> usize {
    let rank = |media: &Media| match Form::of(&media.content_type) {
        Form::Json => 0,
        Form::UrlEncoded => 1,
        Form::Multipart => 2,
        Form::Text => 3,
        Form::Bytes => 4,
    };
    (0..media.len()).min_by_key(|number| media.get(*number).map(rank)).unwrap_or(0)
}

/// What is declared for a content type: by its name, or by a range such as `image/*`.
pub fn matching<'m>(media: &'m [Media], content_type: &str) -> Option<&'m Media> {
    let wanted = essence(content_type);
    let kind = wanted.split('/').next().unwrap_or_default();
    let fits = |pattern: &str| media.iter().find(|media| essence(&media.content_type) == pattern);
    fits(&wanted).or_else(|| fits(&format!("{kind}/*"))).or_else(|| fits("*/*"))
}

/// What is sent where the document names a range.
pub fn concrete(content_type: &str) -> String {
    match content_type.split_once("/*") {
        Some(("text", _)) => "text/plain".into(),
        Some(_) => "application/octet-stream".into(),
        None => content_type.into(),
    }
}
