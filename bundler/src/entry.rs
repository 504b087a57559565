//! From what a user names, a file or a folder, to the file that bundling starts from.

use std::{
    io,
    path::{Path, PathBuf},
};

use oxc_resolver::FileSystem as _;
use serde_json::Value;

use crate::{
    BundleError, Diagnostic, MAX_SOURCE_BYTES,
    diagnostic::Position,
    folder::{Folder, normalize},
};

/// Extensions a handler's file may have.
pub const EXTENSIONS: [&str; 6] = ["ts", "js", "mjs", "mts", "cts", "cjs"];

/// Where a folder without a word about it in package.json is expected to begin, first match first.
const DEFAULT_STEMS: [&str; 3] = ["index", "handler", "src/index"];
const DEFAULT_EXTENSIONS: [&str; 3] = ["ts", "js", "mjs"];

/// Conditions of package.json's `exports`, in the order they are tried.
const CONDITIONS: [&str; 4] = ["import", "module", "default", "require"];

/// The file a handler begins with, and the folder that nothing of it may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The folder itself, or the file's own; absolute, without symbolic links.
    pub root: PathBuf,
    /// The file, below `root`; absolute, without symbolic links.
    pub file: PathBuf,
}

/// Finds the file that bundling `path` starts from, without looking into it.
///
/// A file is its own entry. A folder's is what its package.json names: `exports["."]`, else `module`, else
/// `main`, where `x.js` that does not exist stands for `x.ts`. Where package.json is absent, or names
/// nothing that exists, it is the first of `index`, `handler` and `src/index` as `.ts`, `.js` or `.mjs`.
///
/// # Errors
/// [`BundleError::Rejected`] for a path that does not exist, is no script (see [`EXTENSIONS`]), is not UTF-8 or
/// whose folder has no entry, and for a package.json that is not JSON or leads outside the folder.
pub fn locate_entry(path: &Path) -> Result<Entry, BundleError> {
    let (folder, file) = locate(path, None, MAX_SOURCE_BYTES).map_err(BundleError::from)?;
    Ok(Entry { root: folder.root().to_path_buf(), file })
}

pub(crate) fn locate(path: &Path, packages: Option<&Path>, max_bytes: u64) -> Result<(Folder, PathBuf), Diagnostic> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Diagnostic::new(format!("no such file or folder: {}", path.display())),
        _ => Diagnostic::new(format!("cannot read {}: {error}", path.display())),
    };
    let canonical = path.canonicalize().map_err(unreadable)?;
    if canonical.to_str().is_none() {
        return Err(Diagnostic::new(format!("the path {} is not UTF-8: rename it", canonical.display())));
    }
    if canonical.is_dir() {
        let folder = Folder::open(canonical, packages, max_bytes).map_err(unreadable)?;
        let file = entry_of_folder(&folder)?;
        return Ok((folder, file));
    }
    let root = canonical.parent().unwrap_or(&canonical).to_path_buf();
    let folder = Folder::open(root, packages, max_bytes).map_err(unreadable)?;
    if !folder.is_file(&canonical) || !is_script(&canonical) {
        return Err(Diagnostic::new(format!(
            "{} is not a script: expected a file ending in {}",
            path.display(),
            EXTENSIONS.map(|extension| format!(".{extension}")).join(", ")
        )));
    }
    Ok((folder, canonical))
}

fn entry_of_folder(folder: &Folder) -> Result<PathBuf, Diagnostic> {
    let named = named_in_package_json(folder)?;
    for name in &named {
        if let Some(file) = existing(folder, name)? {
            return Ok(file);
        }
    }
    let defaults =
        DEFAULT_STEMS.iter().flat_map(|stem| DEFAULT_EXTENSIONS.map(|extension| folder.root().join(format!("{stem}.{extension}"))));
    for file in defaults {
        if folder.is_file(&file) {
            return canonical(folder, &file);
        }
    }
    let named = match named.as_slice() {
        [] => String::new(),
        names => format!("package.json names {}, which does not exist, and ", names.join(", ")),
    };
    let stems = DEFAULT_STEMS.join(", ");
    Err(Diagnostic::new(format!("no handler in {}: {named}there is no {stems} as .ts, .js or .mjs", folder.root().display())))
}

/// The entries package.json names, best first; none without a package.json.
fn named_in_package_json(folder: &Folder) -> Result<Vec<String>, Diagnostic> {
    const FILE: &str = "package.json";
    let path = folder.root().join(FILE);
    if !folder.is_file(&path) {
        return Ok(Vec::new());
    }
    let text = folder.read_to_string(&path).map_err(|error| {
        let problem = folder.take_problems().into_iter().next();
        problem.unwrap_or_else(|| Diagnostic::in_file(FILE, format!("cannot be read: {error}")))
    })?;
    let package: Value = serde_json::from_str(&text).map_err(|error| {
        let position =
            Position { line: u32::try_from(error.line()).unwrap_or(1).max(1), column: u32::try_from(error.column()).unwrap_or(1).max(1) };
        Diagnostic::at(FILE, &text, position, format!("not JSON: {error}"))
    })?;
    let exports = package.get("exports").and_then(exported_root);
    let fields = ["module", "main"].map(|field| package.get(field).and_then(Value::as_str));
    let named = [exports].into_iter().chain(fields).flatten();
    Ok(named.map(str::to_string).collect())
}

/// What `exports` gives for the package itself: a path, or conditions, possibly below ".".
fn exported_root(exports: &Value) -> Option<&str> {
    match exports {
        Value::String(path) => Some(path),
        Value::Array(choices) => choices.iter().find_map(exported_root),
        Value::Object(map) => match map.get(".") {
            Some(root) => exported_root(root),
            None => CONDITIONS.iter().find_map(|condition| map.get(*condition).and_then(exported_root)),
        },
        _ => None,
    }
}

/// The script that `name` in package.json stands for, if there is one.
fn existing(folder: &Folder, name: &str) -> Result<Option<PathBuf>, Diagnostic> {
    let path = normalize(&folder.root().join(name));
    if !path.starts_with(folder.root()) {
        return Err(outside(name));
    }
    let source = path.extension().and_then(|extension| match extension.to_str()? {
        "js" => Some(path.with_extension("ts")),
        "mjs" => Some(path.with_extension("mts")),
        "cjs" => Some(path.with_extension("cts")),
        _ => None,
    });
    let candidates = [Some(path), source].into_iter().flatten();
    let found = candidates.into_iter().find(|file| is_script(file) && folder.is_file(file));
    found.map(|file| canonical(folder, &file)).transpose()
}

fn canonical(folder: &Folder, file: &Path) -> Result<PathBuf, Diagnostic> {
    folder.canonicalize(file).map_err(|_| outside(&folder.name(file)))
}

fn outside(name: &str) -> Diagnostic {
    let message = format!("the entry {name} is outside the handler's folder");
    Diagnostic::in_file("package.json", message)
}

fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}
