//! What stands under and around the scientific Python engine: WASI 0.1 by its names and signatures over the interfaces of mirra,
//! and the engine's life by the functions of CPython's C API.
//!
//! The engine is linked with this instead of importing WASI, so that nothing of WASI can be reached, and an instance starts
//! without it. There are clocks, randomness, output (as log lines) and read-only files; everything else is an error number.

#![no_std]

mod clocks;
mod constant;
mod engine;
mod environment;
mod files;
mod folders;
mod life;
mod python;
mod scratch;
mod world;

/// What a function of WASI 0.1 answers; 0 is success.
type Errno = u32;

// Of `errno`.
const SUCCESS: Errno = 0;
const BAD_DESCRIPTOR: Errno = 8;
const INVALID: Errno = 28;
const IS_DIRECTORY: Errno = 31;
const TOO_MANY_OPEN: Errno = 33;
const NO_ENTRY: Errno = 44;
const NOT_SUPPORTED: Errno = 52;
const NOT_DIRECTORY: Errno = 54;
const READ_ONLY: Errno = 69;
const ILLEGAL_SEEK: Errno = 70;

/// Where the C library wants a result.
///
/// # Safety
/// `place` is the address of a `T` that the caller owns.
unsafe fn answer<T>(place: *mut u8, offset: usize, value: T) {
    // SAFETY: as the caller says.
    unsafe { place.add(offset).cast::<T>().write_unaligned(value) }
}
