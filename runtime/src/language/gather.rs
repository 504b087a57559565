//! Reads a handler's own files: those of its folder that are not somebody's tools, within bounds.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use mirra_host_sdk::{Diagnostic, PrepareError};

/// A handler's files, as for every language.
const BYTES_MAX: u64 = 50 << 20;
pub const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 32;

pub struct Gathering<'a> {
    root: &'a Path,
    /// Whether what has this name is passed over, besides what is hidden.
    is_foreign: fn(&str) -> bool,
    bytes: u64,
    /// By path relative to the root.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What was read, absolute: a folder changes when something in it appears or vanishes.
    pub inputs: Vec<PathBuf>,
}

impl<'a> Gathering<'a> {
    pub fn new(root: &'a Path, is_foreign: fn(&str) -> bool) -> Gathering<'a> {
        Gathering { root, is_foreign, bytes: 0, files: BTreeMap::new(), inputs: Vec::new() }
    }

    /// Everything in a folder, at this depth below the root.
    pub fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), PrepareError> {
        if depth > DEPTH_MAX {
            return Err(PrepareError::rejected(format!("{} is more than {DEPTH_MAX} folders deep", folder.display())));
        }
        self.inputs.push(folder.to_owned());
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        for entry in entries.map_err(|error| unreadable(folder, &error))? {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            if name.starts_with('.') || (self.is_foreign)(&name) {
                continue;
            }
            // A symbolic link may lead anywhere, and what lies there is not the handler's.
            if kind.is_dir() {
                self.folder(&path, depth + 1)?;
            } else if kind.is_file() {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    pub fn file(&mut self, path: &Path) -> Result<&[u8], PrepareError> {
        let size = fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
        self.bytes += size;
        if self.bytes > BYTES_MAX || self.files.len() >= FILES_MAX {
            let root = self.root.display();
            return Err(PrepareError::rejected(format!(
                "{root} is too large: a handler may have {} MB in {FILES_MAX} files; is something in it that does not belong there?",
                BYTES_MAX >> 20
            )));
        }
        let content = fs::read(path).map_err(|error| unreadable(path, &error))?;
        let relative = path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned();
        self.inputs.push(path.to_owned());
        Ok(self.files.entry(relative).insert_entry(content).into_mut())
    }
}

pub fn unreadable(path: &Path, error: &io::Error) -> PrepareError {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    PrepareError::Rejected(vec![Diagnostic { message: format!("cannot be read: {error}"), file, ..Diagnostic::default() }])
}
