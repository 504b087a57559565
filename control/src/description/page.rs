use std::fmt::Write;

use mirra_openapi::generate::escaped;
use serde_json::Value;

use super::parameters;
use crate::{
    operations::{self, Operation},
    routes::ADDRESSES,
};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --code: #8882; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2rem 0 .3rem; font-size: 1rem; }
code { font: .9em ui-monospace, monospace; background: var(--code); padding: .1em .3em; border-radius: .2em; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; font-size: .85rem; }
nav a { margin-right: 1rem; }";

/// The API for people: self-contained HTML.
pub fn page() -> String {
    let mut adapters: Vec<&str> = operations::all().filter_map(|operation| Some(operation.name.split_once('.')?.0)).collect();
    adapters.dedup();
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>mirra API</title>\
         <style>{STYLE}</style><h1>The API of mirra</h1>\
         <p>Every operation below has the address <code>POST /api/sdk/v1/ADAPTER/OPERATION</code> with its parameters as the body, and can be \
         called as <code>POST /api/sdk/v2/resources/call</code> with <code>{{\"resourceId\", \"method\", \"params\"}}</code>, which calls \
         installed resources, too. A key goes into the header <code>X-API-Key</code>, or <code>Authorization: Bearer KEY</code>.</p>\
         <p>The same for programs: <a href=/openapi.json>openapi.json</a></p><nav>"
    );
    // Writing to a string cannot fail.
    adapters.iter().for_each(|adapter| _ = write!(html, "<a href='#{adapter}'>{adapter}</a>"));
    html.push_str("</nav>");
    for adapter in adapters {
        let _ = write!(html, "<h2 id='{adapter}'>{adapter}</h2>");
        let of_adapter = |operation: &&Operation| operation.name.split_once('.').is_some_and(|(of, _)| of == adapter);
        operations::all().filter(of_adapter).for_each(|operation| describe(&mut html, operation));
    }
    html
}

fn describe(html: &mut String, operation: &Operation) {
    let name = operation.name;
    let _ = write!(html, "<h3 id='{name}'><code>{name}</code></h3><p>{}", escaped(operation.summary));
    for address in ADDRESSES.iter().filter(|address| address.operation == name) {
        let _ = write!(html, "<br><code>{} /api/sdk{}</code>", address.method, escaped(address.path));
    }
    html.push_str("</p>");
    let schema = parameters(operation);
    let Some(properties) = schema["properties"].as_object().filter(|properties| !properties.is_empty()) else { return };
    html.push_str("<table><tr><th>parameter<th>type<th>");
    for (name, property) in properties {
        let is_required = schema["required"].as_array().is_some_and(|required| required.iter().any(|known| known == name));
        let required = if is_required { ", required" } else { "" };
        let description = property["description"].as_str().unwrap_or_default();
        let _ = write!(html, "<tr><td><code>{name}</code><td>{}{required}<td>{}", escaped(&type_of(property)), escaped(description));
    }
    html.push_str("</table>");
}

fn type_of(schema: &Value) -> String {
    let all = |list: &Value| {
        let types: Vec<String> = list.as_array().into_iter().flatten().map(type_of).filter(|name| name != "null").collect();
        types.join(" or ")
    };
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
            if names == ["array"] { format!("list of {}", type_of(&schema["items"])) } else { names.join(" or ") }
        }
        _ if schema["anyOf"].is_array() => all(&schema["anyOf"]),
        _ if schema["oneOf"].is_array() => all(&schema["oneOf"]),
        _ if schema["const"].is_string() || schema["enum"].is_array() => "string".to_owned(),
        _ => "anything".to_owned(),
    }
}
