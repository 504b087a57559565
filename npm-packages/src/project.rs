//! What a folder says about its packages: everything that a package manager has to see of it.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use serde_json::Value;

use crate::{
    Error, Manager,
    manager::LOCKS,
    settings::{npmrc, yarnrc},
};

const MANIFEST: &str = "package.json";
const MODULES: &str = "node_modules";

/// Beside the manifest and the lock: what is read of a project's settings, and what they become.
const SETTINGS: [(&str, Usable); 3] = [(".npmrc", npmrc), (".yarnrc.yml", yarnrc), ("pnpm-workspace.yaml", |text| text.to_owned())];

/// What of a text a manager is given.
type Usable = fn(&str) -> String;

/// Patches that locks refer to.
const PATCHES: [&str; 2] = ["patches", ".yarn/patches"];

/// A lock of 10 MB has some twenty thousand packages.
const FILE_BYTES_MAX: u64 = 20 << 20;
const BYTES_MAX: u64 = 50 << 20;
const FILES_MAX: usize = 1_000;
const DEPTH_MAX: usize = 16;

/// A handler's folder whose packages have to be installed.
#[derive(Debug)]
pub struct Project {
    pub(crate) manager: Manager,
    /// The name of the lock.
    pub(crate) lock: String,
    /// What a manager has to see, by path: manifests, the lock, settings, packages that lie in the folder as archives.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The project's own settings as they are, which may hold secrets.
    pub(crate) settings: Vec<String>,
    inputs: Vec<PathBuf>,
}

impl Project {
    /// What has to be installed for a handler in `folder`. None where there is nothing to do: it has `node_modules`, requires nothing
    /// or has no lock, by which alone a deploy would be the same tomorrow.
    ///
    /// # Errors
    /// [`Error::Refused`] for what lies outside of the folder, [`Error::TooLarge`].
    pub fn of(folder: &Path) -> Result<Option<Self>, Error> {
        let Ok(dir) = Dir::open_ambient_dir(folder, ambient_authority()) else { return Ok(None) };
        if has_modules(&dir) {
            return Ok(None);
        }
        // One that is no JSON is refused with its place when the handler's entry is looked for.
        let Some(manifest) = read(&dir, MANIFEST)?.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else { return Ok(None) };
        if !requires_anything(&manifest) && !dir.is_file("pnpm-workspace.yaml") {
            return Ok(None);
        }
        let Some((lock, text)) = lock(&dir, &manifest)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text).into_owned();
        let manager = Manager::of(lock, &text);
        let mut project = Self { manager, lock: lock.to_owned(), files: BTreeMap::new(), settings: Vec::new(), inputs: Vec::new() };
        project.files.insert(lock.to_owned(), text.clone().into_bytes());
        project.gather(&dir, "", 0)?;
        project.gather_settings(&dir)?;
        project.refuse_what_is_outside(&text)?;
        project.inputs = project.files.keys().map(|path| folder.join(path)).collect();
        Ok(Some(project))
    }

    /// Every file that decides what is installed, absolute if the folder was.
    pub fn inputs(&self) -> &[PathBuf] {
        &self.inputs
    }

    /// Names what will be installed.
    pub(crate) fn key(&self) -> String {
        const FORMAT: &str = "mirra-npm-packages 1";
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        };
        add(FORMAT.as_bytes());
        add(self.manager.args().join(" ").as_bytes());
        for (path, content) in &self.files {
            add(path.as_bytes());
            add(content);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Packages whose install scripts were left out. Only npm's locks tell.
    pub(crate) fn with_scripts(&self) -> Vec<String> {
        let lock = self.files.get(&self.lock).and_then(|lock| serde_json::from_slice::<Value>(lock).ok());
        let packages = lock.as_ref().and_then(|lock| lock.get("packages")?.as_object());
        let have = packages.into_iter().flatten().filter(|(_, package)| package["hasInstallScript"] == true);
        have.map(|(path, _)| path.clone()).collect()
    }

    /// Manifests of packages in the folder, and packages as archives.
    fn gather(&mut self, dir: &Dir, prefix: &str, depth: usize) -> Result<(), Error> {
        for entry in dir.entries().map_err(unreadable)?.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            // What a symbolic link leads to may be anywhere.
            let Ok(kind) = entry.file_type() else { continue };
            if name.starts_with('.') || name == MODULES {
                continue;
            }
            let path = format!("{prefix}{name}");
            if kind.is_dir() && depth < DEPTH_MAX {
                let Ok(inner) = entry.open_dir() else { continue };
                self.gather(&inner, &format!("{path}/"), depth + 1)?;
            } else if kind.is_file() && (name == MANIFEST || name.ends_with(".tgz") || name.ends_with(".tar.gz")) {
                self.add(dir, &name, path)?;
            }
        }
        Ok(())
    }

    fn gather_settings(&mut self, dir: &Dir) -> Result<(), Error> {
        for (name, usable) in SETTINGS {
            if let Some(text) = read(dir, name)? {
                let text = String::from_utf8_lossy(&text).into_owned();
                self.files.insert(name.to_owned(), usable(&text).into_bytes());
                self.settings.push(text);
            }
        }
        for folder in PATCHES {
            let Ok(inner) = dir.open_dir(folder) else { continue };
            for entry in inner.entries().map_err(unreadable)?.flatten() {
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name.ends_with(".patch") {
                    self.add(&inner, &name, format!("{folder}/{name}"))?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, dir: &Dir, name: &str, path: String) -> Result<(), Error> {
        let Some(content) = read(dir, name)? else { return Ok(()) };
        self.files.insert(path, content);
        let bytes: usize = self.files.values().map(Vec::len).sum();
        let limit = match (bytes as u64 > BYTES_MAX, self.files.len() > FILES_MAX) {
            (true, _) => format!("{} MB in the handler's folder", BYTES_MAX >> 20),
            (_, true) => format!("{FILES_MAX} package.json and archives in the handler's folder"),
            _ => return Ok(()),
        };
        Err(Error::TooLarge { file: MANIFEST.to_owned(), limit })
    }

    /// A manager would read files of the host for a project that says so.
    fn refuse_what_is_outside(&self, lock: &str) -> Result<(), Error> {
        let refused = |file: &str, what: &str, reason: &str| {
            Err(Error::Refused { file: file.to_owned(), what: what.to_owned(), reason: reason.to_owned() })
        };
        let depth = self.files.keys().filter(|path| path.ends_with(MANIFEST)).map(|path| path.matches('/').count()).max().unwrap_or(0);
        let texts = self.files.iter().filter(|(path, _)| path.ends_with(MANIFEST) || **path == self.lock);
        for (file, content) in texts {
            let text = if *file == self.lock { lock.into() } else { String::from_utf8_lossy(content) };
            let (paths, depth) =
                if *file == self.lock { (local_paths(&text), depth) } else { (local_paths(&text), file.matches('/').count()) };
            for path in paths {
                if leads_outside(path, depth) {
                    return refused(file, path, "only packages in the handler's folder and those of a registry can be installed");
                }
                let folder = path.trim_start_matches("./").trim_end_matches('/');
                let is_folder = self.files.contains_key(&format!("{folder}/{MANIFEST}"));
                if is_folder && !self.manager.links_folders() && text.contains(&format!("file:{path}")) {
                    let reason = "a copy of a folder would not change with it: require it as \"link:\" or \"workspace:\"";
                    return refused(file, path, reason);
                }
            }
        }
        Ok(())
    }
}

/// Whether there is anything in `node_modules`: tools keep caches there before there are packages.
fn has_modules(dir: &Dir) -> bool {
    let entries = dir.read_dir(MODULES).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
}

fn requires_anything(manifest: &Value) -> bool {
    let is_empty = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty) || value.is_null();
    ["dependencies", "optionalDependencies", "peerDependencies", "workspaces"].iter().any(|field| !is_empty(&manifest[*field]))
}

/// The lock that counts, and its content. package.json may name a manager.
fn lock(dir: &Dir, manifest: &Value) -> Result<Option<(&'static str, Vec<u8>)>, Error> {
    let named = manifest["packageManager"].as_str().and_then(|named| named.split('@').next()).unwrap_or_default();
    let is_named = |lock: &&&str| !named.is_empty() && Manager::of(lock, "").name() == named;
    for lock in LOCKS.iter().filter(is_named).chain(&LOCKS) {
        if let Some(text) = read(dir, lock)? {
            return Ok(Some((lock, text)));
        }
    }
    Ok(None)
}

/// A file of the project; none if it is not there, or a link that leads out of the folder.
fn read(dir: &Dir, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let Ok(file) = dir.open(name) else { return Ok(None) };
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::TooLarge { file: name.to_owned(), limit: format!("{} MB in one file", FILE_BYTES_MAX >> 20) });
    }
    Ok(Some(content))
}

/// What a text requires by path: `file:../lib`, `link:lib`, and the keys of folders in a lock of npm's.
fn local_paths(text: &str) -> Vec<&str> {
    const KINDS: [&str; 5] = ["git+file:", "file:", "link:", "portal:", "\"../"];
    let mut paths = Vec::new();
    for kind in KINDS {
        for (at, _) in text.match_indices(kind) {
            // Of `"../x"` the path begins behind the quote.
            let start = if kind.starts_with('"') { at + 1 } else { at + kind.len() };
            let rest = &text[start..];
            let end = rest.find(|c: char| c.is_whitespace() || "\"'#,)]}".contains(c)).unwrap_or(rest.len());
            paths.push(rest[..end].split("::").next().unwrap_or_default());
        }
    }
    paths
}

/// Whether a path is absolute or goes up by more than `depth` folders.
fn leads_outside(path: &str, depth: usize) -> bool {
    let mut left = depth;
    let climbs = |part: &str| {
        match part {
            "." | "" => {}
            ".." => match left.checked_sub(1) {
                Some(less) => left = less,
                None => return true,
            },
            _ => left += 1,
        }
        false
    };
    path.starts_with(['/', '~', '\\']) || path.contains('%') || path.split(['/', '\\']).any(climbs)
}

fn unreadable(error: io::Error) -> Error {
    Error::Internal(format!("the handler's folder cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let text = r#"{"a":"file:./lib","b":"link:../b"} c@file:/etc/x.tgz: "../up": {} l@link:./l::locator=h "git+file:///x""#;
        let mut paths = local_paths(text);
        paths.sort_unstable();
        assert_eq!(paths, ["../b", "../up", "./l", "./lib", "///x", "///x", "/etc/x.tgz:"]);
    }

    #[test]
    fn what_leads_outside_is_known() {
        for path in ["/x", "..", "a/../..", "~/x", "\\x", "%2e%2e/x"] {
            assert!(leads_outside(path, 0), "{path}");
        }
        for (path, depth) in [("./a/../b", 0), ("a", 0), ("../b", 1), ("", 0)] {
            assert!(!leads_outside(path, depth), "{path}");
        }
    }
}
