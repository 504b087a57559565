//! The control plane over its API: keys, limits, and what outlives the process.

use std::{
    collections::HashSet,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{Client, Reply, Server, fixtures, mirra, run, write};

pub use crate::support::OWNER_KEY;

/// A server with a store of its own. What it serves needs no engine, which would have to be compiled for it.
pub struct Bed {
    data: TempDir,
    pub server: Server,
}

/// A client with a key.
pub struct User<'a> {
    pub server: &'a Server,
    pub key: String,
}

impl Bed {
    pub fn start() -> Bed {
        Bed::start_with(&[])
    }

    pub fn start_with(flags: &[&str]) -> Bed {
        Bed::start_as(flags, |_| {})
    }

    pub fn start_as(flags: &[&str], configure: impl FnOnce(&mut std::process::Command)) -> Bed {
        let data = tempdir().unwrap();
        Bed { server: serve(data.path(), flags, configure), data }
    }

    /// Where everything is kept.
    pub fn data_folder(&self) -> &Path {
        self.data.path()
    }

    pub fn owner(&self) -> User<'_> {
        User { server: &self.server, key: OWNER_KEY.to_owned() }
    }

    /// Ends the process as a crash would.
    pub fn kill_and_start_again(mut self, flags: &[&str]) -> Bed {
        self.server.signal("KILL");
        self.server.wait();
        Bed { server: serve(self.data.path(), flags, |_| {}), data: self.data }
    }
}

fn serve(data: &Path, flags: &[&str], configure: impl FnOnce(&mut std::process::Command)) -> Server {
    let echo = data.join("echo.wasm");
    write(&echo, wat::parse_file(fixtures("components/echo.wat")).unwrap());
    Server::start_with(&[&echo], &["--data", data.to_str().unwrap()], |command| {
        command.args(flags);
        command.env("MIRRA_OWNER_KEY", OWNER_KEY);
        configure(command);
    })
}

impl<'a> User<'a> {
    fn send(&self, client: &mut Client, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        client.send(method, &format!("/api/sdk{path}"), &[("X-API-Key", &self.key)], body)
    }

    pub fn request(&self, method: &str, path: &str, body: Value) -> Reply {
        self.send(&mut self.server.client(), method, path, &body)
    }

    /// The way that newer clients take.
    pub fn dispatch(&self, resource: &str, method: &str, params: Value) -> Reply {
        self.request("POST", "/v2/resources/call", json!({ "resourceId": resource, "method": method, "params": params }))
    }

    #[track_caller]
    pub fn memory(&self, method: &str, params: Value) -> Value {
        data(self.dispatch("memory", method, params))
    }

    pub fn sub_account(&self, name: &str) -> (User<'a>, Value) {
        let made = data(self.request("POST", "/v1/accounts/subaccounts", json!({ "displayName": name })));
        (User { server: self.server, key: made["apiKey"].as_str().unwrap().to_owned() }, made)
    }
}

#[track_caller]
pub fn data(reply: Reply) -> Value {
    let json = reply.json();
    assert_eq!((reply.status, &json["success"]), (200, &json!(true)), "{json}");
    json["data"].clone()
}

/// Status, code and field.
pub fn refusal(reply: &Reply) -> (u16, String, String) {
    let field = reply.json()["error"]["details"]["field"].as_str().unwrap_or_default().to_owned();
    (reply.status, reply.code(), field)
}

#[test]
fn the_first_start_makes_a_key_and_shows_it_once() {
    let data = tempdir().unwrap();
    let start = || serve(data.path(), &[], |command| _ = command.env_remove("MIRRA_OWNER_KEY"));
    let key = {
        let server = start();
        let said = server.wait_for_stderr("mirra_sk_");
        let key = said.split_whitespace().find(|word| word.starts_with("mirra_sk_")).unwrap().to_owned();
        assert_eq!(User { server: &server, key: key.clone() }.memory("query", json!({}))["totalCount"], 0);
        key
    };
    let server = start();
    let status = |headers: &[(&str, &str)]| server.client().send("POST", "/api/sdk/v1/memory/query", headers, "{}").status;
    assert_eq!(status(&[("Authorization", &format!("Bearer {key}"))]), 200);
    assert_eq!(status(&[("X-API-Key", &key)]), 200);
    assert_eq!((status(&[]), status(&[("X-API-Key", &key[1..])]), status(&[("X-API-Key", "")])), (401, 401, 401));
    // No other was made by the second start.
    let keys = User { server: &server, key: key.clone() }.request("GET", "/v1/keys", Value::Null).json();
    assert_eq!(keys["data"].as_array().unwrap().len(), 1, "{keys}");
    // Not even its hash's preimage is anywhere on disk.
    for file in ["mirra.db", "mirra.db-wal"] {
        let bytes = std::fs::read(data.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{file}");
    }
}

#[test]
fn nobody_else_on_the_machine_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::start();
    bed.owner().memory("create", json!({ "type": "note", "content": "x" }));
    let backup = bed.data.path().join("copy.db");
    run(&mut mirra(&["backup", backup.to_str().unwrap(), "--data", bed.data.path().to_str().unwrap()]), "");
    for file in ["mirra.db", "mirra.db-wal", "mirra.lock", "copy.db"] {
        let mode = std::fs::metadata(bed.data.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}

#[test]
fn keys_open_what_they_were_made_for_until_they_are_revoked() {
    let bed = Bed::start();
    let owner = bed.owner();
    let (ada, _) = owner.sub_account("Ada");
    let key = data(ada.request("POST", "/v1/keys", json!({ "name": "reader", "scopes": ["memory"] })));
    let reader = User { server: &bed.server, key: key["key"].as_str().unwrap().to_owned() };
    assert_eq!(reader.memory("query", json!({}))["count"], 0);
    assert_eq!(reader.request("POST", "/v1/keys", json!({ "name": "more" })).code(), "RESOURCE_DENIED");
    let keys = ada.request("GET", "/v1/keys", Value::Null);
    assert!(!keys.text().contains(&reader.key) && keys.text().contains("reader"), "{}", keys.text());
    let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(owner.request("DELETE", &path, Value::Null).code(), "NOT_FOUND");
    data(ada.request("DELETE", &path, Value::Null));
    assert_eq!(reader.request("POST", "/v1/memory/query", json!({})).status, 401);
    assert_eq!(refusal(&ada.request("POST", "/v1/keys", json!({ "name": "x", "scopes": ["all"] }))).2, "scopes");
}

/// Alone, as older clients read them, or a part of them.
#[test]
fn lists_tell_how_much_there_is() {
    let bed = Bed::start();
    let owner = bed.owner();
    let (_, ada) = owner.sub_account("Ada");
    owner.sub_account("Bob");
    let team = data(owner.request("POST", "/v1/teams", json!({ "name": "One" })));
    data(owner.request("POST", "/v1/teams", json!({ "name": "Two" })));
    let members = format!("/v1/teams/{}/members", team["id"].as_str().unwrap());
    data(owner.request("POST", &members, json!({ "username": ada["username"] })));
    for name in ["first", "second"] {
        data(owner.request("POST", "/v1/keys", json!({ "name": name })));
    }
    for resource in ["telegram", "slack"] {
        data(owner.request("POST", &format!("/v1/resources/resource_{resource}/install"), Value::Null));
    }
    for path in ["/v1/keys", "/v1/accounts/subaccounts", "/v1/teams", "/v1/resources/installations", &members] {
        let list = |query: &str| {
            let json = owner.request("GET", &format!("{path}{query}"), Value::Null).json();
            (json["data"].as_array().unwrap_or_else(|| panic!("{path}: {json}")).clone(), json["meta"].clone())
        };
        let (all, meta) = list("");
        assert_eq!((all.len(), &meta["total"], &meta["offset"]), (2, &json!(2), &json!(0)), "{path}");
        assert_eq!(list("?limit=1&offset=1"), (vec![all[1].clone()], json!({ "total": 2, "limit": 1, "offset": 1 })), "{path}");
        assert_eq!(list("?offset=5").0, Vec::<Value>::new(), "{path}");
        let refused = owner.request("GET", &format!("{path}?limit=many"), Value::Null);
        assert_eq!(refusal(&refused), (400, "VALIDATION_ERROR".to_owned(), "limit".to_owned()), "{path}");
    }
}

#[test]
fn a_key_has_a_thousand_requests_a_minute() {
    let bed = Bed::start();
    let (ada, _) = bed.owner().sub_account("Ada");
    let mut client = bed.server.client();
    let mut ask = || ada.send(&mut client, "POST", "/v1/memory/findOne", &json!({ "id": "x" }));
    let first = ask();
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), (Some("1000"), Some("999")));
    let resets_at: u64 = first.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!(resets_at > 1_700_000_000);
    let refused = (0..3_000).map(|_| ask()).find(|reply| reply.status != 200).expect("is refused at last");
    assert_eq!((refused.status, refused.code().as_str(), refused.header("x-ratelimit-remaining")), (429, "RATE_LIMITED", Some("0")));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(bed.owner().memory("query", json!({}))["count"], 0);
}

/// What was answered is kept, whenever the process is killed.
#[test]
fn nothing_that_was_accepted_is_lost() {
    let mut bed = Bed::start();
    let accounts: Vec<String> = (0..4).map(|number| bed.owner().sub_account(&format!("Writer {number}")).0.key).collect();
    let mut accepted = HashSet::new();
    for round in 0..3 {
        let count = AtomicUsize::new(0);
        let of_round: Vec<String> = thread::scope(|scope| {
            let writers: Vec<_> = accounts.iter().map(|key| scope.spawn(|| write_until_killed(&bed.server, key, round, &count))).collect();
            while count.load(Relaxed) < 100 {
                thread::yield_now();
            }
            bed.server.signal("KILL");
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
        });
        accepted.extend(of_round);
        bed = bed.kill_and_start_again(&[]);
    }
    let mut kept = HashSet::new();
    for key in accounts {
        let user = User { server: &bed.server, key };
        let total = user.memory("query", json!({}))["totalCount"].as_u64().unwrap();
        let pages = (0..total.div_ceil(100)).map(|page| user.memory("query", json!({ "limit": 100, "offset": page * 100 })));
        let ids: Vec<String> = pages
            .flat_map(|page| page["results"].as_array().unwrap().clone())
            .map(|result| result["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len() as u64, total);
        kept.extend(ids);
    }
    assert!(accepted.len() >= 300 && accepted.is_subset(&kept), "{} were accepted, {} kept", accepted.len(), kept.len());
    // What was being written may be there as well.
    assert!(kept.len() <= accepted.len() + 3 * 4);
}

/// Ids that the server has confirmed. Its end breaks off the last one.
fn write_until_killed(server: &Server, key: &str, round: usize, count: &AtomicUsize) -> Vec<String> {
    let mut confirmed = Vec::new();
    let write = || {
        let body = json!({ "type": "note", "content": format!("round {round}") }).to_string();
        server.client().send("POST", "/api/sdk/v1/memory", &[("X-API-Key", key)], body)
    };
    while let Ok(reply) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write)) {
        if reply.status == 200 {
            confirmed.push(data(reply)["id"].as_str().unwrap().to_owned());
        }
        count.fetch_add(1, Relaxed);
    }
    confirmed
}

#[test]
fn a_backup_is_whole_and_made_while_the_server_runs() {
    let bed = Bed::start();
    bed.owner().memory("create", json!({ "type": "note", "name": "kept", "content": "x" }));
    let restored = tempdir().unwrap();
    let file = restored.path().join("mirra.db");
    let backup = || run(&mut mirra(&["backup", file.to_str().unwrap(), "--data", bed.data.path().to_str().unwrap()]), "");
    let ended = backup();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(backup().stderr.contains("already"));
    bed.owner().memory("create", json!({ "type": "note", "name": "later", "content": "x" }));
    let server = serve(restored.path(), &[], |_| {});
    let user = User { server: &server, key: OWNER_KEY.to_owned() };
    assert_eq!(user.memory("findOne", json!({ "filters": { "name": "kept" } }))["content"], "x");
    assert_eq!(user.memory("query", json!({}))["totalCount"], 1);
}
