//! What a folder says about its packages: everything that a package manager has to see of it.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use serde_json::Value;

use crate::{
    Error, Manager, locks,
    manager::LOCKS,
    settings,
    sources::{self, Outside},
};

const MANIFEST: &str = "package.json";
const MODULES: &str = "node_modules";

/// Beside the manifest and the lock: a project's settings, and what of them a manager is given.
const SETTINGS: [(&str, Usable); 3] =
    [(".npmrc", settings::npmrc), (".yarnrc.yml", settings::yarnrc), ("pnpm-workspace.yaml", settings::pnpm_workspace)];

/// What of a text a manager is given.
type Usable = fn(&str) -> Result<String, Outside>;

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
        project.gather(&dir, "", 0)?;
        let usable = project.usable_lock(text)?;
        project.files.insert(lock.to_owned(), usable.into_bytes());
        project.gather_settings(&dir)?;
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
            } else if kind.is_file() && name == MANIFEST {
                self.add_manifest(dir, path, depth)?;
            } else if kind.is_file() && (name.ends_with(".tgz") || name.ends_with(".tar.gz")) {
                self.add(dir, &name, path)?;
            }
        }
        Ok(())
    }

    fn gather_settings(&mut self, dir: &Dir) -> Result<(), Error> {
        for (name, usable) in SETTINGS {
            if let Some(text) = read(dir, name)? {
                let text = String::from_utf8_lossy(&text).into_owned();
                let usable = usable(&text).map_err(|outside| refused(name, outside))?;
                self.files.insert(name.to_owned(), usable.into_bytes());
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
        self.keep(path, content)
    }

    /// One that is no JSON is no package's.
    fn add_manifest(&mut self, dir: &Dir, path: String, depth: usize) -> Result<(), Error> {
        let Some(manifest) = read(dir, MANIFEST)?.and_then(|text| serde_json::from_slice(&text).ok()) else { return Ok(()) };
        let usable = sources::manifest(manifest, depth).map_err(|outside| refused(&path, outside))?;
        self.keep(path, usable.to_string().into_bytes())
    }

    fn keep(&mut self, path: String, content: Vec<u8>) -> Result<(), Error> {
        self.files.insert(path, content);
        let bytes: usize = self.files.values().map(Vec::len).sum();
        let limit = match (bytes as u64 > BYTES_MAX, self.files.len() > FILES_MAX) {
            (true, _) => format!("{} MB in the handler's folder", BYTES_MAX >> 20),
            (_, true) => format!("{FILES_MAX} package.json and archives in the handler's folder"),
            _ => return Ok(()),
        };
        Err(Error::TooLarge { file: MANIFEST.to_owned(), limit })
    }

    /// The lock as the manager is given it, if all that it names may be installed.
    fn usable_lock(&self, text: String) -> Result<String, Error> {
        let lock = &*self.lock;
        let refuse = |outside| refused(lock, outside);
        let unreadable = || refuse(Outside { what: lock.to_owned(), reason: "it cannot be read as its manager writes it" });
        let manifests = || self.files.keys().filter(|path| path.ends_with(MANIFEST));
        match self.manager {
            Manager::Npm => {
                let lock = serde_json::from_str(&text).map_err(|_| unreadable())?;
                return Ok(locks::npm_lock(lock).map_err(refuse)?.to_string());
            }
            Manager::Pnpm => {
                let lock = sources::yaml(&text).ok_or_else(unreadable)?;
                locks::pnpm_lock(&lock).map_err(refuse)?;
                self.refuse_copies()?;
                // JSON is YAML that can be read in one way only.
                return Ok(lock.to_string());
            }
            // They compare it with what they would write.
            Manager::Yarn => {
                let depth = manifests().map(|path| path.matches('/').count()).max().unwrap_or(0);
                locks::yarn_lock(&sources::yaml(&text).ok_or_else(unreadable)?, depth).map_err(refuse)?;
            }
            Manager::YarnClassic => locks::yarn_classic_lock(&text).map_err(refuse)?,
        }
        self.refuse_copies()?;
        Ok(text)
    }

    /// Folders that a manager would copy, so that the copy stays as it is when they change.
    fn refuse_copies(&self) -> Result<(), Error> {
        let is_manifest = |path: &String| path.ends_with(MANIFEST);
        for (file, content) in self.files.iter().filter(|(path, _)| is_manifest(path)) {
            let manifest: Value = serde_json::from_slice(content).unwrap_or_default();
            let folder = Path::new(file).parent().unwrap_or(Path::new(""));
            for required in sources::required(&manifest) {
                let Some(path) = required.strip_prefix("file:") else { continue };
                let manifest = normal(&folder.join(path)).join(MANIFEST);
                if self.files.contains_key(&*manifest.to_string_lossy()) {
                    let reason = "a copy of a folder would not change with it: require it as \"link:\" or \"workspace:\"";
                    return Err(refused(file, Outside { what: required.to_owned(), reason }));
                }
            }
        }
        Ok(())
    }
}

fn refused(file: &str, Outside { what, reason }: Outside) -> Error {
    Error::Refused { file: file.to_owned(), what, reason: reason.to_owned() }
}

/// A path without `.` and `..`, by its spelling.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::Normal(name) => normal.push(name),
            _ => {}
        }
    }
    normal
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

fn unreadable(error: io::Error) -> Error {
    Error::Internal(format!("the handler's folder cannot be read: {error}"))
}
