//! The memory, over the API and from handlers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use mirra_control::{Config, Control, Means};
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{AllowList, Clock};

use serde_json::{Value, json, value::to_raw_value};
use tempfile::tempdir;

use crate::{
    control::{Bed, OWNER_KEY, User, data, refusal},
    support::{mirra, run, write},
};

#[test]
fn every_form_of_a_call_answers_alike() {
    let bed = Bed::start();
    let owner = bed.owner();
    let note =
        json!({ "type": "NOTE", "name": "Sync", "content": "Roadmap", "tags": ["q2"], "metadata": { "status": "open" }, "unknown": 1 });
    let made = [
        owner.dispatch("memory", "create", note.clone()),
        owner.request("POST", "/v1/resources/call", json!({ "resourceId": "memory", "method": "create", "params": note })),
        owner.request("POST", "/v1/memory/create", note.clone()),
        owner.request("POST", "/v1/memory", note.clone()),
    ];
    for made in made.map(data) {
        let expected = ["note", "Sync", "Roadmap", "open", "", "owner"];
        assert_eq!(["type", "name", "content", "status", "priority", "createdByName"].map(|field| made[field].as_str().unwrap()), expected);
        assert_eq!(made["tags"], json!(["q2"]));
        let time = made["createdAt"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        for found in [json!({ "filters": { "id": made["id"] } }), json!({ "id": made["id"] })] {
            assert_eq!(owner.memory("findOne", found), made);
        }
    }
    // Older clients expect the list alone.
    let list = data(owner.request("POST", "/v1/memory/search", json!({ "query": "roadmap" })));
    assert_eq!((list.as_array().unwrap().len(), &list[0]["score"]), (4, &json!(1.0)));
    let reply = owner.request("POST", "/v1/memory/query", json!({ "limit": 3 })).json();
    assert_eq!((reply["data"].as_array().unwrap().len(), &reply["meta"]), (3, &json!({ "total": 4, "limit": 3, "offset": 0 })));
    let newer = owner.memory("query", json!({ "limit": 3, "offset": 2 }));
    assert_eq!([&newer["count"], &newer["totalCount"], &newer["offset"], &newer["limit"]], [2, 4, 2, 3].map(|n| json!(n)).each_ref());
    assert_eq!(owner.dispatch("memory", "creat", json!({})).code(), "NOT_FOUND");
    assert_eq!(owner.dispatch("nothing", "create", json!({})).code(), "NOT_FOUND");
    assert_eq!(owner.request("GET", "/v1/nothing", Value::Null).code(), "NOT_FOUND");
}

#[test]
fn what_is_wrong_is_told_by_its_field() {
    let bed = Bed::start();
    let owner = bed.owner();
    let long = "x".repeat((1 << 20) + 1);
    let cases = [
        ("create", json!({ "type": "note" }), "VALIDATION_ERROR", "content"),
        ("create", json!({ "type": 1, "content": "x" }), "VALIDATION_ERROR", "type"),
        ("create", json!({ "type": " ", "content": "x" }), "VALIDATION_ERROR", "type"),
        ("create", json!({ "type": "note", "content": "" }), "VALIDATION_ERROR", "content"),
        ("create", json!({ "type": "note", "content": long }), "PAYLOAD_TOO_LARGE", "content"),
        ("create", json!({ "type": "note", "content": "x", "tags": [1] }), "VALIDATION_ERROR", "tags[0]"),
        ("create", json!({ "type": "note", "content": "x", "metadata": { "tags": "x" } }), "VALIDATION_ERROR", "tags"),
        ("create", json!({ "type": "note", "content": "x", "metadata": [] }), "VALIDATION_ERROR", "metadata"),
        ("create", json!({ "type": "note", "content": "x", "groupId": "group_0" }), "NOT_FOUND", ""),
        ("createTask", json!({ "content": "x", "priority": "urgent" }), "VALIDATION_ERROR", "priority"),
        ("query", json!({ "limit": 0 }), "VALIDATION_ERROR", "limit"),
        ("query", json!({ "limit": -1 }), "VALIDATION_ERROR", "limit"),
        ("query", json!({ "limit": "many" }), "VALIDATION_ERROR", "limit"),
        ("search", json!({ "query": "" }), "VALIDATION_ERROR", "query"),
        ("search", json!({ "query": "x", "propertyFilters": { "color": "red" } }), "VALIDATION_ERROR", "propertyFilters.color"),
        ("search", json!({ "query": "x", "propertyFilters": { "status": 1 } }), "VALIDATION_ERROR", "propertyFilters.status"),
        ("search", json!({ "query": "x", "types": vec!["t"; 21] }), "VALIDATION_ERROR", "types"),
        ("search", json!({ "query": "x", "propertyFilters": { "tags": vec!["t"; 21] } }), "VALIDATION_ERROR", "propertyFilters.tags"),
        ("create", json!(["note", "from an array", null, {}, null, null]), "VALIDATION_ERROR", ""),
        ("findOne", json!({}), "VALIDATION_ERROR", "filters"),
        ("update", json!({ "id": "mem_0" }), "NOT_FOUND", ""),
        ("delete", json!({ "id": "mem_0" }), "NOT_FOUND", ""),
        ("share", json!({ "entityId": "mem_0", "targetGraphId": "x" }), "NOT_FOUND", ""),
    ];
    for (method, params, code, field) in cases {
        let reply = owner.dispatch("memory", method, params);
        let (_, told, at) = refusal(&reply);
        assert_eq!((&*told, &*at), (code, field), "{method}: {}", reply.text());
    }
    let send = |body: &str| bed.server.client().send("POST", "/api/sdk/v1/memory", &[("X-API-Key", OWNER_KEY)], body);
    for no_object in ["[", "[]", "1", "\"x\"", "{\"type\":", "\u{0}"] {
        assert_eq!(refusal(&send(no_object)).1, "VALIDATION_ERROR", "{no_object}");
    }
    assert_eq!(refusal(&send(&" ".repeat(10 << 20))).0, 413);
}

#[test]
fn nobody_sees_what_is_anothers() {
    let bed = Bed::start();
    let owner = bed.owner();
    let ((ada, _), (bob, bob_account)) = (owner.sub_account("Ada Lovelace"), owner.sub_account("Bob"));
    let secret = ada.memory("create", json!({ "type": "note", "name": "diary", "content": "a secret of Ada's" }));
    let id = &secret["id"];
    for other in [&bob, &owner] {
        assert_eq!(other.memory("findOne", json!({ "id": id })), Value::Null);
        assert_eq!(other.memory("findOne", json!({ "filters": { "name": "diary" } })), Value::Null);
        assert_eq!(other.memory("search", json!({ "query": "secret diary Ada" }))["count"], 0);
        assert_eq!(other.memory("query", json!({}))["totalCount"], 0);
        for (method, params) in [
            ("update", json!({ "id": id, "content": "mine" })),
            ("delete", json!({ "id": id })),
            ("listGraphs", json!({ "entityId": id })),
            ("share", json!({ "entityId": id, "targetGraphId": bob_account["actorId"] })),
            ("unshare", json!({ "entityId": id, "graphId": secret["graphId"] })),
            ("query", json!({ "groupId": secret["graphId"] })),
            ("search", json!({ "query": "secret", "groupId": secret["graphId"] })),
        ] {
            assert_eq!(other.dispatch("memory", method, params).code(), "NOT_FOUND", "{method}");
        }
    }
    // Until it is shared: then it is seen, and stays Ada's.
    ada.memory("share", json!({ "entityId": id, "targetGraphId": bob_account["actorId"] }));
    assert_eq!(bob.memory("findOne", json!({ "id": id }))["content"], "a secret of Ada's");
    assert_eq!(bob.memory("search", json!({ "query": "secret" }))["count"], 1);
    assert_eq!(bob.memory("query", json!({ "type": "note" }))["totalCount"], 1);
    assert_eq!(bob.dispatch("memory", "update", json!({ "id": id, "content": "mine" })).code(), "RESOURCE_DENIED");
    assert_eq!(bob.dispatch("memory", "delete", json!({ "id": id })).code(), "RESOURCE_DENIED");
    assert_eq!(owner.memory("findOne", json!({ "id": id })), Value::Null);
    let graphs = ada.memory("listGraphs", json!({ "entityId": id }));
    assert_eq!((&graphs["totalGraphs"], &graphs["graphs"][0]["isPrimary"]), (&json!(2), &json!(true)));
    ada.memory("unshare", json!({ "entityId": id, "graphId": bob_account["actorId"] }));
    assert_eq!(bob.memory("findOne", json!({ "id": id })), Value::Null);
    assert_eq!(bob.memory("search", json!({ "query": "secret" }))["count"], 0);
    let own = json!({ "entityId": id, "graphId": secret["graphId"] });
    assert_eq!(refusal(&ada.dispatch("memory", "unshare", own)), (400, "VALIDATION_ERROR".to_owned(), "graphId".to_owned()));
}

/// A handler acts by what it finds under a name, so nobody puts anything into the memory of strangers.
#[test]
fn strangers_put_nothing_before_each_other() {
    let bed = Bed::start();
    let ((ada, _), (bob, bob_account)) = (bed.owner().sub_account("Ada"), bed.owner().sub_account("Bob"));
    let (eve, _) = ada.sub_account("Eve");
    let settings = |of: &str| json!({ "type": "note", "name": "settings", "content": of });
    let (own, foreign) = (bob.memory("create", settings("bob's")), eve.memory("create", settings("eve's")));
    let to_bob = |id: &Value| json!({ "entityId": id, "targetGraphId": bob_account["actorId"] });
    assert_eq!(eve.dispatch("memory", "share", to_bob(&foreign["id"])).code(), "NOT_FOUND");
    let team = data(eve.request("POST", "/v1/teams", json!({ "name": "Trap" })));
    let add =
        |name: &Value| eve.request("POST", &format!("/v1/teams/{}/members", team["id"].as_str().unwrap()), json!({ "username": name }));
    let (known, unknown) = (add(&bob_account["username"]), add(&json!("nobody at all")));
    assert_eq!((known.status, known.text()), (404, unknown.text()));
    // Of those who may, what is one's own comes first, and what is shared can be put away.
    let shared = ada.memory("create", settings("ada's"));
    ada.memory("share", to_bob(&shared["id"]));
    assert_eq!(bob.memory("findOne", json!({ "name": "settings" }))["id"], own["id"]);
    bob.memory("unshare", json!({ "entityId": shared["id"], "graphId": bob_account["actorId"] }));
    assert_eq!(bob.memory("findOne", json!({ "id": shared["id"] })), Value::Null);
    assert_eq!(ada.memory("findOne", json!({ "id": shared["id"] }))["content"], "ada's");
}

/// Whatever is changed meanwhile: what is not shared any more is not found, and counts nowhere.
#[test]
fn sharing_and_changing_at_the_same_time_leave_nothing_behind() {
    let bed = Bed::start();
    let ((ada, _), (bob, bob_account)) = (bed.owner().sub_account("Ada"), bed.owner().sub_account("Bob"));
    let target = &bob_account["actorId"];
    for round in 0..20 {
        let made = ada.memory("create", json!({ "type": "note", "content": format!("secret {round}") }));
        let id = &made["id"];
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..5).for_each(|count| drop(ada.dispatch("memory", "update", json!({ "id": id, "tags": [count.to_string()] }))))
            });
            scope.spawn(|| {
                for _ in 0..3 {
                    ada.dispatch("memory", "share", json!({ "entityId": id, "targetGraphId": target }));
                    ada.dispatch("memory", "unshare", json!({ "entityId": id, "graphId": target }));
                }
                if round % 2 == 1 {
                    ada.dispatch("memory", "share", json!({ "entityId": id, "targetGraphId": target }));
                }
            });
            if round % 2 == 1 {
                scope.spawn(|| ada.dispatch("memory", "delete", json!({ "id": id })));
            }
        });
        // Deleted while it was being shared, or not any more.
        ada.dispatch("memory", "delete", json!({ "id": id }));
        assert_eq!(bob.memory("search", json!({ "query": "secret" }))["count"], 0, "round {round}");
        assert_eq!(bob.memory("query", json!({}))["totalCount"], 0, "round {round}");
    }
}

#[test]
fn words_of_all_scripts_are_found() {
    let bed = Bed::start();
    let owner = bed.owner();
    let words = ["Straße", "naïve", "한국어", "ガイド", "мой", "ёлка", "Ελλάδα", "ΣΟΦΟΣ", "สวัสดี", "हिन्दी", "தமிழ்", "שָׁלוֹם", "مُحَمَّد", "東京"];
    for word in words {
        owner.memory("create", json!({ "type": "note", "name": word, "content": format!("before {word} after") }));
    }
    for word in words {
        let found = owner.memory("search", json!({ "query": word, "limit": 1 }));
        assert_eq!(found["results"][0]["name"], word, "{found}");
        assert!(found["results"][0]["score"].as_f64().unwrap() > 0.0, "{found}");
    }
}

#[test]
fn a_team_has_a_graph_of_its_own() {
    let bed = Bed::start();
    let owner = bed.owner();
    let ((ada, _), (bob, bob_account), (eve, _)) = (owner.sub_account("Ada"), owner.sub_account("Bob"), owner.sub_account("Eve"));
    let team = data(ada.request("POST", "/v1/teams", json!({ "name": "Analysts" })));
    let members = format!("/v1/teams/{}/members", team["id"].as_str().unwrap());
    assert_eq!(eve.request("POST", &members, json!({ "username": bob_account["username"] })).code(), "NOT_FOUND");
    data(ada.request("POST", &members, json!({ "username": bob_account["username"] })));
    let task =
        json!({ "content": "Fold dresses", "groupId": team["id"], "assignedTo": bob_account["username"], "dueAt": "2026-12-01T10:00:00Z" });
    let task = ada.memory("createTask", task);
    assert_eq!(
        (&task["assignedToUserId"], &task["status"], &task["priority"]),
        (&bob_account["actorId"], &json!("pending"), &json!("medium"))
    );
    assert_eq!(bob.memory("query", json!({ "type": "task" }))["results"][0]["graphId"], team["id"]);
    // Whoever sees a task may say that it is done, and nothing else.
    bob.memory("update", json!({ "id": task["id"], "metadata": { "status": "completed" } }));
    assert_eq!(
        bob.dispatch("memory", "update", json!({ "id": task["id"], "metadata": { "status": "x", "a": 1 } })).code(),
        "RESOURCE_DENIED"
    );
    let done = json!({ "query": "dresses", "types": ["TASK"], "propertyFilters": { "status": ["completed"] } });
    assert_eq!(ada.memory("search", done)["count"], 1);
    assert_eq!(eve.memory("query", json!({}))["totalCount"], 0);
    assert_eq!(eve.request("GET", &members, Value::Null).code(), "NOT_FOUND");
    data(ada.request("DELETE", &format!("{members}/{}", bob_account["username"].as_str().unwrap()), Value::Null));
    assert_eq!(bob.memory("findOne", json!({ "id": task["id"] })), Value::Null);
    let unknown = ada.memory("createTask", json!({ "content": "x", "assignedTo": "nobody" }));
    assert!(unknown["assignmentWarning"].as_str().unwrap().contains("nobody"));
}

/// What is seen in several of an account's graphs is one thing.
#[test]
fn all_graphs_together_are_listed_once() {
    let bed = Bed::start();
    let ((ada, _), (bob, bob_account)) = (bed.owner().sub_account("Ada"), bed.owner().sub_account("Bob"));
    let teams = ["One", "Two"].map(|name| data(ada.request("POST", "/v1/teams", json!({ "name": name })))["id"].clone());
    for team in &teams {
        data(ada.request("POST", &format!("/v1/teams/{}/members", team.as_str().unwrap()), json!({ "username": bob_account["username"] })));
    }
    let made = |params: Value| ada.memory("create", params)["id"].clone();
    let shared = made(json!({ "type": "note", "content": "shared" }));
    let own = made(json!({ "type": "note", "content": "Ada's own" }));
    let of_team = made(json!({ "type": "task", "content": "the first team's", "groupId": teams[0] }));
    for team in &teams {
        ada.memory("share", json!({ "entityId": shared, "targetGraphId": team }));
    }
    ada.memory("share", json!({ "entityId": of_team, "targetGraphId": teams[1] }));
    ada.memory("share", json!({ "entityId": of_team, "targetGraphId": bob_account["actorId"] }));
    let listed = |user: &User, params: Value| {
        let list = user.memory("query", params);
        let ids: Vec<Value> = list["results"].as_array().unwrap().iter().map(|result| result["id"].clone()).collect();
        (ids, list["totalCount"].as_u64().unwrap())
    };
    assert_eq!(listed(&ada, json!({})), (vec![of_team.clone(), own.clone(), shared.clone()], 3));
    assert_eq!(listed(&ada, json!({ "limit": 1, "offset": 1 })), (vec![own.clone()], 3));
    assert_eq!(listed(&ada, json!({ "type": "note" })), (vec![own, shared.clone()], 2));
    assert_eq!(listed(&bob, json!({})), (vec![of_team.clone(), shared.clone()], 2));
    assert_eq!(listed(&bob, json!({ "limit": 1, "offset": 1 })), (vec![shared.clone()], 2));
    assert_eq!(listed(&bob, json!({ "type": "task" })), (vec![of_team.clone()], 1));
    assert_eq!(listed(&bob, json!({ "type": "task", "offset": 1 })), (vec![], 1));
    assert_eq!(listed(&bob, json!({ "groupId": teams[1] })), (vec![of_team.clone(), shared], 2));
    ada.memory("delete", json!({ "id": of_team }));
    assert_eq!(listed(&bob, json!({})).1, 1);
}

/// Milliseconds since 1970, as a test sets it.
#[derive(Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn unix_time(&self) -> Duration {
        Duration::from_millis(self.0.load(Relaxed))
    }
}

/// Both ends are part of a period, and what a clock that was wrong has made is found by the time that it was given.
#[test]
fn a_period_is_that_of_the_times_whatever_the_clock_does() {
    let (folder, clock) = (tempdir().unwrap(), Arc::new(SetClock::default()));
    let egress = Egress::new(EgressConfig::new(AllowList::default())).unwrap();
    let control = Arc::new(Control::new(Config { clock: clock.clone(), ..Config::new(folder.path(), egress) }));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let call = |method: &str, params: Value| {
        let params = to_raw_value(&params).unwrap();
        let called = async { control.call(control.owner().await.unwrap(), "memory", method, &params, Means::default()).await };
        serde_json::from_str::<Value>(runtime.block_on(called).unwrap().data.get()).unwrap()
    };
    // The clock is a year ahead for a while, and is set back twice.
    for time in [1_000, 2_000, 9_000, 3_000, 4_000, 9_000, 3_500, 5_000] {
        clock.0.store(time, Relaxed);
        call("create", json!({ "type": "note", "name": time.to_string(), "content": "made" }));
    }
    let found = |start: Option<u64>, end: Option<u64>| {
        let found = call("search", json!({ "query": "made", "startTime": start, "endTime": end }));
        let times = found["results"].as_array().unwrap().iter().map(|result| result["name"].as_str().unwrap().parse().unwrap());
        let mut times: Vec<u64> = times.collect();
        times.sort_unstable();
        times
    };
    for (start, end) in [(None, None), (Some(0), Some(10_000)), (Some(1_000), Some(9_000)), (Some(1_000), None)] {
        assert_eq!(found(start, end), [1_000, 2_000, 3_000, 3_500, 4_000, 5_000, 9_000, 9_000], "{start:?} {end:?}");
    }
    assert_eq!(found(None, Some(5_000)), [1_000, 2_000, 3_000, 3_500, 4_000, 5_000]);
    assert_eq!(found(Some(3_500), Some(4_000)), [3_500, 4_000]);
    assert_eq!(found(Some(2_000), Some(3_000)), [2_000, 3_000]);
    assert_eq!(found(Some(5_001), None), [9_000, 9_000]);
    assert_eq!(found(Some(5_001), Some(8_999)), [0; 0]);
    assert_eq!(found(None, Some(999)), [0; 0]);
}

#[test]
fn what_is_looked_for_is_found_and_no_expression() {
    let bed = Bed::start();
    let owner = bed.owner();
    let make = |name: &str, content: &str| owner.memory("create", json!({ "type": "note", "name": name, "content": content }));
    make("Café", "Crème brûlée for two; 100% off -- OR \"not\"");
    make("Budget", "the quarterly budget of the product");
    (0..300).for_each(|number| drop(make(&format!("Entry {number}"), &format!("the product {}", "long ".repeat(100)))));
    let found = |query: &str| {
        let found = owner.memory("search", json!({ "query": query, "limit": 5 }));
        let names = found["results"].as_array().unwrap().iter().map(|result| result["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    // What is rare comes first, however old it is and however frequent the other words.
    assert_eq!(found("the budget of the product")[0], "Budget");
    assert_eq!(found("creme BRULEE"), ["Café"]);
    for expression in ["\"", "a\"b", "NEAR(", "content:x OR", "* -x ^", "') --", "(((", "\u{0}", "{name}:x", "AND", "NOT x", "100%"] {
        let reply = owner.dispatch("memory", "search", json!({ "query": expression }));
        assert!(reply.status == 200 || reply.code() == "VALIDATION_ERROR", "{expression}: {}", reply.text());
    }
    let result = &owner.memory("search", json!({ "query": "long" }))["results"][0];
    assert_eq!(result["content"].as_str().unwrap().len(), 300);
    assert_eq!(owner.memory("query", json!({}))["results"][0]["content"].as_str().unwrap().len(), 200);
    let early = json!({ "query": "budget", "endTime": 1_000 });
    assert_eq!(owner.memory("search", early)["count"], 0);
    assert_eq!(owner.memory("search", json!({ "query": "budget", "startTime": 1_000 }))["count"], 1);
    let changed = owner.memory("findOne", json!({ "filters": { "name": "Budget" } }));
    owner.memory("update", json!({ "id": changed["id"], "content": "spent", "tags": ["old"] }));
    assert!(!found("budget of the product").is_empty() && found("spent") == ["Budget"]);
    owner.memory("delete", json!({ "id": changed["id"] }));
    assert_eq!((found("spent").len(), owner.memory("query", json!({}))["totalCount"].as_u64()), (0, Some(301)));
}

/// Of the owner, since it is the owner's server that runs them; within the call's budget.
#[test]
fn handlers_use_the_memory() {
    const KEPT: &str = "kept by a handler of this test alone";
    let (javascript, python) = (tempdir().unwrap(), tempdir().unwrap());
    let file = javascript.path().join("remember.js");
    write(
        &file,
        "export async function handler({ content }) {
  const made = await mirra.memory.create({ type: 'note', content });
  const [found, all] = await Promise.all([mirra.memory.findOne({ id: made.id }), mirra.memory.search({ query: content, limit: 1 })]);
  const wrong = await mirra.memory.create({ type: 'note' }).catch((error) => [error.name, error.code, error.message]);
  const opened = await mirra.keys?.create({ name: 'mine' }).catch((error) => error.code);
  await mirra.memory.delete({ id: made.id });
  return { content: found.content, count: all.count, wrong, opened };
}",
    );
    let event = json!({ "content": KEPT }).to_string();
    let call = |arguments: &[&str]| run(mirra(&["run", file.to_str().unwrap(), "--event", &event]).args(arguments), "");
    let expected = json!({
        "content": KEPT,
        "count": 1,
        "wrong": ["MirraError", "VALIDATION_ERROR", "content is required"],
        "opened": "RESOURCE_DENIED",
    });
    assert_eq!(call(&[]).json(), expected);
    let prices = javascript.path().join("prices.json");
    write(&prices, r#"{ "memoryOperationUsd": 0.4 }"#);
    let ended = call(&["--prices", prices.to_str().unwrap()]);
    assert!(ended.code == 1 && ended.stderr.contains("of the call's budget are left"), "{}", ended.stderr);
    let file = python.path().join("remember.py");
    write(
        &file,
        "import mirra\n\nasync def handler(event, context):\n    made = await mirra.memory.create(type='note', content=event['content'])\n    \
         found = await mirra.memory.findOne(filters={'id': made['id']})\n    await mirra.memory.delete(id=made['id'])\n    return found['content']\n",
    );
    assert_eq!(run(&mut mirra(&["run", file.to_str().unwrap(), "--event", &event]), "").json(), KEPT);
}
