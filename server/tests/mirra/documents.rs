//! The documents' own examples, as they stand there: what is sent, and every field that is shown of an answer. Ids, times, durations and costs are as
//! they come.

use serde_json::{Value, json};

use crate::{
    control::{Bed, User, data, refusal},
    flows::ECHO,
    support::until,
};

/// What is sent to make a script, which is then deployed.
fn deployed(owner: &User<'_>, script: Value) -> String {
    let made = data(owner.request("POST", "/v1/scripts", script));
    let id = made["id"].as_str().unwrap().to_owned();
    data(owner.request("POST", &format!("/v1/scripts/{id}/deploy"), Value::Null));
    id
}

fn execute(owner: &User<'_>, id: &str, input: Value) -> Value {
    data(owner.request("POST", &format!("/v1/scripts/{id}/execute"), json!({ "data": input })))
}

/// As in `2025-12-06T14:11:29.385Z`.
#[track_caller]
fn is_time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    let shape: String = text.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{text}");
}

#[test]
fn the_handlers_of_the_overview_answer_what_they_say() {
    let bed = Bed::start();
    let owner = bed.owner();
    let node = "export async function handler(event, context) {
  const result = event.data;
  return { success: true, data: result };
}
";
    let id = deployed(&owner, json!({ "name": "node", "code": node }));
    assert_eq!(execute(&owner, &id, json!({ "a": 1 }))["result"], json!({ "success": true, "data": { "a": 1 } }));
    let python = "async def handler(event, context):
    result = event['data']
    return {\"success\": True, \"data\": result}
";
    let id = deployed(&owner, json!({ "name": "python", "runtime": "python3.11", "code": python }));
    assert_eq!(execute(&owner, &id, json!({ "a": 1 }))["result"], json!({ "success": true, "data": { "a": 1 } }));

    let python = "from datetime import datetime
 
async def handler(event, context):
    timestamp = datetime.now().isoformat()
    print(f\"Executed at: {timestamp}\")
    
    return {
        \"success\": True,
        \"timestamp\": timestamp,
        \"data\": event
    }
";
    let id = deployed(&owner, json!({ "name": "now", "runtime": "python3.11", "code": python }));
    let run = execute(&owner, &id, json!({ "name": "Ada" }));
    let result = &run["result"];
    assert_eq!((&result["success"], &result["data"]["data"]["name"]), (&json!(true), &json!("Ada")), "{run}");
    let timestamp = result["timestamp"].as_str().unwrap();
    assert_eq!((timestamp.len(), &timestamp[4..5], &timestamp[10..11]), (26, "-", "T"), "{timestamp}");
    assert_eq!(run["logs"], json!([format!("Executed at: {timestamp}")]));
}

/// date-fns itself is tried among the packages of npm; here, a package comes with the script.
#[test]
fn a_script_imports_a_package_or_is_told_that_it_is_missing() {
    let bed = Bed::start();
    let owner = bed.owner();
    let code = "import { format } from 'date-fns';
 
export async function handler(event, context) {
  const timestamp = format(new Date(), 'yyyy-MM-dd HH:mm:ss');
  console.log('Executed at:', timestamp);
  
  return {
    success: true,
    timestamp,
    data: event
  };
}
";
    let made = data(owner.request("POST", "/v1/scripts", json!({ "name": "without", "code": code })));
    let refused = owner.request("POST", &format!("/v1/scripts/{}/deploy", made["id"].as_str().unwrap()), Value::Null);
    assert_eq!(refusal(&refused), (400, "VALIDATION_ERROR".into(), "code".into()), "{}", refused.json());
    let error = &refused.json()["error"];
    assert!(error["message"].as_str().unwrap().contains("date-fns"), "{error}");
    assert_eq!(error["details"]["problems"][0]["line"], 1, "{error}");

    let package = "const two = (number) => String(number).padStart(2, '0');
export const format = (date, _) =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
";
    let files = json!({
        "handler.ts": code,
        "node_modules/date-fns/package.json": "{ \"name\": \"date-fns\", \"type\": \"module\", \"exports\": \"./index.js\" }",
        "node_modules/date-fns/index.js": package,
    });
    let id = deployed(&owner, json!({ "name": "with", "files": files }));
    let run = execute(&owner, &id, json!({ "name": "Ada" }));
    let timestamp = run["result"]["timestamp"].as_str().unwrap_or_else(|| panic!("{run}"));
    assert_eq!((timestamp.len(), &timestamp[4..5], &timestamp[10..11], &timestamp[13..14]), (19, "-", " ", ":"), "{timestamp}");
    assert_eq!((&run["logs"], &run["result"]["data"]["data"]["name"]), (&json!([format!("Executed at: {timestamp}")]), &json!("Ada")));
}

/// "Only for Telegram messages containing ticker symbols, or only for calendar events with specific attendees."
#[test]
fn the_overviews_script_of_events_remembers_what_it_is_subscribed_to() {
    let bed = Bed::start();
    let owner = bed.owner();
    let code = "// Script automatically executes for matching events
export async function handler(event, context) {
  // event contains normalized fields across all trigger types
  const message = event.messageText;
  const sender = event.senderName;
  const timestamp = event.timestamp;
  
  // Process the event
  await mirra.memory.create({
    type: 'event_log',
    content: `${sender}: ${message}`,
    metadata: { timestamp }
  });
  
  return { success: true };
}
";
    let id = deployed(&owner, json!({ "name": "log", "code": code }));
    let subscribe = |event_type: &str, conditions: Value| {
        let subscription = json!({ "eventType": event_type, "conditions": conditions, "enabled": true });
        data(owner.request("POST", &format!("/v1/scripts/{id}/subscriptions"), subscription));
    };
    let ticker = json!({ "operator": "AND", "conditions": [{ "field": "text", "operator": "regex", "value": "\\$[A-Z]{2,5}\\b" }] });
    subscribe("telegram.message", ticker);
    subscribe("calendar.event_created", json!([{ "field": "attendees", "operator": "contains", "value": "ann@example.com" }]));
    let message = |text: &str| {
        json!({ "type": "telegram.message", "timestamp": "2026-01-15T10:00:00Z", "actor": { "id": "42", "name": "Ada" },
            "content": { "text": text }, "telegram": { "chatId": 7, "isGroupChat": false } })
    };
    let invitation = |attendee: &str| {
        json!({ "type": "calendar.event_created", "timestamp": "2026-01-15T11:00:00Z", "actor": { "name": "Bob" },
            "content": { "text": "Planning" }, "calendar": { "summary": "Planning", "attendees": ["bob@example.com", attendee] } })
    };
    let told = json!([message("buy $BTC"), message("buy bread"), invitation("ann@example.com"), invitation("eve@example.com")]);
    let taken = data(owner.request("POST", "/v1/events", told));
    let flows: Vec<_> = taken["events"].as_array().unwrap().iter().map(|event| &event["flows"]).collect();
    assert_eq!(flows, [1, 0, 1, 0], "{taken}");
    let logged = || owner.memory("query", json!({ "type": "event_log" }));
    until("both are remembered", || logged()["totalCount"] == 2);
    let mut logged: Vec<_> =
        logged()["results"].as_array().unwrap().iter().map(|found| (found["content"].clone(), found["metadata"].clone())).collect();
    logged.sort_by_key(|(content, _)| content.to_string());
    let expected = [
        (json!("Ada: buy $BTC"), json!({ "timestamp": "2026-01-15T10:00:00.000Z" })),
        (json!("Bob: Planning"), json!({ "timestamp": "2026-01-15T11:00:00.000Z" })),
    ];
    assert_eq!(logged, expected);
}

#[test]
fn every_pattern_of_the_notes_is_a_schedule() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    for (schedule, part) in [
        ("* * * * *", ""),
        ("0 9,17 * * *", ":00"),
        ("0 9-17 * * *", ":00"),
        ("0 * * * *", ":00"),
        ("0 0 * * *", "T00:00"),
        ("30 9 * * *", "T09:30"),
        ("0 9 * * 1", "T09:00"),
        ("0 18 * * 1-5", "T18:00"),
        ("*/15 * * * *", ""),
        ("0 0 1 * *", "-01T00:00"),
        ("0 0 28-31 * *", "T00:00"),
        ("0 0 1 1,4,7,10 *", "-01T00:00"),
        ("0 17 * * *", "T17:00"),
        ("0 14 * * *", "T14:00"),
        ("13 0 * * *", "T00:13"),
    ] {
        let params = json!({ "title": "t", "description": "d", "schedule": schedule, "scriptId": script });
        let flow = data(owner.flows("createTimeFlow", params));
        assert_eq!((&flow["trigger"]["config"]["cronExpression"], &flow["timezone"]), (&json!(schedule), &json!("UTC")));
        is_time(&flow["nextRunAt"]);
        let next = flow["nextRunAt"].as_str().unwrap().strip_suffix(":00.000Z").unwrap();
        assert!(next.ends_with(part), "{schedule}: {next}");
    }
}

#[test]
fn conditions_of_the_notes_decide_as_they_say() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    let flow = |event_type: &str, conditions: Value| {
        let params = json!({ "title": "t", "description": "d", "eventType": event_type, "conditions": conditions, "scriptId": script });
        data(owner.flows("createEventFlow", params))["id"].clone()
    };
    let validate = |id: &Value, event: Value| data(owner.flows("validateTrigger", json!({ "flowId": id, "event": event })));
    // (text contains "urgent" OR text contains "asap") AND (not a group chat)
    let text = |value: &str| json!({ "field": "text", "operator": "contains", "value": value });
    let nested = flow(
        "telegram.message",
        json!({ "operator": "AND", "conditions": [
            { "operator": "OR", "conditions": [text("urgent"), text("asap")] },
            { "field": "isGroupChat", "operator": "equals", "value": false },
        ] }),
    );
    for (said, is_group_chat, matched) in
        [("URGENT!", false, true), ("Please, ASAP", false, true), ("urgent", true, false), ("calm", false, false), ("calm", true, false)]
    {
        let event = json!({ "type": "telegram.message", "content": { "text": said }, "telegram": { "isGroupChat": is_group_chat } });
        assert_eq!(validate(&nested, event)["matched"], matched, "{said} {is_group_chat}");
    }
    // Each operator, with a value that passes and one that does not; none passes without the field, but for the last.
    for (operator, value, passing, failing) in [
        ("equals", json!("john_doe"), json!("john_doe"), json!("john")),
        ("contains", json!("Urgent"), json!("so URGENT"), json!("calm")),
        ("startsWith", json!("Re:"), json!("Re: hello"), json!("hello Re:")),
        ("endsWith", json!(".pdf"), json!("invoice.pdf"), json!("invoice.pdf.exe")),
        ("greaterThan", json!(10), json!(10.5), json!(10)),
        ("lessThan", json!(10), json!(9), json!(10)),
        ("regex", json!("^\\d{3}-\\d{4}$"), json!("555-1234"), json!("5555-1234")),
        ("exists", json!(true), json!(0), Value::Null),
        ("exists", json!(false), Value::Null, json!("here")),
    ] {
        let id = flow("my.event", json!({ "field": "inner.value", "operator": operator, "value": value }));
        let event = |value: &Value| json!({ "type": "my.event", "inner": { "value": value } });
        let (passed, failed) = (validate(&id, event(&passing)), validate(&id, event(&failing)));
        assert_eq!((&passed["matched"], &failed["matched"]), (&json!(true), &json!(false)), "{operator} {value}: {passed} {failed}");
        let result = &failed["conditionResults"][1];
        assert_eq!((&result["operator"], &result["expected"], &result["passed"]), (&json!(operator), &value, &json!(false)), "{failed}");
        let missing = validate(&id, json!({ "type": "my.event" }));
        assert_eq!(missing["matched"], value == json!(false), "{operator}");
    }
}

/// A flat name of the notes resolves inside the event's own section, and at its top.
#[test]
fn every_field_of_the_notes_is_found_in_its_event() {
    let bed = Bed::start();
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    for (event_type, section, fields) in [
        ("telegram.message", "telegram", json!({ "text": "hi", "sender": "john_doe", "chatId": 7, "isGroupChat": true })),
        (
            "gmail.email_received",
            "gmail",
            json!({ "subject": "Invoice", "from": "ann@example.com", "to": ["bob@example.com"], "body": "text", "hasAttachment": true }),
        ),
        (
            "calendar.event_created",
            "calendar",
            json!({ "summary": "Planning", "description": "d", "location": "Room 1", "attendees": ["ann@example.com"],
                "startTime": "2026-01-15T10:00:00Z", "endTime": "2026-01-15T11:00:00Z" }),
        ),
        ("voice.call_ended", "voice", json!({ "duration": 125, "participants": ["user_1"], "summary": "s", "transcript": "t" })),
    ] {
        let leaves = fields.as_object().unwrap().iter().map(|(name, value)| json!({ "field": name, "operator": "equals", "value": value }));
        let mut leaves: Vec<_> = leaves.collect();
        leaves.push(json!({ "field": "timestamp", "operator": "exists", "value": true }));
        let conditions = json!({ "operator": "AND", "conditions": leaves });
        let flow = owner.flow(json!({ "title": "t", "eventType": event_type, "conditions": conditions, "scriptId": script }));
        let mut at_top = fields.clone();
        at_top["type"] = event_type.into();
        for event in [json!({ "type": event_type, section: fields }), at_top] {
            let answer = data(owner.flows("validateTrigger", json!({ "flowId": flow["id"], "event": event })));
            assert_eq!(answer["matched"], true, "{answer}");
        }
    }
}

/// By curl, which calls a body that it is given a form.
#[test]
fn a_flows_history_is_shown_as_the_notes_show_it() {
    let bed = Bed::start();
    let owner = bed.owner();
    let code = "export const handler = (event) => {
        if (event.data.loop) for (;;) {}
        console.log('Step 1 complete');
        console.log('Step 2 complete');
        return { success: true, data: { n: 1 } };
    };";
    let script = deployed(&owner, json!({ "name": "steps", "code": code, "config": { "timeout": 1 } }));
    let config = json!({ "maxCostPerExecution": 0.10, "maxExecutionsPerDay": 100 });
    let params =
        json!({ "title": "Daily Report Generator", "description": "d", "schedule": "0 9 * * *", "scriptId": script, "config": config });
    let made = data(owner.flows("createTimeFlow", params));
    assert_eq!((&made["config"]["maxCostPerExecution"], &made["config"]["maxExecutionsPerDay"]), (&json!(0.1), &json!(100)));
    let id = &made["id"];
    data(owner.flows("executeFlow", json!({ "flowId": id })));
    let failed = data(owner.flows("executeFlow", json!({ "flowId": id, "input": { "loop": true } })));
    assert_eq!((&failed["success"], &failed["error"]["code"]), (&json!(false), &json!("TIMEOUT")), "{failed}");

    let headers = [("X-API-Key", owner.key.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let body = json!({ "assignmentId": id }).to_string();
    let got = bed.server.client().send("POST", "/api/sdk/v1/flows/getFlow", &headers, body);
    assert_eq!(got.header("x-ratelimit-limit"), Some("1000"));
    assert!(["x-ratelimit-remaining", "x-ratelimit-reset"].iter().all(|name| got.header(name).is_some()), "{}", got.head);
    let got = data(got);
    assert_eq!(got["executionCount"], 2);
    is_time(&got["lastExecutedAt"]);
    let [timeout, success] = &got["executionResults"].as_array().unwrap()[..] else { panic!("{got}") };
    let shown = [&success["status"], &success["logs"], &success["result"]];
    assert_eq!(shown, [&json!("success"), &json!(["Step 1 complete", "Step 2 complete"]), &json!({ "success": true, "data": { "n": 1 } })]);
    assert_eq!((&timeout["status"], &timeout["error"]["code"]), (&json!("timeout"), &json!("TIMEOUT")), "{timeout}");
    for run in [timeout, success] {
        assert!(run["executionId"].as_str().unwrap().starts_with("exec_"), "{run}");
        is_time(&run["timestamp"]);
        assert!(run["duration"].as_f64().unwrap() > 0.0 && run["cost"].as_f64().unwrap() > 0.0, "{run}");
    }
    // In lists, as they are shown there.
    for operation in ["listFlows", "searchFlows"] {
        let listed = owner.flows(operation, json!({})).json();
        assert_eq!(listed["meta"], json!({ "total": 1, "limit": 50, "offset": 0 }), "{operation}");
        let flow = &listed["data"][0];
        assert_eq!((&flow["executionCount"], &flow["lastExecutedAt"]), (&json!(2), &got["lastExecutedAt"]), "{flow}");
        is_time(&flow["createdAt"]);
    }
}

#[test]
fn a_flow_with_a_prompt_is_updated_as_the_document_does() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = owner.flow(json!({
        "title": "Daily Report Generator",
        "description": "Generates daily analytics report and sends via email",
        "schedule": "0 9 * * *",
        "prompt": "Generate yesterday's analytics report and send it via Gmail",
        "recommendedTools": ["memory", "gmail"],
    }));
    let got = data(owner.flows("getFlow", json!({ "assignmentId": made["id"] })));
    assert_eq!((&got["executionType"], &got["scope"], &got["scriptId"]), (&json!("llm"), &json!("user"), &Value::Null), "{got}");
    assert_eq!(got["prompt"], "Generate yesterday's analytics report and send it via Gmail");
    assert_eq!((&got["recommendedTools"], &got["executionResults"]), (&json!(["memory", "gmail"]), &json!([])));
    let updated = data(owner.flows(
        "updateFlow",
        json!({
            "assignmentId": made["id"],
            "title": "Updated Daily Report",
            "description": "Updated description",
            "schedule": "0 10 * * *",
            "prompt": "Updated execution prompt",
            "recommendedTools": ["memory", "gmail", "telegram"]
        }),
    ));
    is_time(&updated["updatedAt"]);
    assert_eq!(updated["trigger"], json!({ "type": "time", "config": { "cronExpression": "0 10 * * *" } }));
    let got = data(owner.flows("getFlow", json!({ "assignmentId": made["id"] })));
    for (field, expected) in [
        ("title", json!("Updated Daily Report")),
        ("description", json!("Updated description")),
        ("prompt", json!("Updated execution prompt")),
        ("recommendedTools", json!(["memory", "gmail", "telegram"])),
        ("executionType", json!("llm")),
        ("status", json!("active")),
    ] {
        assert_eq!(got[field], expected, "{field} of {got}");
    }
    assert!(got["nextRunAt"].as_str().unwrap().contains("T10:00:00"), "{got}");
    // The ids of the documents are nobody's here.
    for operation in ["getFlow", "updateFlow", "pauseFlow", "resumeFlow", "deleteFlow", "executeFlow"] {
        let missing = owner.flows(operation, json!({ "assignmentId": "693439915ceadf632e2cfc9a" }));
        let expected =
            json!({ "code": "NOT_FOUND", "message": "Flow not found", "details": { "assignmentId": "693439915ceadf632e2cfc9a" } });
        assert_eq!((missing.status, &missing.json()["error"]), (404, &expected), "{operation}");
    }
}
