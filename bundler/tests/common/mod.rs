//! Handlers in temporary folders, bundled as the program does it: in a child.

// Each test file uses its part.
#![allow(dead_code)]

use std::{fs, os::unix::fs::symlink, path::Path};

use mirra_bundler::{Bundle, BundleError, Bundler, ChildCommand, Diagnostic, Limits, Request};
use tempfile::TempDir;

/// A folder of files that is gone when dropped.
pub struct Folder(TempDir);

pub fn folder<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Folder {
    let folder = Folder(TempDir::new().expect("temporary folders can be made"));
    for (name, content) in files {
        folder.write(name, content);
    }
    folder
}

impl Folder {
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        let parent = path.parent().expect("a file has a folder");
        fs::create_dir_all(parent).expect("below a temporary folder");
        fs::write(path, content).expect("below a temporary folder");
    }

    pub fn link(&self, name: &str, target: impl AsRef<Path>) {
        symlink(target, self.path().join(name)).expect("below a temporary folder");
    }

    pub async fn bundle(&self, entry: &str) -> Result<Bundle, BundleError> {
        self.bundle_for(entry, &[]).await
    }

    pub async fn bundle_for(&self, entry: &str, builtins: &[&str]) -> Result<Bundle, BundleError> {
        Bundler::new(child()).bundle(&self.request(entry, builtins)).await
    }

    pub async fn bundle_within(&self, entry: &str, limits: Limits) -> Result<Bundle, BundleError> {
        Bundler::new(child()).with_limits(limits).bundle(&self.request(entry, &[])).await
    }

    /// What is wrong with the handler, which has to be rejected.
    pub async fn rejected(&self, entry: &str) -> Vec<Diagnostic> {
        diagnostics(self.bundle(entry).await)
    }

    pub fn request(&self, entry: &str, builtins: &[&str]) -> Request {
        Request { path: self.path().join(entry), packages: None, builtins: builtins.iter().map(ToString::to_string).collect() }
    }
}

pub fn child() -> ChildCommand {
    ChildCommand { program: env!("CARGO_BIN_EXE_mirra-bundle-child").into(), args: Vec::new() }
}

pub fn diagnostics(outcome: Result<Bundle, BundleError>) -> Vec<Diagnostic> {
    match outcome {
        Err(BundleError::Rejected { diagnostics }) => diagnostics,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

/// The only one of several.
pub fn only<T: std::fmt::Debug>(mut items: Vec<T>) -> T {
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0)
}

pub fn has(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in:\n{text}");
}

pub fn has_not(text: &str, part: &str) {
    assert!(!text.contains(part), "{part:?} in:\n{text}");
}
