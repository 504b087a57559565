//! Types for TypeScript.

use std::fmt::Write;

use serde_json::Value;

use super::{
    Method, Named, TEXT_MAX, is_identifier, pascal, said,
    shape::{Member, taken},
};
use crate::{Document, pointer};

const DEPTH_MAX: usize = 16;
/// What a member may be that is sent as a file.
const FILE: &str = " | { filename?: string; contentType?: string; data: string }";

/// Declarations of a client whose methods are these: an interface of the resource's name and all types that it needs.
pub fn typescript(name: &str, methods: &[Method<'_>], document: &Document) -> String {
    let client = pascal(name);
    let named = Named::new(document, &[&client, "Promise", "Record", "Array", "Partial"]);
    let mut text = String::new();
    comment(&mut text, "", document.title().lines().chain(document.description().into_iter().flat_map(str::lines)));
    let _ = writeln!(text, "export interface {client} {{");
    let mut types = String::new();
    for (method, operation) in methods {
        if text.len() + types.len() > TEXT_MAX {
            let _ = writeln!(text, "  {}(params?: unknown): Promise<unknown>;", key(method));
            continue;
        }
        let params = named.unique(&format!("{method} params"));
        let result = named.unique(&format!("{method} result"));
        let taken = taken(&named, operation);
        comment(&mut text, "  ", said(operation));
        let optional = if taken.required { "" } else { "?" };
        let _ = writeln!(text, "  {}(params{optional}: {params}): Promise<{result}>;", key(method));
        let mut parts = Vec::new();
        if !taken.members.is_empty() || taken.also.is_none() {
            let members = taken.members.iter().map(|(name, member)| (*name, *member));
            parts.push(object(&named, members, 0));
        }
        parts.extend(taken.also.map(|body| kind(&named, body, 0)));
        let _ = writeln!(types, "\nexport type {params} = {};", parts.join(" & "));
        let _ = writeln!(
            types,
            "\nexport type {result} = {};",
            operation.success_schema().map_or("unknown".into(), |schema| kind(&named, schema, 0))
        );
    }
    text.push_str("}\n");
    text.push_str(&types);
    while let Some((name, schema)) = named.next() {
        text.push('\n');
        if text.len() > TEXT_MAX {
            let _ = writeln!(text, "export type {name} = unknown;");
            continue;
        }
        comment(&mut text, "", schema.get("description").and_then(Value::as_str).into_iter().flat_map(str::lines));
        let _ = writeln!(text, "export type {name} = {};", kind(&named, schema, 0));
    }
    text
}

fn comment<'t>(text: &mut String, indent: &str, lines: impl IntoIterator<Item = &'t str>) {
    let lines: Vec<String> = lines.into_iter().map(|line| line.trim_end().replace("*/", "* /")).collect();
    if lines.iter().all(|line| line.is_empty()) {
        return;
    }
    match &*lines {
        [line] => text.push_str(&format!("{indent}/** {line} */\n")),
        lines => {
            let _ = writeln!(text, "{indent}/**");
            text.extend(lines.iter().map(|line| format!("{}\n", format!("{indent} * {line}").trim_end())));
            let _ = writeln!(text, "{indent} */");
        }
    }
}

fn key(name: &str) -> String {
    if is_identifier(name) { name.into() } else { quoted(name) }
}

/// JSON's strings are JavaScript's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn object<'d>(named: &Named<'d>, members: impl Iterator<Item = (&'d str, Member<'d>)>, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let mut text = String::from("{\n");
    let mut any = false;
    for (name, member) in members {
        any = true;
        comment(&mut text, &indent, member.description.into_iter().flat_map(str::lines));
        let optional = if member.required { "" } else { "?" };
        let file = if member.file { FILE } else { "" };
        let _ = writeln!(text, "{indent}{}{optional}: {}{file};", key(name), kind(named, member.schema, depth + 1));
    }
    if any { format!("{text}{}}}", "  ".repeat(depth)) } else { "{}".into() }
}

/// The type of a schema's values.
fn kind<'d>(named: &Named<'d>, schema: &'d Value, depth: usize) -> String {
    if depth > DEPTH_MAX || !named.room() {
        return "unknown".into();
    }
    if let Some(reference) = pointer::reference(schema) {
        return named.of(reference).unwrap_or_else(|| "unknown".into());
    }
    let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array).filter(|list| !list.is_empty());
    let joined = |list: &'d [Value], separator: &str| {
        let mut parts: Vec<String> = list.iter().map(|part| kind(named, part, depth)).collect();
        parts.dedup();
        if parts.len() == 1 { parts.remove(0) } else { format!("({})", parts.join(separator)) }
    };
    let mut parts = Vec::new();
    if let Some(values) = list("enum") {
        parts.push(values.iter().map(literal).collect::<Vec<_>>().join(" | "));
    } else {
        parts.extend(own(named, schema, depth));
        parts.extend(list("allOf").map(|list| joined(list, " & ")));
        parts.extend(["oneOf", "anyOf"].into_iter().filter_map(list).map(|list| joined(list, " | ")));
        // What only says which members are required adds nothing to a type.
        parts.retain(|part| part != "unknown");
    }
    let mut text = match &mut *parts {
        [] => "unknown".to_owned(),
        [part] => std::mem::take(part),
        parts => parts.join(" & "),
    };
    if schema.get("nullable") == Some(&Value::Bool(true)) && text != "unknown" {
        text = if text.contains(" & ") { format!("({text}) | null") } else { format!("{text} | null") };
    }
    text
}

fn own<'d>(named: &Named<'d>, schema: &'d Value, depth: usize) -> Option<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => Some("string".into()),
        Some("number" | "integer") => Some("number".into()),
        Some("boolean") => Some("boolean".into()),
        Some("array") => Some(format!("Array<{}>", kind(named, schema.get("items").unwrap_or(&Value::Null), depth))),
        Some("object") | None => {
            let required: Vec<&str> =
                schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            let member = |(name, schema): (&'d String, &'d Value)| {
                let description = schema.get("description").and_then(Value::as_str);
                (&**name, Member { schema, required: required.contains(&&**name), description, file: false })
            };
            let known = properties.map(|properties| object(named, properties.iter().map(member), depth));
            let composed = ["allOf", "oneOf", "anyOf"].iter().any(|keyword| schema.get(*keyword).is_some());
            match schema.get("additionalProperties").filter(|others| others.is_object()) {
                // TypeScript wants all members to be of an index's type, so that others are only told where there are no known ones.
                Some(others) if known.is_none() => Some(format!("Record<string, {}>", kind(named, others, depth))),
                _ if known.is_none() && schema.get("type").is_some() && !composed => Some("Record<string, unknown>".into()),
                _ => known,
            }
        }
        Some(_) => None,
    }
}

fn literal(value: &Value) -> String {
    if value.is_object() || value.is_array() { "unknown".into() } else { value.to_string() }
}
