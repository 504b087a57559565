//! `LocalExecutor`: runs handlers in this process.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use arc_swap::{ArcSwap, ArcSwapOption};
use mirra_bundler::ChildCommand;
use mirra_host_sdk::{
    BoxFuture, Capabilities, ErrorCode, Executor, HandlerId, HostError, Invocation, InvocationError, Outcome, PrepareError, Prepared,
    PriceTable, Source, Usage,
};
use tokio::sync::OnceCell;

use crate::{
    admission::{Full, Gate},
    artifact::Artifact,
    call,
    engine::{cache::Cache, metering::Metering},
    handler::{Handler, Metadata, Stored, entry_name},
    language::{
        Reading,
        installed::{Installed, LANGUAGES, Setup, Slot},
    },
    prepare::{Outcome as Preparation, Workshop},
    scheduler::Scheduler,
};

/// How an executor is set up. `new` has defaults for everything but the folder.
pub struct Config {
    /// Where compiled code is kept. Several processes may share it. Each handler in use holds two file descriptors: a process
    /// with many raises its limit.
    pub cache_folder: PathBuf,
    /// What handlers may reach. Default: nothing.
    pub capabilities: Capabilities,
    pub prices: PriceTable,
    /// Calls that run at the same time, in all.
    pub concurrency_max: u32,
    /// Calls of one handler that run at the same time.
    pub concurrency_per_handler_max: u32,
    /// Calls that wait for a place, in all and for each handler; one more is `RATE_LIMITED`.
    pub queue_max: u32,
    /// Threads for calls that compute for longer.
    pub threads: usize,
    /// How to start this program as a bundler: what [`crate::init`] answered.
    pub bundler: ChildCommand,
    /// Keeps one bundler started in advance, about 10 MB, so that a deploy need not wait for a process to start: for servers.
    pub bundler_spare: bool,
    pub metering: Metering,
    /// Told of work that takes seconds and is done once on a machine.
    pub long_work: LongWork,
}

/// Called with what begins (`compiling the Python engine, once on this machine`); what it answers is dropped when that is done.
pub type LongWork = Arc<dyn Fn(&'static str) -> Box<dyn Progress> + Send + Sync>;

/// Something that takes long.
pub trait Progress: Send + Sync {
    /// So much of it is done, where that is known.
    fn bytes(&self, done: u64, of: u64);
}

/// Nobody wants to know.
impl Progress for () {
    fn bytes(&self, _done: u64, _of: u64) {}
}

impl Config {
    pub fn new(cache_folder: impl Into<PathBuf>, bundler: ChildCommand) -> Config {
        Config {
            cache_folder: cache_folder.into(),
            capabilities: Capabilities::default(),
            prices: PriceTable::default(),
            concurrency_max: 1000,
            concurrency_per_handler_max: 10,
            queue_max: 1000,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            bundler,
            bundler_spare: false,
            metering: Metering::On,
            long_work: Arc::new(|_| Box::new(())),
        }
    }
}

/// Runs each call in a fresh instance inside of this process.
pub struct LocalExecutor {
    cache: Arc<Cache>,
    languages: [Slot; LANGUAGES.len()],
    setup: Setup,
    handlers: ArcSwap<HashMap<HandlerId, Arc<Deployed>>>,
    scheduler: Scheduler,
    gate: Gate,
    capabilities: Arc<Capabilities>,
    prices: Arc<PriceTable>,
    config: Settings,
}

/// What of the configuration is looked at after the start.
struct Settings {
    concurrency_per_handler_max: usize,
    queue_max: usize,
}

struct Deployed {
    installed: Arc<Installed>,
    stored: Arc<Stored>,
    /// None while it is idle.
    handler: ArcSwapOption<Handler>,
    /// Held while it is loaded again, so that many calls at once load it once.
    awakening: Mutex<()>,
    gate: Gate,
    /// Called since `release_idle` last looked.
    is_used: AtomicBool,
}

/// How busy an executor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub running: usize,
    pub queued: usize,
}

impl LocalExecutor {
    /// Opens the cache. A language's engine is opened when its first handler comes; one that is not in the cache yet is compiled
    /// then, which takes seconds once per machine. Must be called within a tokio runtime: timers and I/O of the calls run there.
    pub async fn new(config: Config) -> Result<LocalExecutor, HostError> {
        Self::open(config).map_err(|error| HostError::caused_by("the executor cannot start", error))
    }

    fn open(config: Config) -> wasmtime::Result<LocalExecutor> {
        let cache = Arc::new(Cache::open(&config.cache_folder)?);
        Ok(LocalExecutor {
            scheduler: Scheduler::new(config.threads, tokio::runtime::Handle::current())?,
            languages: LANGUAGES.map(|language| Slot { language, installed: OnceCell::new() }),
            setup: Setup {
                cache: cache.clone(),
                cache_folder: config.cache_folder,
                concurrency_max: config.concurrency_max,
                bundler: config.bundler,
                bundler_spare: config.bundler_spare,
                metering: config.metering,
                long_work: config.long_work,
            },
            cache,
            handlers: ArcSwap::default(),
            gate: Gate::new(config.concurrency_max as usize, config.queue_max as usize),
            capabilities: Arc::new(config.capabilities),
            prices: Arc::new(config.prices),
            config: Settings {
                concurrency_per_handler_max: config.concurrency_per_handler_max as usize,
                queue_max: config.queue_max as usize,
            },
        })
    }

    /// Opens the engine of the language that a handler at `path` would be in, so that its first deploy need not wait for that.
    pub async fn open_engine(&self, path: &Path) -> Result<(), PrepareError> {
        self.language_of(&Source::path(path)).await.map(drop)
    }

    pub fn load(&self) -> Load {
        let queued_at_handlers: usize = self.handlers.load().values().map(|deployed| deployed.gate.queued()).sum();
        Load { running: self.gate.taken(), queued: self.gate.queued() + queued_at_handlers }
    }

    /// What is kept of a handler besides its language's engine; None if it was never prepared here.
    pub fn artifact_bytes(&self, id: &HandlerId) -> Option<u64> {
        Artifact::size(&self.cache, id)
    }

    /// The handler as a self-contained component (`mirra build`).
    pub async fn export(&self, source: &Source) -> Result<Vec<u8>, PrepareError> {
        let mut installed = self.language_of(source).await?;
        loop {
            match installed.language.read(&source.path).await? {
                Reading::Recipe(recipe) => return installed.language.export(&recipe).await,
                Reading::Elsewhere(language) => installed = self.language_named(language).await?,
            }
        }
    }

    /// Unloads handlers that were not called since this was last called, and all that is kept warm for them: a thousand would
    /// otherwise hold most of a gigabyte, though few are in use at a time. To be called now and then. The next call of such a
    /// handler loads it again from disk, which takes about half a millisecond.
    pub fn release_idle(&self) {
        for deployed in self.handlers.load().values() {
            if !deployed.is_used.swap(false, Relaxed) {
                // Calls that run hold it until they end.
                deployed.handler.store(None);
            }
        }
    }

    /// Forgets a handler. Calls that run go on; compiled code stays in the cache.
    pub fn forget(&self, id: &HandlerId) {
        self.handlers.rcu(|handlers| {
            let mut handlers = HashMap::clone(handlers);
            handlers.remove(id);
            handlers
        });
    }

    async fn language_of(&self, source: &Source) -> Result<&Arc<Installed>, PrepareError> {
        let path = &source.path;
        if !path.exists() {
            return Err(PrepareError::rejected(format!("there is no file or folder {}", path.display())));
        }
        let Some(slot) = self.languages.iter().find(|slot| (slot.language.accepts)(path)) else {
            let path = path.display();
            return Err(PrepareError::rejected(format!(
                "{path} is no handler: expected .ts, .js, .mjs, .py, .wasm, or a folder with a package.json or a handler.py"
            )));
        };
        self.installed(slot).await.map_err(PrepareError::from)
    }

    /// One of the table, as another of it has said.
    async fn language_named(&self, name: &str) -> Result<&Arc<Installed>, HostError> {
        let slot = self.languages.iter().find(|slot| slot.language.name == name);
        let slot = slot.ok_or_else(|| HostError::new(ErrorCode::NotFound, format!("there is no language {name}")))?;
        self.installed(slot).await
    }

    async fn installed<'a>(&self, slot: &'a Slot) -> Result<&'a Arc<Installed>, HostError> {
        let install = || async { (slot.language.install)(&self.setup).await.map(Arc::new) };
        slot.installed.get_or_try_init(install).await.map_err(|error| HostError::caused_by("a language's engine cannot be opened", error))
    }

    fn workshop<'a>(&'a self, installed: &'a Installed) -> Workshop<'a> {
        Workshop { wasmtime: &installed.wasmtime, cache: &self.cache, language: &*installed.language }
    }

    fn deploy(&self, installed: &Arc<Installed>, id: &HandlerId, stored: Arc<Stored>) -> Result<Arc<Deployed>, PrepareError> {
        if let Some(deployed) = self.handlers.load().get(id) {
            return Ok(deployed.clone());
        }
        let handler = installed
            .load(&stored)
            .map_err(|error| PrepareError::rejected(format!("is no component of the world mirra:function/function: {error:#}")))?;
        let deployed = Arc::new(Deployed {
            installed: installed.clone(),
            stored,
            handler: ArcSwapOption::from_pointee(handler),
            awakening: Mutex::new(()),
            gate: Gate::new(self.config.concurrency_per_handler_max, self.config.queue_max),
            is_used: true.into(),
        });
        self.handlers.rcu(|handlers| {
            let mut handlers = HashMap::clone(handlers);
            handlers.insert(id.clone(), deployed.clone());
            handlers
        });
        Ok(deployed)
    }

    /// The handler itself, loaded again if it was idle.
    async fn awake(&self, deployed: &Arc<Deployed>) -> Result<Arc<Handler>, HostError> {
        if !deployed.is_used.load(Relaxed) {
            deployed.is_used.store(true, Relaxed);
        }
        if let Some(handler) = deployed.handler.load_full() {
            return Ok(handler);
        }
        let deployed = deployed.clone();
        let load = move || {
            let _awakening = deployed.awakening.lock();
            if let Some(handler) = deployed.handler.load_full() {
                return Ok(handler);
            }
            let handler = Arc::new(deployed.installed.load(&deployed.stored)?);
            deployed.handler.store(Some(handler.clone()));
            wasmtime::Result::Ok(handler)
        };
        let failed = |error: wasmtime::Error| HostError::caused_by("an idle handler cannot be loaded again", error);
        tokio::task::spawn_blocking(load).await.map_err(|error| failed(error.into()))?.map_err(failed)
    }

    /// A handler that was prepared, now or by an earlier process.
    async fn deployed(&self, id: &HandlerId) -> Result<Arc<Deployed>, HostError> {
        if let Some(deployed) = self.handlers.load().get(id) {
            return Ok(deployed.clone());
        }
        let unknown = || HostError::new(ErrorCode::NotFound, format!("handler {id} was never prepared here"));
        let metadata = match self.cache.get(&entry_name(id)) {
            Some(entry) => Metadata::read(&entry).ok(),
            None => Artifact::load(&self.cache, id).and_then(|artifact| Metadata::parse(&artifact.metadata).ok()),
        };
        let metadata = metadata.ok_or_else(unknown)?;
        let installed = self.language_named(&metadata.language).await?;
        let stored = self.workshop(installed).kept(id).map_err(|error| HostError::caused_by("cannot make a handler again", error))?;
        let stored = stored.ok_or_else(unknown)?;
        self.deploy(installed, id, stored).map_err(|error| HostError::caused_by("cannot load a handler", error))
    }
}

impl Executor for LocalExecutor {
    fn prepare(&self, source: Source) -> BoxFuture<'_, Result<Prepared, PrepareError>> {
        Box::pin(async move {
            let mut installed = self.language_of(&source).await?;
            loop {
                match self.workshop(installed).prepare(&source.path).await? {
                    Preparation::Prepared(prepared, stored) => {
                        self.deploy(installed, &prepared.id, stored)?;
                        return Ok(prepared);
                    }
                    Preparation::Elsewhere(language) => installed = self.language_named(language).await?,
                }
            }
        })
    }

    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Outcome, HostError>> {
        Box::pin(async move {
            let (event_bytes, event_bytes_max) = (invocation.event.get().len() as u64, invocation.limits.event_bytes_max);
            if event_bytes > event_bytes_max {
                let message = format!("the event has {event_bytes} bytes as JSON, and {event_bytes_max} are allowed");
                return Ok(refusal(invocation, ErrorCode::PayloadTooLarge, message));
            }
            let deployed = self.deployed(&invocation.handler).await?;
            let places = async { Ok::<_, Full>((deployed.gate.enter().await?, self.gate.enter().await?)) };
            let Ok(_places) = places.await else {
                let message = "too many calls are running and waiting; try again later".to_owned();
                return Ok(refusal(invocation, ErrorCode::RateLimited, message));
            };
            let handler = self.awake(&deployed).await?;
            let weight = invocation.limits.cpu_weight();
            let call = call::run(handler, invocation, self.capabilities.clone(), self.prices.clone());
            self.scheduler.run(weight, call).await
        })
    }
}

/// A call that was not made, and costs nothing.
fn refusal(invocation: Invocation, code: ErrorCode, message: String) -> Outcome {
    Outcome {
        execution_id: invocation.execution_id,
        result: Err(InvocationError::new(code, message)),
        logs: Vec::new(),
        usage: Usage::default(),
    }
}
