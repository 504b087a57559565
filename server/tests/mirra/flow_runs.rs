//! What becomes of flows' runs: at their minute, one after another, as many at a time as may, and what pauses a flow.

use serde_json::{Value, json};

use crate::{
    ai_provider::Play,
    control::{Bed, data},
    flows::ECHO,
    local_api::LocalApi,
    support::until,
};

#[test]
fn a_flow_by_the_clock_runs_at_its_minute() {
    let bed = Bed::start();
    let owner = bed.owner();
    let flow = owner.flow(json!({ "title": "each minute", "schedule": "* * * * *", "code": ECHO }));
    let runs = {
        let mut runs = Vec::new();
        // The one wait for a real minute: all else moves the clock.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
        while runs.is_empty() && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(200));
            runs = owner.runs(flow["id"].as_str().unwrap());
        }
        runs
    };
    assert_eq!((runs[0]["status"].as_str(), runs[0]["result"]["trigger"].as_str()), (Some("success"), Some("cron")));
    let scheduled_at = runs[0]["result"]["event"]["trigger"]["scheduledAt"].as_str().unwrap();
    assert!(scheduled_at.ends_with(":00.000Z"), "{scheduled_at}");
}

#[test]
fn what_a_flow_does_can_start_another_but_not_for_ever() {
    let bed = Bed::start();
    let owner = bed.owner();
    let asked = LocalApi::answering(json!({}));
    let first = owner.flow(json!({ "title": "first", "eventType": "a.b", "code": ECHO }));
    // It would start itself, and the next one, and that one it again.
    let next = owner.flow(json!({ "title": "next", "eventType": "flow.complete", "code": ECHO }));
    let other = owner.flow(json!({ "title": "other", "eventType": "flow.complete", "code": ECHO }));
    data(owner.request("POST", "/v1/events", json!({ "type": "a.b" })));
    let runs = owner.after_runs(next["id"].as_str().unwrap(), 1);
    assert_eq!(runs.last().unwrap()["result"]["event"]["flow"]["flowId"], first["id"]);
    owner.after_runs(other["id"].as_str().unwrap(), 1);
    drop(asked);
    // Each of the two starts the other, ten times over.
    owner.after_runs(next["id"].as_str().unwrap(), 10);
    owner.after_runs(other["id"].as_str().unwrap(), 10);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let counts = [&next, &other].map(|flow| owner.runs(flow["id"].as_str().unwrap()).len());
    assert_eq!(counts, [10, 10]);
}

#[test]
fn a_script_that_was_deleted_pauses_its_flow_and_tells_its_owner() {
    let told = LocalApi::answering(json!({}));
    let bed = Bed::start_with(&["--allow-net", &told.address.to_string()]);
    let owner = bed.owner();
    let script = owner.deployed(ECHO);
    let config = json!({ "notifyUrl": format!("{}/told", told.url()) });
    let flow = owner.flow(json!({ "title": "orphan", "eventType": "a.b", "scriptId": script, "config": config }));
    data(owner.request("DELETE", &format!("/v1/scripts/{script}"), Value::Null));
    data(owner.request("POST", "/v1/events", json!({ "type": "a.b" })));
    until("the flow is paused", || data(owner.flows("getFlow", json!({ "flowId": flow["id"] })))["status"] == "paused");
    let notices = data(owner.dispatch("notifications", "list", json!({})));
    let notice = &notices["notifications"][0];
    assert_eq!(
        (&notices["unread"], &notice["type"], &notice["details"]["flowId"]),
        (&json!(1), &json!("flow.paused"), &flow["id"]),
        "{notices}"
    );
    assert!(notice["message"].as_str().unwrap().contains("was deleted"), "{notice}");
    until("its owner is told", || !told.asked().is_empty());
    assert_eq!(told.asked()[0].json()["details"]["flowId"], flow["id"]);
    assert_eq!(data(owner.dispatch("notifications", "markRead", json!({})))["marked"], 1);
    // Events go by it.
    assert_eq!(data(owner.request("POST", "/v1/events", json!({ "type": "a.b" })))["flows"], 0);
}

/// As many of a flow at a time as it may, and the others in their turn.
#[test]
fn ten_runs_of_a_flow_at_a_time() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, peak) = (now.clone(), most.clone());
    let world = LocalApi::start(move |_| {
        peak.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
        // Until all that may are there; the last ones wait for nobody.
        let began = std::time::Instant::now();
        while running.load(SeqCst) < 10 && began.elapsed() < std::time::Duration::from_secs(2) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // Would there be one more, it would come now.
        std::thread::sleep(std::time::Duration::from_millis(50));
        running.fetch_sub(1, SeqCst);
        crate::local_api::Answered::json(200, &json!({}))
    });
    let bed = Bed::start_with(&["--allow-net", &world.address.to_string()]);
    let owner = bed.owner();
    let code = format!("export const handler = async () => (await fetch('{}/')).status;", world.url());
    let flow = owner.flow(json!({ "title": "many", "eventType": "a.b", "code": code }));
    let events: Vec<_> = (0..35).map(|id| json!({ "type": "a.b", "id": id.to_string() })).collect();
    assert_eq!(data(owner.request("POST", "/v1/events", json!(events)))["accepted"], 35);
    let runs = owner.after_runs(flow["id"].as_str().unwrap(), 35);
    assert!(runs.iter().all(|run| run["status"] == "success"), "{:?}", runs[0]);
    assert_eq!(most.load(SeqCst), 10);
}

#[test]
fn a_prompt_is_carried_out_by_an_agent() {
    let bed = crate::ai::Bed::start();
    let owner = bed.owner();
    let create =
        json!({ "type": "tool_use", "id": "1", "name": "memory__create", "input": { "type": "note", "content": "Urgent: call Ada" } });
    bed.provider.plays([Play::Say(json!([create])), Play::Say(json!([{ "type": "text", "text": "Noted." }]))]);
    let flow = owner.flow(json!({
        "title": "urgent", "prompt": "Note what is urgent", "recommendedTools": ["memory"],
        "eventFilter": { "when": "telegram.message", "content_text_contains": "urgent" },
    }));
    data(owner.request("POST", "/v1/events", json!({ "type": "telegram.message", "content": { "text": "urgent, call Ada" } })));
    let runs = owner.after_runs(flow["id"].as_str().unwrap(), 1);
    assert_eq!((&runs[0]["status"], &runs[0]["result"]["content"]), (&json!("success"), &json!("Noted.")), "{runs:?}");
    assert!(runs[0]["cost"].as_f64().unwrap() > 0.0, "{runs:?}");
    assert_eq!(owner.memory("query", json!({}))["results"][0]["content"], "Urgent: call Ada");
    let asked = &bed.provider.seen()[0];
    let (system, said) = (asked["system"].to_string(), asked["messages"][0]["content"].to_string());
    assert!(
        system.contains("Prefer these tools: memory") && said.contains("Note what is urgent") && said.contains("urgent, call Ada"),
        "{asked}"
    );
}
