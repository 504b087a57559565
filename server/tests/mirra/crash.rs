//! The server is killed, again and again and at any point, while events, ticks and requests come in. A server of the test's own counts what
//! really happened: everything that was accepted, and nothing twice that was not tried again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    control::{Bed, OWNER_KEY, data},
    local_api::{Answered, LocalApi},
    support::{Client, until},
};

const ROUNDS: u64 = 6;

/// Each try and run that happened for what.
type Effects = BTreeMap<String, Vec<(u64, String)>>;

/// Tells the world that it ran, for what, and which try it is.
fn effect(url: &str) -> String {
    format!(
        "export async function handler(event) {{
           const name = event.data.event?.id ?? event.trigger.scheduledAt;
           await fetch('{url}/effect', {{ method: 'POST', body: JSON.stringify({{ name, attempt: event.trigger.attempt, run: event.executionId }}) }});
           return {{ success: true }};
         }}"
    )
}

#[test]
fn nothing_that_was_accepted_is_lost() {
    let effects: Arc<Mutex<Effects>> = Arc::default();
    let seen = effects.clone();
    let world = LocalApi::start(move |asked| {
        let told = asked.json();
        let what = (told["attempt"].as_u64().unwrap(), told["run"].as_str().unwrap().to_owned());
        seen.lock().unwrap().entry(told["name"].as_str().unwrap().to_owned()).or_default().push(what);
        Answered::json(200, &json!({}))
    });
    let allow = world.address.to_string();
    let flags = ["--allow-net", &*allow];
    let mut bed = Bed::start_with(&flags);
    let flow = {
        let owner = bed.owner();
        let script = owner.deployed(&effect(&world.url()));
        owner.flow(json!({ "title": "ticks", "schedule": "* * * * *", "scriptId": script }));
        owner.flow(json!({ "title": "events", "eventType": "a.b", "scriptId": script }))
    };
    let mut accepted: BTreeSet<String> = BTreeSet::new();
    let mut next = 0_u64;
    for round in 0..ROUNDS {
        // Events come in one after the other until the process is gone, at another point each time.
        let address = bed.server.address;
        let is_over = Arc::new(AtomicBool::new(false));
        let ended = is_over.clone();
        let sender = std::thread::spawn(move || {
            let (mut sent, mut taken) = (next, Vec::new());
            let Some(mut client) = Client::try_to(address) else { return (sent, taken) };
            while !ended.load(Relaxed) {
                let id = format!("event-{sent}");
                sent += 1;
                let event = json!({ "type": "a.b", "id": id }).to_string();
                // What is not answered was perhaps taken, and perhaps not.
                match client.try_send("POST", "/api/sdk/v1/events", &[("X-API-Key", OWNER_KEY)], event) {
                    Some(reply) if reply.status == 200 => taken.push(id),
                    Some(reply) => assert_eq!(reply.status, 429, "{}", reply.text()),
                    None => break,
                }
            }
            (sent, taken)
        });
        let until_killed = Instant::now() + Duration::from_millis(120 + 90 * (round * 7 % 5));
        while Instant::now() < until_killed {
            std::thread::yield_now();
        }
        bed = bed.kill_and_start_again(&flags);
        is_over.store(true, Relaxed);
        let (sent, taken) = sender.join().unwrap();
        next = sent;
        accepted.extend(taken);
    }
    assert!(accepted.len() > 100, "{} were accepted", accepted.len());
    until("everything that was accepted has happened", || {
        let effects = effects.lock().unwrap();
        accepted.iter().all(|id| effects.contains_key(id))
    });
    until("nothing runs any more", || {
        let flow = data(bed.owner().flows("getFlow", json!({ "flowId": flow["id"] })));
        flow["executionCount"].as_u64().unwrap() >= accepted.len() as u64
    });
    for (name, tries) in effects.lock().unwrap().iter() {
        let runs: BTreeSet<_> = tries.iter().map(|(_, run)| run).collect();
        assert_eq!(runs.len(), 1, "{name} is one run: {tries:?}");
        let attempts: BTreeSet<_> = tries.iter().map(|(attempt, _)| attempt).collect();
        assert_eq!(attempts.len(), tries.len(), "{name} was tried again each time that it happened again: {tries:?}");
    }
}
