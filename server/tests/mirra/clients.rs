//! What existing clients of this API send and read, form by form: only their base URL is ours. One is written in JavaScript (its older
//! versions over the addresses of the first version, its newer ones over the dispatcher of the second), one in Python.

use serde_json::{Value, json};

use crate::{
    ai::Bed as Models,
    ai_provider::Play,
    control::{Bed, User},
    resources::{bed_for, crypto, prices},
    support::{Reply, Server},
};

/// How the client in JavaScript speaks: all that it reads of an answer is `data`, and of a failure `error` and the status.
struct JavaScript<'a>(User<'a>);

/// How the one in Python speaks: an answer is an object with `success`, whatever its status.
struct Python<'a>(User<'a>);

#[derive(Debug, PartialEq)]
struct Failed {
    status: u16,
    code: String,
    message: String,
}

const BASE: &str = "/api/sdk/v1";

impl JavaScript<'_> {
    const HEADERS: [(&'static str, &'static str); 3] = [
        ("Accept", "application/json, text/plain, */*"),
        ("Content-Type", "application/json"),
        // Where somebody has called `setGroupContext`.
        ("X-Scope", "group"),
    ];

    /// `body`: null where the method has none to send. The type of a body that is not there is told nevertheless.
    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failed> {
        let reply = send(&self.0, &Self::HEADERS, method, path, body);
        let mut json = reply.json();
        if (200..300).contains(&reply.status) {
            return Ok(json["data"].take());
        }
        Err(failed(reply.status, &json["error"]))
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.send(method, path, &body).unwrap_or_else(|failed| panic!("{path}: {failed:?}"))
    }

    /// What every generated method does.
    fn call(&self, resource: &str, method: &str, params: Value) -> Result<Value, Failed> {
        self.send("POST", "../v2/resources/call", &json!({ "resourceId": resource, "method": method, "params": params }))
    }

    #[track_caller]
    fn generated(&self, resource: &str, method: &str, params: Value) -> Value {
        self.call(resource, method, params).unwrap_or_else(|failed| panic!("{resource}.{method}: {failed:?}"))
    }
}

impl Python<'_> {
    const HEADERS: [(&'static str, &'static str); 3] =
        [("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("Content-Type", "application/json")];

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failed> {
        let reply = send(&self.0, &Self::HEADERS, method, path, body);
        let mut json = reply.json();
        assert!(json.is_object(), "not an object: {json}");
        if reply.status < 400 && json["success"] == true {
            return Ok(json["data"].take());
        }
        Err(failed(reply.status, &json["error"]))
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.send(method, path, &body).unwrap_or_else(|failed| panic!("{path}: {failed:?}"))
    }
}

fn send(user: &User<'_>, headers: &[(&str, &str)], method: &str, path: &str, body: &Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = match path.strip_prefix("../") {
        Some(beside) => format!("/api/sdk/{beside}"),
        None => format!("{BASE}{path}"),
    };
    let headers = [headers, &[("X-API-Key", user.key.as_str())]].concat();
    user.server.client().send(method, &path, &headers, body)
}

fn failed(status: u16, error: &Value) -> Failed {
    let text = |field: &str| error[field].as_str().unwrap_or_else(|| panic!("no {field} in {error}")).to_owned();
    Failed { status, code: text("code"), message: text("message") }
}

fn both<'a>(server: &'a Server, key: &str) -> (JavaScript<'a>, Python<'a>) {
    let user = || User { server, key: key.to_owned() };
    (JavaScript(user()), Python(user()))
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no {field} in {json}"))
}

#[test]
fn the_memory_as_clients_use_it() {
    let bed = Bed::start();
    let (javascript, python) = both(&bed.server, &bed.owner().key);
    let entity = json!({ "type": "note", "content": "Roadmap of spring", "metadata": { "year": 2026 } });
    let made = javascript.ask("POST", "/memory/create", entity);
    assert_eq!((&made["type"], &made["content"], &made["metadata"]["year"]), (&json!("note"), &json!("Roadmap of spring"), &json!(2026)));
    // A type may be missing; what is null is not there.
    let other = python.ask("POST", "/memory", json!({ "content": "Roadmap of autumn", "metadata": null, "tags": null, "embedding": null }));
    let id = text(&other, "id");

    let search = json!({ "query": "roadmap", "limit": 500, "threshold": 0.5, "filters": null, "types": null, "propertyFilters": null });
    for found in [javascript.ask("POST", "/memory/search", search.clone()), python.ask("POST", "/memory/search", search)] {
        assert_eq!(found.as_array().unwrap().len(), 2);
        assert!(found[0]["content"].is_string() && found[0]["score"].is_number() && found[0]["metadata"].is_object(), "{found}");
    }
    let listed = javascript.ask("POST", "/memory/query", json!({ "type": "note", "filters": {}, "limit": 500, "offset": 0 }));
    assert_eq!((listed.as_array().unwrap().len(), text(&listed[0], "id")), (2, id));
    assert_eq!(python.ask("POST", "/memory/query", json!({ "filters": null, "limit": 1 })).as_array().unwrap().len(), 1);
    let listed = javascript.generated("memory", "query", json!({ "limit": 500 }));
    assert_eq!((&listed["limit"], &listed["entities"]), (&json!(100), &listed["results"]));
    assert_eq!((listed["entities"][1]["metadata"]["year"].as_u64(), listed["count"].as_u64()), (Some(2026), Some(2)));

    assert_eq!(javascript.ask("POST", "/memory/findOne", json!({ "filters": { "id": id, "name": null } }))["type"], "note");
    assert_eq!(python.ask("POST", "/memory/findOne", json!({ "id": id, "filters": null }))["id"], id);
    assert_eq!(python.ask("POST", "/memory/findOne", json!({ "id": "mem_none" })), Value::Null);
    assert_eq!(javascript.generated("memory", "findOne", json!({ "filters": { "name": "nothing" } })), Value::Null);
    let updated = python.ask("POST", "/memory/update", json!({ "id": id, "content": "Done", "metadata": null }));
    assert_eq!((&updated["id"], &updated["updated"]), (&json!(id), &json!(true)));
    assert_eq!(python.ask("POST", "/memory/delete", json!({ "id": id }))["deleted"], true);
    // The newer client's types say `delete(id)`, and that is what it sends.
    assert_eq!(javascript.generated("memory", "delete", made["id"].clone())["deleted"], true);

    let wrong = json!({ "content": 5 });
    let refused =
        Failed { status: 400, code: "VALIDATION_ERROR".into(), message: "content: invalid type: integer `5`, expected a string".into() };
    assert_eq!(javascript.send("POST", "/memory/create", &wrong).unwrap_err(), refused);
    assert_eq!(python.send("POST", "/memory", &wrong).unwrap_err(), refused);
    let stranger = both(&bed.server, "mirra_sk_nobody");
    for refused in [stranger.0.send("POST", "/memory/query", &json!({})), stranger.1.send("POST", "/memory/query", &json!({}))] {
        assert_eq!(refused.map_err(|failed| (failed.status, failed.code)), Err((401, "UNAUTHORIZED".to_owned())));
    }
}

#[test]
fn models_as_clients_use_them() {
    let bed = Models::start();
    let (javascript, python) = both(&bed.server, &bed.owner().key);
    let chat = json!({ "messages": [{ "role": "user", "content": "Hi" }], "model": null, "temperature": null, "maxTokens": null, "streamTo": null });
    for said in [
        javascript.ask("POST", "/ai/chat", chat.clone()),
        python.ask("POST", "/ai/chat", chat.clone()),
        javascript.generated("ai", "chat", chat.clone()),
    ] {
        assert_eq!((&said["content"], said["model"].is_string()), (&json!("Said: Hi"), true), "{said}");
        assert_eq!((&said["inputTokens"], &said["outputTokens"], &said["totalTokens"]), (&json!(10), &json!(5), &json!(15)));
        assert_eq!(said["usage"], json!({ "inputTokens": 10, "outputTokens": 5 }));
    }
    let chooses = || {
        let input = json!({ "selectedOption": "a", "reasoning": "so" });
        Play::Say(json!([{ "type": "tool_use", "id": "tu", "name": "decide", "input": input }]))
    };
    bed.provider.plays([chooses(), chooses(), chooses()]);
    let decide = |context: Value| {
        let options = json!([{ "id": "a", "label": "A", "metadata": null }, { "id": "b", "label": "B" }]);
        json!({ "prompt": "Which?", "options": options, "context": context })
    };
    for decided in [
        javascript.ask("POST", "/ai/decide", decide("a text".into())),
        python.ask("POST", "/ai/decide", decide(json!({ "of": "objects" }))),
        javascript.generated("ai", "decide", decide(Value::Null)),
    ] {
        assert_eq!(decided, json!({ "selectedOption": "a", "reasoning": "so" }));
    }
    let batch = json!({ "requests": [{ "message": "one", "model": null }, { "message": "two" }] });
    for answers in [javascript.ask("POST", "/ai/batchChat", batch.clone()), python.ask("POST", "/ai/batchChat", batch)] {
        let said: Vec<&str> = answers.as_array().unwrap().iter().map(|answer| text(answer, "content")).collect();
        assert_eq!((said, &answers[1]["usage"]["outputTokens"]), (vec!["Said: one", "Said: two"], &json!(5)));
    }
    let agent = json!({ "messages": [{ "role": "user", "content": "Hi" }], "tools": null, "systemPrompt": null, "maxRounds": null });
    let answer = javascript.generated("ai", "agent", agent);
    assert_eq!((&answer["stopReason"], &answer["toolCalls"], &answer["rounds"]), (&json!("end_turn"), &json!([]), &json!(1)));
    // Lines that begin with `data: `, each of them whole, until one is done.
    let parts = bed.stream("chatStream", &chat);
    let last = parts.last().unwrap();
    assert_eq!((&last["done"], &last["usage"]), (&json!(true), &json!({ "inputTokens": 10, "outputTokens": 5 })));
    assert!(parts.iter().all(|part| part["delta"].is_string()), "{parts:?}");
}

#[test]
fn resources_as_clients_use_them() {
    let api = prices();
    let bed = bed_for(&api);
    let (javascript, python) = both(&bed.server, &bed.owner().key);
    let mut resource = crypto(&api);
    (resource["tags"], resource["endpoint"]["headers"], resource["isPrivate"]) = (Value::Null, Value::Null, true.into());
    let made = javascript.ask("POST", "/resources", resource);
    let id = text(&made, "id");
    let check = |client: &JavaScript| client.generated("resources", "checkInstallation", json!({ "resourceId": id }))["installed"].clone();
    assert_eq!(check(&javascript), false);
    // Without a body.
    let installed = javascript.ask("POST", &format!("/resources/{id}/install"), Value::Null);
    assert_eq!((&installed["success"], &installed["isAuthenticated"]), (&json!(true), &json!(false)));
    assert_eq!(check(&javascript), true);
    let again = javascript.send("POST", &format!("/resources/{id}/install"), &Value::Null).unwrap_err();
    assert!(again.status == 409 && again.code == "CONFLICT" && again.message.contains("already installed"), "{again:?}");
    let credentials = json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } });
    let authenticated = javascript.ask("POST", &format!("/resources/{id}/authenticate"), credentials);
    assert_eq!((&authenticated["isAuthenticated"], &authenticated["resourceId"]), (&json!(true), &json!(id)));
    assert!(authenticated["message"].is_string(), "{authenticated}");

    let call = json!({ "resourceId": id, "method": "getPrice", "params": { "symbol": "BTC" } });
    let price = json!({ "price": 1.5, "symbol": "BTC" });
    assert_eq!(javascript.generated(id, "getPrice", json!({ "symbol": "BTC" })), price);
    assert_eq!(javascript.ask("POST", "/resources/call", call.clone()), price);
    assert_eq!(python.ask("POST", "/resources/call", call), price);
    let unknown = javascript.call("jira", "createIssue", json!({})).unwrap_err();
    assert_eq!((unknown.status, &*unknown.code), (404, "NOT_FOUND"), "{unknown:?}");

    for list in [python.ask("GET", "/resources", Value::Null), javascript.ask("GET", "/resources", Value::Null)] {
        assert_eq!((list.as_array().unwrap().len(), text(&list[0], "name")), (1, "Crypto Price API"));
    }
    let shown = python.ask("GET", &format!("/resources/{id}"), Value::Null);
    assert!(shown["type"] == "api" && shown["createdAt"].is_string(), "{shown}");
    javascript.ask("POST", &format!("/resources/{id}/publish"), Value::Null);
    let browsed = python.ask("GET", "/marketplace?search=crypto&limit=10&offset=0", Value::Null);
    let found = python.ask("GET", "/marketplace/search?q=crypto", Value::Null);
    assert_eq!((text(&browsed[0], "id"), text(&found[0], "id")), (id, id));
}

/// As other clients of the first version give them, with names of their own for types and prices.
#[test]
fn a_bearers_token_is_a_token() {
    let api = prices();
    let bed = bed_for(&api);
    let (javascript, _) = both(&bed.server, &bed.owner().key);
    let mut resource = crypto(&api);
    resource["endpoint"]["authentication"] = "bearer".into();
    resource["endpoint"]["authConfig"] = Value::Null;
    resource["resourceType"] = "custom".into();
    resource["pricing"] = json!({ "model": "paid", "price": 0.25, "subscriptionTiers": null });
    let made = javascript.ask("POST", "/resources", resource);
    assert_eq!((&made["type"], &made["pricing"]), (&json!("api"), &json!({ "model": "pay-per-call", "basePrice": 0.25 })));
    let id = text(&made, "id");
    javascript.ask("POST", &format!("/resources/{id}/install"), Value::Null);
    let credentials = json!({ "type": "bearer", "credentials": { "token": "secret-of-bearer", "accessToken": null } });
    assert_eq!(javascript.ask("POST", &format!("/resources/{id}/authenticate"), credentials)["isAuthenticated"], true);
    javascript.generated(id, "getPrice", json!({ "symbol": "BTC" }));
    assert_eq!(api.last().header("authorization"), Some("Bearer secret-of-bearer"));
}

#[test]
fn accounts_as_clients_use_them() {
    let bed = Bed::start();
    let (javascript, _) = both(&bed.server, &bed.owner().key);
    let params = json!({ "displayName": "Ada", "description": "x", "avatarUrl": null, "keyName": null, "createDirectChat": false });
    let made = javascript.ask("POST", "/accounts/subaccounts", params);
    let tag = format!("@{}", text(&made, "username"));
    assert_eq!((text(&made, "displayName"), text(&made, "displayTag")), ("Ada", &*tag), "{made}");
    assert!(text(&made, "actorId").len() > 8 && text(&made, "keyId").len() > 8, "{made}");
    let (ada, _) = both(&bed.server, text(&made, "apiKey"));
    assert_eq!(ada.ask("POST", "/memory/query", json!({})), json!([]));
}

#[test]
fn scripts_as_clients_use_them() {
    let bed = Bed::start();
    let (javascript, python) = both(&bed.server, &bed.owner().key);
    let code = "export const handler = (event) => { console.log('for', event.data.name); return `Hello, ${event.data.name}!`; };";
    let script = json!({ "name": "greeter", "description": null, "code": code, "runtime": null, "config": null });
    let made = python.ask("POST", "/scripts", script);
    let id = text(&made, "id");
    assert_eq!((&made["status"], &made["config"]["timeout"]), (&json!("draft"), &json!(30)), "{made}");
    // Without a body, whose type is told.
    assert_eq!(javascript.ask("POST", &format!("/scripts/{id}/deploy"), Value::Null)["success"], true);
    assert_eq!(python.ask("POST", &format!("/scripts/{id}/deploy"), Value::Null)["success"], true);
    let invoke = format!("/scripts/{id}/invoke");
    for invoked in [
        javascript.ask("POST", &invoke, json!({ "payload": { "name": "Ada" } })),
        python.ask("POST", &invoke, json!({ "payload": { "name": "Ada" } })),
    ] {
        assert_eq!((&invoked["success"], &invoked["result"], &invoked["logs"]), (&json!(true), &json!("Hello, Ada!"), &json!("for Ada")));
        assert!(invoked["duration"].is_number(), "{invoked}");
    }
    // A payload that was not given is null in the one and missing in the other.
    for nothing in [python.ask("POST", &invoke, json!({ "payload": null })), javascript.ask("POST", &invoke, json!({}))] {
        assert_eq!(nothing["result"], "Hello, undefined!");
    }
    let listed = javascript.ask("GET", "/scripts", Value::Null);
    assert_eq!((listed.as_array().unwrap().len(), text(&listed[0], "id")), (1, id));
    assert_eq!(text(&python.ask("GET", &format!("/scripts/{id}"), Value::Null), "code"), code);
    // What fails within a script is no failure of the request.
    let throwing = json!({ "code": "export const handler = () => { throw new Error('no'); };" });
    python.ask("PATCH", &format!("/scripts/{id}"), throwing);
    javascript.ask("POST", &format!("/scripts/{id}/deploy"), Value::Null);
    let invoked = python.ask("POST", &invoke, json!({ "payload": null }));
    assert!(invoked["success"] == false && text(&invoked, "error").contains("no"), "{invoked}");
    let deleted = python.ask("DELETE", &format!("/scripts/{id}"), Value::Null);
    assert_eq!(deleted["success"], true, "{deleted}");
}
