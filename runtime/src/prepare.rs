//! Deploying: from a source to something that can be invoked, through the cache at every step.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use mirra_host_sdk::{HandlerId, HostError, PrepareError, Prepared};
use serde::{Deserialize, Serialize};
use wasmtime::{Engine, Result, format_err};

use crate::{
    artifact::Artifact,
    engine::cache::{Cache, Entry, hex},
    handler::{Metadata, Stored, entry_name},
    language::{Language, Reading, Recipe},
    settings::Settings,
};

/// What became of a source the last time, so that one that has not changed need not be bundled again.
#[derive(Serialize, Deserialize)]
struct Receipt {
    id: HandlerId,
    warnings: Vec<String>,
    /// Hash of every file that was read, and of the names in every folder that was searched.
    inputs: BTreeMap<PathBuf, String>,
}

/// What preparing comes to.
pub enum Outcome {
    /// The handler, and what the cache has of it.
    Prepared(Prepared, Arc<Stored>),
    /// It is one for the language of this name.
    Elsewhere(&'static str),
}

/// What it takes to prepare handlers in one language.
pub struct Workshop<'a> {
    pub wasmtime: &'a Engine,
    pub cache: &'a Arc<Cache>,
    pub language: &'a dyn Language,
}

impl Workshop<'_> {
    /// The id of the handler at `path`, whose compiled code is then in the cache.
    pub async fn prepare(&self, path: &Path) -> Result<Outcome, PrepareError> {
        let began = Instant::now();
        let receipt_name = receipt_name(self.language, path);
        if let Some(receipt) = still_valid(self.cache, &receipt_name)
            && let Some(stored) = self.kept(&receipt.id)?
        {
            return Ok(Outcome::Prepared(receipt.prepared(true, began), stored));
        }
        let reads_from = now();
        let recipe = match self.language.read(path).await? {
            Reading::Recipe(recipe) => recipe,
            Reading::Elsewhere(language) => return Ok(Outcome::Elsewhere(language)),
        };
        let (settings, settings_file) = self.language.settings_file().map(|file| file.read(path)).transpose()?.unzip();
        let settings = settings.unwrap_or_default();
        let inputs = hash_inputs(recipe.inputs.iter().chain(&settings_file))
            .map_err(|error| HostError::caused_by("cannot read a source file again", error))?;
        let id = handler_id(self.language, &recipe, &settings);
        let (stored, is_cached) = match self.kept(&id)? {
            Some(stored) => (stored, true),
            None => (self.build(&id, recipe, settings).await?, false),
        };
        let receipt = Receipt { id, warnings: stored.metadata.warnings.clone(), inputs };
        // What has changed meanwhile must not pass for what was built; reading may have installed packages for minutes.
        if receipt.inputs.keys().all(|path| is_older(path, reads_from)) {
            let json = serde_json::to_vec(&receipt).map_err(|error| internal(error.into()))?;
            self.cache.put(&receipt_name, &[], &json).map_err(internal)?;
        }
        Ok(Outcome::Prepared(receipt.prepared(is_cached, began), stored))
    }

    /// A handler that was built once: its compiled code, made again if only its artifact is left.
    pub fn kept(&self, id: &HandlerId) -> Result<Option<Arc<Stored>>, PrepareError> {
        if let Some(stored) = self.cache.get(&entry_name(id)).and_then(|entry| Stored::open(self.cache, entry)) {
            Artifact::keep(self.cache, id);
            return Ok(Some(stored));
        }
        let Some(artifact) = Artifact::load(self.cache, id) else { return Ok(None) };
        let image = artifact.image(self.language.base().map_err(internal)?).map_err(internal)?;
        let entry = self.compile(id, &image, &artifact.metadata)?;
        Ok(Stored::open(self.cache, entry))
    }

    async fn build(&self, id: &HandlerId, recipe: Recipe, settings: Settings) -> Result<Arc<Stored>, PrepareError> {
        let built = self.language.build(&recipe).await?;
        let warnings = [recipe.warnings, built.logs].concat();
        let mut mounts = Vec::new();
        for mount in &recipe.mounts {
            // Named by content: handlers with the same packages share them.
            let name = format!("files-{}", blake3::hash(&mount.archive).to_hex());
            if self.cache.get(&name).is_none() {
                self.cache.put(&name, &[], &mount.archive).map_err(internal)?;
            }
            mounts.push((mount.folder.to_owned(), name));
        }
        let language = self.language.name().to_owned();
        let metadata = Metadata {
            language,
            warnings,
            mounts,
            allowed_hosts: settings.allowed_hosts,
            allowed_resources: settings.allowed_resources.map(Into::into),
        };
        let metadata = metadata.pack(recipe.traces.as_ref()).map_err(internal)?;
        let entry = self.compile(id, &built.image, &metadata)?;
        let artifact = Artifact::new(metadata, &built.image, self.language.base().map_err(internal)?).map_err(internal)?;
        artifact.store(self.cache, id).map_err(internal)?;
        Stored::open(self.cache, entry).ok_or_else(|| internal(format_err!("what was written to the cache is not there")))
    }

    /// Blocks for milliseconds, so the caller has a thread that may: little of it is compiling, most is writing.
    fn compile(&self, id: &HandlerId, image: &[u8], metadata: &[u8]) -> Result<Entry, PrepareError> {
        let component = self.language.component(image).map_err(internal)?;
        let compiled = || -> Result<Entry, PrepareError> {
            let code = self
                .wasmtime
                .precompile_component(&component)
                .map_err(|error| PrepareError::rejected(format!("is no valid component: {error:#}")))?;
            self.cache.put(&entry_name(id), &code, metadata).map_err(internal)
        };
        match tokio::runtime::Handle::current().runtime_flavor() {
            tokio::runtime::RuntimeFlavor::MultiThread => tokio::task::block_in_place(compiled),
            _ => compiled(),
        }
    }
}

impl Receipt {
    fn prepared(self, is_cached: bool, began: Instant) -> Prepared {
        let inputs = self.inputs.into_keys().collect();
        Prepared { id: self.id, inputs, warnings: self.warnings, is_cached, took: began.elapsed() }
    }
}

fn still_valid(cache: &Cache, receipt_name: &str) -> Option<Receipt> {
    let receipt: Receipt = serde_json::from_slice(&cache.get(receipt_name)?.data().ok()?).ok()?;
    let is_unchanged = receipt.inputs.iter().all(|(path, hash)| hash_of(path).is_ok_and(|now| now == *hash));
    is_unchanged.then_some(receipt)
}

fn receipt_name(language: &dyn Language, path: &Path) -> String {
    let mut hash = blake3::Hasher::new();
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    hash.update(language.engine_id().as_bytes()).update(path.as_os_str().as_encoded_bytes());
    format!("source-{}", hex(&hash.finalize().as_bytes()[..16]))
}

fn handler_id(language: &dyn Language, recipe: &Recipe, settings: &Settings) -> HandlerId {
    let mut hash = blake3::Hasher::new();
    hash.update(language.name().as_bytes()).update(language.engine_id().as_bytes());
    for ingredient in &recipe.ingredients {
        hash.update(&(ingredient.len() as u64).to_le_bytes()).update(ingredient);
    }
    if let Some(hosts) = &settings.allowed_hosts {
        // No host has a line end in its name.
        hash.update(b"allowed hosts\n").update(hosts.join("\n").as_bytes());
    }
    if let Some(resources) = &settings.allowed_resources {
        // A name may have anything in it.
        hash.update(b"allowed resources\n").update(&serde_json::to_vec(resources).unwrap_or_default());
    }
    HandlerId(hex(&hash.finalize().as_bytes()[..16]))
}

fn hash_inputs<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> io::Result<BTreeMap<PathBuf, String>> {
    paths.map(|path| Ok((path.clone(), hash_of(path)?))).collect()
}

/// What is not there has the hash "": it is an input where its coming would make a difference.
fn hash_of(path: &Path) -> io::Result<String> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => names_in(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    Ok(hex(blake3::hash(&content).as_bytes()))
}

/// The time as files get it, in seconds and nanoseconds: the clock that is always on.
fn now() -> (i64, i64) {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    (now.tv_sec, now.tv_nsec)
}

/// Whether a file or folder has been the same since before `time`. A tick of that clock takes milliseconds, and what was changed in the
/// same one may have been so before or after.
fn is_older(path: &Path, time: (i64, i64)) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => (metadata.mtime(), metadata.mtime_nsec()).max((metadata.ctime(), metadata.ctime_nsec())) < time,
        // If it had been there, it would have been read.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Names in a folder, but for those that handlers do not see: tools make and remove such files all the time.
fn names_in(folder: &Path) -> io::Result<Vec<u8>> {
    let names: io::Result<BTreeSet<_>> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect();
    let seen = names?.into_iter().filter(|name| !name.as_encoded_bytes().starts_with(b"."));
    Ok(seen.flat_map(|name| [name.as_encoded_bytes(), b"/"].concat()).collect())
}

fn internal(error: wasmtime::Error) -> PrepareError {
    HostError::caused_by("the handler could not be stored", error).into()
}
