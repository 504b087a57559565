//! The control group around a server.

use std::{fs, path::PathBuf};

use crate::support::{Server, fixtures, until};

const MEMORY_MB: u64 = 600;

/// Where the kernel shows the memory group of a process, and the name of the file with its limit.
fn memory_group(pid: u32) -> (PathBuf, &'static str) {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path_of = |controllers: &str| {
        let mut lines = groups.lines().map(|line| line.splitn(3, ':').skip(1));
        lines.find_map(|mut line| (line.next()?.split(',').any(|controller| controller == controllers)).then(|| line.next())?)
    };
    match path_of("memory") {
        Some(path) => (PathBuf::from(format!("/sys/fs/cgroup/memory{path}")), "memory.limit_in_bytes"),
        None => (PathBuf::from(format!("/sys/fs/cgroup{}", path_of("").unwrap())), "memory.max"),
    }
}

#[test]
fn a_server_is_in_a_group_of_its_own_or_says_why_not() {
    let hello = fixtures("handlers/hello");
    let mut server = Server::start_with(&[&hello], &["--host-memory-mb", &MEMORY_MB.to_string()], |_| {});
    let (group, limit) = memory_group(server.pid());
    let is_enclosed = group.ends_with(format!("mirra-{}", server.pid()));
    if !is_enclosed {
        // Not everybody may make groups.
        server.wait_for_stderr("no control group around the server, only the limits of each call: cannot ");
        return;
    }
    let bytes = fs::read_to_string(group.join(limit)).unwrap();
    assert_eq!(bytes.trim(), (MEMORY_MB << 20).to_string());
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    until("the group is gone", || !group.exists());
}
