//! The engine's own functions, exported by the other modules that it is linked from.

#[link(wasm_import_module = "engine")]
unsafe extern "C" {
    fn cabi_realloc(old: *mut u8, old_len: usize, align: usize, len: usize) -> *mut u8;
    pub fn free(block: *mut u8);
    pub fn boot();
    pub fn load(entry: *mut u8, len: usize) -> *const u8;
}

/// Room for a result, which whoever gets it frees. Never null: where there is no memory left, the engine traps.
pub fn allocate(len: usize, align: usize) -> *mut u8 {
    // SAFETY: a new block.
    unsafe { cabi_realloc(core::ptr::null_mut(), 0, align, len) }
}
