//! Finds handlers in what `mirra serve` was given.
//!
//! A handler is a `.ts`, `.js`, `.mjs` (with the like) or `.py` file, a `.wasm` component, or a folder with a `package.json`, a
//! `handler.py`, or a file that the bundler would begin with (`index`, `handler` or `src/index`). Any other folder is a folder of handlers: its
//! children, not its grandchildren. A handler is named as its file without the extension, or as its folder.

use std::{
    collections::{BTreeMap, HashMap, btree_map},
    path::{Path, PathBuf},
};

/// Folders watched below one handler's folder; each costs the kernel about a kilobyte.
const SUBFOLDERS_MAX: usize = 1_000;

/// What there is now.
#[derive(Debug, Default)]
pub struct Survey {
    /// By name.
    pub handlers: BTreeMap<String, Found>,
    /// Folders whose children are handlers.
    pub folders: Vec<PathBuf>,
    /// What cannot be served, in words for a person.
    pub complaints: Vec<String>,
    /// Names that more than one handler has; the first one in order of the paths has it.
    pub has_duplicates: bool,
}

/// A handler.
#[derive(Clone, Debug)]
pub struct Found {
    /// Absolute and without symbolic links.
    pub path: PathBuf,
    /// Where its own files may lie.
    pub folders: Vec<PathBuf>,
}

/// Makes surveys, and remembers what it looked at: of a thousand handlers, a change concerns one.
pub struct Surveyor {
    paths: Vec<PathBuf>,
    /// What was found at children of folders of handlers; none for what is no handler.
    known: HashMap<PathBuf, Option<Found>>,
}

impl Surveyor {
    pub fn new(paths: Vec<PathBuf>) -> Surveyor {
        Surveyor { paths, known: HashMap::new() }
    }

    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Something was made, moved or removed here.
    pub fn forget(&mut self, changed: &Path) {
        for folder in changed.ancestors() {
            self.known.remove(folder);
        }
    }

    /// Something may have changed anywhere in this folder.
    pub fn forget_below(&mut self, folder: &Path) {
        self.forget(folder);
        self.known.retain(|path, _| !path.starts_with(folder));
    }

    /// Anything may have changed.
    pub fn forget_all(&mut self) {
        self.known.clear();
    }

    pub fn survey(&mut self) -> Survey {
        let mut survey = Survey::default();
        for path in &self.paths {
            match path.canonicalize() {
                Err(error) => survey.complaints.push(format!("cannot read {}: {error}", path.display())),
                Ok(absolute) if absolute.is_file() || is_handler(&absolute) => survey.add(path, Found::at(absolute)),
                Ok(folder) => add_children(&mut self.known, &mut survey, folder),
            }
        }
        survey
    }
}

fn add_children(known: &mut HashMap<PathBuf, Option<Found>>, survey: &mut Survey, folder: PathBuf) {
    let children = match folder.read_dir() {
        Ok(children) => children,
        Err(error) => return survey.complaints.push(format!("cannot read {}: {error}", folder.display())),
    };
    // In order of their names, so that complaints are the same every time.
    let mut children: Vec<PathBuf> = children.filter_map(|child| Some(child.ok()?.path())).collect();
    children.sort();
    for child in children.into_iter().filter(|child| !is_hidden(child)) {
        let found = match known.get(&child) {
            Some(found) => found.clone(),
            None => {
                let found = look(&child);
                // What lies behind a symbolic link changes without a word about the link.
                if found.as_ref().is_none_or(|found| found.path == child) && !child.is_symlink() {
                    known.insert(child.clone(), found.clone());
                }
                found
            }
        };
        if let Some(found) = found {
            survey.add(&child, found);
        }
    }
    survey.folders.push(folder);
}

fn look(child: &Path) -> Option<Found> {
    let absolute = child.canonicalize().ok()?;
    is_handler(&absolute).then(|| Found::at(absolute))
}

impl Survey {
    /// `path` gives the name, even if it is a symbolic link.
    fn add(&mut self, path: &Path, found: Found) {
        let named = if path.file_name().is_some() { path } else { &found.path };
        let name = if found.path.is_dir() { named.file_name() } else { named.file_stem() };
        let Some(name) = name.and_then(|name| name.to_str()) else {
            return self.complaints.push(format!("{} has no name that can stand in a URL: rename it", path.display()));
        };
        match self.handlers.entry(name.to_owned()) {
            btree_map::Entry::Vacant(free) => drop(free.insert(found)),
            btree_map::Entry::Occupied(taken) if taken.get().path == found.path => {}
            btree_map::Entry::Occupied(taken) => {
                self.has_duplicates = true;
                let (first, second) = (taken.get().path.display(), found.path.display());
                self.complaints.push(format!("two handlers have the name {name}, {first} and {second}: rename one"));
            }
        }
    }
}

impl Found {
    fn at(path: PathBuf) -> Found {
        let folders = if path.is_dir() { tree(&path) } else { path.parent().map(Path::to_owned).into_iter().collect() };
        Found { path, folders }
    }
}

/// The folder and those below it that may hold a handler's own files.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut pending) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = pending.pop().filter(|_| found.len() < SUBFOLDERS_MAX) {
        let children = folder.read_dir().into_iter().flatten().flatten();
        // The type of the entry itself: links out of the folder are not followed.
        let subfolders = children.filter(|child| child.file_type().is_ok_and(|kind| kind.is_dir())).map(|child| child.path());
        pending.extend(subfolders.filter(|folder| !is_hidden(folder)));
        found.push(folder);
    }
    found
}

/// Whether files and folders of this name are passed over: they are tools' and packages'.
pub fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "node_modules"
}

/// Whether a file or a folder is served as a handler.
pub fn is_handler(path: &Path) -> bool {
    if path.is_dir() {
        return mirra_runtime::is_python_handler(path) || path.join("package.json").is_file() || mirra_bundler::locate_entry(path).is_ok();
    }
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let extension = text(path.extension());
    // Declarations (`x.d.ts`) are types without code.
    let is_declaration = text(path.file_stem()).ends_with(".d");
    extension == "wasm" || extension == "py" || (mirra_bundler::EXTENSIONS.contains(&extension.as_str()) && !is_declaration)
}
