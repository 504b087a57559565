//! Handlers' folders, and an index in a folder that needs no network.

// Each test program uses some of it.
#![allow(dead_code)]
// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use mirra_wheels::{Engine, Error, Packages, Phase, Requirements, Resolver};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A folder with these files.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What a handler requires whose requirements.txt has these lines.
pub fn required(lines: &[&str]) -> Requirements {
    let handler = folder(&[("requirements.txt", &lines.join("\n"))]);
    Requirements::of(handler.path(), Path::new("handler.py")).expect("is understood")
}

pub fn python() -> Engine {
    Engine::python("3.14")
}

/// A resolution whose phases nobody looks at.
pub async fn resolve(resolver: &Resolver, lines: &[&str]) -> Result<Packages, Error> {
    resolver.resolve(&required(lines), &python(), &|_| {}).await
}

pub async fn refusal(resolver: &Resolver, lines: &[&str]) -> Error {
    resolve(resolver, lines).await.expect_err("is refused")
}

/// Everything that a resolution tells of its progress.
#[derive(Default)]
pub struct Phases(Mutex<Vec<Phase>>);

impl Phases {
    pub fn note(&self, phase: Phase) {
        self.0.lock().unwrap().push(phase);
    }

    pub fn all(self) -> Vec<Phase> {
        self.0.into_inner().unwrap()
    }
}

pub fn paths(packages: &Packages) -> Vec<&str> {
    packages.files.iter().map(|(path, _)| path.as_str()).collect()
}

pub fn versions(packages: &Packages) -> Vec<String> {
    packages.lock.packages.iter().map(|locked| format!("{}=={}", locked.name, locked.version)).collect()
}

/// Writes the packages out, as a host would show them to Python.
pub fn lay_out(packages: &Packages) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in &packages.files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// An index that consists of the wheels in a folder.
pub struct Index(TempDir);

/// A wheel under construction.
pub struct Wheel {
    path: PathBuf,
    distribution: String,
    zip: ZipWriter<File>,
}

impl Index {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A pure wheel with one module, and what it requires.
    pub fn add(&self, name: &str, version: &str, requires: &[&str]) -> &Self {
        self.wheel(name, version, "py3-none-any", requires).file(&format!("{name}.py"), b"x = 1\n").finish();
        self
    }

    pub fn wheel(&self, name: &str, version: &str, tag: &str, requires: &[&str]) -> Wheel {
        let path = self.path().join(format!("{name}-{version}-{tag}.whl"));
        let mut metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        requires.iter().for_each(|requirement| metadata.push_str(&format!("Requires-Dist: {requirement}\n")));
        let wheel = Wheel { distribution: format!("{name}-{version}"), zip: ZipWriter::new(File::create(&path).unwrap()), path };
        let wheel = wheel.info("METADATA", &metadata);
        let wheel = wheel.info("WHEEL", &format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"));
        wheel.info("RECORD", "")
    }

    /// A resolver that knows this index only.
    pub fn resolver(&self) -> Resolver {
        let resolver = Resolver::from_env().with_env("PIP_NO_INDEX", "1").with_env("PIP_CONFIG_FILE", "/dev/null");
        resolver.with_env("PIP_FIND_LINKS", self.path())
    }
}

impl Wheel {
    fn info(self, name: &str, text: &str) -> Self {
        let path = format!("{}.dist-info/{name}", self.distribution);
        self.file(&path, text.as_bytes())
    }

    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.zip.start_file(path, options).unwrap();
        self.zip.write_all(content).unwrap();
        self
    }

    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.zip.add_symlink(path, target, SimpleFileOptions::default()).unwrap();
        self
    }

    pub fn finish(self) -> PathBuf {
        self.zip.finish().unwrap();
        self.path
    }
}

/// A program that stands in for Python.
pub fn program(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("python");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}
