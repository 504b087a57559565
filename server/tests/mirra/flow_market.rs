//! Flows that accounts publish and install: what a copy is, what it is not, and what waits for a look before it runs.

use serde_json::{Value, json};

use crate::control::{Bed, User, data, refusal};

const GREETER: &str = "export const handler = (event) => ({ success: true, said: `${event.data.greeting}, ${event.messageText}` });";

impl User<'_> {
    /// Flows of the marketplace.
    fn market(&self, query: &str) -> Vec<Value> {
        self.request("GET", &format!("/v1/marketplace{query}"), Value::Null).json()["data"].as_array().unwrap().clone()
    }

    fn tell(&self, text: &str) -> Value {
        data(self.request("POST", "/v1/events", json!({ "type": "telegram.message", "content": { "text": text } })))["flows"].clone()
    }
}

#[test]
fn a_published_flow_is_installed_as_a_copy_with_its_script() {
    let bed = Bed::start();
    let owner = bed.owner();
    let flow = owner.flow(json!({
        "title": "Greeter", "code": GREETER, "eventFilter": { "when": "telegram.message", "content_text_contains": "ada" },
        "scriptInput": { "greeting": "Hello" }, "config": { "notifyUrl": "https://example.org/told", "maxExecutionsPerDay": 50 },
    }));
    let id = flow["id"].as_str().unwrap();
    let publish = |user: &User<'_>| user.flows("publishFlow", json!({ "flowId": id }));
    assert_eq!(refusal(&publish(&owner)), (400, "VALIDATION_ERROR".into(), "description".into()));
    data(owner.flows("updateFlow", json!({ "flowId": id, "description": "Says hello to Ada" })));
    let (user, _) = owner.sub_account("User");
    assert_eq!((publish(&user).status, user.flows("installFlow", json!({ "flowId": id })).status), (404, 404));
    assert_eq!(user.market("?type=flow"), [Value::Null; 0]);

    let published = data(publish(&owner));
    assert_eq!((&published["isPublished"], &published["pricing"]), (&json!(true), &json!({ "model": "free" })), "{published}");
    let shown = data(owner.flows("getFlow", json!({ "flowId": id })));
    assert_eq!((&shown["isPublished"], &shown["publishedAt"]), (&json!(true), &published["publishedAt"]));
    let found = user.market("/search?q=greeter%20HELLO");
    let listed = &found[0];
    assert_eq!((found.len(), &listed["id"], &listed["type"], &listed["name"]), (1, &json!(id), &json!("flow"), &json!("Greeter")));
    assert_eq!((&listed["eventType"], &listed["installs"], &listed["scriptId"]), (&json!("telegram.message"), &json!(0), &Value::Null));
    assert_eq!((user.market("?type=script").len(), user.market("/search?q=nothing").len()), (0, 0));
    assert_eq!(refusal(&owner.flows("installFlow", json!({ "flowId": id }))), (400, "VALIDATION_ERROR".into(), "flowId".into()));

    let installed = data(user.request("POST", &format!("/v1/flows/{id}/install"), Value::Null));
    let copy = installed["installationId"].as_str().unwrap();
    assert_eq!((&installed["id"], &installed["installedFrom"], &installed["status"]), (&json!(copy), &json!(id), &json!("active")));
    assert_eq!((&installed["scriptInput"], &installed["scope"]), (&json!({ "greeting": "Hello" }), &json!("user")));
    assert!(copy != id && installed["scriptId"] != flow["scriptId"], "{installed}");
    // Who made it is not told of what becomes of it.
    assert_eq!((&installed["config"]["notifyUrl"], &installed["config"]["maxExecutionsPerDay"]), (&Value::Null, &json!(50)));
    let again = user.flows("installFlow", json!({ "flowId": id }));
    assert_eq!((again.status, again.code().as_str()), (409, "CONFLICT"));
    assert_eq!(user.market("?type=flow")[0]["installCount"], 1);
    // Each by their own events.
    assert_eq!((user.tell("ada 1"), user.tell("bob")), (json!(1), json!(0)));
    assert_eq!(user.after_runs(copy, 1)[0]["result"]["said"], "Hello, ada 1");
    assert_eq!(owner.runs(id).len(), 0);
    assert_eq!(user.flows("getFlow", json!({ "flowId": id })).status, 404);
    // What its author does afterwards is nothing to those who have it.
    data(owner.flows("modifyFlowScript", json!({ "flowId": id, "newCode": "export const handler = () => 'spam';" })));
    data(owner.flows("unpublishFlow", json!({ "assignmentId": id })));
    assert_eq!((user.market("?type=flow").len(), user.flows("installFlow", json!({ "flowId": id })).status), (0, 404));
    data(owner.flows("deleteFlow", json!({ "flowId": id })));
    data(owner.request("DELETE", &format!("/v1/scripts/{}", flow["scriptId"].as_str().unwrap()), Value::Null));
    assert_eq!(user.tell("ada 2"), 1);
    assert_eq!(user.after_runs(copy, 2)[0]["result"]["said"], "Hello, ada 2");
    let shown = data(user.flows("getFlow", json!({ "flowId": copy })));
    assert_eq!((&shown["isPublished"], &shown["installedFrom"]), (&json!(false), &json!(id)));
    assert_eq!(refusal(&user.flows("publishFlow", json!({ "flowId": copy }))), (400, "VALIDATION_ERROR".into(), "flowId".into()));
}

/// It acts in the name of whoever has installed it.
#[test]
fn what_costs_or_needs_something_is_installed_paused() {
    let bed = Bed::start();
    let owner = bed.owner();
    let (user, _) = owner.sub_account("User");
    let offered = |mut flow: Value, pricing: Value| {
        (flow["title"], flow["description"]) = (json!("t"), json!("d"));
        let id = owner.flow(flow)["id"].clone();
        data(owner.flows("publishFlow", json!({ "flowId": id, "pricing": pricing })));
        data(user.flows("installFlow", json!({ "flowId": id })))
    };
    let code = "export const handler = () => 1;";
    let script = json!({ "name": "s", "code": code, "config": { "allowedResources": ["telegram", "slack"] } });
    let script = data(owner.request("POST", "/v1/scripts", script))["id"].clone();
    data(owner.request("POST", &format!("/v1/scripts/{}/deploy", script.as_str().unwrap()), Value::Null));
    let free = Value::Null;
    for (flow, pricing, reason) in [
        (json!({ "schedule": "* * * * *", "code": code }), json!({ "model": "pay-per-execution", "price": 0.25 }), "paid"),
        (json!({ "schedule": "* * * * *", "scriptId": script }), free.clone(), "telegram, slack"),
        (json!({ "eventType": "a.b", "prompt": "Note it" }), free.clone(), "prompt"),
    ] {
        let installed = offered(flow, pricing);
        assert_eq!((&installed["status"], &installed["nextRunAt"]), (&json!("paused"), &Value::Null));
        assert!(installed["pauseReason"].as_str().unwrap().contains(reason), "{installed}");
        let shown = data(user.flows("getFlow", json!({ "flowId": installed["id"] })));
        assert_eq!(shown["pauseReason"], installed["pauseReason"]);
        if reason == "paid" {
            assert_eq!(data(user.flows("resumeFlow", json!({ "flowId": installed["id"] })))["status"], "active");
            data(user.flows("executeFlow", json!({ "flowId": installed["id"] })));
            let cost = user.runs(installed["id"].as_str().unwrap())[0]["cost"].as_f64().unwrap();
            assert!(cost > 0.25 && cost < 0.26, "{cost}");
        }
    }
    let clock = offered(json!({ "schedule": "0 9 * * *", "code": code }), free.clone());
    assert!(clock["status"] == "active" && clock["nextRunAt"].as_str().unwrap().contains("T09:00"), "{clock}");
    // A hook of its own.
    let hook = owner.flow(json!({ "title": "t", "description": "d", "webhook": true, "code": GREETER }));
    data(owner.request("POST", &format!("/v1/flows/{}/publish", hook["id"].as_str().unwrap()), Value::Null));
    let copy = data(user.flows("installFlow", json!({ "flowId": hook["id"] })));
    let [path, other] = [&copy, &hook].map(|flow| flow["webhookUrl"].as_str().unwrap().split_once("/hooks/").unwrap().1.to_owned());
    assert_ne!(path, other);
    data(bed.server.client().send("POST", &format!("/hooks/{path}"), &[], "{}"));
    user.after_runs(copy["id"].as_str().unwrap(), 1);
    assert_eq!(owner.runs(hook["id"].as_str().unwrap()).len(), 0);
}

#[test]
fn only_whole_work_of_the_accounts_own_is_published() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed("export const handler = () => 1;");
    let flow = |more: Value| {
        let mut params = json!({ "title": "t", "description": "d", "eventType": "a.b" });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        owner.flow(params)["id"].clone()
    };
    let refused = |id: &Value, pricing: Value| {
        let (status, code, field) = refusal(&owner.flows("publishFlow", json!({ "flowId": id, "pricing": pricing })));
        assert_eq!((status, &*code), (400, "VALIDATION_ERROR"));
        field
    };
    let (of_prompt, of_script) = (flow(json!({ "prompt": "Note it" })), flow(json!({ "scriptId": script })));
    assert_eq!(refused(&of_prompt, json!({ "model": "subscription", "price": 1 })), "pricing.model");
    assert_eq!(refused(&of_script, json!({ "model": "subscription", "price": 0 })), "pricing.price");
    assert_eq!(refused(&of_script, json!({ "model": "free", "price": 1 })), "pricing.price");
    let draft = data(owner.request("POST", "/v1/scripts", json!({ "name": "draft", "code": "export const handler = () => 1;" })));
    assert_eq!(refused(&flow(json!({ "scriptId": draft["id"] })), Value::Null), "scriptId");
    let subscription = data(owner.request("POST", &format!("/v1/scripts/{script}/subscriptions"), json!({ "eventType": "a.b" })));
    assert_eq!(refused(&subscription["id"], Value::Null), "flowId");
    let one = json!({ "adapter": "memory", "operation": "create", "args": { "type": "note", "content": "x" } });
    let batch = data(owner.dispatch("flows", "createBatchOperation", json!({ "title": "batch", "operations": [one] })));
    assert_eq!(refused(&batch["flowId"], Value::Null), "flowId");
    // Another's script, installed, is no work of the account's own.
    let (user, _) = owner.sub_account("User");
    data(owner.request("PATCH", &format!("/v1/scripts/{script}"), json!({ "description": "Answers 1" })));
    data(owner.request("POST", &format!("/v1/scripts/{script}/publish"), Value::Null));
    let copy = data(user.request("POST", &format!("/v1/scripts/{script}/install"), Value::Null))["scriptId"].clone();
    let theirs = user.flow(json!({ "title": "t", "description": "d", "eventType": "a.b", "scriptId": copy }));
    let reply = user.flows("publishFlow", json!({ "flowId": theirs["id"] }));
    assert_eq!(refusal(&reply), (400, "VALIDATION_ERROR".into(), "scriptId".into()));
    // Nothing of all that is in the marketplace, and nothing is left of what could not be installed.
    assert_eq!(owner.market("?type=flow"), [Value::Null; 0]);
    data(owner.flows("publishFlow", json!({ "flowId": of_script })));
    data(owner.request("DELETE", &format!("/v1/scripts/{script}"), Value::Null));
    let gone = user.flows("installFlow", json!({ "flowId": of_script }));
    assert_eq!((gone.status, gone.json()["error"]["message"].as_str().unwrap()), (404, "Flow not found"));
    assert_eq!(user.flows("listFlows", json!({})).json()["meta"]["total"], 1);
}
