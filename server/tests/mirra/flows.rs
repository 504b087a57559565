//! Flows over the API: every way to make one, what starts it, and what becomes of its runs.

use serde_json::{Value, json};

use crate::{
    control::{Bed, User, data, refusal},
    support::{Reply, until},
};

/// Answers what it was given.
pub const ECHO: &str = "export const handler = (event, context) => ({ success: true, event, trigger: context.trigger });";

impl User<'_> {
    pub fn deployed(&self, code: &str) -> String {
        let made = data(self.request(
            "POST",
            "/v1/scripts",
            json!({ "name": "of a flow", "code": code, "config": { "maxExecutionsPerDay": 10_000 } }),
        ));
        let id = made["id"].as_str().unwrap().to_owned();
        data(self.request("POST", &format!("/v1/scripts/{id}/deploy"), json!({})));
        id
    }

    /// The way of the first version.
    pub fn flows(&self, operation: &str, params: Value) -> Reply {
        self.request("POST", &format!("/v1/flows/{operation}"), params)
    }

    pub fn flow(&self, params: Value) -> Value {
        data(self.flows("createFlow", params))
    }

    pub fn runs(&self, flow_id: &str) -> Vec<Value> {
        data(self.flows("getFlow", json!({ "flowId": flow_id })))["executionResults"].as_array().unwrap().clone()
    }

    /// Waits until a flow has run so often.
    pub fn after_runs(&self, flow_id: &str, count: usize) -> Vec<Value> {
        let mut runs = Vec::new();
        until("the flow runs", || {
            runs = self.runs(flow_id);
            runs.len() >= count
        });
        runs
    }
}

/// The documents' own requests, with ids that are there, and every field of their answers.
#[test]
fn the_documents_requests_are_answered_as_they_say() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    let time = data(owner.flows(
        "createTimeFlow",
        json!({
            "title": "Daily Report Generator",
            "description": "Generates daily analytics report and sends via email",
            "schedule": "0 9 * * *",
            "scriptId": script,
            "scope": "user",
        }),
    ));
    let expected = json!({
        "title": "Daily Report Generator",
        "description": "Generates daily analytics report and sends via email",
        "status": "active",
        "scope": "user",
        "trigger": { "type": "time", "config": { "cronExpression": "0 9 * * *" } },
        "scriptId": script,
        "executionCount": 0,
        "executionResults": [],
    });
    has_all(&time, &expected);
    assert!(["id", "userId", "createdAt", "updatedAt"].iter().all(|field| time[field].is_string()), "{time}");
    assert_eq!((time["id"].as_str().unwrap().len(), &time["triggerType"], &time["isTimeBased"]), (24, &json!("time"), &json!(true)));
    let conditions = json!({
        "operator": "AND",
        "conditions": [
            { "field": "text", "operator": "contains", "value": "urgent" },
            { "field": "isGroupChat", "operator": "equals", "value": false },
        ],
    });
    let event = data(owner.flows(
        "createEventFlow",
        json!({
            "title": "Urgent Message Handler",
            "description": "Auto-respond to urgent messages in Telegram",
            "eventType": "telegram.message",
            "conditions": conditions,
            "prompt": "Acknowledge the urgent message and create a high-priority reminder",
            "recommendedTools": ["telegram", "memory"],
            "scope": "user",
            "executionType": "llm",
        }),
    ));
    has_all(
        &event,
        &json!({
            "title": "Urgent Message Handler",
            "status": "active",
            "trigger": { "type": "event", "config": { "eventType": "telegram.message", "rootCondition": conditions } },
            "executionType": "llm",
            "prompt": "Acknowledge the urgent message and create a high-priority reminder",
            "recommendedTools": ["telegram", "memory"],
            "executionCount": 0,
            "executionResults": [],
        }),
    );
    let id = |flow: &Value| flow["id"].clone();
    let listed = owner.flows("listFlows", json!({ "status": "active", "limit": 20, "offset": 0 })).json();
    assert_eq!(listed["meta"], json!({ "total": 2, "limit": 20, "offset": 0 }));
    assert_eq!((&listed["data"][0]["id"], &listed["data"][1]["id"]), (&id(&event), &id(&time)));
    let got = data(owner.flows("getFlow", json!({ "assignmentId": id(&time) })));
    has_all(&got, &json!({ "id": id(&time), "executionCount": 0, "executionResults": [] }));
    let updated = data(owner.flows(
        "updateFlow",
        json!({ "assignmentId": id(&time), "title": "Updated Daily Report", "description": "Updated description", "schedule": "0 10 * * *" }),
    ));
    has_all(
        &updated,
        &json!({ "title": "Updated Daily Report", "description": "Updated description", "trigger": { "type": "time", "config": { "cronExpression": "0 10 * * *" } } }),
    );
    let found = owner.flows(
        "searchFlows",
        json!({ "query": "daily report", "status": "active", "trigger": { "type": "time" }, "scope": "user", "limit": 20, "offset": 0 }),
    );
    assert_eq!((&found.json()["data"][0]["id"], &found.json()["meta"]["total"]), (&id(&time), &json!(1)));
    let paused = data(owner.flows("pauseFlow", json!({ "assignmentId": id(&time) })));
    assert!(paused["status"] == "paused" && paused["pausedAt"].is_string(), "{paused}");
    let resumed = data(owner.flows("resumeFlow", json!({ "assignmentId": id(&time) })));
    assert!(resumed["status"] == "active" && resumed["resumedAt"].is_string(), "{resumed}");
    let deleted = data(owner.flows("deleteFlow", json!({ "assignmentId": id(&time) })));
    assert!(deleted["id"] == id(&time) && deleted["deleted"] == true && deleted["deletedAt"].is_string(), "{deleted}");
    let missing = owner.flows("getFlow", json!({ "assignmentId": id(&time) }));
    let expected = json!({ "code": "NOT_FOUND", "message": "Flow not found", "details": { "assignmentId": id(&time) } });
    assert_eq!((missing.status, &missing.json()["error"]), (404, &expected));
}

#[track_caller]
fn has_all(actual: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(actual[name], *value, "{name} of {actual}");
    }
}

#[test]
fn validation_errors_are_those_of_the_documents() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    let time = |schedule: &str| {
        owner.flows("createTimeFlow", json!({ "title": "t", "description": "d", "schedule": schedule, "scriptId": script }))
    };
    let refused = time("0 9 * *");
    let expected = json!({
        "code": "VALIDATION_ERROR",
        "message": "Invalid cron expression: Expected 5 fields, got 4",
        "details": { "field": "schedule", "value": "0 9 * *", "cronExpression": "0 9 * *" },
    });
    assert_eq!((refused.status, &refused.json()["error"]), (400, &expected));
    for schedule in ["0 25 * * *", "*/0 * * * *", "x * * * *", "* * * * * *", "", "0 0 31 2 *", "60 * * * *", "5-1 * * * *"] {
        let refused = time(schedule);
        assert_eq!((refused.status, refused.json()["error"]["details"]["field"].as_str()), (400, Some("schedule")), "{schedule}");
        assert!(refused.json()["error"]["message"].as_str().unwrap().starts_with("Invalid cron expression: "));
    }
    let leaf = json!({ "field": "text", "operator": "contains", "value": "x" });
    let nested = |levels: usize| (1..levels).fold(leaf.clone(), |tree, _| json!({ "operator": "AND", "conditions": [tree] }));
    let many = |count: usize| json!({ "operator": "OR", "conditions": vec![leaf.clone(); count] });
    let event = |conditions: Value| {
        owner.flows(
            "createEventFlow",
            json!({ "title": "t", "description": "d", "eventType": "telegram.message", "conditions": conditions, "scriptId": script }),
        )
    };
    let leaf_with = |name: &str, value: Value| {
        let mut leaf = leaf.clone();
        leaf[name] = value;
        leaf
    };
    for conditions in [
        nested(5),
        many(50),
        leaf_with("field", json!("x".repeat(100))),
        leaf_with("value", json!("x".repeat(1000))),
        json!({ "operator": "regex", "field": "text", "value": "(a+)+$" }),
    ] {
        assert_eq!(event(conditions.clone()).status, 200, "{conditions}");
    }
    for (conditions, field) in [
        (nested(6), "conditions.conditions[0].conditions[0].conditions[0].conditions[0].conditions[0]"),
        (many(51), "conditions"),
        (leaf_with("field", json!("x".repeat(101))), "conditions.field"),
        (leaf_with("value", json!("x".repeat(1001))), "conditions.value"),
        (leaf_with("operator", json!("like")), "conditions.operator"),
        (json!({ "operator": "AND", "conditions": [] }), "conditions.conditions"),
        (json!({ "operator": "AND" }), "conditions.conditions"),
        (json!({ "operator": "regex", "field": "text", "value": "(" }), "conditions.value"),
        (json!({ "operator": "regex", "field": "text", "value": "(a{1000}){1000}" }), "conditions.value"),
        (Value::Null, "conditions"),
    ] {
        assert_eq!(refusal(&event(conditions)), (400, "VALIDATION_ERROR".into(), field.into()));
    }
    let create = |params: Value| owner.flows("createFlow", params);
    for (params, field) in [
        (json!({ "schedule": "* * * * *", "scriptId": script }), "title"),
        (json!({ "title": "x".repeat(201), "schedule": "* * * * *", "scriptId": script }), "title"),
        (json!({ "title": "t", "description": "x".repeat(1001), "schedule": "* * * * *", "scriptId": script }), "description"),
        (json!({ "title": "t", "prompt": "x".repeat(10_001), "schedule": "* * * * *" }), "prompt"),
        (json!({ "title": "t", "schedule": "* * * * *" }), "prompt"),
        (json!({ "title": "t", "schedule": "* * * * *", "scriptId": "script_abc123" }), "scriptId"),
        (json!({ "title": "t", "scriptId": script }), "trigger"),
        (json!({ "title": "t", "scriptId": script, "schedule": "* * * * *", "eventType": "a.b" }), "trigger"),
        (json!({ "title": "t", "scriptId": script, "eventType": "a b" }), "eventType"),
        (json!({ "title": 1, "scriptId": script, "eventType": "a.b" }), "title"),
        (json!({ "title": "t", "scriptId": script, "eventType": "a.b", "scope": "team" }), "teamId"),
        (json!({ "title": "t", "scriptId": script, "eventType": "a.b", "scope": "world" }), "scope"),
        (
            json!({ "title": "t", "scriptId": script, "eventType": "a.b", "config": { "maxExecutionsPerDay": 10_001 } }),
            "config.maxExecutionsPerDay",
        ),
        (json!({ "title": "t", "scriptId": script, "eventType": "a.b", "path": "/work.ts" }), "path"),
        (json!({ "title": "t", "schedule": "* * * * *", "code": "export const x = 1;" }), "code"),
        (json!({ "title": "t", "scriptId": script, "trigger": { "type": "moon" } }), "trigger.type"),
        (json!({ "title": "t", "scriptId": script, "eventFilter": { "text_contains": "x" } }), "eventFilter.when"),
    ] {
        assert_eq!(refusal(&create(params.clone())), (400, "VALIDATION_ERROR".into(), field.into()), "{params}");
    }
    let (stranger, _) = owner.sub_account("Stranger");
    let refused = stranger.flows("createFlow", json!({ "title": "t", "scriptId": script, "schedule": "* * * * *" }));
    assert_eq!(refusal(&refused), (400, "VALIDATION_ERROR".into(), "scriptId".into()));
    // No script is left of a flow that was not made.
    assert_eq!(data(owner.dispatch("scripts", "listScripts", json!({})))["count"], 1);
}

#[test]
fn an_event_starts_the_flows_whose_conditions_it_meets() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    let of_tree = owner.flow(json!({
        "title": "tree",
        "scriptId": script,
        "trigger": { "type": "event", "config": { "eventType": "telegram.message", "rootCondition":
            { "operator": "and", "conditions": [{ "field": "content.text", "operator": "contains", "value": "URGENT" },
            { "operator": "not", "condition": { "field": "isGroupChat", "operator": "equals", "value": true } }] } } },
        "scriptInput": { "team": "blue" },
    }));
    let of_filter =
        owner.flow(json!({ "title": "filter", "scriptId": script, "eventFilter": { "when": "telegram.message", "chat_id": ["7", "8"] } }));
    let other = owner.flow(json!({ "title": "other", "scriptId": script, "eventType": "gmail.email_received" }));
    let update = json!({
        "update_id": 10,
        "message": {
            "message_id": 5, "date": 1_700_000_000, "text": "this is urgent",
            "from": { "id": 42, "is_bot": false, "first_name": "Ada", "username": "ada" },
            "chat": { "id": 7, "type": "private", "first_name": "Ada" },
        },
    });
    let hook = data(owner.request("POST", "/v1/events/createHook", json!({ "kind": "telegram" })));
    let path = hook["url"].as_str().unwrap().split_once("/hooks/").unwrap().1.to_owned();
    let post = || bed.server.client().send("POST", &format!("/hooks/{path}"), &[], update.to_string());
    assert_eq!(data(post()), json!({ "accepted": true, "duplicate": false, "flows": 2 }));
    // Telegram sends again what was not answered in time.
    assert_eq!(data(post()), json!({ "accepted": true, "duplicate": true, "flows": 0 }));
    let runs = owner.after_runs(of_tree["id"].as_str().unwrap(), 1);
    let event = &runs[0]["result"]["event"];
    assert_eq!(runs[0]["result"]["trigger"], "event");
    for (path, expected) in [
        ("/messageText", json!("this is urgent")),
        ("/senderName", json!("Ada")),
        ("/type", json!("telegram.message")),
        ("/telegram/chatId", json!(7)),
        ("/content/text", json!("this is urgent")),
        ("/data/team", json!("blue")),
        ("/data/text", json!("this is urgent")),
        ("/data/event/telegram/chatId", json!(7)),
        ("/input/team", json!("blue")),
        ("/fields/chat_id", json!(7)),
        ("/fields/content_text", json!("this is urgent")),
        ("/trigger/type", json!("event")),
        ("/flowId", of_tree["id"].clone()),
        ("/scriptId", json!(script)),
        ("/scope", json!("user")),
        ("/apiKey", json!("")),
    ] {
        assert_eq!(event.pointer(path), Some(&expected), "{path} of {event}");
    }
    owner.after_runs(of_filter["id"].as_str().unwrap(), 1);
    // CloudEvents, and several at a time, of which one came before.
    let events = json!([
        { "specversion": "1.0", "id": "1", "source": "https://mail.example", "type": "gmail.email_received", "data": { "subject": "hi" } },
        { "specversion": "1.0", "id": "1", "source": "https://mail.example", "type": "gmail.email_received", "data": { "subject": "hi" } },
        { "type": "gmail.email_received", "id": "1", "gmail": { "subject": "ho" } },
    ]);
    let taken = data(owner.request("POST", "/v1/events", events));
    assert_eq!((&taken["accepted"], &taken["events"][1]["duplicate"]), (&json!(2), &json!(true)), "{taken}");
    assert_eq!(owner.after_runs(other["id"].as_str().unwrap(), 2).len(), 2);
    assert_eq!(owner.runs(of_tree["id"].as_str().unwrap()).len(), 1);
    // Another's events start none of these.
    let (stranger, _) = owner.sub_account("Stranger");
    let taken = data(stranger.request("POST", "/v1/events", json!({ "type": "gmail.email_received", "userId": "owner" })));
    assert_eq!(taken["flows"], 0);
    for (events, field) in [
        (json!({}), "type"),
        (json!([{ "type": "a" }, { "type": 1 }]), "[1].type"),
        (json!({ "type": "a", "timestamp": "now" }), "timestamp"),
    ] {
        assert_eq!(refusal(&owner.request("POST", "/v1/events", events)), (400, "VALIDATION_ERROR".into(), field.into()));
    }
    let large = json!({ "type": "a", "text": "x".repeat(65 << 10) });
    assert_eq!(owner.request("POST", "/v1/events", large).status, 413);
}

#[test]
fn a_webhook_starts_its_flow() {
    let bed = Bed::start();
    let owner = bed.owner();
    let flow = owner.flow(json!({ "title": "hook", "webhook": true, "code": ECHO }));
    let path = flow["webhookUrl"].as_str().unwrap().split_once("/hooks/").unwrap().1.to_owned();
    assert_eq!((&flow["triggerType"], path.len()), (&json!("webhook"), 32));
    let headers = [("content-type", "application/json"), ("authorization", "Bearer secret"), ("x-github-event", "push")];
    let taken = data(bed.server.client().send("POST", &format!("/hooks/{path}?a=1"), &headers, r#"{"ref":"main"}"#));
    let runs = owner.after_runs(flow["id"].as_str().unwrap(), 1);
    assert_eq!(runs[0]["executionId"], taken["executionId"]);
    let event = &runs[0]["result"]["event"];
    assert_eq!((&event["fields"]["body"], &event["webhook"]["query"]["a"]), (&json!({ "ref": "main" }), &json!("1")), "{event}");
    assert_eq!(event["webhook"]["headers"]["x-github-event"], "push");
    assert!(!event.to_string().contains("secret"), "{event}");
    data(owner.flows("pauseFlow", json!({ "flowId": flow["id"] })));
    assert_eq!(bed.server.client().send("POST", &format!("/hooks/{path}"), &[], "{}").status, 409);
    assert_eq!(bed.server.client().send("POST", "/hooks/nothing", &[], "{}").status, 404);
    data(owner.flows("deleteFlow", json!({ "flowId": flow["id"] })));
    assert_eq!(bed.server.client().send("POST", &format!("/hooks/{path}"), &[], "{}").status, 404);
}

#[test]
fn a_flow_is_tried_by_hand_and_tells_why_it_does_not_match() {
    let bed = Bed::start();
    let owner = bed.owner();
    let flow = owner.flow(json!({
        "title": "urgent", "code": ECHO, "scriptInput": { "a": 1, "b": 1 },
        "eventFilter": { "when": "telegram.message", "message_text_contains": "urgent" },
    }));
    let id = &flow["id"];
    let done = data(owner.dispatch("flows", "executeFlow", json!({ "flowId": id, "input": { "b": 2 } })));
    assert_eq!((&done["success"], &done["result"]["event"]["data"]), (&json!(true), &json!({ "a": 1, "b": 2 })), "{done}");
    let validate = |text: &str| {
        let event = json!({ "type": "telegram.message", "content": { "text": text } });
        data(owner.dispatch("flows", "validateTrigger", json!({ "flowId": id, "event": event })))
    };
    assert_eq!(validate("so URGENT")["matched"], true);
    let missed = validate("calm");
    assert_eq!(missed["matched"], false);
    let expected = json!({ "field": "message_text", "operator": "contains", "expected": "urgent", "actual": "calm", "passed": false });
    assert_eq!(missed["conditionResults"][1], expected, "{missed}");
    let dry = data(owner.dispatch("flows", "testFlow", json!({ "flowId": id })));
    assert_eq!((&dry["mode"], &dry["executionId"]), (&json!("dryRun"), &Value::Null));
    let overrides = json!({ "content.text": "urgent!" });
    let full = data(owner.dispatch("flows", "testFlow", json!({ "flowId": id, "dryRun": false, "eventOverrides": overrides })));
    assert_eq!((&full["triggerMatched"], &full["executionStatus"]), (&json!(true), &json!("success")), "{full}");
    assert_eq!(full["executionResult"]["event"]["messageText"], "urgent!");
    assert_eq!(owner.runs(id.as_str().unwrap()).len(), 2);
    let types = data(owner.dispatch("flows", "listEventTypes", json!({})));
    assert!(types["count"].as_u64().unwrap() >= 7 && types["eventTypes"][0]["fields"].is_array(), "{types}");
    let by_type = data(owner.dispatch("flows", "getFlowsByEventType", json!({ "eventType": "telegram.message" })));
    assert_eq!((&by_type["count"], &by_type["flows"][0]["id"]), (&json!(1), id));
}

#[test]
fn a_script_is_subscribed_to_events() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    let path = format!("/v1/scripts/{script}/subscriptions");
    let conditions = json!([{ "field": "gmail.subject", "operator": "starts_with", "value": "Invoice" }]);
    let made = data(owner.request("POST", &path, json!({ "eventType": "gmail.email_received", "conditions": conditions })));
    assert_eq!((&made["enabled"], &made["eventType"]), (&json!(true), &json!("gmail.email_received")), "{made}");
    let send = |id: &str, subject: &str| {
        data(owner.request("POST", "/v1/events", json!({ "type": "gmail.email_received", "id": id, "gmail": { "subject": subject } })))
    };
    assert_eq!((&send("1", "Invoice 7")["flows"], &send("2", "Hello")["flows"]), (&json!(1), &json!(0)));
    until("it runs", || data(owner.request("GET", &format!("/v1/scripts/{script}/metrics"), Value::Null))["totalExecutions"] == 1);
    // It is no flow among the others.
    assert_eq!(owner.flows("listFlows", json!({})).json()["meta"]["total"], 0);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    data(owner.request("PATCH", &one, json!({ "enabled": false })));
    assert_eq!(send("3", "Invoice 8")["flows"], 0);
    data(owner.request("PATCH", &one, json!({ "enabled": true, "conditions": [] })));
    assert_eq!(refusal(&owner.request("PATCH", &one, json!({ "conditions": [{ "field": "x" }] }))).0, 400);
    let listed = owner.request("GET", &path, Value::Null).json();
    assert_eq!((&listed["meta"]["total"], &listed["data"][0]["id"]), (&json!(1), &made["id"]), "{listed}");
    data(owner.request("DELETE", &one, Value::Null));
    assert_eq!(owner.request("PATCH", &one, json!({ "enabled": true })).status, 404);
}

#[test]
fn a_flows_code_is_read_and_changed_by_the_flow() {
    let bed = Bed::start();
    let owner = bed.owner();
    let flow = owner.flow(json!({ "title": "code", "schedule": "0 0 1 1 *", "code": "export const handler = () => 'one';\n" }));
    let id = &flow["id"];
    let run = || data(owner.dispatch("flows", "executeFlow", json!({ "flowId": id })))["result"].clone();
    let read = data(owner.dispatch("flows", "readFlowScript", json!({ "flowId": id })));
    assert_eq!((&read["code"], run()), (&json!("1\texport const handler = () => 'one';\n"), json!("one")));
    let edits = json!([{ "oldText": "'one'", "newText": "'two'" }]);
    let edited = data(owner.dispatch("flows", "editFlowScript", json!({ "flowId": id, "edits": edits })));
    assert_eq!((&edited["copied"], run()), (&json!(false), json!("two")));
    let code = "export const handler = () => 'three';";
    data(owner.dispatch("flows", "modifyFlowScript", json!({ "flowId": id, "newCode": code })));
    assert_eq!(
        (run(), data(owner.dispatch("scripts", "getFlowScript", json!({ "flowId": id })))["code"].clone()),
        (json!("three"), json!(code))
    );
    // What cannot run changes nothing of what does.
    assert_eq!(owner.dispatch("flows", "modifyFlowScript", json!({ "flowId": id, "newCode": "nothing" })).status, 400);
    assert_eq!(run(), "three");
}
