//! What is the same in the life of every engine.

use crate::Single;

const WASM_PAGE_BYTES: usize = 64 << 10;

static SOURCE: Single<(*mut u8, usize)> = Single::new((core::ptr::null_mut(), 0));

/// How many bytes of the memory are of use.
pub fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) * WASM_PAGE_BYTES
}

/// Keeps in mind where the host is to write the path of the handler's file: a buffer of so many bytes.
pub fn set_source(buffer: *mut u8, len: usize) -> *mut u8 {
    SOURCE.with(|source| *source = (buffer, len));
    buffer
}

/// Where the path of the handler's file is, and its length.
pub fn source() -> (*mut u8, usize) {
    SOURCE.with(|source| *source)
}

/// A count of references that the interpreter takes for "immortal, leave alone": `_Py_IMMORTAL_INITIAL_REFCNT` of CPython 3.14
/// and 3.15 where addresses have 32 bits. The engine checks that it is understood (`immortal.py`).
const IMMORTAL: u32 = 5 << 28;

/// # Safety
/// There is a live object at this address. Each begins with its count.
pub unsafe fn make_immortal(object: *mut u32) {
    // SAFETY: as the caller says.
    unsafe { object.write(IMMORTAL) }
}
