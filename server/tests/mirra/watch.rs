//! Saving a handler deploys it.

use std::{fs, path::Path};

use tempfile::tempdir;

use crate::support::{SLEEP, Server, answering, until, write};

/// Waits until the handler answers this.
#[track_caller]
fn until_answers(server: &Server, name: &str, answer: &str) {
    until(&format!("{name} answers {answer}"), || server.call(name, "{}").text() == answer);
}

#[track_caller]
fn until_gone(server: &Server, name: &str) {
    until(&format!("{name} is gone"), || server.call(name, "{}").status == 404);
}

#[test]
fn saving_redeploys_however_the_editor_saves() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("number.ts");
    write(&file, answering("1"));
    let server = Server::start(&[folder.path()]);
    assert_eq!(server.call("number", "{}").text(), "1");
    // Over the file.
    write(&file, answering("2"));
    until_answers(&server, "number", "2");
    server.wait_for_stderr("redeployed number in ");
    // A new file in its place.
    let new = folder.path().join(".number.ts.swp");
    write(&new, answering("3"));
    fs::rename(&new, &file).unwrap();
    until_answers(&server, "number", "3");
    // The old file moved away first.
    fs::rename(&file, folder.path().join("number.ts~")).unwrap();
    write(&file, answering("4"));
    until_answers(&server, "number", "4");
    // Back to what was there before.
    write(&file, answering("2"));
    until_answers(&server, "number", "2");
}

#[test]
fn a_single_file_is_watched_as_well_as_a_folder() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("number.js");
    write(&file, answering("1"));
    write(folder.path().join("other.js"), answering("1"));
    let server = Server::start(&[&file]);
    assert_eq!(server.call("other", "{}").status, 404);
    write(&file, answering("2"));
    until_answers(&server, "number", "2");
}

#[test]
fn what_a_handler_imports_is_watched_too() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("sum");
    write(handler.join("package.json"), r#"{"main":"handler.ts"}"#);
    write(handler.join("handler.ts"), "import { n } from './lib/deep/n';\nexport const handler = () => n;");
    write(handler.join("lib/deep/n.ts"), "export const n = 1;");
    let server = Server::start(&[&handler]);
    assert_eq!(server.call("sum", "{}").text(), "1");
    write(handler.join("lib/deep/n.ts"), "export const n = 2;");
    until_answers(&server, "sum", "2");
    write(handler.join("new/m.ts"), "export const m = 3;");
    write(handler.join("handler.ts"), "import { m } from './new/m';\nexport const handler = () => m;");
    until_answers(&server, "sum", "3");
    write(handler.join("new/m.ts"), "export const m = 4;");
    until_answers(&server, "sum", "4");
}

#[test]
fn a_version_that_is_rejected_leaves_the_one_before_in_place() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("number.ts");
    write(&file, answering("1"));
    let server = Server::start(&[folder.path()]);
    write(&file, "export const handler = (;");
    let said = server.wait_for_stderr("number is rejected, and the version before goes on serving:\n");
    server.wait_for_stderr("number.ts:1:25: ");
    assert!(!said.contains("redeployed"), "{said}");
    assert_eq!(server.call("number", "{}").text(), "1");
    write(&file, answering("2"));
    until_answers(&server, "number", "2");
}

#[test]
fn a_handler_rejected_at_the_start_is_served_once_it_is_mended() {
    let folder = tempdir().unwrap();
    write(folder.path().join("sum.ts"), "import { n } from './n';\nexport const handler = () => n;");
    let server = Server::start(&[folder.path()]);
    assert_eq!(server.call("sum", "{}").status, 400);
    // By what it imports, of which nobody knew.
    write(folder.path().join("n.ts"), "export const n = 1;");
    until_answers(&server, "sum", "1");
}

#[test]
fn handlers_appear_and_vanish_with_their_files() {
    let folder = tempdir().unwrap();
    write(folder.path().join("first.js"), answering("1"));
    let server = Server::start(&[folder.path()]);
    write(folder.path().join("second.js"), answering("2"));
    until_answers(&server, "second", "2");
    write(folder.path().join("third/handler.ts"), answering("3"));
    until_answers(&server, "third", "3");
    fs::remove_file(folder.path().join("first.js")).unwrap();
    until_gone(&server, "first");
    fs::rename(folder.path().join("third"), folder.path().join("fourth")).unwrap();
    until_answers(&server, "fourth", "3");
    until_gone(&server, "third");
    write(folder.path().join("fourth/handler.ts"), answering("4"));
    until_answers(&server, "fourth", "4");
    assert_eq!(server.call("second", "{}").text(), "2");
}

#[test]
fn a_folder_of_imports_may_be_made_anew_again_and_again() {
    let folder = tempdir().unwrap();
    let (handler, shared) = (folder.path().join("number.ts"), folder.path().join("shared"));
    let make = |number: &str| write(shared.join("value.ts"), format!("export const value = {number};"));
    make("1");
    write(&handler, "import { value } from './shared/value.ts'; export const handler = () => value;");
    let server = Server::start(&[&handler]);
    assert_eq!(server.call("number", "{}").text(), "1");
    for [anew, edited] in [["2", "3"], ["4", "5"]] {
        fs::remove_dir_all(&shared).unwrap();
        make(anew);
        until_answers(&server, "number", anew);
        make(edited);
        until_answers(&server, "number", edited);
    }
}

#[test]
fn a_folder_that_is_built_anew_is_served_anew() {
    let parent = tempdir().unwrap();
    let folder = parent.path().join("dist");
    let build = |answer: &str| write(folder.join("number.js"), answering(answer));
    build("1");
    let server = Server::start(&[&folder]);
    assert_eq!(server.call("number", "{}").text(), "1");
    for answer in ["2", "3"] {
        fs::remove_dir_all(&folder).unwrap();
        build(answer);
        until_answers(&server, "number", answer);
    }
}

#[test]
fn calls_in_flight_end_on_the_version_they_began_with() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("slow.js");
    let version = |path: &Path, n: u32, ms: u32| {
        write(path, format!("{SLEEP}const n = {n};\nexport const handler = async () => {{ await sleep({ms}); return n; }};"));
    };
    version(&file, 1, 1500);
    let server = Server::start(&[folder.path()]);
    let mut client = server.client();
    client.begin("POST", "/run/slow", &[], "{}");
    until("the call runs", || server.metric("mirra_instances_live") == 1.0);
    version(&file, 2, 0);
    until_answers(&server, "slow", "2");
    assert_eq!(client.read().text(), "1");
}

#[test]
fn files_that_a_handler_reads_are_watched_and_new_ones_too() {
    let folder = tempdir().unwrap();
    let handler = folder.path().join("files");
    let read = "import { readFileSync, readdirSync } from 'fs';\n\
                export const handler = () => readdirSync('.').concat(readFileSync('a.txt', 'utf8'));\n";
    write(handler.join("index.js"), read);
    write(handler.join("package.json"), "{}");
    write(handler.join("a.txt"), "1");
    let server = Server::start(&[folder.path()]);
    assert_eq!(server.call("files", "{}").text(), r#"["a.txt","1"]"#);
    write(handler.join("a.txt"), "2");
    until_answers(&server, "files", r#"["a.txt","2"]"#);
    write(handler.join("b.txt"), "");
    until_answers(&server, "files", r#"["a.txt","b.txt","2"]"#);
    fs::remove_file(handler.join("b.txt")).unwrap();
    until_answers(&server, "files", r#"["a.txt","2"]"#);
}
