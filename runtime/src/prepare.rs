//! Deploying: from a source to something that can be invoked, through the cache at every step.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use mirra_host_sdk::{HandlerId, HostError, PrepareError, Prepared};
use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::Result;

use crate::{
    engine::cache::{Cache, Entry, hex},
    handler::{Metadata, entry_name},
    language::{Language, Recipe},
};

/// What became of a source the last time, so that one that has not changed need not be bundled again.
#[derive(Serialize, Deserialize)]
struct Receipt {
    id: HandlerId,
    warnings: Vec<String>,
    /// Hash of every file that was read.
    inputs: BTreeMap<PathBuf, String>,
}

/// The id of the handler at `path`, whose compiled code is then in the cache.
pub async fn prepare(
    wasmtime: &Engine,
    cache: &Arc<Cache>,
    language: &dyn Language,
    path: &Path,
) -> Result<(Prepared, Entry), PrepareError> {
    let began = Instant::now();
    let receipt_name = receipt_name(language, path);
    if let Some((receipt, entry)) = still_valid(cache, &receipt_name) {
        let inputs = receipt.inputs.into_keys().collect();
        return Ok((Prepared { id: receipt.id, inputs, warnings: receipt.warnings, is_cached: true, took: began.elapsed() }, entry));
    }
    let recipe = language.read(path).await?;
    // Read before the build: a file that changes meanwhile must not pass for what was built.
    let inputs = hash_inputs(&recipe.inputs).map_err(|error| HostError::caused_by("cannot read a source file again", error))?;
    let id = handler_id(language, &recipe);
    let (entry, warnings, is_cached) = match cache.get(&entry_name(&id)) {
        Some(entry) => {
            let warnings = Metadata::read(&entry).map_err(internal)?.warnings;
            (entry, warnings, true)
        }
        None => {
            let (entry, warnings) = build(wasmtime, cache, language, &id, recipe).await?;
            (entry, warnings, false)
        }
    };
    let receipt = Receipt { id, warnings, inputs };
    let json = serde_json::to_vec(&receipt).map_err(|error| internal(error.into()))?;
    cache.put(&receipt_name, &[], &json).map_err(internal)?;
    let Receipt { id, warnings, inputs } = receipt;
    Ok((Prepared { id, inputs: inputs.into_keys().collect(), warnings, is_cached, took: began.elapsed() }, entry))
}

async fn build(
    wasmtime: &Engine,
    cache: &Arc<Cache>,
    language: &dyn Language,
    id: &HandlerId,
    recipe: Recipe,
) -> Result<(Entry, Vec<String>), PrepareError> {
    let built = language.build(&recipe).await?;
    let warnings = [recipe.warnings, built.logs].concat();
    let mut mounts = Vec::new();
    for mount in &recipe.mounts {
        // Named by content: handlers with the same packages share them.
        let name = format!("files-{}", blake3::hash(&mount.archive).to_hex());
        if cache.get(&name).is_none() {
            cache.put(&name, &[], &mount.archive).map_err(internal)?;
        }
        mounts.push((mount.folder.to_owned(), name));
    }
    let metadata = Metadata { language: language.name().to_owned(), warnings: warnings.clone(), traces: recipe.traces, mounts };
    let (wasmtime, cache, name) = (wasmtime.clone(), cache.clone(), entry_name(id));
    let store = move || -> Result<Entry, PrepareError> {
        let code = wasmtime
            .precompile_component(&built.component)
            .map_err(|error| PrepareError::rejected(format!("is no valid component: {error:#}")))?;
        cache.put(&name, &code, &metadata.write().map_err(internal)?).map_err(internal)
    };
    let entry = tokio::task::spawn_blocking(store).await.map_err(|error| internal(error.into()))??;
    Ok((entry, warnings))
}

fn still_valid(cache: &Cache, receipt_name: &str) -> Option<(Receipt, Entry)> {
    let receipt: Receipt = serde_json::from_slice(&cache.get(receipt_name)?.data().ok()?).ok()?;
    let is_unchanged = receipt.inputs.iter().all(|(path, hash)| hash_file(path).is_ok_and(|now| now == *hash));
    let entry = is_unchanged.then(|| cache.get(&entry_name(&receipt.id))).flatten()?;
    Some((receipt, entry))
}

fn receipt_name(language: &dyn Language, path: &Path) -> String {
    let mut hash = blake3::Hasher::new();
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    hash.update(language.engine_id().as_bytes()).update(path.as_os_str().as_encoded_bytes());
    format!("source-{}", hex(&hash.finalize().as_bytes()[..16]))
}

fn handler_id(language: &dyn Language, recipe: &Recipe) -> HandlerId {
    let mut hash = blake3::Hasher::new();
    hash.update(language.name().as_bytes()).update(language.engine_id().as_bytes());
    for ingredient in &recipe.ingredients {
        hash.update(&(ingredient.len() as u64).to_le_bytes()).update(ingredient);
    }
    HandlerId(hex(&hash.finalize().as_bytes()[..16]))
}

fn hash_inputs(paths: &[PathBuf]) -> std::io::Result<BTreeMap<PathBuf, String>> {
    paths.iter().map(|path| Ok((path.clone(), hash_file(path)?))).collect()
}

fn hash_file(path: &Path) -> std::io::Result<String> {
    Ok(hex(blake3::hash(&std::fs::read(path)?).as_bytes()))
}

fn internal(error: wasmtime::Error) -> PrepareError {
    HostError::caused_by("the handler could not be stored", error).into()
}
