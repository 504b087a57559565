//! A store that cannot be opened: why, and what to do, is told to whoever runs it.

use std::{fs::File, path::Path};

use tempfile::tempdir;

use crate::support::{Ended, mirra, run, write};

/// A command that opens the store and does little more.
fn open(data: &Path) -> Ended {
    run(&mut mirra(&["rotate-key", "--data", data.to_str().unwrap()]), "")
}

/// The host's fault, with what it is about, what the system said, and what to do.
#[track_caller]
fn fails(data: &Path, texts: &[&str]) {
    let ended = open(data);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let about = [data.to_str().unwrap(), "the store cannot be opened", "caused by: "];
    for text in about.iter().chain(texts) {
        assert!(ended.stderr.contains(text), "no {text:?} in {}", ended.stderr);
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    write(&file, "");
    fails(&file, &["choose another with --data DIR"]);
    // Where nobody writes, the system's own user included.
    fails(Path::new("/sys/mirra"), &["Give the user who runs mirra the right to write there"]);
}

#[test]
fn a_damaged_store_is_told() {
    let folder = tempdir().unwrap();
    write(folder.path().join("mirra.db"), "what is no database ".repeat(1_000));
    fails(folder.path(), &["file is not a database", "go back to a backup"]);
}

#[test]
fn a_store_of_a_newer_mirra_is_told() {
    let folder = tempdir().unwrap();
    assert_eq!(open(folder.path()).code, 0);
    let script = "import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute(\"INSERT INTO _sqlx_migrations VALUES (9999, 'of the future', CURRENT_TIMESTAMP, 1, x'00', 0)\")
store.commit()";
    let mut python = std::process::Command::new("python3");
    let ended = run(python.args(["-c", script]).arg(folder.path().join("mirra.db")), "");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    fails(folder.path(), &["9999", "written by a newer mirra"]);
}

#[test]
fn a_store_that_another_process_does_not_stop_opening_is_told() {
    let folder = tempdir().unwrap();
    let lock = File::create(folder.path().join("mirra.lock")).unwrap();
    lock.lock().unwrap();
    fails(folder.path(), &["another process has been opening the store for 10 s", "End the other process"]);
    lock.unlock().unwrap();
    assert_eq!(open(folder.path()).code, 0);
}
