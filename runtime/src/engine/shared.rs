//! A language's engine, ready to be shared by its handlers.

use std::sync::{Arc, OnceLock};

use mirra_host_sdk::BoxFuture;
use wasmtime::{Engine, Module};
use wasmtime::{Result, error::Context};

use super::{
    background::background,
    cache::{Cache, Entry},
    metering::{Metering, meter},
    snapshot::{self, LoadError, LoadLimits, Loaded},
    split::split,
};
use crate::files::Files;

/// Where an engine comes from.
pub trait Guest: Send + Sync {
    fn name(&self) -> &'static str;

    /// Everything that the module is made from.
    fn identify(&self, hasher: &mut blake3::Hasher);

    /// The core module. Asked for when the engine is compiled, once on a machine, and when a handler is exported.
    fn module(&self) -> BoxFuture<'_, Result<Vec<u8>>>;
}

/// A core module that ships with mirra; `cargo xtask engines` makes it.
pub struct Prebuilt {
    pub name: &'static str,
    /// Compressed with zstd.
    pub module: &'static [u8],
}

impl Guest for Prebuilt {
    fn name(&self) -> &'static str {
        self.name
    }

    fn identify(&self, hasher: &mut blake3::Hasher) {
        hasher.update(self.module);
    }

    fn module(&self) -> BoxFuture<'_, Result<Vec<u8>>> {
        Box::pin(async { zstd::decode_all(self.module).with_context(|| format!("the {} engine is damaged", self.name)) })
    }
}

pub struct SharedEngine {
    pub module: Module,
    /// The component around a handler's image.
    pub glue: &'static [u8],
    /// Names this build of the engine, for this wasmtime with these settings on this kind of machine, in hex.
    pub id: String,
    wasmtime: Engine,
    guest: Arc<dyn Guest>,
    limits: LoadLimits,
    entry: Entry,
    /// Read when it is needed: most processes never deploy anything.
    base: OnceLock<Vec<u8>>,
}

/// What there is to know of an engine before it is opened.
pub struct Plan {
    pub guest: Arc<dyn Guest>,
    pub glue: &'static [u8],
    pub metering: Metering,
    /// What the top level of a handler may use.
    pub limits: LoadLimits,
    /// What it sees of files while it boots.
    pub files: Files,
}

impl SharedEngine {
    /// From the cache, or compiled, which takes seconds once per machine.
    pub async fn open(wasmtime: &Engine, cache: &Cache, plan: Plan) -> Result<SharedEngine> {
        let id = id(wasmtime, &plan);
        let Plan { guest, glue, metering, limits, files } = plan;
        let name = format!("engine-{}-{id}", guest.name());
        let entry = match cache.get(&name) {
            Some(entry) => entry,
            None => {
                let _turn = cache.turn("engine").await?;
                match cache.get(&name) {
                    Some(entry) => entry,
                    None => compile(wasmtime, cache, &*guest, metering, files, &name).await?,
                }
            }
        };
        // SAFETY: the entry was checked to be what this cache's owner stored.
        let module = unsafe { Module::deserialize_file(wasmtime, entry.path()) };
        let module = module.with_context(|| format!("cannot load the compiled {} engine", guest.name()))?;
        Ok(SharedEngine { module, glue, id, wasmtime: wasmtime.clone(), guest, limits, entry, base: OnceLock::new() })
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

    /// Runs the top level of a handler on top of the base image.
    pub async fn load(&self, start: &str, files: Files) -> Result<Result<Loaded, LoadError>> {
        snapshot::load(&self.wasmtime, &self.module, self.base()?, start, files, self.limits).await
    }

    /// The engine's code as wasm, to put into a self-contained component.
    pub async fn code(&self) -> Result<Vec<u8>> {
        Ok(split(&self.guest.module().await?)?.code)
    }
}

async fn compile(wasmtime: &Engine, cache: &Cache, guest: &dyn Guest, metering: Metering, files: Files, name: &str) -> Result<Entry> {
    let (core_module, engine) = (guest.module().await?, wasmtime.clone());
    let compiled = background(move || {
        let parts = split(&core_module)?;
        let code = match metering {
            Metering::On => meter(&parts.code)?,
            Metering::Off => parts.code,
        };
        Ok((Module::new(&engine, &code)?, parts.memory))
    });
    let (module, memory) = compiled.await.with_context(|| format!("cannot compile the {} engine", guest.name()))?;
    let base = snapshot::boot(wasmtime, &module, &memory, files).await.context("the engine does not boot")?;
    cache.put(name, &module.serialize()?, &zstd::encode_all(&*base, 3)?)
}

/// Every ingredient of the compiled engine, hashed.
fn id(wasmtime: &Engine, plan: &Plan) -> String {
    build_id(wasmtime, |hasher| {
        hasher.update(&[plan.metering as u8]);
        // What turns the guest into the engine, too: its source is as good a version number as any, and cannot be forgotten.
        for source in [include_str!("metering.rs"), include_str!("split.rs"), include_str!("thin.rs"), include_str!("snapshot.rs")] {
            hasher.update(source.as_bytes());
        }
        plan.guest.identify(hasher);
        hasher.update(plan.glue);
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
