//! A language's engine, ready to be shared by its handlers.

use std::sync::OnceLock;

use wasmtime::{Engine, Module};
use wasmtime::{Result, error::Context};

use super::{
    cache::{Cache, Entry},
    metering::{Metering, meter},
    snapshot,
    split::split,
};
use crate::files::Files;

/// What ships with mirra for one language; `cargo xtask engines` makes it.
pub struct Prebuilt {
    pub name: &'static str,
    /// The guest's core module, compressed with zstd.
    pub guest: &'static [u8],
    /// The component around a handler's image.
    pub glue: &'static [u8],
}

pub struct SharedEngine {
    pub module: Module,
    pub glue: &'static [u8],
    /// Names this build of the engine, for this wasmtime with these settings on this kind of machine, in hex.
    pub id: String,
    prebuilt: &'static Prebuilt,
    entry: Entry,
    /// Read when it is needed: most processes never deploy anything.
    base: OnceLock<Vec<u8>>,
}

impl SharedEngine {
    /// From the cache, or compiled, which takes a second or two once per machine.
    pub async fn open(
        engine: &Engine,
        cache: &Cache,
        prebuilt: &'static Prebuilt,
        metering: Metering,
        files: Files,
    ) -> Result<SharedEngine> {
        let id = id(engine, prebuilt, metering);
        let name = format!("engine-{}-{id}", prebuilt.name);
        let entry = match cache.get(&name) {
            Some(entry) => entry,
            None => compile(engine, cache, prebuilt, metering, files, &name).await?,
        };
        // SAFETY: the entry was checked to be what this cache's owner stored.
        let module = unsafe { Module::deserialize_file(engine, entry.path()) };
        let module = module.with_context(|| format!("cannot load the compiled {} engine", prebuilt.name))?;
        Ok(SharedEngine { module, glue: prebuilt.glue, id, prebuilt, entry, base: OnceLock::new() })
    }

    /// The memory that every deploy starts from.
    pub fn base(&self) -> Result<&[u8]> {
        if self.base.get().is_none() {
            let compressed = self.entry.data().context("cannot read the base image")?;
            let base = zstd::decode_all(&*compressed).context("cannot decompress the base image")?;
            let _ = self.base.set(base);
        }
        Ok(self.base.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// The engine's code as wasm, to put into a self-contained component.
    pub fn code(&self) -> Result<Vec<u8>> {
        Ok(split(&zstd::decode_all(self.prebuilt.guest)?)?.code)
    }
}

async fn compile(engine: &Engine, cache: &Cache, prebuilt: &Prebuilt, metering: Metering, files: Files, name: &str) -> Result<Entry> {
    let guest = zstd::decode_all(prebuilt.guest).with_context(|| format!("the {} engine is damaged", prebuilt.name))?;
    let parts = split(&guest)?;
    let code = match metering {
        Metering::On => meter(&parts.code)?,
        Metering::Off => parts.code,
    };
    let module = Module::new(engine, &code).with_context(|| format!("cannot compile the {} engine", prebuilt.name))?;
    let base = snapshot::boot(engine, &module, &parts.memory, files).await.context("the engine does not boot")?;
    cache.put(name, &module.serialize()?, &zstd::encode_all(&*base, 3)?)
}

/// Every ingredient of the compiled engine, hashed.
fn id(engine: &Engine, prebuilt: &Prebuilt, metering: Metering) -> String {
    build_id(engine, |hasher| {
        hasher.update(&[metering as u8]);
        // What turns the guest into the engine, too: its source is as good a version number as any, and cannot be forgotten.
        for source in [include_str!("metering.rs"), include_str!("split.rs"), include_str!("thin.rs"), include_str!("snapshot.rs")] {
            hasher.update(source.as_bytes());
        }
        hasher.update(prebuilt.guest).update(prebuilt.glue);
    })
}

/// Names what this wasmtime, with its settings and on this kind of machine, makes of `ingredients`, in hex.
pub fn build_id(engine: &Engine, ingredients: impl FnOnce(&mut blake3::Hasher)) -> String {
    struct Blake3Hasher(blake3::Hasher);
    impl std::hash::Hasher for Blake3Hasher {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut hasher = Blake3Hasher(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    ingredients(&mut hasher.0);
    super::cache::hex(&hasher.0.finalize().as_bytes()[..16])
}
