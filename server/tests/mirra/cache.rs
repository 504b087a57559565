//! What lies in the cache is verified before it is used, and may be shared.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use tempfile::tempdir;

use crate::support::{Ended, Server, answering, fixtures, mirra, run, write};

fn run_with(data: &Path, handler: &Path) -> Ended {
    run(&mut mirra(&["run", handler.to_str().unwrap(), "--data", data.to_str().unwrap()]), "")
}

/// What a disk or a person may make of a file.
type Damage = fn(&[u8]) -> Vec<u8>;

fn files(data: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(data.join("cache")).unwrap().map(|file| file.unwrap().path());
    let is_entry = |name: &str| !["key", "trimmed"].contains(&name) && !name.starts_with("turn-");
    files.filter(|file| is_entry(file.file_name().unwrap().to_str().unwrap())).collect()
}

#[test]
fn damaged_files_are_made_anew() {
    let folder = tempdir().unwrap();
    let (data, handler) = (folder.path().join("data"), folder.path().join("number.ts"));
    write(&handler, answering("7"));
    assert_eq!(run_with(&data, &handler).stdout, "7\n");
    let damage: [Damage; 4] = [
        |_| Vec::new(),
        |content| content[..content.len() / 2].to_vec(),
        |content| {
            let mut content = content.to_vec();
            let middle = content.len() / 2;
            content[middle] ^= 1;
            content
        },
        |_| b"something else altogether".repeat(100),
    ];
    for (index, damage) in damage.iter().enumerate() {
        for file in files(&data) {
            let content = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            write(&file, damage(&content));
        }
        let ended = run_with(&data, &handler);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, "7\n"), "damage {index}: {}", ended.stderr);
    }
}

/// What a handler sees of files lies beside its code, and one can be lost without the other.
#[test]
fn files_that_are_lost_are_made_anew() {
    let folder = tempdir().unwrap();
    let (data, handler) = (folder.path().join("data"), folder.path().join("handler"));
    write(handler.join("name.txt"), "Ada");
    write(
        handler.join("index.js"),
        "import { readFileSync } from 'fs';\nexport const handler = () => readFileSync(`${__dirname}/name.txt`, 'utf8');",
    );
    assert_eq!(run_with(&data, &handler).json(), "Ada");
    let is_archive = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with("files-");
    let archives = || files(&data).into_iter().filter(is_archive).collect::<Vec<_>>();
    let damages: [fn(&Path); 2] = [|file| fs::remove_file(file).unwrap(), |file| fs::write(file, "something else").unwrap()];
    for damage in damages {
        assert_eq!(archives().len(), 1);
        archives().iter().for_each(|file| damage(file));
        let ended = run_with(&data, &handler);
        assert_eq!((ended.code, ended.json()), (0, "Ada".into()), "{}", ended.stderr);
    }
}

#[test]
fn a_file_of_another_handler_is_not_taken_for_this_one() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let (one, two) = (folder.path().join("one.js"), folder.path().join("two.js"));
    write(&one, answering("1"));
    write(&two, answering("2"));
    assert_eq!(run_with(&data, &one).stdout, "1\n");
    let of_one = files(&data);
    assert_eq!(run_with(&data, &two).stdout, "2\n");
    let is_handler = |file: &&PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with("handler-");
    let from = of_one.iter().find(is_handler).unwrap();
    let all = files(&data);
    let to = all.iter().filter(is_handler).find(|file| *file != from).unwrap();
    fs::remove_file(to).unwrap();
    fs::copy(from, to).unwrap();
    assert_eq!(run_with(&data, &two).stdout, "2\n");
}

#[test]
fn two_servers_share_a_cache_from_its_very_beginning() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("data");
    let serve = || Server::start_with(&[&fixtures("handlers/hello")], &["--data", data.to_str().unwrap()], |_| {});
    let servers = thread::scope(|scope| [scope.spawn(serve), scope.spawn(serve)].map(|server| server.join().unwrap()));
    for server in &servers {
        assert_eq!(server.call("hello", "{}").json()["greeting"], "Hello, world!");
    }
}

#[test]
fn what_is_long_unused_is_removed() {
    let data = tempdir().unwrap();
    let handler = fixtures("handlers/hello");
    run_with(data.path(), &handler);
    let before = files(data.path());
    // Somebody else's.
    let notes = data.path().join("cache/notes.txt");
    write(&notes, "not to be lost");
    for file in before.iter().cloned().chain([data.path().join("cache/trimmed"), notes.clone()]) {
        let long_ago = SystemTime::now() - Duration::from_secs(31 * 24 * 3600);
        File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
    }
    run_with(data.path(), &fixtures("handlers/plain-js"));
    let after = files(data.path());
    let is_of_a_handler = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with("handler-");
    let left = before.iter().filter(|file| is_of_a_handler(file) && after.contains(file)).count();
    assert_eq!(left, 0, "{after:?}");
    assert!(after.contains(&notes), "{after:?}");
    // It is made again when it is wanted again.
    assert_eq!(run_with(data.path(), &handler).code, 0);
}

#[test]
fn what_is_in_use_is_kept() {
    let data = tempdir().unwrap();
    let handler = fixtures("handlers/hello");
    run_with(data.path(), &handler);
    let age = |file: &PathBuf, days: u64| {
        let then = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
    };
    let before = files(data.path());
    // Asked for after twenty days, an entry is not unused after twenty more.
    before.iter().for_each(|file| age(file, 20));
    run_with(data.path(), &handler);
    let is_noted = |file: &PathBuf| file.metadata().unwrap().modified().unwrap().elapsed().unwrap() < Duration::from_secs(3600);
    assert!(before.iter().all(is_noted), "{before:?}");
}
