//! Trouble while a server is busy: a disk without room, a store that somebody else holds, deploys that run into each other. Whoever asks waits or is
//! told by a code of the contract, the server lives on, and what was accepted happens when the trouble is over.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    control::{Bed, OWNER_KEY, User, data},
    crash::{Effects, Names, effect, world},
    invocations::Gate,
    support::{Client, until, write},
};

/// Limits of a minute are none of what is tried here.
fn limits() -> TempDir {
    let folder = tempdir().unwrap();
    write(folder.path().join("limits.json"), json!({ "requestsPerMinute": 1_000_000, "manualExecutionsPerMinute": 1_000_000 }).to_string());
    folder
}

/// What was asked for, and what was answered: all of it, or the code of a failure.
struct Asked {
    kind: &'static str,
    name: String,
    answer: Result<Value, String>,
}

/// How many were answered so far.
#[derive(Default)]
struct Seen {
    accepted: AtomicUsize,
    refused: AtomicUsize,
}

impl Seen {
    /// Waits until so many more are accepted.
    fn accepts(&self, count: usize) {
        let before = self.accepted.load(Relaxed);
        until("requests are accepted", || self.accepted.load(Relaxed) >= before + count);
    }

    fn refuses(&self, count: usize) {
        let before = self.refused.load(Relaxed);
        until("requests are refused", || self.refused.load(Relaxed) >= before + count);
    }
}

/// Also where a test ends by a panic.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Executions and events come in for as long as something else happens.
fn under_load(bed: &Bed, script: &str, names: &Names, meanwhile: impl FnOnce(&Seen)) -> Vec<Asked> {
    let (seen, is_over) = (Seen::default(), AtomicBool::new(false));
    let ask = |kind: &'static str| {
        let name = names.next(kind);
        let (path, body) = match kind {
            "event" => ("/api/sdk/v1/events".to_owned(), json!({ "type": "a.b", "id": name })),
            _ => (format!("/api/sdk/v1/scripts/{script}/execute"), json!({ "data": { "name": name } })),
        };
        let reply = bed.server.client().send("POST", &path, &[("X-API-Key", OWNER_KEY)], body.to_string());
        if reply.status == 200 {
            seen.accepted.fetch_add(1, Relaxed);
            return Asked { kind, name, answer: Ok(data(reply)) };
        }
        let code = reply.code();
        assert!(matches!((reply.status, &*code), (500, "INTERNAL_ERROR") | (429, "RATE_LIMITED")), "{}", reply.text());
        seen.refused.fetch_add(1, Relaxed);
        Asked { kind, name, answer: Err(code) }
    };
    std::thread::scope(|scope| {
        let asking = ["execution", "execution", "event"].map(|kind| {
            let (ask, is_over) = (&ask, &is_over);
            scope.spawn(move || {
                let mut asked = Vec::new();
                while !is_over.load(Relaxed) {
                    asked.push(ask(kind));
                }
                asked
            })
        });
        let ends = Ends(&is_over);
        meanwhile(&seen);
        drop(ends);
        asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
    })
}

/// What was accepted has happened, each execution once; what was refused, at most once. Nothing runs for ever, and whatever has happened is told.
fn check(owner: &User<'_>, (script, flow): (&str, &Value), asked: &[Asked], effects: &Mutex<Effects>) {
    let accepted = |kind: &'static str| asked.iter().filter(move |asked| asked.kind == kind && asked.answer.is_ok());
    until("every event that was accepted has happened", || {
        let effects = effects.lock().unwrap();
        accepted("event").all(|asked| effects.contains_key(&asked.name))
    });
    let events = accepted("event").count() as u64;
    until("every run of the flow is told", || {
        data(owner.flows("getFlow", json!({ "flowId": flow["id"] })))["executionCount"].as_u64().unwrap() >= events
    });
    let list = |query: &str| owner.request("GET", &format!("/v1/scripts/{script}/executions?{query}"), Value::Null).json();
    until("every execution has an end", || list("status=running")["meta"]["total"] == 0);
    let effects = effects.lock().unwrap();
    let status = |id: &str| data(owner.dispatch("scripts", "getExecution", json!({ "executionId": id })))["status"].clone();
    for Asked { kind, name, answer } in asked {
        let tries = effects.get(name).map(Vec::as_slice).unwrap_or_default();
        let runs: Vec<_> = tries.iter().map(|(_, run)| run).collect();
        assert!(runs.windows(2).all(|two| two[0] == two[1]), "{name} is one run: {tries:?}");
        match (*kind, answer) {
            ("execution", Ok(answer)) => {
                assert_eq!((&answer["status"], tries.len()), (&json!("completed"), 1), "{name}: {tries:?}, {answer}");
                assert_eq!(&answer["executionId"], runs[0]);
                assert_eq!(status(runs[0]), "completed", "{name}");
            }
            ("execution", Err(_)) => {
                assert!(tries.len() <= 1, "{name}: {tries:?}");
                assert!(runs.iter().all(|run| status(run) == "completed"), "{name} has happened, and is not told");
            }
            _ => {}
        }
    }
}

/// A script that waits at the gate, and has begun to.
fn gated(bed: &Bed, gate: &Gate) -> (String, Client) {
    let code = format!("export const handler = async () => (await fetch('{}')).status;", gate.api.url());
    let id = bed.owner().deployed(&code);
    let before = gate.arrived();
    let mut client = bed.server.client();
    client.begin("POST", &format!("/api/sdk/v1/scripts/{id}/execute"), &[("X-API-Key", OWNER_KEY)], "{}");
    until("it waits at the gate", || gate.arrived() == before + 1);
    (id, client)
}

/// The same under a key, by which it is made once.
fn begin_once(bed: &Bed, script: &str) -> Client {
    let mut client = bed.server.client();
    let call = json!({ "scriptId": script, "idempotencyKey": "the only one" });
    client.begin("POST", "/v1/invocations", &[("X-API-Key", OWNER_KEY)], call.to_string());
    client
}

/// What ended meanwhile was told so as soon as it could be.
fn is_completed(owner: &User<'_>, script: &str, count: u64) {
    let total =
        |query: &str| owner.request("GET", &format!("/v1/scripts/{script}/executions{query}"), Value::Null).json()["meta"]["total"].clone();
    until("what ended without being written down is", || total("?status=completed") == count);
    assert_eq!(total(""), count);
}

/// No file of the server gets any longer than that: what a write gets from a disk that is full, but for the error's name.
fn room(bed: &Bed, bytes: &str) {
    let set = Command::new("prlimit").args(["--pid", &bed.server.pid().to_string(), &format!("--fsize={bytes}:unlimited")]).status();
    assert!(set.unwrap().success());
}

/// The same command, which is not killed for writing too much.
fn told_by_errors(command: &mut Command) {
    let mut shell = Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "bash"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    *command = shell;
}

#[test]
fn a_disk_without_room_loses_nothing() {
    let ((world, effects), gate, limits) = (world(), Gate::new(), limits());
    let limits = limits.path().join("limits.json");
    let allow = format!("{},{}", world.address, gate.api.address);
    let flags = ["--allow-net", &*allow, "--limits", limits.to_str().unwrap()];
    let bed = Bed::start_as(&flags, told_by_errors);
    let owner = bed.owner();
    let script = owner.deployed(&effect(&world.url()));
    let flow = owner.flow(json!({ "title": "events", "eventType": "a.b", "code": effect(&world.url()) }));
    let (waiting, mut client) = gated(&bed, &gate);
    let mut once = begin_once(&bed, &waiting);
    until("it waits, too", || gate.arrived() == 2);
    let names = Names::default();
    let mut asked = under_load(&bed, &script, &names, |seen| {
        seen.accepts(50);
        room(&bed, "4096");
        seen.refuses(50);
        // Who only reads is none the wiser.
        assert_eq!(bed.server.get("/healthz").status, 200);
        assert_eq!(data(owner.request("GET", &format!("/v1/scripts/{script}"), Value::Null))["id"], json!(script));
        gate.open();
        assert_eq!(client.read().code(), "INTERNAL_ERROR");
        assert_eq!(once.read().json()["result"], 200);
        room(&bed, "unlimited");
        seen.accepts(50);
    });
    check(&owner, (&script, &flow), &asked, &effects);
    is_completed(&owner, &waiting, 2);
    // Its outcome could not be kept, and it is not made again.
    let lost = begin_once(&bed, &waiting).read().json();
    assert_eq!((&lost["success"], &lost["error"]["code"], gate.arrived()), (&json!(false), &json!("INTERNAL_ERROR"), 2), "{lost}");
    let said = bed.server.wait_for_stderr("");
    assert!(!said.contains("panicked"), "{said}");
    // The process ends while there is no room, and the next one finds some.
    asked.extend(under_load(&bed, &script, &names, |seen| {
        room(&bed, "4096");
        seen.refuses(20);
    }));
    let bed = bed.kill_and_start_again(&flags);
    let owner = bed.owner();
    asked.extend(under_load(&bed, &script, &names, |seen| seen.accepts(20)));
    until("what the process had begun is over", || {
        let running = owner.request("GET", &format!("/v1/scripts/{script}/executions?status=running"), Value::Null).json();
        running["meta"]["total"] == 0
    });
    let accepted: Vec<_> = asked.into_iter().filter(|asked| asked.answer.is_ok()).collect();
    check(&owner, (&script, &flow), &accepted, &effects);
}

/// Another process that has the store to itself, until this is dropped.
struct Holder(Child);

impl Holder {
    fn new(bed: &Bed) -> Holder {
        let script = "import sqlite3, sys
store = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
store.execute('BEGIN EXCLUSIVE')
print('held', flush=True)
sys.stdin.read()";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(bed.data_folder().join("mirra.db")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Holder(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_store_that_another_process_holds_is_waited_for() {
    let ((world, effects), gate, limits) = (world(), Gate::new(), limits());
    let limits = limits.path().join("limits.json");
    let allow = format!("{},{}", world.address, gate.api.address);
    let bed = Bed::start_with(&["--allow-net", &allow, "--limits", limits.to_str().unwrap()]);
    let owner = bed.owner();
    let script = owner.deployed(&effect(&world.url()));
    let flow = owner.flow(json!({ "title": "events", "eventType": "a.b", "code": effect(&world.url()) }));
    let (waiting, mut client) = gated(&bed, &gate);
    let names = Names::default();
    let read = || assert_eq!(data(owner.request("GET", &format!("/v1/scripts/{script}"), Value::Null))["id"], json!(script));
    // For as long as others read a hundred times: nobody is refused.
    let mut asked = under_load(&bed, &script, &names, |seen| {
        seen.accepts(20);
        let holder = Holder::new(&bed);
        (0..100).for_each(|_| read());
        drop(holder);
        seen.accepts(20);
    });
    assert!(asked.iter().all(|asked| asked.answer.is_ok()));
    // For longer than anybody waits.
    asked.extend(under_load(&bed, &script, &names, |seen| {
        let holder = Holder::new(&bed);
        gate.open();
        seen.refuses(1);
        read();
        drop(holder);
        seen.accepts(20);
    }));
    let ended = client.read();
    assert!(ended.status == 200 || ended.code() == "INTERNAL_ERROR", "{}", ended.text());
    check(&owner, (&script, &flow), &asked, &effects);
    is_completed(&owner, &waiting, 1);
    let said = bed.server.wait_for_stderr("");
    assert!(!said.contains("panicked"), "{said}");
}

/// Two who deploy another version each time, and two who execute meanwhile.
#[test]
fn of_deploys_at_once_one_counts_and_each_run_is_of_one_version() {
    const ROUNDS: usize = 15;
    let limits = limits();
    let limits = limits.path().join("limits.json");
    let bed = Bed::start_with(&["--limits", limits.to_str().unwrap()]);
    let owner = bed.owner();
    let answering = |what: &str| format!("export const handler = (event, context) => ({{ is: '{what}', version: context.version }});");
    let script = owner.deployed(&answering("first"));
    let first = data(owner.dispatch("scripts", "listVersions", json!({ "scriptId": script })))["versions"][0]["versionId"].clone();
    // What each version answers, by its id and by its name.
    let versions = Mutex::new(HashMap::from([(first.as_str().unwrap().to_owned(), ("first".to_owned(), "1".to_owned()))]));
    let deploying = AtomicUsize::new(2);
    let runs: Vec<Value> = std::thread::scope(|scope| {
        for who in ["a", "b"] {
            let (script, versions, deploying, answering, owner) = (&script, &versions, &deploying, &answering, &owner);
            scope.spawn(move || {
                // Counted down also where it fails.
                let _ends = CountsDown(deploying);
                for round in 0..ROUNDS {
                    let is = format!("{who}-{round}");
                    let version = data(owner.request("POST", &format!("/v1/scripts/{script}/versions"), json!({ "code": answering(&is) })));
                    let id = version["versionId"].as_str().unwrap().to_owned();
                    versions.lock().unwrap().insert(id.clone(), (is, version["version"].to_string()));
                    let deployed = data(owner.request("POST", &format!("/v1/scripts/{script}/deploy"), json!({ "versionId": id })));
                    assert_eq!(deployed["version"], version["version"], "{deployed}");
                }
            });
        }
        let executing = [(); 2].map(|()| {
            let (script, deploying, owner) = (&script, &deploying, &owner);
            scope.spawn(move || {
                let mut runs = Vec::new();
                while deploying.load(Relaxed) > 0 {
                    runs.push(data(owner.request("POST", &format!("/v1/scripts/{script}/execute"), json!({}))));
                }
                runs
            })
        });
        executing.into_iter().flat_map(|executing| executing.join().unwrap()).collect()
    });
    let versions = versions.into_inner().unwrap();
    assert_eq!(versions.len(), 1 + 2 * ROUNDS);
    for run in &runs {
        let told = data(owner.dispatch("scripts", "getExecution", json!({ "executionId": run["executionId"] })));
        let (is, version) = &versions[told["versionId"].as_str().unwrap()];
        assert_eq!(run["result"], json!({ "is": is, "version": version }), "{told}");
    }
    // A version of another script is none of this one's, and changes nothing.
    let other = owner.deployed(&answering("other"));
    let others = data(owner.dispatch("scripts", "listVersions", json!({ "scriptId": other })))["versions"][0]["versionId"].clone();
    let before = data(owner.request("GET", &format!("/v1/scripts/{script}"), Value::Null));
    let refused = owner.request("POST", &format!("/v1/scripts/{script}/deploy"), json!({ "versionId": others }));
    assert_eq!((refused.status, refused.code().as_str()), (404, "NOT_FOUND"));
    let is_one = |owner: &User<'_>| {
        let shown = data(owner.request("GET", &format!("/v1/scripts/{script}"), Value::Null));
        assert_eq!((&shown["versionId"], &shown["status"]), (&before["versionId"], &json!("deployed")), "{shown}");
        let (is, version) = &versions[shown["versionId"].as_str().unwrap()];
        assert_eq!(shown["activeVersion"].to_string(), *version);
        let listed = data(owner.dispatch("scripts", "listVersions", json!({ "scriptId": script })));
        let active: Vec<_> = listed["versions"].as_array().unwrap().iter().filter(|version| version["isActive"] == true).collect();
        assert_eq!((active.len(), &active[0]["versionId"]), (1, &shown["versionId"]));
        let run = data(owner.request("POST", &format!("/v1/scripts/{script}/execute"), json!({})));
        assert_eq!(run["result"], json!({ "is": is, "version": version }));
    };
    is_one(&owner);
    let bed = bed.kill_and_start_again(&["--limits", limits.to_str().unwrap()]);
    is_one(&bed.owner());
}

struct CountsDown<'a>(&'a AtomicUsize);

impl Drop for CountsDown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
