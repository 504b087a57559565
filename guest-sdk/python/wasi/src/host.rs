//! What this is built on: imports of the world, and the engine's own functions.

use crate::heap::Allocator;

#[link(wasm_import_module = "mirra:function/clocks@0.1.0")]
unsafe extern "C" {
    #[link_name = "unix-time-us"]
    pub safe fn unix_time_us() -> u64;
    #[link_name = "elapsed-us"]
    pub safe fn elapsed_us() -> u64;
    #[link_name = "sleep-us"]
    pub safe fn sleep_us(duration: u64);
}

#[link(wasm_import_module = "mirra:function/random@0.1.0")]
unsafe extern "C" {
    #[link_name = "next-u64"]
    pub safe fn next_u64() -> u64;
}

#[link(wasm_import_module = "mirra:function/logging@0.1.0")]
unsafe extern "C" {
    pub fn log(level: u32, message: *const u8, len: usize);
}

#[link(wasm_import_module = "mirra:function/files@0.1.0")]
unsafe extern "C" {
    pub fn find(folder: u32, path: *const u8, len: usize, answer: *mut u8);
    pub fn read(id: u32, offset: u64, length: u32, answer: *mut u8);
    pub fn names(id: u32, answer: *mut u8);
}

// Exported by the other modules that the engine is linked from.
#[link(wasm_import_module = "engine")]
unsafe extern "C" {
    pub fn cabi_realloc(old: *mut u8, old_len: usize, align: usize, len: usize) -> *mut u8;
    pub fn free(block: *mut u8);
    pub fn boot();
    pub fn load(entry: *mut u8, len: usize) -> *const u8;
    #[link_name = "PyMem_GetAllocator"]
    pub fn get_allocator(domain: u32, allocator: *mut Allocator);
    #[link_name = "PyMem_SetAllocator"]
    pub fn set_allocator(domain: u32, allocator: *const Allocator);
}

/// Room for a result, which whoever gets it frees. Never null: where there is no memory left, the engine traps.
pub fn allocate(len: usize, align: usize) -> *mut u8 {
    // SAFETY: a new block.
    unsafe { cabi_realloc(core::ptr::null_mut(), 0, align, len) }
}
