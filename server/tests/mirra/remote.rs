//! The commands that ask a server, as people and programs use them.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    control::{Bed, OWNER_KEY, data},
    support::{Ended, Server, answering, mirra, run, until, write},
};

/// A server, and somebody with its owner's key who has kept nothing.
struct Desk {
    bed: Bed,
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { bed: Bed::start(), folder: tempdir().unwrap() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.bed.server.address)
    }

    /// A command, in a folder of its own.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mirra(arguments);
        command.current_dir(self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path().join("config"));
        command.env("MIRRA_URL", self.url()).env("MIRRA_API_KEY", OWNER_KEY);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run(&mut self.command(arguments), "")
    }

    /// What is printed for people.
    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        assert!(!ended.stdout.contains('\x1b'), "no colours into a pipe: {}", ended.stdout);
        ended.stdout
    }

    /// What is printed for programs.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        ended.json()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], texts: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {}", ended.stderr);
        for text in texts {
            assert!(ended.stderr.contains(text), "{text:?} is not in {}", ended.stderr);
        }
        ended
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        write(self.folder.path().join(name), content);
    }
}

/// The lines of a table, each as its cells.
fn cells(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

#[test]
fn a_file_is_deployed_run_and_rolled_back() {
    let desk = Desk::new();
    desk.write("greeter.ts", answering("'Hello, ' + event.data.name"));
    let made = desk.text(&["deploy", "greeter.ts", "--message", "the first"]);
    for text in
        ["script     greeter", "version    1, deployed in ", "mirra_sk_", "mirra scripts run greeter --event", "/execute -H \"X-API-Key:"]
    {
        assert!(made.contains(text), "{text:?} is not in {made}");
    }
    let ended = desk.run(&["scripts", "run", "greeter", "--event", r#"{"name":"Ada"}"#]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "\"Hello, Ada\"\n"), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("exec_") && ended.stderr.trim().ends_with(" USD"), "{}", ended.stderr);

    desk.write("greeter.ts", answering("'Good day, ' + event.data.name"));
    let made = desk.json(&["deploy", "greeter.ts", "-m", "more polite"]);
    assert_eq!(
        (&made["created"], &made["version"]["version"], &made["deployment"]["version"]),
        (&json!(false), &json!(2), &json!(2)),
        "{made}"
    );
    assert_eq!(desk.text(&["scripts", "run", "greeter", "-e", r#"{"name":"Bo"}"#]), "\"Good day, Bo\"\n");
    let versions = desk.text(&["scripts", "versions", "greeter"]);
    let rows = cells(&versions);
    assert_eq!((rows[0][0], &rows[1][..3], rows[2][0]), ("VERSION", &["2", "yes", "deployed"][..], "1"), "{versions}");
    assert!(versions.contains("more polite") && versions.contains("the first"), "{versions}");

    assert_eq!(desk.text(&["scripts", "rollback", "greeter"]), "version 1 runs from now on\n");
    assert_eq!(desk.text(&["scripts", "run", "greeter", "-e", r#"{"name":"Cy"}"#]), "\"Hello, Cy\"\n");
    desk.refused(&["scripts", "rollback", "greeter"], &["no version before"]);
    desk.text(&["scripts", "rollback", "greeter", "2"]);
    desk.refused(&["scripts", "rollback", "greeter", "7"], &["Version not found", "NOT_FOUND"]);
    assert_eq!(desk.text(&["scripts", "code", "greeter"]), answering("'Good day, ' + event.data.name"));
    assert_eq!(desk.text(&["scripts", "code", "greeter", "--version", "1"]), answering("'Hello, ' + event.data.name"));

    let history = desk.text(&["scripts", "history", "greeter", "--limit", "2"]);
    assert_eq!((cells(&history).len(), cells(&history)[1][2]), (3, "completed"), "{history}");
    assert!(desk.run(&["scripts", "history", "greeter", "--limit", "2"]).stderr.contains("there are 3: --offset 2 shows more"));
    let list = desk.text(&["scripts", "list"]);
    assert_eq!((cells(&list)[1][0], cells(&list)[1][2], cells(&list)[1][4]), ("greeter", "deployed", "3"), "{list}");
    assert!(desk.text(&["scripts", "show", "greeter"]).contains("runtime   nodejs18"));
    assert_eq!(desk.text(&["scripts", "delete", "greeter"]), "greeter is deleted\n");
    assert!(desk.text(&["scripts", "list"]).contains("no scripts yet: 'mirra deploy HANDLER'"));
}

#[test]
fn a_folder_is_sent_with_its_own_sources_and_nothing_else() {
    let desk = Desk::new();
    desk.write("shop/package.json", r#"{"name":"shop","main":"src/main.ts"}"#);
    desk.write("shop/src/main.ts", "import { price } from './price';\nexport const handler = (event) => price(event.data.count);\n");
    desk.write("shop/src/price.ts", "export const price = (count: number) => count * 3;\n");
    desk.write("shop/logo.png", b"\x89PNG\0\xff");
    desk.write("shop/latin1.txt", b"caf\xe9");
    desk.write("shop/.env", "SECRET=never");
    desk.write("shop/node_modules/left/index.js", "throw 1;");
    desk.write("shop/__pycache__/x.py", "");
    std::os::unix::fs::symlink("/etc/passwd", desk.folder.path().join("shop/users.txt")).unwrap();
    let ended = desk.run(&["deploy", "shop"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for text in ["left out logo.png: binary", "left out latin1.txt: binary", "left out users.txt: a link"] {
        assert!(ended.stderr.contains(text), "{text:?} is not in {}", ended.stderr);
    }
    assert_eq!(desk.text(&["scripts", "run", "shop", "-e", r#"{"count":14}"#]), "42\n");
    // What the server has of it.
    let mut sent: Vec<String> = Vec::new();
    for folder in std::fs::read_dir(desk.bed.data_folder().join("scripts")).unwrap() {
        names_below(&folder.unwrap().path(), "", &mut sent);
    }
    sent.sort();
    assert_eq!(sent, ["package.json", "src/main.ts", "src/price.ts"]);
    // The same from inside of it, and under another name.
    let mut here = desk.command(&["deploy", "."]);
    assert_eq!(run(here.current_dir(desk.folder.path().join("shop")), "").code, 0);
    assert_eq!(desk.json(&["scripts", "list"])["count"], 1);
    desk.text(&["deploy", "shop", "--name", "other shop"]);
    assert_eq!(desk.text(&["scripts", "run", "other shop", "-e", r#"{"count":1}"#]), "3\n");
}

fn names_below(folder: &Path, below: &str, names: &mut Vec<String>) {
    for child in std::fs::read_dir(folder).unwrap() {
        let child = child.unwrap();
        let name = format!("{below}{}", child.file_name().to_str().unwrap());
        if child.path().is_dir() { names_below(&child.path(), &format!("{name}/"), names) } else { names.push(name) }
    }
}

#[test]
fn what_cannot_be_deployed_says_why_and_leaves_nothing() {
    let desk = Desk::new();
    desk.write("broken.ts", "export const handler = () => {\n  return 1 +;\n};\n");
    let ended = desk.refused(&["deploy", "broken.ts"], &["broken.ts:2:13: ", "return 1 +;", "Nothing was made."]);
    assert!(ended.stderr.contains('^') || ended.stderr.contains('│') || ended.stderr.contains('|'), "no frame: {}", ended.stderr);
    assert!(desk.text(&["scripts", "list"]).contains("no scripts yet"));
    // A version that is rejected keeps the one before.
    desk.write("broken.ts", answering("1"));
    desk.text(&["deploy", "broken.ts"]);
    desk.write("broken.ts", "export const handler = (;");
    desk.refused(&["deploy", "broken.ts"], &["broken.ts:1:", "the version before goes on running"]);
    assert_eq!(desk.text(&["scripts", "run", "broken"]), "1\n");

    desk.write("empty/readme.md", "nothing");
    desk.refused(&["deploy", "empty"], &["there is no handler in empty", "mirra new"]);
    desk.refused(&["deploy", "no/such"], &["no/such", "No such file"]);
    desk.write("handler.wasm", b"\0asm");
    desk.refused(&["deploy", "handler.wasm"], &["handler.wasm", "kept as texts", "mirra serve"]);
    desk.write("binary.ts", b"export const handler = '\0';");
    desk.refused(&["deploy", "binary.ts"], &["binary.ts is not a text"]);
    desk.write("large/handler.ts", answering("1"));
    desk.write("large/table.json", format!("\"{}\"", "x".repeat(8 << 20)));
    desk.write("large/more.json", format!("\"{}\"", "x".repeat(1 << 20)));
    let large = desk.run(&["deploy", "large"]);
    assert!(large.stderr.contains("left out table.json: longer than the 8388608 bytes"), "{}", large.stderr);
    desk.write("large/half.json", format!("\"{}\"", "x".repeat(7 << 20)));
    desk.write("large/rest.json", format!("\"{}\"", "x".repeat(2 << 20)));
    desk.refused(&["deploy", "large"], &["larger than the 8388608 bytes", "The largest: half.json (7.0 MB)"]);
}

#[test]
fn names_that_are_unknown_or_several_are_told_apart() {
    let desk = Desk::new();
    desk.write("greeter.ts", answering("1"));
    desk.text(&["deploy", "greeter.ts"]);
    desk.refused(&["scripts", "show", "greter"], &["there is no script 'greter'", "Did you mean 'greeter'?"]);
    desk.refused(&["scripts", "show", "zzz"], &["there is no script 'zzz'", "mirra scripts list"]);
    desk.refused(&["flows", "show", "zzz"], &["there is no flow 'zzz'", "mirra flows list"]);
    desk.refused(&["logs", "zzz"], &["there is no script or flow 'zzz'"]);
    desk.refused(&["scripts", "show", "0123456789abcdef01234567"], &["Script not found", "NOT_FOUND"]);
    // Another one of the same name, made by other means.
    let owner = desk.bed.owner();
    let other = data(owner.request("POST", "/v1/scripts", json!({ "name": "greeter", "code": answering("2") })));
    let other = other["id"].as_str().unwrap();
    desk.refused(&["scripts", "run", "greeter"], &["'greeter' is the name of 2", "by its id", other]);
    desk.refused(&["deploy", "greeter.ts"], &["'greeter' is the name of 2", other]);
    desk.text(&["deploy", "greeter.ts", "--name", other]);
    assert_eq!(desk.text(&["scripts", "run", other]), "1\n");
}

#[test]
fn a_run_that_fails_ends_as_mirra_run_does() {
    let desk = Desk::new();
    desk.write(
        "odd.js",
        "export const handler = (event) => { console.log('hi'); if (event.data.loop) for (;;) {} throw new TypeError('no'); };",
    );
    desk.text(&["deploy", "odd.js"]);
    let ended = desk.run(&["scripts", "run", "odd"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(ended.stderr.starts_with("info hi\nHANDLER_ERROR: TypeError: no\n"), "{}", ended.stderr);
    let ended = desk.run(&["scripts", "run", "odd", "--json"]);
    assert_eq!((ended.code, &ended.json()["error"]["code"]), (1, &json!("HANDLER_ERROR")));
    desk.refused(&["scripts", "run", "odd", "-e", "{name}"], &["not JSON"]);
    desk.refused(&["scripts", "run", "odd", "-e", "@no/such.json"], &["no/such.json"]);
    let id = desk.json(&["scripts", "show", "odd"])["id"].as_str().unwrap().to_owned();
    data(desk.bed.owner().request("PATCH", &format!("/v1/scripts/{id}"), json!({ "config": { "timeout": 1 } })));
    assert_eq!(desk.run(&["scripts", "run", "odd", "-e", r#"{"loop":true}"#]).code, 3);
}

#[test]
fn flows_are_made_tried_paused_and_deleted() {
    let desk = Desk::new();
    desk.write("greeter.ts", answering("'Hello, ' + (event.data.name ?? 'nobody')"));
    desk.text(&["deploy", "greeter.ts"]);
    let daily = desk.text(&[
        "flows",
        "create",
        "--title",
        "daily",
        "--schedule",
        "0 9 * * *",
        "--script",
        "greeter",
        "--input",
        r#"{"name":"Ada"}"#,
    ]);
    assert!(daily.contains("started by  0 9 * * *") && daily.contains("next run"), "{daily}");
    let condition = r#"{"field":"content.text","operator":"contains","value":"urgent"}"#;
    desk.text(&["flows", "create", "--title", "urgent", "--event", "telegram.message", "--where", condition, "--script", "greeter"]);
    assert!(desk.text(&["flows", "create", "--title", "hook", "--webhook", "--script", "greeter"]).contains("/hooks/"));
    let list = desk.text(&["flows", "list"]);
    let titles: Vec<_> = cells(&list).iter().skip(1).map(|row| (row[0], row[2], row[3])).collect();
    assert_eq!(
        titles,
        [("hook", "active", "webhook"), ("urgent", "active", "telegram.message"), ("daily", "active", "0 9 * * *")],
        "{list}"
    );

    let ended = desk.run(&["flows", "run", "daily"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "\"Hello, Ada\"\n"), "{}", ended.stderr);
    assert_eq!(desk.text(&["flows", "run", "daily", "--input", r#"{"name":"Bo"}"#]), "\"Hello, Bo\"\n");
    let shown = desk.text(&["flows", "show", "daily"]);
    assert!(shown.contains("EXECUTION") && shown.contains("exec_"), "{shown}");

    let matching = desk.text(&["flows", "test", "urgent", "--set", "content.text=urgent!"]);
    assert!(matching.ends_with("the flow starts\n"), "{matching}");
    let other = desk.run(&["flows", "test", "urgent", "--set", "content.text=later"]);
    assert_eq!(other.code, 1, "{}", other.stderr);
    assert!(other.stdout.contains("no") && other.stdout.ends_with("the flow does not start\n"), "{}", other.stdout);
    desk.refused(&["flows", "test", "urgent", "--set", "content.text"], &["it has no ="]);

    assert_eq!(desk.text(&["flows", "pause", "daily"]), "daily is paused\n");
    assert_eq!(desk.json(&["flows", "show", "daily"])["status"], "paused");
    desk.text(&["flows", "resume", "daily"]);
    assert_eq!(desk.json(&["flows", "show", "daily"])["status"], "active");
    desk.text(&["flows", "delete", "daily"]);
    assert_eq!(desk.json(&["flows", "list"])["count"], 2);

    let wrong = ["Invalid cron expression: Expected 5 fields, got 4", r#""cronExpression":"0 9 * *""#];
    desk.refused(&["flows", "create", "--title", "x", "--schedule", "0 9 * *", "--script", "greeter"], &wrong);
    desk.refused(&["flows", "create", "--title", "x", "--script", "greeter"], &["--schedule", "--event", "--webhook"]);
    desk.refused(&["flows", "create", "--title", "x", "--webhook"], &["--script", "--prompt"]);
    desk.refused(&["flows", "create", "--title", "x", "--webhook", "--script", "nobody"], &["there is no script 'nobody'"]);
}

#[test]
fn events_start_flows_and_their_logs_are_told() {
    let desk = Desk::new();
    desk.write("noisy.ts", "export const handler = (event) => { console.warn('got', event.content.text); return 1; };");
    desk.text(&["deploy", "noisy.ts"]);
    desk.text(&["flows", "create", "--title", "orders", "--event", "order.placed", "--script", "noisy"]);
    let mut following = desk.command(&["logs", "orders", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();

    desk.write("event.json", r#"{"type":"order.placed","id":"1","content":{"text":"a book\u001b[2J"}}"#);
    let sent = desk.text(&["events", "send", "event.json"]);
    assert_eq!((cells(&sent)[1][0], cells(&sent)[1][1], cells(&sent)[1][3]), ("1", "order.placed", "1"), "{sent}");
    assert!(desk.text(&["events", "send", "event.json"]).contains("it had come before"));
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains(" warn exec_") && line.ends_with(r"got a book\u{1b}[2J"), "{line}");
    // One by one, from stdin, and each once.
    for text in ["second", "third"] {
        let event = json!([{ "type": "order.placed", "content": { "text": text } }]);
        let ended = run(&mut desk.command(&["events", "send", "-"]), event.to_string());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let line = lines.next().unwrap().unwrap();
        assert!(line.ends_with(&format!("got {text}")), "{line}");
    }
    following.kill().unwrap();
    following.wait().unwrap();
    assert_eq!(lines.next().map(Result::unwrap), None);

    // The same by the script's name, without waiting.
    let logs = desk.text(&["logs", "noisy", "-n", "2"]);
    let messages: Vec<_> = logs.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(messages, ["second", "third"], "{logs}");
    let types = desk.text(&["events", "types", "--source", "telegram"]);
    assert!(types.contains("telegram.message"), "{types}");
    run(&mut desk.command(&["events", "send", "-"]), "{");
    desk.refused(&["events", "send", "no-such.json"], &["no-such.json"]);
    desk.write("event.json", "{");
    desk.refused(&["events", "send", "event.json"], &["event.json is not JSON"]);
    desk.write("event.json", "{}");
    desk.refused(&["events", "send", "event.json"], &["VALIDATION_ERROR", "type"]);
}

#[test]
fn logs_of_a_script_go_on_with_what_is_run() {
    let desk = Desk::new();
    desk.write(
        "noisy.js",
        "export const handler = (event) => { console.log('run', event.data.n); if (event.data.n == 2) throw new Error('odd'); };",
    );
    desk.text(&["deploy", "noisy.js"]);
    let call = |n: u32| run(&mut desk.command(&["scripts", "run", "noisy", "-e", &json!({ "n": n }).to_string()]), "").code;
    assert_eq!((call(0), call(1)), (0, 0));
    let mut following = desk.command(&["logs", "noisy", "-f", "-n", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().ends_with(" run 1"));
    assert_eq!((call(2), call(3)), (1, 0));
    assert!(lines.next().unwrap().ends_with(" run 2"));
    let failed = lines.next().unwrap();
    assert!(failed.contains(" error exec_") && failed.ends_with("HANDLER_ERROR: odd"), "{failed}");
    assert!(lines.next().unwrap().ends_with(" run 3"));
    assert!(following.try_wait().unwrap().is_none());
    following.kill().unwrap();
    following.wait().unwrap();
    assert_eq!(lines.next(), None);
    let whole: Value = serde_json::from_str(desk.text(&["logs", "noisy", "-n", "1", "--json"]).trim()).unwrap();
    assert_eq!((&whole["logEntries"][0]["level"], &whole["input"]["n"]), (&json!("info"), &json!(3)), "{whole}");
}

#[test]
fn keys_and_resources_and_notifications() {
    let desk = Desk::new();
    let made = desk.json(&["keys", "create", "for the shop", "--scope", "memory"]);
    assert!(made["key"].as_str().unwrap().starts_with("mirra_sk_"));
    let list = desk.text(&["keys", "list"]);
    assert!(list.contains("for the shop") && list.contains("memory") && !list.contains(made["key"].as_str().unwrap()), "{list}");
    let id = made["id"].as_str().unwrap();
    let limited = |arguments: &[&str]| run(desk.command(arguments).env("MIRRA_API_KEY", made["key"].as_str().unwrap()), "");
    let denied = limited(&["scripts", "list"]);
    assert!(denied.code != 0 && denied.stderr.contains("RESOURCE_DENIED"), "{}", denied.stderr);
    assert_eq!(desk.text(&["keys", "revoke", id]), format!("{id} is revoked\n"));
    desk.refused(&["keys", "revoke", id], &["no such key"]);
    desk.refused(&["keys", "create", "x", "--scope", "nothing"], &["there is no scope 'nothing'"]);

    assert!(desk.text(&["resources", "list"]).contains("nothing is installed"));
    let found = desk.text(&["resources", "search", "telegram"]);
    let name = cells(&found)[1][0].to_owned();
    desk.text(&["resources", "install", &name]);
    assert!(desk.text(&["resources", "list"]).contains("mirra."));
    desk.refused(&["resources", "install", &name], &["CONFLICT", "already"]);
    desk.text(&["resources", "uninstall", &name]);
    desk.refused(&["resources", "uninstall", &name], &["is not installed"]);
    desk.refused(&["resources", "install", "nothing of the kind"], &["NOT_FOUND"]);
    assert_eq!(desk.text(&["notifications"]), "nothing to know\n");
    assert_eq!(desk.json(&["notifications"])["count"], 0);
    assert_eq!(desk.text(&["notifications", "--mark-read"]), "0 were marked as read\n");
}

#[test]
fn a_key_is_kept_for_its_server_alone() {
    let desk = Desk::new();
    let bare = |arguments: &[&str]| {
        let mut command = desk.command(arguments);
        command.env_remove("MIRRA_API_KEY").env_remove("MIRRA_URL");
        command
    };
    let url = desk.url();
    let nothing = run(&mut bare(&["scripts", "list"]), "");
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
    for text in ["there is no key for http://127.0.0.1:3000", "MIRRA_API_KEY", "mirra login"] {
        assert!(nothing.stderr.contains(text), "{text:?} is not in {}", nothing.stderr);
    }
    let config = desk.folder.path().join("config/mirra/config.toml");
    // One that the server does not know is not kept.
    let wrong = run(&mut bare(&["login", "--url", &url]), "wrong\n");
    assert!(wrong.code == 2 && wrong.stderr.contains("does not know this key") && !config.exists(), "{}", wrong.stderr);
    assert!(run(&mut bare(&["login", "--url", &url]), "\n").stderr.contains("stdin holds no key"));
    let login = run(&mut bare(&["login", "--url", &format!("{url}/")]), format!("{OWNER_KEY}\n"));
    assert_eq!((login.code, login.stdout.as_str()), (0, ""), "{}", login.stderr);
    assert!(!login.stderr.contains(OWNER_KEY), "{}", login.stderr);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&config).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(run(&mut bare(&["scripts", "list", "--json"]), "").json()["count"], 0);
    // Another server never sees it.
    let other = run(&mut bare(&["scripts", "list", "--url", "http://127.0.0.1:9"]), "");
    assert!(other.code == 2 && other.stderr.contains("there is no key for http://127.0.0.1:9"), "{}", other.stderr);
    // What the environment says counts for more.
    let ended = run(bare(&["scripts", "list"]).env("MIRRA_API_KEY", "another"), "");
    assert!(ended.code == 2 && ended.stderr.contains("there is no such key") && ended.stderr.contains("mirra login"), "{}", ended.stderr);
    write(&config, "url = 7");
    let broken = run(&mut bare(&["scripts", "list"]), "");
    assert!(broken.code == 2 && broken.stderr.contains("config.toml cannot be used"), "{}", broken.stderr);
}

#[test]
fn servers_that_are_none_are_told() {
    let desk = Desk::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = desk.run(&["scripts", "list", "--url", &format!("http://{free}")]);
    assert_eq!(nobody.code, 4);
    assert!(nobody.stderr.contains("connection refused") && nobody.stderr.contains("mirra serve"), "{}", nobody.stderr);
    desk.refused(&["scripts", "list", "--url", "example.com"], &["'example.com' is no URL of a server", "http://HOST:PORT"]);
    let elsewhere = desk.run(&["scripts", "list", "--url", &format!("{}/elsewhere", desk.url())]);
    assert!(elsewhere.code != 0 && !elsewhere.stderr.is_empty(), "{}", elsewhere.stderr);
}

#[test]
fn dev_shows_addresses_calls_and_logs_and_finds_a_port() {
    let folder = tempdir().unwrap();
    write(
        folder.path().join("greeter.js"),
        "export const handler = (event) => { console.log('hello'); if (event.bad) throw new Error('no'); return 1; };",
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut command = mirra(&["dev", "--listen", &format!("127.0.0.1:{port}")]);
    command.arg(folder.path());
    let server = Server::start_by(command);
    assert_ne!(server.address.port(), port);
    server.wait_for_stderr(&format!("greeter: http://{}/run/greeter", server.address));
    assert_eq!(server.call("greeter", "{}").text(), "1");
    server.wait_for_stderr("greeter info hello");
    server.wait_for_stderr("greeter answered in ");
    server.call("greeter", r#"{"bad":1}"#);
    server.wait_for_stderr("greeter HANDLER_ERROR: no (");
    write(folder.path().join("greeter.js"), answering("2"));
    server.wait_for_stderr("redeployed greeter");
    until("the new version answers", || server.call("greeter", "{}").text() == "2");
}
