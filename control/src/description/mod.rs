//! What this API is, as an OpenAPI 3.1 document and as a page to read: both are made of the tables that requests are answered by, so that
//! neither can say anything else.

mod limits;
mod page;

use mirra_host_sdk::ErrorCode;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    operations::{self, Operation},
    routes::{ADDRESSES, Address, DISPATCHERS},
};

pub use limits::limits;
pub use mirra_openapi::generate::escaped;
pub use page::page;

/// What all addresses of the API begin with.
const BASE: &str = "/api/sdk";

/// The JSON Schema of an operation's parameters, with nothing that stands elsewhere.
pub fn parameters(operation: &Operation) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = (operation.params)(&mut SchemaGenerator::new(settings)).to_value();
    if let Value::Object(schema) = &mut schema {
        // The name of a type of ours.
        schema.remove("title");
        schema.remove("description");
    }
    schema
}

/// OpenAPI 3.1.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations::all() {
        let (adapter, name) = operation.name.split_once('.').unwrap_or_default();
        insert(
            &mut paths,
            &format!("{BASE}/v1/{adapter}/{name}"),
            "post",
            described(operation, &parameters(operation), &[], operation.name.to_owned()),
        );
    }
    for address in ADDRESSES {
        if let Some(operation) = operations::by_name(address.operation) {
            insert(&mut paths, &format!("{BASE}{}", address.path), &address.method.to_lowercase(), at_address(address, operation));
        }
    }
    for path in DISPATCHERS {
        insert(&mut paths, &format!("{BASE}{path}"), "post", dispatcher(path));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mirra",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Operations of adapters, each of which has an address of its own, and can be called through the dispatcher as well. \
                            Answers are in an envelope: `success`, and `data` or `error`.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }, { "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
            "headers": {
                "limit": { "description": "Requests that a key may make in a minute.", "schema": { "type": "integer" } },
                "remaining": { "description": "How many of them are left.", "schema": { "type": "integer" } },
                "reset": { "description": "When all of them are there again, in Unix seconds.", "schema": { "type": "integer" } },
            },
            "schemas": { "Success": success(), "Failure": failure() },
        },
    })
}

fn insert(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let item = paths.entry(path).or_insert_with(|| json!({}));
    // An address of its own says more than the form that every operation has.
    item[method] = operation;
}

/// An operation whose parameters are all in the body, but for those that stand in the address.
fn described(operation: &Operation, schema: &Value, in_address: &[Value], id: String) -> Value {
    let (adapter, _) = operation.name.split_once('.').unwrap_or_default();
    let mut described = json!({
        "operationId": id,
        "summary": operation.summary,
        "tags": [adapter],
        "requestBody": { "content": { "application/json": { "schema": schema } } },
        "responses": responses(),
    });
    if !in_address.is_empty() {
        described["parameters"] = in_address.into();
    }
    described
}

fn at_address(address: &Address, operation: &Operation) -> Value {
    let mut schema = parameters(operation);
    let in_path: Vec<&str> = address.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let is_reading = matches!(address.method, "GET" | "DELETE");
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let required = |name: &str| schema["required"].as_array().is_some_and(|required| required.iter().any(|known| known == name));
    let mut parameters: Vec<Value> = in_path.iter().map(|name| parameter(name, "path", true, properties.get(*name))).collect();
    if is_reading {
        let others = properties.iter().filter(|(name, _)| !in_path.contains(&name.as_str()));
        parameters.extend(others.map(|(name, schema)| parameter(name, "query", required(name), Some(schema))));
    }
    for name in in_path {
        if let Some(properties) = schema["properties"].as_object_mut() {
            properties.remove(name);
        }
        if let Some(required) = schema["required"].as_array_mut() {
            required.retain(|known| known != name);
        }
    }
    let id = format!("{}.{}{}", operation.name, address.method.to_lowercase(), address.path.replace(['/', '{', '}'], "_"));
    let mut described = described(operation, &schema, &parameters, id);
    if let (true, Value::Object(described)) = (is_reading, &mut described) {
        described.remove("requestBody");
    }
    described
}

fn parameter(name: &str, place: &str, required: bool, schema: Option<&Value>) -> Value {
    json!({ "name": name, "in": place, "required": required, "schema": schema.cloned().unwrap_or_else(|| json!({ "type": "string" })) })
}

fn dispatcher(path: &str) -> Value {
    json!({
        "operationId": format!("call{}", path.replace('/', "_")),
        "summary": "Calls an operation of an adapter, or a method of a resource that is installed.",
        "tags": ["resources"],
        "requestBody": { "required": true, "content": { "application/json": { "schema": {
            "type": "object",
            "required": ["resourceId", "method"],
            "properties": {
                "resourceId": { "type": "string", "description": "An adapter, such as memory, or an installed resource by its id or name." },
                "method": { "type": "string" },
                "params": { "type": "object" },
            },
        } } } },
        "responses": responses(),
    })
}

fn responses() -> Value {
    let headers: Map<String, Value> = ["Limit", "Remaining", "Reset"]
        .map(|name| (format!("X-RateLimit-{name}"), json!({ "$ref": format!("#/components/headers/{}", name.to_lowercase()) })))
        .into_iter()
        .collect();
    let content = |schema: &str| json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } });
    json!({
        "200": { "description": "What the operation answers.", "headers": headers, "content": content("Success") },
        "default": { "description": "Why there is no answer.", "headers": headers, "content": content("Failure") },
    })
}

fn success() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": { "const": true },
            "data": { "description": "What the operation answers." },
            "meta": {
                "description": "Of lists: which part of how many.",
                "type": "object",
                "properties": { "total": count, "limit": count, "offset": count },
            },
        },
    })
}

fn failure() -> Value {
    json!({
        "type": "object",
        "required": ["success", "error"],
        "properties": {
            "success": { "const": false },
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": { "enum": ErrorCode::ALL.map(ErrorCode::as_str) },
                    "message": { "type": "string", "description": "What went wrong, for people." },
                    "details": { "description": "What a program may want to know besides: of VALIDATION_ERROR, the `field`." },
                },
            },
        },
    })
}
