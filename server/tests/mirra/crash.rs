//! The server is killed, again and again and at any point, while events, ticks and executions come in. A server of the test's own counts what
//! really happened: everything that was accepted, and nothing twice that was not tried again.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    control::{Bed, OWNER_KEY, User, data},
    local_api::{Answered, LocalApi},
    support::{Client, until, write},
};

/// Before the minute at which ticks are due; then as many as it takes until they were.
const ROUNDS: u64 = 6;
/// That many ticks are due in one minute.
const CLOCKS: usize = 40;
/// How far apart they are, so that the server is killed several times among them.
const SPREAD: Duration = Duration::from_secs(4);

/// Each try and run that happened for what.
pub type Effects = BTreeMap<String, Vec<(u64, String)>>;

/// Tells the world that it ran, for what, and which try it is.
pub fn effect(url: &str) -> String {
    format!(
        "export async function handler(event) {{
           const name = event.data.event?.id ?? event.data.name ?? `${{event.flowId}} at ${{event.trigger.scheduledAt}}`;
           const attempt = event.trigger.attempt ?? 0;
           await fetch('{url}/effect', {{ method: 'POST', body: JSON.stringify({{ name, attempt, run: event.executionId }}) }});
           return {{ success: true }};
         }}"
    )
}

/// Remembers what it is told by those.
pub fn world() -> (LocalApi, Arc<Mutex<Effects>>) {
    let effects: Arc<Mutex<Effects>> = Arc::default();
    let seen = effects.clone();
    let world = LocalApi::start(move |asked| {
        let told = asked.json();
        let what = (told["attempt"].as_u64().unwrap(), told["run"].as_str().unwrap().to_owned());
        seen.lock().unwrap().entry(told["name"].as_str().unwrap().to_owned()).or_default().push(what);
        Answered::json(200, &json!({}))
    });
    (world, effects)
}

/// What was asked for until the process was gone.
#[derive(Default)]
struct Told {
    /// Ids of events that were taken.
    events: Vec<String>,
    /// Names of executions that were asked for.
    asked: Vec<String>,
    /// Names and ids of those whose end was answered.
    answered: Vec<(String, String)>,
}

/// Names are never used twice.
#[derive(Default)]
pub struct Names(AtomicU64);

impl Names {
    pub fn next(&self, of: &str) -> String {
        format!("{of}-{}", self.0.fetch_add(1, Relaxed))
    }
}

/// Until it is over: one after the other. What is not answered was perhaps taken, and perhaps not.
fn ask(address: SocketAddr, path: &str, is_over: &AtomicBool, mut body: impl FnMut() -> (String, Value)) -> Vec<(String, Option<Value>)> {
    let mut told = Vec::new();
    let Some(mut client) = Client::try_to(address) else { return told };
    while !is_over.load(Relaxed) {
        let (name, body) = body();
        match client.try_send("POST", path, &[("X-API-Key", OWNER_KEY)], body.to_string()) {
            Some(reply) if reply.status == 200 => told.push((name, Some(data(reply)))),
            // There was no place for it, and it has not begun.
            Some(reply) => assert_eq!(reply.status, 429, "{}", reply.text()),
            None => {
                told.push((name, None));
                break;
            }
        }
    }
    told
}

/// Events and executions come in until the process is gone, at another point each time.
fn round(bed: Bed, flags: &[&str], script: &str, names: &Arc<Names>, load: Duration) -> (Bed, Told) {
    let (address, is_over) = (bed.server.address, Arc::new(AtomicBool::new(false)));
    let execute = format!("/api/sdk/v1/scripts/{script}/execute");
    let executing = [(); 2].map(|()| {
        let (names, execute, is_over) = (names.clone(), execute.clone(), is_over.clone());
        std::thread::spawn(move || {
            ask(address, &execute, &is_over, || {
                let name = names.next("execution");
                (name.clone(), json!({ "data": { "name": name } }))
            })
        })
    });
    let sending = {
        let (names, is_over) = (names.clone(), is_over.clone());
        std::thread::spawn(move || {
            ask(address, "/api/sdk/v1/events", &is_over, || {
                let id = names.next("event");
                (id.clone(), json!({ "type": "a.b", "id": id }))
            })
        })
    };
    let until_killed = Instant::now() + load;
    while Instant::now() < until_killed {
        std::thread::yield_now();
    }
    let bed = bed.kill_and_start_again(flags);
    is_over.store(true, Relaxed);
    let mut told = Told::default();
    told.events.extend(sending.join().unwrap().into_iter().filter_map(|(id, answer)| answer.map(|_| id)));
    for (name, answer) in executing.into_iter().flat_map(|executing| executing.join().unwrap()) {
        told.asked.push(name.clone());
        if let Some(answer) = answer {
            assert_eq!(answer["status"], "completed", "{answer}");
            told.answered.push((name, answer["executionId"].as_str().unwrap().to_owned()));
        }
    }
    (bed, told)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

#[test]
fn nothing_that_was_accepted_is_lost() {
    let (world, effects) = world();
    let (allow, folder) = (world.address.to_string(), tempdir().unwrap());
    let limits = folder.path().join("limits.json");
    let spread = SPREAD.as_millis() as u64;
    write(&limits, json!({ "requestsPerMinute": 1_000_000, "manualExecutionsPerMinute": 1_000_000, "tickSpreadMs": spread }).to_string());
    let flags = ["--allow-net", &*allow, "--limits", limits.to_str().unwrap()];
    let mut bed = Bed::start_with(&flags);
    let owner = bed.owner();
    let (of_flows, script) = (owner.deployed(&effect(&world.url())), owner.deployed(&effect(&world.url())));
    let flow = owner.flow(json!({ "title": "events", "eventType": "a.b", "scriptId": of_flows }));
    let clock = |_| {
        let flow = owner.flow(json!({ "title": "ticks", "schedule": "* * * * *", "scriptId": of_flows }));
        format!("{} at {}", flow["id"].as_str().unwrap(), flow["nextRunAt"].as_str().unwrap())
    };
    let ticks: Vec<String> = (0..CLOCKS).map(clock).collect();
    let minute = Duration::from_secs((since_1970().as_secs() / 60 + 1) * 60);
    let (mut told, names) = (Told::default(), Arc::<Names>::default());
    for number in 0.. {
        if number == ROUNDS {
            // The clock of a process of its own is not moved by hand.
            std::thread::sleep((minute - Duration::from_millis(500)).saturating_sub(since_1970()));
        }
        if number > ROUNDS && since_1970() > minute + SPREAD {
            break;
        }
        let (next, of_round) = round(bed, &flags, &script, &names, Duration::from_millis(120 + 90 * (number * 7 % 5)));
        bed = next;
        told.events.extend(of_round.events);
        told.asked.extend(of_round.asked);
        told.answered.extend(of_round.answered);
    }
    let (events, answered) = (told.events.len(), told.answered.len());
    assert!(events > 100 && answered > 100, "{events} events were accepted, {answered} executions answered");
    until("everything that was accepted has happened, and each tick", || {
        let effects = effects.lock().unwrap();
        told.events.iter().chain(&ticks).all(|name| effects.contains_key(name))
    });
    until("nothing runs any more", || {
        let flow = data(bed.owner().flows("getFlow", json!({ "flowId": flow["id"] })));
        flow["executionCount"].as_u64().unwrap() >= events as u64
    });
    for (name, tries) in effects.lock().unwrap().iter() {
        let runs: BTreeSet<_> = tries.iter().map(|(_, run)| run).collect();
        assert_eq!(runs.len(), 1, "{name} is one run: {tries:?}");
        let attempts: BTreeSet<_> = tries.iter().map(|(attempt, _)| attempt).collect();
        assert_eq!(attempts.len(), tries.len(), "{name} was tried again each time that it happened again: {tries:?}");
    }
    check_history(&bed.owner(), &script, &told, &effects.lock().unwrap());
}

/// What was answered has happened once and is told as it was; what was not has happened once or never, and does not run for ever.
fn check_history(owner: &User<'_>, script: &str, told: &Told, effects: &Effects) {
    let list = |query: &str| owner.request("GET", &format!("/v1/scripts/{script}/executions?{query}"), Value::Null).json();
    until("what the process had begun is over", || list("status=running")["meta"]["total"] == 0);
    let total = list("limit=1")["meta"]["total"].as_u64().unwrap();
    let pages = (0..total.div_ceil(100)).map(|page| list(&format!("limit=100&offset={}", page * 100)));
    let history: BTreeMap<String, String> = pages
        .flat_map(|page| page["data"].as_array().unwrap().clone())
        .map(|execution| (execution["executionId"].as_str().unwrap().to_owned(), execution["status"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(history.len() as u64, total);
    for (name, id) in &told.answered {
        assert_eq!(history.get(id).map(String::as_str), Some("completed"), "{name}");
        assert_eq!(effects.get(name), Some(&vec![(0, id.clone())]), "{name}");
    }
    let asked: BTreeSet<_> = told.asked.iter().collect();
    for (name, tries) in effects.iter().filter(|(name, _)| asked.contains(name)) {
        assert_eq!(tries.len(), 1, "{name}: {tries:?}");
        assert!(history.contains_key(&tries[0].1), "{name} has happened, and is not in the history");
    }
    assert!(history.len() <= told.asked.len(), "{} were begun of {}", history.len(), told.asked.len());
    assert!(history.values().all(|status| status == "completed" || status == "failed"), "{history:?}");
}
