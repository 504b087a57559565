//! Types for Python 3.9 and later.

use std::fmt::Write;

use serde_json::Value;

use super::{
    Method, Named, TEXT_MAX, is_identifier, pascal, said,
    shape::{Member, object, taken},
};
use crate::{Document, pointer};

const DEPTH_MAX: usize = 16;
const HEAD: &str = "from typing import Any, Dict, List, Literal, Optional, Protocol, TypedDict, Union\n";
/// Names that a member of a class cannot have, as they are keywords, or would hide what its types are made of.
const RESERVED: [&str; 43] = [
    "Any",
    "Dict",
    "List",
    "Literal",
    "Optional",
    "Protocol",
    "TypedDict",
    "Union",
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
];

/// A stub of a client whose methods are these: a protocol of the resource's name and all types that it needs.
pub fn python(name: &str, methods: &[Method<'_>], document: &Document) -> String {
    let client = pascal(name);
    let taken_names = [&RESERVED[..], &[&*client, "str", "int", "float", "bool"]].concat();
    let mut writer = Writer { named: Named::new(document, &taken_names), text: String::new() };
    let mut protocol = format!("\n\nclass {client}(Protocol):\n");
    let lines = document.title().lines().chain(document.description().into_iter().flat_map(str::lines));
    docstring(&mut protocol, "    ", lines);
    for (method, operation) in methods {
        if writer.text.len() + protocol.len() > TEXT_MAX {
            let _ = writeln!(protocol, "\n    def {}(self, params: Any = ...) -> Any: ...", identifier(method));
            continue;
        }
        let params = writer.named.unique(&format!("{method} params"));
        let taken = taken(&writer.named, operation);
        writer.typed_dict(&params, taken.members.iter().map(|(name, member)| (*name, member)).collect());
        let mut kind = params;
        if let Some(body) = taken.also {
            // A union is no base of a class: the body, with or without the other parameters, is as much as can be said.
            kind = format!("Union[{kind}, {}]", writer.kind(body, &format!("{method} body"), 0));
        }
        let result = operation.success_schema().map_or("Any".into(), |schema| writer.kind(schema, &format!("{method} result"), 0));
        let default = if taken.required { "" } else { " = ..." };
        let _ = writeln!(protocol, "\n    def {}(self, params: {kind}{default}) -> {result}:", identifier(method));
        docstring(&mut protocol, "        ", said(operation));
        protocol.push_str("        ...\n");
    }
    if methods.is_empty() {
        protocol.push_str("    ...\n");
    }
    while let Some((name, schema)) = writer.named.next() {
        match writer.text.len() {
            ..=TEXT_MAX => writer.alias(&name, schema),
            _ => writer.text.push_str(&format!("\n{name} = Any\n")),
        }
    }
    format!("{HEAD}{}{protocol}", writer.text)
}

/// A name for a method, as close to its own as Python allows.
fn identifier(name: &str) -> String {
    let mut text: String = name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect();
    if !is_identifier(&text) || RESERVED.contains(&&*text) {
        text.insert(0, '_');
    }
    text
}

fn docstring<'t>(text: &mut String, indent: &str, lines: impl IntoIterator<Item = &'t str>) {
    let lines: Vec<String> =
        lines.into_iter().map(|line| line.trim_end().replace('\\', "\\\\").replace('"', "\\\"").replace('\0', "")).collect();
    match &*lines {
        [] => {}
        [line] => text.push_str(&format!("{indent}\"\"\"{line}\"\"\"\n")),
        [first, rest @ ..] => {
            let _ = writeln!(text, "{indent}\"\"\"{first}");
            text.extend(rest.iter().map(|line| format!("{}\n", format!("{indent}{line}").trim_end())));
            let _ = writeln!(text, "{indent}\"\"\"");
        }
    }
}

struct Writer<'d> {
    named: Named<'d>,
    text: String,
}

impl<'d> Writer<'d> {
    fn alias(&mut self, name: &str, schema: &'d Value) {
        match object(&self.named, schema).filter(|object| !object.members.is_empty() && schema.get("nullable").is_none()) {
            Some(object) => self.typed_dict(name, object.members.iter().map(|(name, member)| (*name, member)).collect()),
            None => {
                let kind = self.kind(schema, name, 0);
                let _ = writeln!(self.text, "\n{name} = {kind}");
            }
        }
    }

    /// Which members may be missing is said by two classes, as Python 3.9 has no other way.
    fn typed_dict(&mut self, name: &str, members: Vec<(&'d str, &Member<'d>)>) {
        let (required, optional): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, member)| member.required);
        let base = if required.is_empty() {
            "TypedDict".to_owned()
        } else if optional.is_empty() {
            return self.class(name, "TypedDict", true, &required);
        } else {
            let base = format!("_{name}Required");
            self.class(&base, "TypedDict", true, &required);
            base
        };
        self.class(name, &base, false, &optional);
    }

    fn class(&mut self, name: &str, base: &str, total: bool, members: &[(&'d str, &Member<'d>)]) {
        let kinds = members.iter().map(|(member, of)| {
            let kind = self.kind(of.schema, &format!("{name} {member}"), 0);
            // A file with its name and content type.
            (*member, if of.file { format!("Union[{kind}, Dict[str, str]]") } else { kind }, of.description)
        });
        let kinds: Vec<(&str, String, Option<&str>)> = kinds.collect();
        let plain = |name: &str| is_identifier(name) && !RESERVED.contains(&name) && !name.starts_with("__");
        let (plain, other): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|(member, ..)| plain(member));
        let mut bases = base.to_owned();
        let total = if total { "" } else { ", total=False" };
        if !other.is_empty() {
            let entries: Vec<String> = other.iter().map(|(member, kind, _)| format!("{}: {kind}", quoted(member))).collect();
            let named = format!("_{}Named", name.trim_start_matches('_'));
            let _ = writeln!(self.text, "\n{named} = TypedDict(\"{named}\", {{{}}}{total})", entries.join(", "));
            bases = if base == "TypedDict" { named } else { format!("{base}, {named}") };
        }
        let _ = writeln!(self.text, "\n\nclass {name}({bases}{total}):");
        for (member, kind, description) in &plain {
            for line in description.iter().flat_map(|description| description.lines()) {
                let _ = writeln!(self.text, "    # {}", line.replace(|character: char| character.is_control(), " "));
            }
            let _ = writeln!(self.text, "    {member}: {kind}");
        }
        if plain.is_empty() {
            self.text.push_str("    pass\n");
        }
    }

    /// The type of a schema's values; a class is written for each object that has none of its own.
    fn kind(&mut self, schema: &'d Value, name: &str, depth: usize) -> String {
        if depth > DEPTH_MAX || !self.named.room() {
            return "Any".into();
        }
        if let Some(reference) = pointer::reference(schema) {
            return self.named.of(reference).map_or("Any".into(), |name| format!("\"{name}\""));
        }
        let kind = self.not_null(schema, name, depth);
        let nullable = schema.get("nullable") == Some(&Value::Bool(true)) && kind != "Any";
        if nullable { format!("Optional[{kind}]") } else { kind }
    }

    fn not_null(&mut self, schema: &'d Value, name: &str, depth: usize) -> String {
        let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array).filter(|list| !list.is_empty());
        if let Some(values) = list("enum") {
            // Numbers with a fraction cannot be literals.
            let literals: Option<Vec<String>> = values.iter().map(literal).collect();
            return literals.map_or("Any".into(), |literals| format!("Literal[{}]", literals.join(", ")));
        }
        if let Some(of) = object(&self.named, schema) {
            if of.members.is_empty() {
                let others = of.others.map_or("Any".into(), |others| self.kind(others, &format!("{name} value"), depth + 1));
                return format!("Dict[str, {others}]");
            }
            let name = self.named.unique(name);
            self.typed_dict(&name, of.members.iter().map(|(name, member)| (*name, member)).collect());
            return format!("\"{name}\"");
        }
        if let Some(alternatives) = list("oneOf").or_else(|| list("anyOf")) {
            let mut kinds: Vec<String> =
                alternatives.iter().enumerate().map(|(number, one)| self.kind(one, &format!("{name} {number}"), depth + 1)).collect();
            kinds.dedup();
            return if kinds.iter().any(|kind| kind == "Any") { "Any".into() } else { format!("Union[{}]", kinds.join(", ")) };
        }
        match (schema.get("type").and_then(Value::as_str), list("allOf").map(Vec::as_slice)) {
            (Some("string"), _) => "str".into(),
            (Some("integer"), _) => "int".into(),
            (Some("number"), _) => "float".into(),
            (Some("boolean"), _) => "bool".into(),
            (Some("array"), _) => {
                format!("List[{}]", self.kind(schema.get("items").unwrap_or(&Value::Null), &format!("{name} item"), depth + 1))
            }
            (_, Some([one])) => self.kind(one, name, depth + 1),
            _ => "Any".into(),
        }
    }
}

/// JSON's strings are Python's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\x7f")
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("None".into()),
        Value::Bool(true) => Some("True".into()),
        Value::Bool(false) => Some("False".into()),
        Value::String(text) => Some(quoted(text)),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}
