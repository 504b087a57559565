//! Runs the engine's own life: `boot` into a base image, `load` of a handler's code from the base image into its image.
//!
//! The handler's top level runs here, once, at deploy. It is given a clock and a log, and limits of its own.

use std::time::{Duration, Instant};

use mirra_host_sdk::{LogEntry, LogLevel};
use wasmtime::{Caller, Engine, Instance, Linker, Memory, MemoryType, Module, ResourceLimiter, Store, Trap};
use wasmtime::{Result, bail, error::Context, format_err};

use super::{metering::SLICE, split::WASM_PAGE_BYTES};
use crate::files::Files;

/// What a handler's top level may use.
#[derive(Clone, Copy)]
pub struct LoadLimits {
    pub time_max: Duration,
    /// All of the memory, with what the engine itself has in it.
    pub memory_bytes_max: usize,
}

impl LoadLimits {
    pub const USUAL: LoadLimits = LoadLimits { time_max: Duration::from_secs(10), memory_bytes_max: 96 << 20 };
}

const LOAD_LOG_LINES_MAX: usize = 100;

/// A handler's memory after its top level ran, and what that logged.
pub struct Loaded {
    pub image: Vec<u8>,
    pub logs: Vec<LogEntry>,
}

/// Why a handler's top level did not come to its end. Its author's to mend.
pub enum LoadError {
    Thrown { name: String, message: String, stack: String },
    NeverSettles,
    NoHandler { message: String },
    TooSlow(LoadLimits),
    TooBig(LoadLimits),
    StackOverflow,
}

/// The memory after `boot`, as far as it is of use.
pub async fn boot(engine: &Engine, module: &Module, initial_memory: &[u8], files: Files) -> Result<Vec<u8>> {
    // It is as large as it is.
    let limits = LoadLimits { memory_bytes_max: usize::MAX, ..LoadLimits::USUAL };
    let mut session = Session::start(engine, module, initial_memory, files, limits).await?;
    let boot = session.instance.get_typed_func::<(), u32>(&mut session.store, "boot")?;
    let bytes = boot.call_async(&mut session.store, ()).await? as usize;
    let image = session.memory.data(&session.store).get(..bytes).context("the engine wants more memory than it has")?;
    Ok(image.to_vec())
}

/// Evaluates `source` on top of the base image. What that is, is the engine's to say: code, or the path of a file.
pub async fn load(
    engine: &Engine,
    module: &Module,
    base: &[u8],
    source: &str,
    files: Files,
    limits: LoadLimits,
) -> Result<Result<Loaded, LoadError>> {
    let mut session = Session::start(engine, module, base, files, limits).await?;
    let outcome = tokio::time::timeout(limits.time_max, session.load(source)).await;
    Ok(match outcome {
        Err(_) => Err(LoadError::TooSlow(limits)),
        Ok(Err(trap)) => Err(session.explain(trap)?),
        Ok(Ok(Some(error))) => Err(error),
        Ok(Ok(None)) => {
            let image = session.memory.data(&session.store).to_vec();
            Ok(Loaded { image, logs: session.store.into_data().logs })
        }
    })
}

struct Session {
    store: Store<State>,
    instance: Instance,
    memory: Memory,
}

struct State {
    started: Instant,
    logs: Vec<LogEntry>,
    files: Files,
    limits: LoadLimits,
    is_memory_exhausted: bool,
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.is_memory_exhausted |= desired > self.limits.memory_bytes_max;
        if self.is_memory_exhausted { Err(wasmtime::Error::msg("out of memory")) } else { Ok(true) }
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl Session {
    async fn start(engine: &Engine, module: &Module, initial_memory: &[u8], files: Files, limits: LoadLimits) -> Result<Session> {
        let state = State { started: Instant::now(), logs: Vec::new(), files, limits, is_memory_exhausted: false };
        let mut store = Store::new(engine, state);
        store.limiter(|state| state);
        let pages = (initial_memory.len() / WASM_PAGE_BYTES) as u32;
        let memory = Memory::new_async(&mut store, MemoryType::new(pages, None)).await?;
        memory.write(&mut store, 0, initial_memory)?;
        let mut linker = Linker::new(engine);
        linker.define(&store, "env", "memory", memory)?;
        add_imports(&mut linker, memory)?;
        add_files(&mut linker, memory)?;
        let instance = linker.instantiate_async(&mut store, module).await?;
        Ok(Session { store, instance, memory })
    }

    async fn load(&mut self, source: &str) -> wasmtime::Result<Option<LoadError>> {
        let (store, instance) = (&mut self.store, &self.instance);
        let buffer = instance.get_typed_func::<u32, u32>(&mut *store, "source_buffer")?;
        let address = buffer.call_async(&mut *store, source.len() as u32).await?;
        self.memory.write(&mut *store, address as usize, source.as_bytes())?;
        let load = instance.get_typed_func::<(), u32>(&mut *store, "load")?;
        match load.call_async(&mut *store, ()).await? {
            0 => Ok(None),
            error => Ok(Some(self.read_error(error as usize).map_err(|error| wasmtime::Error::msg(error.to_string()))?)),
        }
    }

    /// Reads `realm::LoadError` of the guest.
    fn read_error(&self, address: usize) -> Result<LoadError> {
        let memory = self.memory.data(&self.store);
        let word = |index: usize| -> Result<usize> {
            let bytes = memory.get(address + index * 4..).and_then(|rest| rest.first_chunk::<4>()).context("outside of memory")?;
            Ok(u32::from_le_bytes(*bytes) as usize)
        };
        let text = |index: usize| -> Result<String> {
            let (start, len) = (word(index)?, word(index + 1)?);
            let bytes = memory.get(start..start + len).context("outside of memory")?;
            Ok(String::from_utf8_lossy(bytes).into_owned())
        };
        Ok(match word(0)? {
            0 => LoadError::Thrown { name: text(1)?, message: text(3)?, stack: text(5)? },
            1 => LoadError::NeverSettles,
            2 => LoadError::NoHandler { message: text(3)? },
            kind => bail!("the engine answered an unknown kind of error, {kind}"),
        })
    }

    /// What a trap means for the author; an error if it is nothing of theirs.
    fn explain(&self, trap: wasmtime::Error) -> Result<LoadError> {
        if self.store.data().is_memory_exhausted {
            return Ok(LoadError::TooBig(self.store.data().limits));
        }
        match trap.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Ok(LoadError::StackOverflow),
            _ => Err(format_err!("the engine stopped while it loaded a handler: {trap:?}")),
        }
    }
}

/// The imports of the world `function` as the engine's core module sees them.
fn add_imports(linker: &mut Linker<State>, memory: Memory) -> wasmtime::Result<()> {
    let clocks = "mirra:function/clocks@0.1.0";
    linker.func_wrap(clocks, "unix-time-us", || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        now.as_micros() as u64
    })?;
    linker.func_wrap(clocks, "elapsed-us", |caller: Caller<'_, State>| caller.data().started.elapsed().as_micros() as u64)?;
    linker.func_wrap_async(clocks, "sleep-us", |_, (duration_us,): (u64,)| {
        Box::new(tokio::time::sleep(Duration::from_micros(duration_us)))
    })?;
    // What is drawn now is the same in every call: engines refuse it to handlers, or warn.
    linker.func_wrap("mirra:function/random@0.1.0", "next-u64", || getrandom::u64().unwrap_or_default())?;
    // Engines hash for themselves meanwhile.
    linker.func_wrap(
        "mirra:function/hashing@0.1.0",
        "compress",
        |_: u32, _: u64, _: u64, _: u64, _: u64, _: u64, _: u64, _: u64, _: u64, _: u32, _: u32, _: u32| -> wasmtime::Result<()> {
            Err(wasmtime::Error::msg("the engine let its host hash while a handler was loaded"))
        },
    )?;
    linker.func_wrap("mirra:function/logging@0.1.0", "log", move |mut caller: Caller<'_, State>, level: u32, start: u32, len: u32| {
        let (bytes, state) = memory.data_and_store_mut(&mut caller);
        let message = bytes.get(start as usize..start as usize + len as usize).unwrap_or_default();
        if state.logs.len() < LOAD_LOG_LINES_MAX {
            let level = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error][level.min(3) as usize];
            let elapsed_us = state.started.elapsed().as_micros() as u64;
            state.logs.push(LogEntry { level, elapsed_us, message: String::from_utf8_lossy(message).into_owned() });
        }
    })?;
    let metering = "mirra:function/metering@0.1.0";
    // Lets the timer of `load` be heard.
    linker.func_wrap_async(metering, "tick", |_, (_left,): (i32,)| {
        Box::new(async {
            tokio::task::yield_now().await;
            SLICE
        })
    })?;
    linker.func_wrap(metering, "finish", |_left: i32, _memory: u32, _len: u32| {})?;
    let operations = "mirra:function/operations@0.1.0";
    linker.func_wrap(operations, "start", |_: u32, _: u32, _: u32, _: u32| -> wasmtime::Result<u32> {
        Err(wasmtime::Error::msg("the layer let an operation through while a handler was loaded"))
    })?;
    // Nothing was started, so there is nothing to go on with or to end.
    for name in ["next", "cancel"] {
        linker.func_wrap(operations, name, |_id: u32| {})?;
    }
    // Only timers are waited for at this time: the answer is always "none".
    linker.func_wrap_async(
        operations,
        "wait",
        move |mut caller: Caller<'_, State>, (has_timeout, timeout_us, answer): (u32, u64, u32)| {
            Box::new(async move {
                if has_timeout != 0 {
                    tokio::time::sleep(Duration::from_micros(timeout_us)).await;
                }
                memory.write(&mut caller, answer as usize, &[0])?;
                Ok(())
            })
        },
    )?;
    Ok(())
}

/// `mirra:function/files`. Lists are put where the engine's own allocator says.
fn add_files(linker: &mut Linker<State>, memory: Memory) -> wasmtime::Result<()> {
    let files = "mirra:function/files@0.1.0";
    linker.func_wrap(files, "find", move |mut caller: Caller<'_, State>, folder: u32, start: u32, len: u32, answer: u32| {
        let (bytes, state) = memory.data_and_store_mut(&mut caller);
        let path = bytes.get(start as usize..start as usize + len as usize).and_then(|path| str::from_utf8(path).ok());
        let found = path.and_then(|path| state.files.find(folder, path));
        let mut record = [0; 24];
        if let Some(file) = found {
            record[0] = 1;
            record[8..12].copy_from_slice(&file.id.to_le_bytes());
            record[12] = u8::from(file.is_folder);
            record[16..].copy_from_slice(&file.size.to_le_bytes());
        }
        memory.write(&mut caller, answer as usize, &record)?;
        wasmtime::Result::Ok(())
    })?;
    linker.func_wrap_async(files, "read", move |mut caller: Caller<'_, State>, (id, offset, length, answer): (u32, u64, u32, u32)| {
        Box::new(async move {
            let content = caller.data().files.read(id, offset, length).to_vec();
            let start = place(&mut caller, memory, &content, 1).await?;
            write_list(&mut caller, memory, answer, start, content.len())
        })
    })?;
    linker.func_wrap_async(files, "names", move |mut caller: Caller<'_, State>, (id, answer): (u32, u32)| {
        Box::new(async move {
            let names = caller.data().files.names(id);
            let mut list = Vec::new();
            for name in &names {
                let start = place(&mut caller, memory, name.as_bytes(), 1).await?;
                list.extend_from_slice(&start.to_le_bytes());
                list.extend_from_slice(&(name.len() as u32).to_le_bytes());
            }
            let start = place(&mut caller, memory, &list, 4).await?;
            write_list(&mut caller, memory, answer, start, names.len())
        })
    })?;
    Ok(())
}

/// Puts bytes into a block that the engine owns from then on, and answers its address.
async fn place(caller: &mut Caller<'_, State>, memory: Memory, bytes: &[u8], align: u32) -> wasmtime::Result<u32> {
    let allocate = caller.get_export("cabi_realloc").and_then(wasmtime::Extern::into_func).context("the engine has no cabi_realloc")?;
    let allocate = allocate.typed::<(u32, u32, u32, u32), u32>(&mut *caller)?;
    let start = allocate.call_async(&mut *caller, (0, 0, align, bytes.len() as u32)).await?;
    memory.write(&mut *caller, start as usize, bytes)?;
    Ok(start)
}

fn write_list(caller: &mut Caller<'_, State>, memory: Memory, answer: u32, start: u32, len: usize) -> wasmtime::Result<()> {
    memory.write(&mut *caller, answer as usize, &start.to_le_bytes())?;
    memory.write(&mut *caller, answer as usize + 4, &(len as u32).to_le_bytes())?;
    Ok(())
}
