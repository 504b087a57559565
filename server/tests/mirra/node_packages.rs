//! Packages of JavaScript handlers: installed by npm from a lock, and those that cannot run.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{Ended, Server, mirra, run, until, write};

fn call(handler: &Path, event: &str) -> Ended {
    run(&mut mirra(&["run", handler.to_str().unwrap(), "--event", event]), "")
}

fn npm(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new("npm").args(args).current_dir(folder).output().expect("the tests need npm");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A handler with a lock and without `node_modules`, whose packages lie in its folder: an archive, and a folder that is linked.
fn locked() -> TempDir {
    let folder = tempdir().unwrap();
    let file = |path: &str, text: &str| write(folder.path().join(path), text);
    file("package.json", r#"{ "dependencies": { "greeting": "file:greeting-1.2.0.tgz", "lib": "file:lib" } }"#);
    file("index.js", "import greeting from 'greeting';\nimport { name } from 'lib';\nexport const handler = () => greeting + name;");
    file("lib/package.json", r#"{ "name": "lib", "version": "1.0.0", "type": "module", "exports": "./name.js" }"#);
    file("lib/name.js", "export const name = 'Ada';");
    let package = tempdir().unwrap();
    let scripts = json!({ "name": "greeting", "version": "1.2.0", "main": "main.cjs", "scripts": { "install": "exit 1" } });
    write(package.path().join("package.json"), scripts.to_string());
    write(package.path().join("main.cjs"), "module.exports = 'hello, ';");
    npm(package.path(), &["pack", "--ignore-scripts", "--pack-destination", folder.path().to_str().unwrap()]);
    npm(folder.path(), &["install", "--package-lock-only", "--offline", "--ignore-scripts", "--no-audit"]);
    folder
}

#[test]
fn a_lock_is_enough() {
    let handler = locked();
    // Nobody may write to it.
    assert_eq!(call(handler.path(), "{}").json(), "hello, Ada");
    assert!(!handler.path().join("node_modules").exists());

    let server = Server::start(&[handler.path()]);
    let name = handler.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(server.call(name, "{}").json(), "hello, Ada");
    // The linked package is the handler's own.
    write(handler.path().join("lib/name.js"), "export const name = 'Grace';");
    until("the package is read again", || server.call(name, "{}").json() == "hello, Grace");
    // node_modules as it stands wins.
    write(handler.path().join("node_modules/greeting/main.cjs"), "module.exports = 'bye, ';");
    write(handler.path().join("node_modules/greeting/package.json"), r#"{ "main": "main.cjs" }"#);
    write(handler.path().join("node_modules/lib/package.json"), r#"{ "main": "../../lib/name.js" }"#);
    write(handler.path().join("lib/name.js"), "export const name = 'Joan';");
    until("node_modules is read", || server.call(name, "{}").json() == "bye, Joan");
}

/// What was installed by the lock of before must not pass for what the lock says now.
#[test]
fn a_lock_that_changes_while_it_is_installed_is_installed_again() {
    let (handler, bin) = (tempdir().unwrap(), tempdir().unwrap());
    // Of no earlier run, whose packages would be in the cache.
    let name = handler.path().file_name().unwrap().to_str().unwrap();
    write(handler.path().join("package.json"), json!({ "name": name, "dependencies": { "x": "1" } }).to_string());
    write(handler.path().join("index.js"), "import version from 'x';\nexport const handler = () => version;");
    let lock = handler.path().join("package-lock.json");
    let version = |number: u32| json!({ "lockfileVersion": 3, "packages": { "node_modules/x": { "version": format!("{number}.0.0") } } });
    write(&lock, version(1).to_string());
    let script = "#!/bin/sh\nmkdir -p node_modules/x\n\
                  echo \"module.exports = $(tr -dc 0-9 < package-lock.json);\" > node_modules/x/index.js\n\
                  if test -n \"$(ls NEXT)\"; then mv NEXT LOCK; fi\n";
    let next = bin.path().join("next");
    write(&next, version(2).to_string());
    let npm = bin.path().join("npm");
    write(&npm, script.replace("NEXT", next.to_str().unwrap()).replace("LOCK", lock.to_str().unwrap()));
    fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let call = || run(mirra(&["run", handler.path().to_str().unwrap()]).env("PATH", &path), "").json();
    assert_eq!([call(), call()], [3100, 3200]);
}

#[test]
fn what_is_wrong_with_a_lock_is_told_where_it_is_mended() {
    let handler = locked();
    let lock = fs::read_to_string(handler.path().join("package-lock.json")).unwrap();
    let (begin, end) = lock.split_once("sha512-").unwrap();
    write(handler.path().join("package-lock.json"), format!("{begin}sha512-{}{}", "A".repeat(86), &end[86..]));
    let ended = call(handler.path(), "{}");
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("package-lock.json: a package is not what the lock says"), "{}", ended.stderr);

    write(handler.path().join("package-lock.json"), lock);
    let without_npm = ["run", handler.path().to_str().unwrap(), "--event", "{}"];
    // A cache of its own, in which nothing was installed; the engine is compiled for it, too.
    let data = tempdir().unwrap();
    let ended = run(mirra(&without_npm).env("PATH", "/nonexistent").env("MIRRA_DATA", data.path()), "");
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("install npm"), "{}", ended.stderr);

    fs::remove_file(handler.path().join("package-lock.json")).unwrap();
    let ended = call(handler.path(), "{}");
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("index.js:1:22: cannot find \"greeting\": package.json requires it: run `npm install`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn native_packages_are_refused_by_name_and_those_that_do_without_work() {
    let folder = tempdir().unwrap();
    let file = |path: &str, text: &str| write(folder.path().join(path), text);
    // As ws has it: native code makes it faster, and there is a way without.
    file(
        "node_modules/bufferutil/index.js",
        "try { module.exports = require('node-gyp-build')(__dirname); } catch { module.exports = 'slow'; }",
    );
    file("node_modules/hard/index.js", "module.exports = require('bindings')('hard.node');");
    file("node_modules/hard/build/hard.node", "\x7fELF");
    file("optional.js", "import util from 'bufferutil';\nexport const handler = () => util;");
    assert_eq!(call(&folder.path().join("optional.js"), "{}").json(), "slow");

    let cases = [
        (
            "import bcrypt from 'bcrypt';\nexport const handler = () => bcrypt;",
            "handler.js:1:20: bcrypt is native code, which cannot run in the sandbox: use the package bcryptjs",
        ),
        (
            "import hard from 'hard';\nexport const handler = () => hard;",
            "hard is native code, which cannot run in the sandbox: use a package in JavaScript",
        ),
        ("const own = require('./own.node');\nexports.handler = () => own;", "./own.node is native code"),
    ];
    for (source, expected) in cases {
        file("handler.js", source);
        let ended = call(&folder.path().join("handler.js"), "{}");
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "no {expected:?} in {}", ended.stderr);
    }
    // At first use, where it is not needed before.
    file(
        "handler.js",
        "exports.handler = () => { try { return require('sharp'); } catch (error) { return [error.code, error.message]; } };",
    );
    let answer: Value = call(&folder.path().join("handler.js"), "{}").json();
    assert_eq!(answer[0], "MODULE_NOT_FOUND");
    assert!(answer[1].as_str().unwrap().starts_with("sharp is native code"), "{answer}");
}
