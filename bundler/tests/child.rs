//! A child may die of what it is given; the parent lives, and says why.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used)]

mod common;

use std::{
    io::{Read as _, Write as _},
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use common::{Folder, child, diagnostics, folder, has, only};
use mirra_bundler::{BundleError, Bundler, ChildCommand, Limits, Request};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tokio::io::unix::AsyncFd;

/// Code that costs much to bundle for its size.
fn dense(megabytes: usize) -> String {
    let item = "{ a: [1, 2, 3], b: 'x', f(q) { return q + 1; } },\n";
    format!("export const handler = () => x;\nexport const x = [\n{}];\n", item.repeat(megabytes * 1_000_000 / item.len()))
}

#[tokio::test]
async fn brackets_as_deep_as_anyone_writes_are_parsed() {
    let depth = 3_000;
    let code = format!("export const handler = () => {}{};", "[".repeat(depth), "]".repeat(depth));
    let handler = folder(&[("handler.js", code)]);
    handler.bundle("handler.js").await.expect("bundles");
}

#[tokio::test]
async fn brackets_without_end_are_too_deep() {
    for (depth, last) in [("[", ""), ("(", ""), ("!", "0"), ("`${", ""), ("<a>", "0"), ("1+", "1"), ("a=>", "0")] {
        let handler = folder(&[("handler.ts", format!("export const handler = {}{last};", depth.repeat(500_000)))]);
        let text = only(diagnostics(handler.bundle("handler.ts").await)).to_string();
        has(&text, "handler.ts is nested too deeply or too large to parse: the bundler stopped (SIGABRT)");
    }
}

#[tokio::test]
async fn memory_is_limited() {
    let handler = folder(&[("handler.js", dense(2))]);
    let limits = Limits { memory_bytes: 64 << 20, ..Limits::default() };
    let text = only(diagnostics(handler.bundle_within("handler.js", limits).await)).to_string();
    has(&text, "handler.js takes more than 64 MB of memory to bundle");
}

#[tokio::test]
async fn cpu_time_is_limited() {
    let handler = folder(&[("handler.js", dense(20))]);
    let limits = Limits { cpu_seconds: 1, memory_bytes: 16 << 30, ..Limits::default() };
    let text = only(diagnostics(handler.bundle_within("handler.js", limits).await)).to_string();
    has(&text, "handler.js takes more than 1 s of CPU time to bundle");
}

fn shell(script: &str) -> ChildCommand {
    ChildCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
}

#[tokio::test]
async fn a_child_that_does_not_answer_is_ended() {
    let limits = Limits { wall: Duration::from_millis(20), ..Limits::default() };
    let bundler = Bundler::new(shell("read request; read forever")).with_limits(limits);
    let request = Request { path: "handler.ts".into(), ..Request::default() };
    let text = only(diagnostics(bundler.bundle(&request).await)).to_string();
    assert_eq!(text, "handler.ts takes more than 0.02 s to bundle");
}

#[tokio::test]
async fn a_failure_of_the_child_is_not_the_handlers() {
    let nowhere = ChildCommand { program: "/nonexistent".into(), args: Vec::new() };
    let cases = [
        (nowhere, "cannot start /nonexistent: "),
        (shell("echo oops >&2; exit 3"), "exit status: 3: oops"),
        (shell("echo nonsense"), "its answer is not one: "),
        (shell("kill -KILL $$"), "signal: 9"),
    ];
    for (command, expected) in cases {
        let error = Bundler::new(command).bundle(&Request::default()).await.expect_err("no bundler");
        assert!(matches!(error, BundleError::Internal(_)), "{error:?}");
        has(&error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_path_that_is_not_text_is_refused() {
    let request = Request { path: PathBuf::from(std::ffi::OsStr::from_bytes(b"\xff.ts")), ..Request::default() };
    let text = only(diagnostics(Bundler::new(child()).bundle(&request).await)).to_string();
    has(&text, "is not a UTF-8 path");
}

#[tokio::test]
async fn many_at_once_are_all_served() {
    let handler = folder(&[("handler.js", "export const handler = () => 1;")]);
    let bundler = Bundler::new(child()).with_spare();
    let request = handler.request("handler.js", &[]);
    let bundles = (0..12).map(|_| bundler.bundle(&request));
    for bundle in futures_util::future::join_all(bundles).await {
        bundle.expect("bundles");
    }
}

/// Children that tell their process id through a pipe before they begin.
struct Announced {
    folder: Folder,
    bundler: Bundler,
}

impl Announced {
    fn new(rest: &str) -> Self {
        let folder = folder(&[("handler.js", "export const handler = () => 1;")]);
        let pipe = folder.path().join("pids");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).expect("a pipe can be made");
        let bundler = Bundler::new(shell(&format!("echo $$ > {}; {rest}", pipe.display())));
        Self { folder, bundler }
    }

    /// The next child to begin, once there is one.
    async fn next(&self) -> Pid {
        let pipe = self.folder.path().join("pids");
        let reading = tokio::task::spawn_blocking(move || std::fs::read_to_string(pipe));
        let text = reading.await.expect("does not panic").expect("the pipe is there");
        text.trim().parse().ok().and_then(Pid::from_raw).expect("a process id")
    }

    async fn bundle(&self) -> Result<mirra_bundler::Bundle, BundleError> {
        self.bundler.bundle(&self.folder.request("handler.js", &[])).await
    }
}

/// A process as something that can be waited for, which must not have ended yet.
fn watch(pid: Pid) -> AsyncFd<OwnedFd> {
    let handle = pidfd_open(pid, PidfdFlags::empty()).expect("it lives");
    // SAFETY: the handle belongs to the registration, which closes it last.
    unsafe { AsyncFd::register(handle) }.expect("can be polled")
}

async fn ended(process: AsyncFd<OwnedFd>) {
    process.readable().await.expect("can be polled").clear_ready();
}

fn exec_child() -> String {
    format!("exec {}", child().program.display())
}

#[tokio::test]
async fn a_spare_is_started_before_and_after_each_request() {
    let mut children = Announced::new(&exec_child());
    children.bundler = children.bundler.with_spare();
    let first = watch(children.next().await);
    children.bundle().await.expect("bundles");
    ended(first).await;
    let second = watch(children.next().await);
    drop(children);
    ended(second).await;
}

#[tokio::test]
async fn a_spare_that_died_is_replaced() {
    let mut children = Announced::new(&exec_child());
    children.bundler = children.bundler.with_spare();
    let pid = children.next().await;
    let spare = watch(pid);
    kill_process(pid, Signal::KILL).expect("it lives");
    ended(spare).await;
    let (bundle, _) = tokio::join!(children.bundle(), children.next());
    bundle.expect("another child serves");
}

#[tokio::test]
async fn a_bundle_nobody_waits_for_ends_its_child() {
    let children = Announced::new("read request; read forever");
    let mut bundling = Box::pin(children.bundle());
    let child = tokio::select! {
        outcome = &mut bundling => panic!("{outcome:?}"),
        pid = children.next() => watch(pid),
    };
    drop(bundling);
    ended(child).await;
}

#[test]
fn a_child_ends_when_its_parent_does() {
    let handler = folder(&[("handler.js", dense(20))]);
    let path = handler.path().join("handler.js");
    let limits = r#"{"wall":{"secs":60,"nanos":0},"cpu_seconds":60,"memory_bytes":17179869184,"source_bytes":50000000}"#;
    let request = format!(r#"{{"request":{{"path":"{}","builtins":[]}},"limits":{limits}}}"#, path.display());
    for input in [String::new(), "\n".to_string(), request + "\n"] {
        let mut child = Command::new(child().program).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        let mut stdin = child.stdin.take().expect("is piped");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        let mut answer = String::new();
        child.stdout.take().expect("is piped").read_to_string(&mut answer).expect("is text");
        assert_eq!(answer, "");
        assert!(child.wait().expect("ends").success());
    }
}
