//! What stands under the C library of the Python engine: WASI 0.2, by its names and signatures, over the interfaces of mirra.
//!
//! The engine is linked with this instead of importing WASI (`xtask/src/engines/python`), so that nothing of WASI can be
//! reached, and an instance starts without it. There are clocks, randomness, output (as log lines) and read-only files. There
//! are neither sockets nor variables, and nothing can be written.
//!
//! Functions bear the names of the canonical ABI and answer through memory where it says so; what is not here traps, and can
//! only be called with a resource that nobody can have.

#![no_std]

mod clocks;
mod engine;
mod environment;
mod files;
mod life;
mod objects;
mod output;
mod sockets;

/// An address in the engine's memory where a result belongs.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Answer(*mut u8);

impl Answer {
    fn byte(self, offset: usize, value: u8) {
        // SAFETY: the canonical ABI gives every result as much room as its type needs, and offsets here are those of its fields.
        unsafe { self.0.add(offset).write(value) }
    }

    fn word(self, offset: usize, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.add(offset).cast::<u32>().write(value) }
    }

    fn long(self, offset: usize, value: u64) {
        // SAFETY: as above.
        unsafe { self.0.add(offset).cast::<u64>().write(value) }
    }

    /// A list or a string.
    fn list(self, offset: usize, start: *mut u8, len: usize) {
        self.word(offset, start as u32);
        self.word(offset + 4, len as u32);
    }

    /// `result::err` of an enum, in a result whose payload starts at `offset`.
    fn error(self, offset: usize, code: u8) {
        self.byte(0, 1);
        self.byte(offset, code);
    }
}

/// Numbered places for what has a handle, so many at a time.
struct Table<T, const N: usize>([Option<T>; N]);

impl<T, const N: usize> Table<T, N> {
    /// The handle, from 1 on. None: there is no free place.
    fn insert(&mut self, value: T) -> Option<u32> {
        let place = self.0.iter().position(Option::is_none)?;
        self.0[place] = Some(value);
        Some(place as u32 + 1)
    }

    fn get(&mut self, handle: u32) -> Option<&mut T> {
        self.0.get_mut((handle as usize).wrapping_sub(1))?.as_mut()
    }

    fn remove(&mut self, handle: u32) -> Option<T> {
        self.0.get_mut((handle as usize).wrapping_sub(1))?.take()
    }
}
