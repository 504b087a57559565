//! Every folder of `fixtures/`, through the doors. A folder that no table lists fails.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Server, fixtures, mirra, run};

/// What a case must do besides what its `expected.json` or `error.json` says.
#[derive(Clone, Copy, PartialEq)]
enum Check {
    /// Twice the same: one call leaves nothing behind for the next.
    Same,
    /// Another result each time.
    Differs,
    /// Once is enough: it takes long.
    Once,
}
use Check::{Differs, Once, Same};

const HANDLERS: &[(&str, Check)] = &[
    ("abort-controller", Same),
    ("base64", Same),
    ("big-output", Same),
    ("busy-loop", Once),
    ("busy-promises", Once),
    ("console", Same),
    ("context", Same),
    ("cost-limit", Once),
    ("cost-limit-waiting", Once),
    ("dates", Same),
    ("decorators", Same),
    ("default-export", Same),
    ("enums", Same),
    ("es2023", Same),
    ("event-too-large", Once),
    ("fuel-limit", Once),
    ("hello", Same),
    ("huge-string", Same),
    ("intl", Same),
    ("intl-hostile", Same),
    ("isolation", Same),
    ("json", Same),
    ("json-import", Same),
    ("lambda-async", Same),
    ("lambda-callback", Same),
    ("local-imports", Same),
    ("many-logs", Once),
    ("many-timers", Once),
    ("many-timers-little-memory", Once),
    ("math-random", Differs),
    ("memory-buffer", Same),
    ("memory-hog", Same),
    ("microtasks", Same),
    ("module-mjs", Same),
    ("namespaces", Same),
    ("nested-event", Same),
    ("never-settles", Same),
    ("node-async-local-storage", Same),
    ("node-builtins", Same),
    ("node-crypto", Same),
    ("node-fs-tmp", Same),
    ("node-own-files", Same),
    ("node-refused", Same),
    ("node-require", Same),
    ("node-zlib", Same),
    ("performance-now", Same),
    ("plain-js", Same),
    ("py-abort", Same),
    ("py-async", Same),
    ("py-asyncio", Same),
    ("py-asyncio-run", Same),
    ("py-awaits-at-once", Same),
    ("py-big-output", Same),
    ("py-busy-catching", Once),
    ("py-busy-catching-async", Once),
    ("py-busy-finally", Once),
    ("py-busy-in-c", Once),
    ("py-busy-loop", Once),
    ("py-compression", Same),
    ("py-context", Same),
    ("py-deep-data", Same),
    ("py-deep-json", Same),
    ("py-handler-forms", Same),
    ("py-hello", Same),
    ("py-huge-bytes", Same),
    ("py-huge-string", Same),
    ("py-impossible", Same),
    ("py-isolation", Same),
    ("py-large-int", Same),
    ("py-lone-tasks", Same),
    ("py-many-prints", Once),
    ("py-memory-hog", Same),
    ("py-memory-hog-catching", Once),
    ("py-mirra", Same),
    ("py-missing-module-inside", Same),
    ("py-modules", Same),
    ("py-never-settles", Same),
    ("py-never-settles-lock", Same),
    ("py-os-exit", Same),
    ("py-raises", Same),
    ("py-raises-chained", Same),
    ("py-raises-group", Same),
    ("py-raises-in-library", Same),
    ("py-raises-interrupt", Same),
    ("py-raises-long", Same),
    ("py-raises-notes", Same),
    ("py-raises-surrogates", Same),
    ("py-raises-unprintable", Same),
    ("py-randomness", Differs),
    ("py-recursion", Same),
    ("py-recursion-caught", Same),
    ("py-recursion-in-c", Same),
    ("py-recursion-unlimited", Same),
    ("py-regex-backtracking", Once),
    ("py-results", Same),
    ("py-returns-async-generator", Same),
    ("py-returns-bytes", Same),
    ("py-returns-cycle", Same),
    ("py-returns-deep", Same),
    ("py-returns-generator", Same),
    ("py-returns-nan", Same),
    ("py-returns-object", Same),
    ("py-returns-set", Same),
    ("py-sleeps-too-long", Once),
    ("py-stdlib", Same),
    ("py-surrogates", Same),
    ("py-sys-exit", Same),
    ("py-typed", Same),
    ("py-typed-async", Same),
    ("py-unicode", Same),
    ("py-waits-too-long", Once),
    ("py-zoneinfo", Same),
    ("random-uuid", Differs),
    ("random-values", Differs),
    ("recursion", Same),
    ("recursion-caught", Same),
    ("regex-backtracking", Once),
    ("rejects-with-object", Same),
    ("returns-bigint", Same),
    ("returns-cycle", Same),
    ("returns-function", Same),
    ("returns-symbol", Same),
    ("returns-undefined", Same),
    ("structured-clone", Same),
    ("sync-handler", Same),
    ("text-encoding", Same),
    ("throws-error", Same),
    ("throws-string", Same),
    ("throws-type-error", Same),
    ("timers", Same),
    ("top-level-await", Same),
    ("type-only-imports", Same),
    ("typed", Same),
    ("unicode", Same),
    ("url", Same),
    ("url-search-params", Same),
    ("waits-too-long", Once),
    ("web-compression", Same),
    ("web-crypto", Same),
];

const REJECTED: &[&str] = &[
    "broken-package-json",
    "handler-is-no-function",
    "import-absolute",
    "import-outside",
    "missing-import",
    "no-entry",
    "no-handler",
    "node-missing-builtin",
    "py-handler-is-no-function",
    "py-indentation",
    "py-missing-module",
    "py-missing-own-module",
    "py-no-handler",
    "py-not-utf8",
    "py-null-bytes",
    "py-syntax-error",
    "py-syntax-error-in-module",
    "py-top-level-aborts",
    "py-top-level-allocates",
    "py-top-level-calls",
    "py-top-level-exits",
    "py-top-level-loops",
    "py-top-level-never-settles",
    "py-top-level-opens-file",
    "py-top-level-raises",
    "py-top-level-recursion",
    "py-top-level-requests",
    "py-top-level-thread",
    "py-wrong-arity",
    "syntax-error",
    "top-level-allocates",
    "top-level-loops",
    "top-level-never-settles",
    "top-level-throws",
];

#[test]
fn every_handler_answers_as_its_fixture_says() {
    let server = Server::start(&[&fixtures("handlers")]);
    assert_eq!(server.get("/readyz").status, 200);
    let mut failures = Vec::new();
    for (case, check) in HANDLERS {
        let case = Case::new("handlers", case);
        // Limits of its own come with `mirra exec`; the rest goes through the one server.
        let call = || if case.has_limits() { case.exec() } else { case.post(&server) };
        let first = call();
        failures.extend(case.complaints(&first));
        let again = match check {
            Once => continue,
            Same | Differs => call(),
        };
        if (again == first) != (*check == Same) {
            failures.push(format!("{}: called twice, it answered\n    {first}\n    {again}", case.name));
        }
    }
    assert!(failures.is_empty(), "{} fixtures fail:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn every_rejected_handler_is_told_what_is_wrong_with_it() {
    let mut failures = Vec::new();
    for case in REJECTED {
        let case = Case::new("rejected", case);
        failures.extend(case.complaints(&case.exec()));
        let ended = run(&mut mirra(&["run", case.folder.to_str().unwrap()]), "");
        let expected = case.read("error.json").unwrap();
        if ended.code != 2 || !ended.stderr.contains(expected["messageContains"].as_str().unwrap()) {
            failures.push(format!("{}: exit code {}, {}", case.name, ended.code, ended.stderr));
        }
    }
    assert!(failures.is_empty(), "{} fixtures fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_fixture_is_listed() {
    let folders = |root: &str| -> BTreeSet<String> {
        let folders = fs::read_dir(fixtures(root)).unwrap().map(|folder| folder.unwrap().file_name().into_string().unwrap());
        folders.collect()
    };
    assert_eq!(folders("handlers"), HANDLERS.iter().map(|(case, _)| case.to_string()).collect());
    assert_eq!(folders("rejected"), REJECTED.iter().map(|case| case.to_string()).collect());
}

struct Case {
    name: String,
    folder: PathBuf,
}

impl Case {
    fn new(root: &str, name: &str) -> Case {
        Case { name: name.to_owned(), folder: fixtures(root).join(name) }
    }

    fn read(&self, file: &str) -> Option<Value> {
        let text = fs::read_to_string(self.folder.join(file)).ok()?;
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name)))
    }

    fn has_limits(&self) -> bool {
        Path::exists(&self.folder.join("limits.json"))
    }

    /// `{"result"}` or `{"error": {"code", "message", "name"?, "stack"?}}`
    fn post(&self, server: &Server) -> Value {
        let event = fs::read_to_string(self.folder.join("event.json")).unwrap_or_default();
        let reply = server.call(&self.name, &event);
        if reply.status == 200 {
            return json!({ "result": reply.json() });
        }
        let mut error = reply.json()["error"].clone();
        let details = error["details"].take();
        for field in ["name", "stack"] {
            error[field] = details[field].clone();
        }
        json!({ "error": error })
    }

    /// The same by `mirra exec`.
    fn exec(&self) -> Value {
        let mut request = json!({ "handler": self.folder });
        request["event"] = self.read("event.json").unwrap_or_default();
        if let Some(limits) = self.read("limits.json") {
            request["limits"] = limits;
        }
        let mut outcome = run(&mut mirra(&["exec"]), request.to_string()).json();
        if outcome["success"] == true { json!({ "result": outcome["result"].take() }) } else { json!({ "error": outcome["error"].take() }) }
    }

    fn complaints(&self, answer: &Value) -> Option<String> {
        let is_met = match (self.read("expected.json"), self.read("error.json")) {
            (Some(expected), None) => answer["result"] == expected && answer["error"].is_null(),
            (None, Some(expected)) => meets(&answer["error"], &expected),
            (None, None) => answer["error"].is_null(),
            (Some(_), Some(_)) => panic!("{} expects both a result and an error", self.name),
        };
        (!is_met).then(|| format!("{}: answered {}", self.name, excerpt(answer)))
    }
}

fn meets(error: &Value, expected: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let stack = text(&error["stack"]);
    let frames = expected["stackContains"].as_array().cloned().unwrap_or_default();
    error["code"] == expected["code"]
        && text(&error["message"]).contains(&text(&expected["messageContains"]))
        && (expected["name"].is_null() || error["name"] == expected["name"])
        && frames.iter().all(|frame| stack.contains(&text(frame)))
}

fn excerpt(answer: &Value) -> String {
    answer.to_string().chars().take(400).collect()
}
