//! The engine's own life, as its host expects it of every engine.

use ground::{heap, life};

use crate::engine;

/// Answers how many bytes of the memory are of use from then on.
#[unsafe(no_mangle)]
extern "C" fn boot() -> usize {
    heap::install();
    // SAFETY: called once, before anything else.
    unsafe { engine::boot() };
    life::memory_bytes()
}

/// Room for the path of the handler's file, to be filled by the host before `load`.
#[unsafe(no_mangle)]
extern "C" fn source_buffer(len: usize) -> *mut u8 {
    life::set_source(engine::allocate(len, 1), len)
}

/// Answers null, or where a `load-error` lies.
#[unsafe(no_mangle)]
extern "C" fn load() -> *const u8 {
    let (entry, len) = life::source();
    // SAFETY: the buffer of `source_buffer`, which the host has filled with text, is the engine's from here on.
    let answer = unsafe { engine::load(entry, len) };
    heap::use_range(true);
    // SAFETY: an `option<load-error>`: what follows its discriminant is aligned to four.
    unsafe { if answer.read() == 0 { core::ptr::null() } else { answer.add(4) } }
}
