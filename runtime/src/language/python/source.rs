//! Which files make a Python handler.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use mirra_host_sdk::{Diagnostic, PrepareError};
use wasmtime::Result;

use crate::files;

/// A handler's files, as for every language.
const BYTES_MAX: u64 = 50 << 20;
pub const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 32;

/// What a folder's handler is in, the first one that is there.
const ENTRIES: [&str; 3] = ["handler.py", "main.py", "index.py"];

/// Folders that hold what is made from sources, or somebody's tools.
const NO_SOURCES: [&str; 4] = ["__pycache__", "node_modules", "venv", "env"];

pub struct Source {
    /// The folder, absolute.
    pub root: PathBuf,
    /// By path relative to the handler's folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The path of the file that the handler is in.
    pub entry: String,
    /// Everything that was read, absolute.
    pub inputs: Vec<PathBuf>,
}

/// Whether there is a Python handler at a path: a `.py` file, or a folder with one of `ENTRIES`, and nothing that makes it a
/// folder of JavaScript.
pub fn accepts(path: &Path) -> bool {
    if path.is_dir() {
        return !path.join("package.json").exists() && ENTRIES.iter().any(|entry| path.join(entry).is_file());
    }
    path.extension().is_some_and(|extension| extension == "py")
}

/// The folder of the handler at a path, and in it the file that it is in.
pub fn entry(path: &Path) -> Option<(PathBuf, String)> {
    let path = path.canonicalize().ok()?;
    if path.is_dir() {
        let entry = ENTRIES.iter().find(|entry| path.join(entry).is_file())?;
        return Some((path, (*entry).to_owned()));
    }
    Some((path.parent()?.to_owned(), path.file_name()?.to_string_lossy().into_owned()))
}

/// Reads the handler at `path`.
pub fn gather(path: &Path) -> Result<Source, PrepareError> {
    let absolute = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    if absolute.is_dir() { folder(&absolute) } else { file(&absolute) }
}

/// Everything in the folder is the handler's.
fn folder(folder: &Path) -> Result<Source, PrepareError> {
    let entry = ENTRIES.iter().find(|entry| folder.join(entry).is_file());
    let entry = entry.ok_or_else(|| PrepareError::rejected(format!("{} has no handler.py", folder.display())))?;
    let mut gathering = Gathering::new(folder);
    gathering.folder(folder, 0)?;
    Ok(gathering.done((*entry).to_owned()))
}

/// The file, and the modules beside it that it imports: what else lies there may be anything.
fn file(path: &Path) -> Result<Source, PrepareError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut gathering = Gathering::new(folder);
    let mut waiting = vec![path.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(next) = waiting.pop() {
        if !seen.insert(next.clone()) {
            continue;
        }
        if next.is_dir() {
            gathering.folder(&next, 1)?;
            continue;
        }
        let imported = imports(&String::from_utf8_lossy(gathering.file(&next)?));
        waiting.extend(imported.iter().filter_map(|name| own_module(folder, name)));
    }
    let entry = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(gathering.done(entry))
}

/// The module or package of this name that lies in the handler's folder, if there is one.
pub fn own_module(folder: &Path, name: &str) -> Option<PathBuf> {
    let (module, package) = (folder.join(format!("{name}.py")), folder.join(name));
    let package = || package.join("__init__.py").is_file().then_some(package);
    if module.is_file() { Some(module) } else { package() }
}

/// Names of modules that some line seems to import. Too many do no harm: those count that lie beside the file, and some that only
/// the scientific engine has.
pub fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.trim_start().splitn(2, char::is_whitespace);
        let (Some("import" | "from"), Some(rest)) = (words.next(), words.next()) else { continue };
        for module in rest.split(',') {
            let name: String = module.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                names.insert(name);
            }
        }
    }
    names
}

struct Gathering<'a> {
    root: &'a Path,
    files: BTreeMap<String, Vec<u8>>,
    inputs: Vec<PathBuf>,
    bytes: u64,
}

impl<'a> Gathering<'a> {
    fn new(root: &'a Path) -> Gathering<'a> {
        Gathering { root, files: BTreeMap::new(), inputs: Vec::new(), bytes: 0 }
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), PrepareError> {
        if depth > DEPTH_MAX {
            return Err(PrepareError::rejected(format!("{} is more than {DEPTH_MAX} folders deep", folder.display())));
        }
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        for entry in entries.map_err(|error| unreadable(folder, &error))? {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            if name.starts_with('.') || name.ends_with(".pyc") || NO_SOURCES.contains(&&*name) {
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

    fn file(&mut self, path: &Path) -> Result<&[u8], PrepareError> {
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

    fn done(mut self, entry: String) -> Source {
        self.inputs.sort();
        Source { root: self.root.to_owned(), files: self.files, entry, inputs: self.inputs }
    }
}

impl Source {
    pub fn pack(&self) -> Result<Vec<u8>> {
        files::pack(self.files.iter().map(|(path, content)| (path.as_str(), content.as_slice())))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> PrepareError {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    PrepareError::Rejected(vec![Diagnostic { message: format!("cannot be read: {error}"), file, ..Diagnostic::default() }])
}
