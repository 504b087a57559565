//! The world's randomness, as Rust's crates ask for it.

use std::cell::Cell;
use std::convert::Infallible;

use ::rsa::rand_core::{TryCryptoRng, TryRng};

thread_local! {
    pub static SOURCE: Cell<fn() -> u64> = const { Cell::new(|| 0) };
}

fn next_u64() -> u64 {
    SOURCE.get()()
}

pub struct World;

impl TryRng for World {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(next_u64() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for word in bytes.chunks_mut(size_of::<u64>()) {
            word.copy_from_slice(&next_u64().to_le_bytes()[..word.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for World {}
