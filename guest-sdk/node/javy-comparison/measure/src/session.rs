//! One instance of a guest, through the exports of `guest/src/lib.rs`.

use wasmtime::{Config, Enabled, Instance, InstanceAllocationStrategy, InstancePre, Memory, PoolingAllocationConfig, Result, Store};
use wasmtime::{WasmParams, WasmResults, error::Context};

use crate::Called;

/// As `runtime/src/engine/config.rs` sets wasmtime up, as far as it matters to a core module.
pub fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(10)
        .total_memories(10)
        .total_tables(10)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(4 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .generate_address_map(false)
        .native_unwind_info(false)
        .max_wasm_stack(2 << 20)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

pub struct Session {
    store: Store<Called>,
    instance: Instance,
    memory: Memory,
}

impl Session {
    pub fn start(guest: &InstancePre<Called>) -> Result<Session> {
        let mut store = Store::new(guest.module().engine(), Called::new());
        let instance = guest.instantiate(&mut store)?;
        let memory = instance.get_memory(&mut store, "memory").context("a guest without memory")?;
        Ok(Session { store, instance, memory })
    }

    pub fn boot(&mut self) -> Result<()> {
        self.call("boot", ())
    }

    pub fn load(&mut self, source: &str) -> Result<()> {
        self.give(source)?;
        self.call("load", ())
    }

    pub fn handle(&mut self, event: &str) -> Result<String> {
        self.give(event)?;
        let result: u64 = self.call("handle", ())?;
        let (start, len) = ((result >> 32) as usize, result as u32 as usize);
        let text = self.memory.data(&self.store).get(start..start + len).context("a result outside of memory")?;
        Ok(std::str::from_utf8(text)?.into())
    }

    pub fn image(&self) -> Vec<u8> {
        self.memory.data(&self.store).to_vec()
    }

    pub fn into_called(self) -> Called {
        self.store.into_data()
    }

    fn give(&mut self, text: &str) -> Result<()> {
        let start: u32 = self.call("buffer", text.len() as u32)?;
        self.memory.write(&mut self.store, start as usize, text.as_bytes())?;
        Ok(())
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, export: &str, params: P) -> Result<R> {
        self.instance.get_typed_func::<P, R>(&mut self.store, export)?.call(&mut self.store, params)
    }
}
