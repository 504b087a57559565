//! The engine's own life, as its host expects it of every engine.

use crate::{Single, heap, host};

const WASM_PAGE_BYTES: usize = 64 << 10;

static SOURCE: Single<(*mut u8, usize)> = Single::new((core::ptr::null_mut(), 0));

/// Answers how many bytes of the memory are of use from then on.
#[unsafe(no_mangle)]
extern "C" fn boot() -> usize {
    heap::install();
    // SAFETY: called once, before anything else.
    unsafe { host::boot() };
    core::arch::wasm32::memory_size(0) * WASM_PAGE_BYTES
}

/// Room for the path of the handler's file, to be filled by the host before `load`.
#[unsafe(no_mangle)]
extern "C" fn source_buffer(len: usize) -> *mut u8 {
    let buffer = host::allocate(len, 1);
    SOURCE.with(|source| *source = (buffer, len));
    buffer
}

/// Answers null, or where a `load-error` lies.
#[unsafe(no_mangle)]
extern "C" fn load() -> *const u8 {
    let (entry, len) = SOURCE.with(|source| *source);
    // SAFETY: the buffer of `source_buffer`, which the host has filled with text, is the engine's from here on.
    let answer = unsafe { host::load(entry, len) };
    heap::use_range(true);
    // SAFETY: an `option<load-error>`: what follows its discriminant is aligned to four.
    unsafe { if answer.read() == 0 { core::ptr::null() } else { answer.add(4) } }
}
