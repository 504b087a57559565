//! Packages of npm, each in a handler that also runs in Node: what Node answers is what is right. The table in docs/npm.md says which
//! of them work, and this holds it to that.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "../mirra/support.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod support;

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use support::{Server, fixtures, in_node};

/// The server that some of the handlers talk to. Stopped when dropped.
struct Peer(Child, String);

impl Peer {
    fn start() -> Peer {
        let mut child =
            Command::new("node").arg(fixtures("npm/server/server.mjs")).stdout(Stdio::piped()).spawn().expect("the tests need Node");
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Peer(child, url.trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The package that a handler is named after, if it is, and its version as it is installed.
fn package(handler: &str) -> Option<(String, String)> {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(fixtures("npm/package.json")).unwrap()).unwrap();
    let means =
        |name: &str| name == handler || name.trim_start_matches('@').replace('/', "-") == handler || name == format!("@{handler}-ai/sdk");
    let (name, version) = manifest["dependencies"].as_object().unwrap().iter().find(|(name, _)| means(name))?;
    Some((name.clone(), version.as_str().unwrap().to_owned()))
}

/// `yes`, or the first line of what went wrong.
fn verdict(server: &Server, handler: &str, event: &Value, expected: &Value) -> String {
    let reply = server.call(handler, &event.to_string());
    if reply.status == 200 && reply.json() == *expected {
        return "yes".to_owned();
    }
    let answer = reply.json();
    let message = answer["error"]["message"].as_str().map(|message| message.lines().next().unwrap_or_default().to_owned());
    message.unwrap_or_else(|| format!("another answer than Node's: {answer}"))
}

#[test]
fn packages_answer_as_they_do_in_node_and_the_documents_say_which() {
    let peer = Peer::start();
    let event = json!({ "url": peer.1 });
    let expected = in_node("npm", &event);
    let expected = expected.as_object().unwrap();
    let files: Vec<_> = expected.keys().map(|handler| fixtures("npm").join(format!("{handler}.mjs"))).collect();
    let paths: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    let server = Server::start_with(&paths, &["--allow-net", peer.1.trim_start_matches("http://")], |_| {});
    let mut table = String::from("| package | version | works |\n|---|---|---|\n");
    for (handler, expected) in expected {
        let verdict = verdict(&server, handler, &event, expected);
        match package(handler) {
            Some((name, version)) => writeln!(table, "| {name} | {version} | {verdict} |").unwrap(),
            None => assert_eq!(verdict, "yes", "{handler}"),
        }
    }
    let path = fixtures("../docs/npm.md");
    let document = fs::read_to_string(&path).unwrap();
    let start = document.find("| package |").unwrap();
    let is = document[..start].to_owned() + &table;
    if std::env::var_os("MIRRA_WRITE_TABLE").is_some() {
        fs::write(&path, is).unwrap();
    } else {
        assert_eq!(document, is, "run this test with MIRRA_WRITE_TABLE=1 to write the table anew");
    }
}
