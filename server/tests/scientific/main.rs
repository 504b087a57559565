//! The scientific Python engine. A program of its own, which cargo runs after the other tests: making the engine ready takes two cores for
//! a minute, and the others measure time.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "../mirra/built.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod built;
#[path = "../mirra/support.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod support;

use std::{fs, path::Path};

use built::Handler;
use serde_json::{Value, json};
use support::{Ended, Server, fixtures, mirra, run, until, write};
use tempfile::tempdir;

fn call(handler: &Path, event: &Value, flags: &[&str]) -> Ended {
    let (handler, event) = (handler.to_str().unwrap(), event.to_string());
    run(&mut mirra(&[&["run", handler, "--event", &event], flags].concat()), "")
}

/// What `hostile` does of its own accord.
fn hostile(what: &str, flags: &[&str]) -> Ended {
    call(&fixtures("scientific/hostile"), &json!({ "do": what }), flags)
}

#[test]
fn numpy_pandas_scipy_and_others_run() {
    for folder in fs::read_dir(fixtures("scientific")).unwrap().map(|folder| folder.unwrap().path()) {
        let read = |file: &str| -> Option<Value> { Some(serde_json::from_str(&fs::read_to_string(folder.join(file)).ok()?).unwrap()) };
        let Some(expected) = read("expected.json") else { continue };
        let ended = call(&folder, &read("event.json").unwrap(), &["--memory-mb", "256", "--timeout-s", "30"]);
        assert_eq!(ended.json(), expected, "{}: {}", folder.display(), ended.stderr);
    }
}

#[test]
fn it_is_served_and_redeployed_and_one_call_leaves_nothing_to_the_next() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("count.py");
    let version = |sign: &str| {
        let source =
            "import numpy as np\n\nseen = np.zeros(1)\n\ndef handler(event, context):\n    seen[0] += 1\n    return SIGN int(seen[0])\n";
        write(&file, source.replace("SIGN", sign));
    };
    version("+");
    // Made ready without a limit of time, by whichever test comes first.
    assert_eq!(call(&file, &json!({}), &[]).json(), 1);
    let server = Server::start(&[folder.path()]);
    for _ in 0..10 {
        assert_eq!(server.call("count", "{}").json(), 1);
    }
    version("-");
    until("the next version answers", || server.call("count", "{}").json() == -1);
}

#[test]
fn no_two_instances_draw_the_same() {
    let drawn = |_| -> Vec<String> { serde_json::from_value(call(&fixtures("scientific/randomness"), &json!({}), &[]).json()).unwrap() };
    let [first, second] = [0, 1].map(drawn);
    assert_eq!(first.len(), 7);
    for (one, other) in first.iter().zip(&second) {
        assert_ne!(one, other, "{first:?}");
    }
}

#[test]
fn limits_hold() {
    for what in ["loop", "one long loop"] {
        let ended = hostile(what, &["--timeout-s", "1"]);
        assert!(ended.stderr.contains("TIMEOUT"), "{what}: {}", ended.stderr);
    }
    let ended = hostile("hoard", &[]);
    assert!(ended.stderr.contains("MEMORY_LIMIT"), "{}", ended.stderr);
    // More than memory can ever hold is an exception like others.
    assert!(hostile("too large", &[]).stderr.contains("array is too big"));
    assert!(hostile("deep", &[]).stderr.contains("RecursionError"));
}

#[test]
fn errors_name_the_line_and_what_to_do() {
    let ended = hostile("raise", &[]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("LinAlgError: Singular matrix\n  File \"handler.py\", line 26, in handler"), "{}", ended.stderr);
    assert!(hostile("result", &[]).stderr.contains("ndarray is not JSON serializable"));
}

#[test]
fn versions_are_those_that_the_documents_name() {
    assert_eq!(hostile("version", &[]).json(), json!([[3, 15], "2.5.2"]));
}

/// A handler with these requirements that imports nothing.
fn requiring(requirements: &str, flags: impl FnOnce(&mut std::process::Command)) -> Ended {
    let folder = tempdir().unwrap();
    write(folder.path().join("requirements.txt"), requirements);
    write(folder.path().join("handler.py"), "import sys\n\ndef handler(event, context):\n    return sys.version_info[:2]\n");
    let mut command = mirra(&["run", folder.path().to_str().unwrap()]);
    flags(&mut command);
    run(&mut command, "")
}

#[test]
fn requirements_choose_the_engine() {
    assert_eq!(requiring("pandas>=3\n", |_| ()).json(), json!([3, 15]));
    assert_eq!(requiring("six\n", |_| ()).json(), json!([3, 14]));
    let ended = requiring("pandas==2.2.0\n", |_| ());
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("requirements.txt:1:1: pandas==2.2.0 does not fit pandas 3.0.6"), "{}", ended.stderr);
    let ended = requiring("numpy\ntorch\n", |_| ());
    assert!(ended.stderr.contains("requirements.txt:2:1: torch") && ended.stderr.contains("native code"), "{}", ended.stderr);
}

#[test]
fn without_python_or_an_index_it_says_what_is_missing() {
    let data = tempdir().unwrap();
    let ended = requiring("numpy\n", |command| {
        command.env("MIRRA_DATA", data.path()).env("MIRRA_PYTHON", "/nonexistent/python3");
    });
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("set MIRRA_PYTHON"), "{}", ended.stderr);
    let ended = requiring("numpy\n", |command| {
        command.env("MIRRA_DATA", data.path()).env("PIP_INDEX_URL", "http://127.0.0.1:9/simple").env("PIP_CONFIG_FILE", "/dev/null");
        command.env("PIP_RETRIES", "1").env_remove("PIP_EXTRA_INDEX_URL");
    });
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("cannot reach the package index"), "{}", ended.stderr);
}

/// 200 MB, of which most is the library. It throws exceptions, which wasmtime has to be asked for (`wasmtime run -W exceptions`).
#[test]
fn what_is_built_runs_in_stock_wasmtime() {
    let mut config = wasmtime::Config::new();
    config.wasm_exceptions(true);
    let source = "import numpy as np\n\ndef handler(event, context):\n    return np.asarray(event).cumsum().tolist()\n";
    let engine = wasmtime::Engine::new(&config).unwrap();
    let handler = Handler::build_for(engine, &[("sum.py", source)], "sum.py", "sum.wasm");
    assert_eq!(handler.stock(&["[1, 2, 3]"], "").stdout, "[1,3,6]\n");
    let failed = handler.stock(&["[[1], 2]"], "");
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.contains("ValueError"), "{}", failed.stderr);
}
