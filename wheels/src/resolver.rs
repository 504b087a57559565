//! One resolution, from the cache or anew.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::task::spawn_blocking;

use crate::{
    Engine, Error, Lock, Locked, Packages, Requirements,
    cache::Cache,
    explain,
    fetch::fetch,
    pinned::{PinnedWheel, TEMPORARY},
    pip::{Deadline, Pip},
    report::Found,
    solve::{Solution, Solver},
    unpack::Tree,
};

/// Names the Python whose pip is used.
const PYTHON_VARIABLE: &str = "MIRRA_PYTHON";

/// Part of every key: changes when the same requirements would come to something else.
const FORMAT: &str = "mirra-wheels 1";

/// What the packages of one handler may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first look at the index to the last wheel.
    pub wall: Duration,
    /// Of that, how long pip may look for older versions that need no native code.
    pub backtracking: Duration,
    /// Bytes of all files, unpacked.
    pub bytes: u64,
    /// How many files.
    pub files: usize,
}

impl Default for Limits {
    /// 5 minutes, 20 s, 50 MB (what code and its dependencies may have by the contract), 20,000 files.
    fn default() -> Self {
        Self { wall: Duration::from_secs(300), backtracking: Duration::from_secs(20), bytes: 50_000_000, files: 20_000 }
    }
}

/// What is being done, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// pip looks for versions that fit together.
    Resolving,
    /// Wheels are fetched.
    Fetching {
        /// How many are there.
        done: usize,
        /// How many there will be.
        of: usize,
    },
    /// The wheels become one tree.
    Unpacking,
}

/// Called as things go on. Not at all if the packages are in the cache.
pub type Progress<'a> = &'a (dyn Fn(Phase) + Send + Sync);

/// Finds and fetches packages, and keeps them.
#[derive(Debug, Clone)]
pub struct Resolver {
    python: OsString,
    env: Vec<(OsString, OsString)>,
    cache: Option<Arc<Cache>>,
    limits: Limits,
}

impl Resolver {
    /// With the environment of this process: the Python that `MIRRA_PYTHON` names, or `python3`, and pip's own variables.
    pub fn from_env() -> Self {
        let python = env::var_os(PYTHON_VARIABLE).filter(|python| !python.is_empty()).unwrap_or_else(|| "python3".into());
        Self { python, env: env::vars_os().collect(), cache: None, limits: Limits::default() }
    }

    /// The same with another Python.
    pub fn with_python(self, python: impl Into<OsString>) -> Self {
        Self { python: python.into(), ..self }
    }

    /// The same with another variable in pip's environment. Of those that begin with `PIP_`, pip is given the ones that say
    /// how it reaches an index.
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value.into()));
        self
    }

    /// The same with a folder to keep packages in, which is made if it does not exist.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn with_cache(self, folder: &Path) -> io::Result<Self> {
        Ok(Self { cache: Some(Arc::new(Cache::open(folder)?)), ..self })
    }

    /// The same with other limits than the default.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The packages that `requirements` come to on `engine`: from the cache, else as [`Resolver::resolve_anew`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resolve(&self, requirements: &Requirements, engine: &Engine, progress: Progress<'_>) -> Result<Packages, Error> {
        check_python(requirements, engine)?;
        if requirements.is_empty() {
            return Ok(Packages::empty(&engine.python_version));
        }
        let cached = self.cache.as_ref().and_then(|cache| cache.load(&self.key(requirements, engine), &self.limits));
        match cached {
            Some(packages) => Ok(packages),
            None => self.resolve_anew(requirements, engine, progress).await,
        }
    }

    /// The same without a look into the cache, so that unpinned requirements come to what is newest now. What is found
    /// replaces what the cache has.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resolve_anew(&self, requirements: &Requirements, engine: &Engine, progress: Progress<'_>) -> Result<Packages, Error> {
        check_python(requirements, engine)?;
        let work = folder_to_work_in()?;
        let pip = self.pip(work.path(), engine, self.limits.wall)?;
        progress(Phase::Resolving);
        let Solution { mut found, notes } = Solver::new(&pip, requirements, engine, self.limits.backtracking)?.solve().await?;
        found.sort_by(|one, other| one.name.cmp(&other.name));
        check_hashes(requirements, &found)?;
        let folder = if found.is_empty() { PathBuf::new() } else { fetch(&pip, engine, &found, progress).await? };
        progress(Phase::Unpacking);
        let packages = self.unpack(folder, found, notes, engine).await.map_err(|error| placed(error, requirements))?;
        if let Some(cache) = &self.cache {
            // Packages that cannot be kept are packages all the same; they are made again next time.
            let _ = cache.store(&self.key(requirements, engine), &packages);
        }
        Ok(packages)
    }

    /// The content of one wheel that is known beforehand. `progress` is told how many bytes have come.
    ///
    /// # Errors
    /// [`Error::NoPip`], [`Error::Network`], [`Error::Timeout`] and failures of the machine.
    pub async fn fetch(&self, wheel: &PinnedWheel, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Vec<u8>, Error> {
        let work = folder_to_work_in()?;
        let mut pip = self.pip(work.path(), &Engine::python(PinnedWheel::PYTHON), PinnedWheel::WALL)?;
        pip.env.push((TEMPORARY.into(), work.path().into()));
        wheel.fetch(&pip, progress).await
    }

    fn pip(&self, work: &Path, engine: &Engine, wall: Duration) -> Result<Pip, Error> {
        Ok(Pip {
            python: self.python.clone(),
            env: self.env.clone(),
            markers: engine.markers()?.to_string(),
            work: work.to_path_buf(),
            deadline: Deadline::after(wall),
        })
    }

    async fn unpack(&self, folder: PathBuf, found: Vec<Found>, notes: Vec<String>, engine: &Engine) -> Result<Packages, Error> {
        let limits = self.limits;
        let python_version = engine.python_version.clone();
        let task = spawn_blocking(move || {
            let mut tree = Tree::new(limits);
            let mut packages = Vec::with_capacity(found.len());
            for found in found {
                let left_out = tree.add(&folder, &found)?;
                packages.push(Locked { name: found.name, version: found.version, file: found.file, sha256: found.sha256, left_out });
            }
            Ok(Packages { files: tree.into_files()?, lock: Lock { python_version, packages }, notes, is_cached: false })
        });
        task.await.map_err(|error| Error::Internal(error.to_string()))?
    }

    /// Names what was asked for: the requirements as they were understood, the engine, and where pip would have looked.
    fn key(&self, requirements: &Requirements, engine: &Engine) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        };
        add(FORMAT.as_bytes());
        // A structure of text alone: it cannot fail.
        add(&serde_json::to_vec(engine).unwrap_or_default());
        for requirement in &requirements.list {
            add(requirement.spec.to_string().as_bytes());
            add(requirement.hashes.join(" ").as_bytes());
        }
        for part in self.sources() {
            add(part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Where pip looks, by its variables and configuration files. Not how it gets there: proxies, certificates and secrets
    /// change without the packages becoming others.
    fn sources(&self) -> Vec<String> {
        const SOURCES: [&str; 6] =
            ["PIP_CONSTRAINT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_UPLOADED_PRIOR_TO"];
        let variables = SOURCES.iter().map(|name| self.variable(name).unwrap_or_default().to_string_lossy());
        let files = self.configuration_files().into_iter().map(|file| fs::read(file).unwrap_or_default());
        let files = files.map(|content| String::from_utf8_lossy(&content).into_owned().into());
        variables.chain(files).map(|part| explain::without_secrets(&part)).collect()
    }

    fn configuration_files(&self) -> Vec<PathBuf> {
        let home = |path: &str| self.variable("HOME").map(|home| Path::new(home).join(path));
        let named = self.variable("PIP_CONFIG_FILE").map(PathBuf::from);
        let own =
            self.variable("XDG_CONFIG_HOME").map(|folder| Path::new(folder).join("pip/pip.conf")).or_else(|| home(".config/pip/pip.conf"));
        let all = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/Library/Application Support/pip/pip.conf"].map(PathBuf::from);
        let others = [home("Library/Application Support/pip/pip.conf"), home(".pip/pip.conf"), own, named];
        all.into_iter().chain(others.into_iter().flatten()).collect()
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        self.env.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_os_str())
    }
}

/// Where pip runs, and all that it writes lies.
fn folder_to_work_in() -> Result<tempfile::TempDir, Error> {
    let folder = tempfile::Builder::new().prefix("mirra-wheels-").tempdir();
    folder.map_err(|error| Error::Internal(format!("no folder to work in: {error}")))
}

fn check_python(requirements: &Requirements, engine: &Engine) -> Result<(), Error> {
    let Some(python) = &requirements.python else { return Ok(()) };
    let version = engine.python_version.parse();
    let version = version.map_err(|_| Error::Internal(format!("\"{}\" is no version of Python", engine.python_version)))?;
    if python.versions.contains(&version) {
        return Ok(());
    }
    let (required, offered) = (python.versions.to_string(), engine.python_version.clone());
    Err(Error::PythonVersion { place: python.place.clone(), required, offered })
}

/// If the handler gives hashes, everything needs one, as pip has it.
fn check_hashes(requirements: &Requirements, found: &[Found]) -> Result<(), Error> {
    let first = requirements.list.iter().find(|requirement| !requirement.hashes.is_empty());
    let Some(first) = first else { return Ok(()) };
    for found in found {
        let given = requirements.list.iter().filter(|requirement| requirement.name() == found.name);
        let hashes: Vec<&String> = given.flat_map(|requirement| &requirement.hashes).collect();
        if hashes.contains(&&found.sha256) {
            continue;
        }
        let place = requirements.place_of(&found.name).or_else(|| Some(first.place.clone()));
        let reason = match hashes.is_empty() {
            true => "where one package has hashes, all need them, also those that others require".to_owned(),
            false => format!("its SHA-256 is {}", found.sha256),
        };
        return Err(Error::Hash { place, name: found.name.clone(), file: found.file.clone(), reason });
    }
    Ok(())
}

/// What a wheel turned out to be concerns the requirement that asked for it.
fn placed(error: Error, requirements: &Requirements) -> Error {
    match error {
        Error::Native { place: None, packages } => {
            let place = packages.first().and_then(|package| requirements.place_of(&package.name));
            Error::Native { place, packages }
        }
        other => other,
    }
}
