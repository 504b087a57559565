//! What one account may keep, and what those may ask who are none: at the edge, and one beyond.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    control::{Bed, User, data, refusal},
    local_api::LocalApi,
    resources::crypto,
    support::{Reply, write},
};

/// A server with other limits than the usual ones.
fn bed(limits: Value) -> Bed {
    let folder = tempdir().unwrap();
    let file = folder.path().join("limits.json");
    write(&file, limits.to_string());
    Bed::start_with(&["--limits", file.to_str().unwrap()])
}

#[track_caller]
fn is_full(reply: &Reply, field: &str) {
    assert_eq!(refusal(reply), (400, "VALIDATION_ERROR".to_owned(), field.to_owned()));
    assert!(reply.text().contains("at most"), "{}", reply.text());
}

#[test]
fn an_account_keeps_so_many_entities() {
    let bed = bed(json!({ "perAccount": { "memoryEntities": 2 } }));
    let owner = bed.owner();
    let (ada, _) = owner.sub_account("Ada");
    let team = data(ada.request("POST", "/v1/teams", json!({ "name": "Analysts" })));
    let note = |content: &str| json!({ "type": "note", "content": content });
    let first = ada.memory("create", note("one"));
    // Wherever it is.
    ada.memory("createTask", json!({ "content": "two", "groupId": team["id"] }));
    is_full(&ada.dispatch("memory", "create", note("three")), "content");
    is_full(&ada.dispatch("memory", "createTask", json!({ "content": "three" })), "content");
    assert_eq!(ada.memory("query", json!({}))["totalCount"], 2);
    ada.memory("update", json!({ "id": first["id"], "content": "the first" }));
    ada.memory("delete", json!({ "id": first["id"] }));
    ada.memory("create", note("three"));
    owner.memory("create", note("another account's"));
}

#[test]
fn an_account_keeps_so_many_bytes() {
    let bed = bed(json!({ "perAccount": { "memoryBytes": 100 } }));
    let owner = bed.owner();
    // A byte of name, 2 of metadata.
    let of = |bytes: usize| json!({ "type": "note", "name": "n", "content": "é".repeat((bytes - 3) / 2) + &"x".repeat((bytes - 3) % 2) });
    is_full(&owner.dispatch("memory", "create", of(101)), "content");
    let whole = owner.memory("create", of(100));
    is_full(&owner.dispatch("memory", "create", of(4)), "content");
    let update = |content: String| owner.dispatch("memory", "update", json!({ "id": whole["id"], "content": content }));
    is_full(&update("x".repeat(98)), "content");
    data(update("x".repeat(57)));
    owner.memory("create", of(40));
    is_full(&update("x".repeat(58)), "content");
    data(update("x".repeat(56)));
    data(update("x".repeat(57)));
}

#[test]
fn an_account_has_so_many_resources() {
    let api = LocalApi::answering(json!({}));
    let bed = bed(json!({ "perAccount": { "resources": 1, "installations": 1 } }));
    let owner = bed.owner();
    let mut resource = crypto(&api);
    let id = owner.make(&resource);
    resource["name"] = "Another".into();
    is_full(&owner.request("POST", "/v1/resources", resource.clone()), "name");
    let install = |id: &str| owner.request("POST", &format!("/v1/resources/{id}/install"), Value::Null);
    data(install("resource_telegram"));
    is_full(&install(&id), "id");
    data(owner.request("DELETE", "/v1/resources/resource_telegram/install", Value::Null));
    data(install(&id));
    data(owner.request("DELETE", &format!("/v1/resources/{id}/install"), Value::Null));
    data(owner.request("DELETE", &format!("/v1/resources/{id}"), Value::Null));
    owner.make(&resource);
}

/// Before the store is asked for a key that nobody has; and those who have one are not hindered by those who try.
#[test]
fn who_has_no_key_asks_so_often() {
    let bed = bed(json!({ "requestsPerMinute": 20 }));
    let (ada, _) = bed.owner().sub_account("Ada");
    assert_eq!(ada.memory("query", json!({}))["totalCount"], 0);
    let new = data(ada.request("POST", "/v1/keys", json!({ "name": "new" })))["key"].as_str().unwrap().to_owned();
    let with = |key: &str| User { server: &bed.server, key: key.to_owned() }.request("POST", "/v1/memory/query", json!({}));
    let first = with("mirra_sk_wrong");
    // Of the address: one was taken by the first use of Ada's key.
    assert_eq!((first.status, first.header("x-ratelimit-remaining")), (401, Some("18")));
    let refused = (0..100).map(|number| with(&format!("mirra_sk_{number}"))).find(|reply| reply.status != 401).expect("is refused at last");
    assert_eq!((refused.status, refused.code().as_str(), refused.header("x-ratelimit-remaining")), (429, "RATE_LIMITED", Some("0")));
    assert!(refused.header("retry-after").is_some(), "{}", refused.head);
    // In no other way either, and not even with one that would count.
    assert_eq!(bed.server.client().send("POST", "/run/echo", &[("X-API-Key", "mirra_sk_wrong")], "{}").status, 429);
    assert_eq!((with("").status, with(&new).status), (429, 429));
    assert_eq!(ada.memory("query", json!({}))["totalCount"], 0);
    assert_eq!(bed.owner().memory("query", json!({}))["totalCount"], 0);
}
