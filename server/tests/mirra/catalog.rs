//! Every method of every resource that comes with the server, called at a server that checks requests by the same document.

use std::{fs, path::Path, sync::Arc};

use mirra_openapi::{Document, Operation, generate};
use serde_json::{Value, json};

use crate::{
    control::{Bed, User, data},
    local_api::{Answered, Asked, LocalApi},
};

struct Entry {
    name: String,
    resource: Value,
    document: Document,
}

fn catalog() -> Vec<Entry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../control/catalog");
    let entry = |folder: fs::DirEntry| {
        let text = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        let resource: Value = serde_json::from_str(&text("resource.json")).unwrap();
        Entry { name: resource["name"].as_str().unwrap().to_owned(), resource, document: Document::read(&text("openapi.yaml")).unwrap() }
    };
    fs::read_dir(folder).unwrap().map(|folder| entry(folder.unwrap())).collect()
}

/// What an operation's server answers when it has nothing to say.
fn nothing(operation: &Operation, status: u16) -> Option<&'static str> {
    ["{}", "[]"].into_iter().find(|empty| operation.response(status, Some("application/json"), empty.as_bytes()).is_ok())
}

/// The request fits an operation of the document: then its answer, else why none fits.
fn check(entries: &[Entry], asked: &Asked) -> Answered {
    let [_, of, rest] = asked.path.splitn(3, '/').collect::<Vec<_>>()[..] else {
        return Answered::json(404, &json!({ "message": "no such path" }));
    };
    let path = format!("/{rest}");
    let entry = entries.iter().find(|entry| entry.name == of).unwrap();
    // Telegram's key is a part of its path.
    let path = path.strip_prefix("/key-of-telegram").unwrap_or(&path);
    let (query, content_type) = ((!asked.query.is_empty()).then_some(&*asked.query), asked.header("content-type"));
    let mut reasons = Vec::new();
    for operation in entry.document.operations().iter().filter(|operation| operation.method().eq_ignore_ascii_case(&asked.method)) {
        match operation.check_request(path, query, asked.headers(), content_type, &asked.body) {
            Ok(()) if is_signed(entry, asked) => {
                return Answered { body: nothing(operation, 200).unwrap_or_default().into(), ..Answered::json(200, &Value::Null) };
            }
            Ok(()) => reasons.push("no credentials".to_owned()),
            Err(error) => reasons.push(error.message),
        }
    }
    Answered::json(400, &json!({ "message": format!("{} {path}: {reasons:?}", asked.method) }))
}

fn is_signed(entry: &Entry, asked: &Asked) -> bool {
    match entry.resource["authConfig"]["location"].as_str() {
        Some("path") => asked.path.contains("/key-of-telegram/"),
        Some("header") => asked.header(entry.resource["authConfig"]["headerName"].as_str().unwrap()) == Some("a-key"),
        _ => asked.header("authorization") == Some("Bearer a-token"),
    }
}

fn install(owner: &User, api: &LocalApi, entry: &Entry) {
    let authentication = entry.resource["authentication"].as_str().unwrap();
    let is_in_path = entry.resource["authConfig"]["location"] == "path";
    let key = if is_in_path { "/{apiKey}" } else { "" };
    let base_url = format!("{}/{}{key}", api.url(), entry.name);
    data(owner.request("POST", &format!("/v1/resources/resource_{}/install", entry.name), json!({ "baseUrl": base_url })));
    let credentials = match authentication {
        "api_key" => json!({ "apiKey": if is_in_path { "key-of-telegram" } else { "a-key" } }),
        // As the resource calls its token.
        _ => json!({ "accessToken": "a-token", "apiKey": "a-token" }),
    };
    let credentials = json!({ "type": authentication, "credentials": credentials });
    data(owner.request("POST", &format!("/v1/resources/{}/authenticate", entry.name), credentials));
}

#[test]
fn each_method_of_the_catalog_can_be_called() {
    let entries = Arc::new(catalog());
    let served = entries.clone();
    let api = LocalApi::start(move |asked| check(&served, asked));
    let bed = Bed::start_with(&["--allow-net", &api.address.to_string()]);
    let owner = bed.owner();
    let mut called = 0;
    for entry in entries.iter() {
        install(&owner, &api, entry);
        for operation in entry.document.operations() {
            let method = operation.operation_id().unwrap();
            let reply = owner.dispatch(&entry.name, method, Value::Object(generate::example(&entry.document, operation)));
            assert_eq!(reply.status, 200, "{}.{method}: {}", entry.name, reply.text());
            called += 1;
        }
    }
    assert!(called > 150, "{called}");
    assert_eq!(api.asked().len(), called);
}
