//! Which files make a Python handler.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use mirra_host_sdk::PrepareError;
use wasmtime::Result;

use crate::{
    files,
    language::gather::{Gathering, unreadable},
};

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
    let mut gathering = Gathering::new(folder, is_foreign);
    gathering.folder(folder, 0)?;
    Ok(done(folder, gathering, (*entry).to_owned()))
}

/// The file, and the modules beside it that it imports: what else lies there may be anything.
fn file(path: &Path) -> Result<Source, PrepareError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut gathering = Gathering::new(folder, is_foreign);
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
    Ok(done(folder, gathering, entry))
}

fn is_foreign(name: &str) -> bool {
    name.ends_with(".pyc") || NO_SOURCES.contains(&name)
}

fn done(root: &Path, gathering: Gathering<'_>, entry: String) -> Source {
    let Gathering { files, mut inputs, .. } = gathering;
    inputs.sort();
    Source { root: root.to_owned(), files, entry, inputs }
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

impl Source {
    pub fn pack(&self) -> Result<Vec<u8>> {
        files::pack(self.files.iter().map(|(path, content)| (path.as_str(), content.as_slice())))
    }
}
