//! Links a Python engine and what stands under its C library into one core module.
//!
//! An interpreter comes as whoever built it left it: as a component of many modules ([`component`]), or as one module that is
//! complete but for WASI ([`whole`]). Either way, what mirra wants is a module as a C compiler would write it: one memory, one
//! table, and the stack pointer as its only global, so that a snapshot of its memory is a snapshot of all of it. What differs is
//! how the function behind an import and the value of a global are found, and that is all that the two modules here hold.
//!
//! Why not a linker that exists: `wasm-ld` wants object files, which nobody publishes of these interpreters; and what merges
//! modules (`wasm-merge`) keeps every module's globals and memories, and cannot call a function that is no export.
//!
//! One of the inputs is downloaded, so nothing in them is believed: what does not fit is an error. Whether the code that comes out
//! is valid is not looked at here, because whoever compiles it does so.

mod module;
mod output;
mod remap;

pub mod component;
pub mod whole;
pub mod wide;

use anyhow::{Context, Result, ensure};
use module::{Module, absolute, offset};
use wasmparser::ExternalKind;

const WASM_PAGE_BYTES: u64 = 64 << 10;

/// How the module under the C library calls the one that it is linked into.
const ENGINE: &str = "engine";
/// Interfaces that are left to the host.
const WORLD: &str = "mirra:function/";
/// How a linker names the stack pointer, and the end of a module's data.
const STACK_POINTER: &str = "__stack_pointer";
const HEAP_BASE: &str = "__heap_base";

/// Where the module under the C library has its data and its pointers to functions: behind everything that the engine has.
///
/// It is compiled for that place. Moving it there afterwards would need its relocations, which a finished module has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    pub address: u64,
    pub slot: u64,
}

impl Behind {
    fn of(engine: &Module<'_>) -> Result<Behind> {
        let pages = engine.memory_pages_min.context("no memory")?;
        let address = pages.checked_mul(WASM_PAGE_BYTES).context("a memory without end")?;
        Ok(Behind { address, slot: engine.table_min.context("no table")? })
    }

    /// Where the data of `wasi` ends, and its pointers to functions. Fails if any of it lies elsewhere than here.
    fn ends(self, wasi: &Module<'_>) -> Result<Behind> {
        let end_of_data = wasi.globals.get(wasi.export(HEAP_BASE, ExternalKind::Global)? as usize).context("no such global")?;
        let end_of_data = offset(&end_of_data.init_expr)?;
        for start in wasi.data.iter().map(|data| data.offset).chain([end_of_data]) {
            ensure!(address(start)? >= self.address, "wasi has data at {}, which is the engine's memory", address(start)?);
        }
        let mut end = Behind { address: address(end_of_data)?, slot: self.slot };
        for element in &wasi.elements {
            ensure!(address(element.offset)? == end.slot, "wasi has pointers at {}, and not at {}", address(element.offset)?, end.slot);
            end.slot = end.slot.checked_add(element.functions.len() as u64).context("a table without end")?;
        }
        Ok(end)
    }
}

/// An address is a number without a sign, and written as one that has it.
fn address(offset: module::Offset) -> Result<u64> {
    Ok(u64::from(absolute(offset)? as u32))
}

/// The source of [`whole::link`]: whoever keeps what it made can tell by this whether it would still come out.
pub const SOURCES: [&str; 5] =
    [include_str!("lib.rs"), include_str!("module.rs"), include_str!("output.rs"), include_str!("remap.rs"), include_str!("whole.rs")];
