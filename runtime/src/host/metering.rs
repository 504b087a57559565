use wasmtime::{
    StoreContextMut,
    component::{Linker, WasmList},
};

use super::{Call, bindings::mirra::function::metering::Host, yield_once};
use crate::engine::metering::SLICE;

/// Fuel per unit that an engine counts: a turn of a loop or a call in an interpreter is worth about as many branches, which is
/// what components of other origin are charged for.
const FUEL_PER_UNIT: u64 = 8;

/// A guest reports what is left of its slice; less than nothing if a bulk operation overdrew it.
fn spent(left: i32) -> u64 {
    (SLICE as i64 - left as i64).max(0) as u64 * FUEL_PER_UNIT
}

impl Host for Call {
    async fn tick(&mut self, left: i32) -> wasmtime::Result<i32> {
        self.guard.burn(spent(left))?;
        yield_once().await;
        Ok(SLICE)
    }

    /// Of a component of other origin, which says of itself what it likes. Replaced by `add_finish`.
    fn finish(&mut self, left: i32, _memory: Vec<u8>) -> wasmtime::Result<()> {
        self.guard.burn(spent(left))
    }
}

/// `finish` of our own engines, whose word is good. By hand, since bindings would copy the list instead of telling where it lies.
pub fn add_finish(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut instance = linker.instance("mirra:function/metering@0.1.0")?;
    instance.func_wrap("finish", |mut store: StoreContextMut<'_, Call>, (left, memory): (i32, WasmList<u8>)| {
        let start = memory.as_le_slice(&store).as_ptr();
        let call = store.data_mut();
        call.guard.burn(spent(left))?;
        call.pages.tidy(start, call.guard.memory_bytes() as usize);
        Ok(())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}
