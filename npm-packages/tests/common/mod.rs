//! Handlers' folders, and a registry on this machine that serves packages made by npm itself.

// Each test program uses some of it.
#![allow(dead_code)]
// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use mirra_npm_packages::{Error, Installed, Installer, Project};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with these files.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| write(folder.path(), name, text));
    folder
}

pub fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A program of this name, which stands before all others on the `PATH` that is answered.
pub fn program(folder: &Path, name: &str, script: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

pub fn npm(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> String {
    let output = Command::new("npm").args(args).envs(env.iter().copied()).current_dir(folder).output().expect("the tests need npm");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn project(folder: &TempDir) -> Project {
    Project::of(folder.path()).expect("may be installed").expect("wants packages")
}

pub async fn refusal(installer: &Installer, folder: &TempDir) -> Error {
    installer.install(&project(folder)).await.expect_err("is refused")
}

pub fn text(installed: &Installed, path: &str) -> String {
    fs::read_to_string(installed.folder.join(path)).unwrap()
}

/// A registry of npm's. It notes what it is asked for, with who asks.
pub struct Registry {
    pub address: SocketAddr,
    cache: TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By path.
    answers: BTreeMap<String, Vec<u8>>,
    /// What has to be said to be answered.
    token: Option<String>,
    asked: Vec<String>,
}

impl Registry {
    pub fn start() -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || answer(stream, &state));
            }
        });
        Registry { address, cache: tempfile::tempdir().unwrap(), state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// A package with these files beside its manifest, which may say more than name and version.
    pub fn publish(&self, name: &str, version: &str, more: Value, files: &[(&str, &str)]) {
        let source = folder(files);
        let mut manifest = json!({ "name": name, "version": version });
        manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        write(source.path(), "package.json", manifest.to_string());
        let packed: Value = serde_json::from_str(&npm(source.path(), &["pack", "--json", "--ignore-scripts"], &[])).unwrap();
        // Newer versions of npm answer by name.
        let packed = if packed.is_array() { &packed[0] } else { &packed[name] };
        let archive = fs::read(source.path().join(packed["filename"].as_str().unwrap())).unwrap();
        let path = format!("/{name}/-/{name}-{version}.tgz");
        let tarball = format!("http://{}{path}", self.address);
        manifest["dist"] = json!({ "tarball": tarball, "integrity": packed["integrity"], "shasum": packed["shasum"] });
        manifest["hasInstallScript"] = json!(manifest["scripts"]["install"].is_string());
        let packument = json!({ "name": name, "dist-tags": { "latest": version }, "versions": { version: manifest } });
        let mut state = self.state.lock().unwrap();
        state.answers.insert(path, archive);
        state.answers.insert(format!("/{name}"), packument.to_string().into_bytes());
    }

    pub fn demand(&self, token: &str) {
        self.state.lock().unwrap().token = Some(format!("authorization: bearer {token}").to_ascii_lowercase());
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// npm's variables: this registry, and a cache that nobody else fills.
    pub fn env(&self) -> [(&'static str, String); 2] {
        [("npm_config_registry", self.url()), ("npm_config_cache", self.cache.path().display().to_string())]
    }

    /// Writes the lock that npm makes of a folder's package.json.
    pub fn lock(&self, folder: &TempDir) {
        let env = self.env();
        let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        npm(
            folder.path(),
            &["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--omit-lockfile-registry-resolved=false"],
            &env,
        );
    }

    pub fn installer(&self, cache: &Path) -> Installer {
        let installer = Installer::from_env(cache).with_env("npm_config_fetch_retries", "0");
        self.env().into_iter().fold(installer, |installer, (name, value)| installer.with_env(name, value))
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        while reader.read_until(b'\n', &mut head).unwrap_or(0) > 0 && !head.ends_with(b"\r\n\r\n") {}
        let head = String::from_utf8(head).unwrap();
        let Some(path) = head.split(' ').nth(1) else { return };
        let mut state = state.lock().unwrap();
        state.asked.push(path.to_owned());
        let is_known = state.token.as_ref().is_none_or(|token| head.to_ascii_lowercase().contains(token));
        let (status, body) = match state.answers.get(path) {
            _ if !is_known => ("401 Unauthorized", &b"{}"[..]),
            Some(body) => ("200 OK", &body[..]),
            None => ("404 Not Found", &b"{}"[..]),
        };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
        stream.write_all(body).unwrap();
    }
}
