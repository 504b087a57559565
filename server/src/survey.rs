//! Finds handlers in what `mirra serve` was given.
//!
//! A handler is a `.ts`, `.js` or `.mjs` file (with the like), a `.wasm` component, or a folder with a `package.json` or with a
//! file that the bundler would begin with (`index`, `handler` or `src/index`). Any other folder is a folder of handlers: its
//! children, not its grandchildren. A handler is named as its file without the extension, or as its folder.

use std::{
    collections::{BTreeMap, btree_map},
    path::{Path, PathBuf},
};

/// What there is now.
#[derive(Debug, Default)]
pub struct Survey {
    /// By name; absolute and without symbolic links.
    pub handlers: BTreeMap<String, PathBuf>,
    /// Folders whose children are handlers.
    pub folders: Vec<PathBuf>,
    /// What cannot be served, in words for a person.
    pub complaints: Vec<String>,
    /// Names that more than one handler has; the first one in order of the paths has it.
    pub has_duplicates: bool,
}

impl Survey {
    pub fn of(paths: &[PathBuf]) -> Survey {
        let mut survey = Survey::default();
        for path in paths {
            survey.add_path(path);
        }
        survey
    }

    fn add_path(&mut self, path: &Path) {
        match path.canonicalize() {
            Err(error) => self.complaints.push(format!("cannot read {}: {error}", path.display())),
            Ok(absolute) if absolute.is_file() || is_handler(&absolute) => self.add_handler(path, absolute),
            Ok(folder) => self.add_folder(folder),
        }
    }

    fn add_folder(&mut self, folder: PathBuf) {
        let children = match folder.read_dir() {
            Ok(children) => children,
            Err(error) => return self.complaints.push(format!("cannot read {}: {error}", folder.display())),
        };
        // In order of their names, so that complaints are the same every time.
        let mut children: Vec<PathBuf> = children.filter_map(|child| Some(child.ok()?.path())).collect();
        children.sort();
        for child in children {
            if !is_hidden(&child)
                && let Ok(absolute) = child.canonicalize()
                && is_handler(&absolute)
            {
                self.add_handler(&child, absolute);
            }
        }
        self.folders.push(folder);
    }

    /// `path` gives the name, even if it is a symbolic link.
    fn add_handler(&mut self, path: &Path, absolute: PathBuf) {
        let named = if path.file_name().is_some() { path } else { &absolute };
        let name = if absolute.is_dir() { named.file_name() } else { named.file_stem() };
        let Some(name) = name.and_then(|name| name.to_str()) else {
            return self.complaints.push(format!("{} has no name that can stand in a URL: rename it", path.display()));
        };
        match self.handlers.entry(name.to_owned()) {
            btree_map::Entry::Vacant(free) => {
                free.insert(absolute);
            }
            btree_map::Entry::Occupied(taken) if *taken.get() == absolute => {}
            btree_map::Entry::Occupied(taken) => {
                self.has_duplicates = true;
                let (first, second) = (taken.get().display(), absolute.display());
                self.complaints.push(format!("two handlers have the name {name}, {first} and {second}: rename one"));
            }
        }
    }
}

/// Whether folders of this name are passed over: they hold tools' files and packages.
pub fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "node_modules"
}

fn is_handler(path: &Path) -> bool {
    if path.is_dir() {
        return path.join("package.json").is_file() || mirra_bundler::locate_entry(path).is_ok();
    }
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let extension = text(path.extension());
    // Declarations (`x.d.ts`) are types without code.
    let is_declaration = text(path.file_stem()).ends_with(".d");
    extension == "wasm" || (mirra_bundler::EXTENSIONS.contains(&extension.as_str()) && !is_declaration)
}
