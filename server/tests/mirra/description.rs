//! What the API says of itself.

use std::{collections::HashSet, path::Path};

use serde_json::{Value, json};

use crate::{control::Bed, support::write};

/// Set, the file is written anew instead of compared.
const UPDATE: &str = "MIRRA_UPDATE_OPENAPI";

fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

#[test]
fn a_change_of_the_api_shows_in_its_document() {
    let bed = Bed::start();
    let served = bed.server.get("/openapi.json").text();
    if std::env::var_os(UPDATE).is_some() {
        write(file(), &served);
    }
    let known = std::fs::read_to_string(file()).unwrap();
    let changed = known.lines().zip(served.lines()).find(|(known, served)| known != served);
    assert!(
        known == served,
        "docs/openapi.json is not what the server says; the first line that differs: {changed:?}. \
         If the change is meant, write it with {UPDATE}=1 and look at the diff"
    );
}

#[test]
fn everything_in_the_document_is_there() {
    let bed = Bed::start();
    let document = bed.server.get("/openapi.json").json();
    let mut ids = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].to_string()), "{}", operation["operationId"]);
            let path = path.strip_prefix("/api/sdk").unwrap().replace(['{', '}'], "");
            let body = if method == "get" { Value::Null } else { json!({}) };
            let reply = bed.owner().request(&method.to_uppercase(), &path, body);
            let is_nothing =
                reply.status == 405 || reply.text().contains("there is nothing at") || reply.text().contains("has no operation");
            assert!(!is_nothing, "{method} {path}: {}", reply.text());
        }
    }
    let page = bed.server.get("/docs");
    assert!(page.status == 200 && page.text().contains("memory.findOne") && page.text().contains("filters"), "{}", page.text());
}
