//! A page of documentation.

use std::fmt::Write;

use serde_json::Value;

use super::{
    Method, Named, TEXT_MAX, example,
    shape::{Member, object, taken},
};
use crate::{Document, Operation, pointer};

const STYLE: &str = include_str!("page.css");
/// Objects within objects that are told in one table.
const DEPTH_MAX: usize = 4;

/// One page that needs nothing else: no scripts, no pictures, no other addresses.
pub fn page(name: &str, methods: &[Method<'_>], document: &Document) -> String {
    let named = Named::new(document, &[]);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n<h1>{}</h1>\n<p class=\"quiet\">{} · version {}</p>\n",
        escaped(document.title()),
        escaped(document.title()),
        escaped(name),
        escaped(document.version()),
    );
    paragraph(&mut text, document.description());
    text.push_str("<nav><ul>\n");
    for (number, (method, _)) in methods.iter().enumerate() {
        let _ = writeln!(text, "<li><a href=\"#m{number}\"><code>{}</code></a>", escaped(method));
    }
    text.push_str("</ul></nav>\n");
    for (number, (method, operation)) in methods.iter().enumerate() {
        let _ = writeln!(text, "<section id=\"m{number}\">\n<h2><code>{}</code></h2>", escaped(method));
        if text.len() < TEXT_MAX {
            section(&mut text, &named, operation);
            call(&mut text, name, method, document, operation);
        }
        text.push_str("</section>\n");
    }
    text.push_str("</html>\n");
    text
}

/// How a handler calls it with the least that it takes.
fn call(text: &mut String, name: &str, method: &str, document: &Document, operation: &Operation) {
    let params = serde_json::to_string_pretty(&example(document, operation)).unwrap_or_default();
    let params = if params == "{}" { "" } else { &params };
    let call = format!("await mirra.{name}.{method}({params});");
    let _ = writeln!(text, "<h3>Call</h3>\n<pre><code>{}</code></pre>", escaped(&call));
}

fn section<'d>(text: &mut String, named: &Named<'d>, operation: &'d Operation) {
    let deprecated = if operation.deprecated() { " · deprecated" } else { "" };
    let _ = writeln!(text, "<p class=\"quiet\"><code>{} {}</code>{deprecated}</p>", operation.method(), escaped(operation.path()));
    paragraph(text, operation.summary());
    paragraph(text, operation.description().filter(|description| Some(*description) != operation.summary()));
    let taken = taken(named, operation);
    if !taken.members.is_empty() {
        text.push_str("<h3>Parameters</h3>\n<table>\n");
        for (name, member) in &taken.members {
            row(text, named, name, member, DEPTH_MAX);
        }
        text.push_str("</table>\n");
    }
    if let Some(body) = taken.also {
        let _ = writeln!(text, "<p>and the members of {}</p>", escaped(&kind(named, body, 0)));
    }
    text.push_str("<h3>Answers</h3>\n<table>\n");
    for response in operation.responses() {
        let _ = writeln!(text, "<tr><td><code>{}</code><td class=\"said\">{}", response.statuses(), escaped(response.description()));
        for media in response.media() {
            let schema = operation.media_schema(media);
            let _ = writeln!(text, "<div><code>{}</code> {}</div>", escaped(media.content_type()), escaped(&kind(named, schema, 0)));
            if let Some(object) = object(named, schema).filter(|object| !object.members.is_empty()) {
                text.push_str("<table>\n");
                object.members.iter().for_each(|(name, member)| row(text, named, name, member, 1));
                text.push_str("</table>\n");
            }
        }
    }
    text.push_str("</table>\n");
}

fn row<'d>(text: &mut String, named: &Named<'d>, name: &str, member: &Member<'d>, depth: usize) {
    let required = match (member.required, member.file) {
        (true, false) => " · required",
        (true, true) => " · required, or a file {filename, contentType, data}",
        (false, true) => " · or a file {filename, contentType, data}",
        (false, false) => "",
    };
    let _ = writeln!(
        text,
        "<tr><td><code>{}</code><td><code>{}</code><span class=\"quiet\">{required}</span>",
        escaped(name),
        escaped(&kind(named, member.schema, 0))
    );
    paragraph(text, member.description);
    if let Some(default) = member.schema.get("default") {
        let _ = writeln!(text, "<p class=\"quiet\">default <code>{}</code></p>", escaped(&default.to_string()));
    }
    if depth == 0 || pointer::reference(member.schema).is_some() && depth < DEPTH_MAX {
        return;
    }
    if let Some(object) = object(named, member.schema).filter(|object| !object.members.is_empty()) {
        text.push_str("<table>\n");
        object.members.iter().for_each(|(name, member)| row(text, named, name, member, depth - 1));
        text.push_str("</table>\n");
    }
}

fn paragraph(text: &mut String, of: Option<&str>) {
    if let Some(of) = of.filter(|of| !of.trim().is_empty()) {
        let _ = writeln!(text, "<p class=\"said\">{}</p>", escaped(of.trim()));
    }
}

/// A type in a few words.
fn kind(named: &Named<'_>, schema: &Value, depth: usize) -> String {
    if depth > DEPTH_MAX || !named.room() {
        return "…".into();
    }
    if let Some(reference) = pointer::reference(schema) {
        return reference.rsplit('/').next().unwrap_or_default().into();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    let null = if schema.get("nullable") == Some(&Value::Bool(true)) { " | null" } else { "" };
    for keyword in ["oneOf", "anyOf", "allOf"] {
        if let Some(list) = schema.get(keyword).and_then(Value::as_array) {
            let separator = if keyword == "allOf" { " & " } else { " | " };
            return list.iter().map(|part| kind(named, part, depth + 1)).collect::<Vec<_>>().join(separator) + null;
        }
    }
    let base = match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("{}[]", kind(named, schema.get("items").unwrap_or(&Value::Null), depth + 1)),
        Some(kind) => kind.to_owned(),
        None if schema.get("properties").is_some() => "object".into(),
        None => "anything".into(),
    };
    match schema.get("format").and_then(Value::as_str) {
        Some(format) => format!("{base} ({format}){null}"),
        None => base + null,
    }
}

/// A text as it may stand anywhere in HTML, in quotes too.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;").replace('\0', "")
}
