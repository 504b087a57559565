//! Hashes that processors have instructions for, by the host where what is hashed is long.

use std::cell::Cell;

use digest::common::hazmat::SerializableState;
use digest::{Digest, DynDigest, FixedOutputReset, InvalidBufferSize};

/// `wit/hashing.wit`: the state after so many whole blocks. None: the host does not do that, or not now.
pub type Compress = fn(Family, [u64; STATE_WORDS], &[u8]) -> Option<[u64; STATE_WORDS]>;

#[derive(Clone, Copy)]
pub enum Family {
    Sha1,
    Sha256,
    Sha512,
}

const STATE_WORDS: usize = 8;
const WORD_BYTES: usize = size_of::<u64>();

/// From here on it takes less time to ask the host.
const LONG_BYTES_MIN: usize = 2 << 10;
/// What the host takes at once.
const PART_BYTES_MAX: usize = 64 << 10;

thread_local! {
    pub static COMPRESS: Cell<Compress> = const { Cell::new(|_, _, _| None) };
}

/// How the crates write the state of a hash: its words, and behind them how many blocks they are of, each with the lowest byte first.
pub trait Hash: Digest + DynDigest + SerializableState + FixedOutputReset + Clone + 'static {
    const FAMILY: Family;
    const BLOCK_BYTES: usize;
    const STATE_BYTES: usize;
}

macro_rules! hashes {
    ($($hash:ty: $family:ident, $block_bytes:literal, $state_bytes:literal;)*) => {
        $(impl Hash for $hash {
            const FAMILY: Family = Family::$family;
            const BLOCK_BYTES: usize = $block_bytes;
            const STATE_BYTES: usize = $state_bytes;
        })*
    };
}

hashes! {
    sha1::Sha1: Sha1, 64, 20;
    sha2::Sha224: Sha256, 64, 32;
    sha2::Sha256: Sha256, 64, 32;
    sha2::Sha384: Sha512, 128, 64;
    sha2::Sha512: Sha512, 128, 64;
}

#[derive(Clone, Default)]
pub struct Long<D> {
    hash: D,
    /// Bytes that are no whole block yet.
    pending: usize,
}

impl<D: Hash> Long<D> {
    fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if bytes.len() >= LONG_BYTES_MIN {
            let (first, others) = bytes.split_at((D::BLOCK_BYTES - self.pending) % D::BLOCK_BYTES);
            Digest::update(&mut self.hash, first);
            let blocks = &others[..others.len() / D::BLOCK_BYTES * D::BLOCK_BYTES];
            rest = &others[self.by_host(blocks)..];
        }
        Digest::update(&mut self.hash, rest);
        self.pending = (self.pending + bytes.len()) % D::BLOCK_BYTES;
    }

    /// Answers how many bytes the host has taken, which come behind whole blocks.
    fn by_host(&mut self, blocks: &[u8]) -> usize {
        let mut serialized = self.hash.serialize();
        let mut bytes = [0; STATE_WORDS * WORD_BYTES];
        bytes[..D::STATE_BYTES].copy_from_slice(&serialized[..D::STATE_BYTES]);
        let (words, _) = bytes.as_chunks_mut::<WORD_BYTES>();
        let mut state = std::array::from_fn(|index| u64::from_le_bytes(words[index]));
        let mut taken = 0;
        for part in blocks.chunks(PART_BYTES_MAX) {
            let Some(next) = COMPRESS.get()(D::FAMILY, state, part) else { break };
            state = next;
            taken += part.len();
        }
        for (word, state) in words.iter_mut().zip(state) {
            *word = state.to_le_bytes();
        }
        serialized[..D::STATE_BYTES].copy_from_slice(&bytes[..D::STATE_BYTES]);
        let count = &mut serialized[D::STATE_BYTES..][..WORD_BYTES];
        let blocks = count.iter().rev().fold(0, |blocks, byte| blocks << 8 | u64::from(*byte)) + (taken / D::BLOCK_BYTES) as u64;
        count.copy_from_slice(&blocks.to_le_bytes());
        match D::deserialize(&serialized) {
            Ok(hash) => self.hash = hash,
            // It was what the crate itself had written.
            Err(_) => return 0,
        }
        taken
    }
}

impl<D: Hash> DynDigest for Long<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.feed(bytes);
    }

    fn finalize_into(self, output: &mut [u8]) -> Result<(), InvalidBufferSize> {
        DynDigest::finalize_into(self.hash, output)
    }

    fn finalize_into_reset(&mut self, output: &mut [u8]) -> Result<(), InvalidBufferSize> {
        self.pending = 0;
        DynDigest::finalize_into_reset(&mut self.hash, output)
    }

    fn reset(&mut self) {
        self.pending = 0;
        DynDigest::reset(&mut self.hash);
    }

    fn output_size(&self) -> usize {
        <D as Digest>::output_size()
    }

    fn box_clone(&self) -> Box<dyn DynDigest> {
        Box::new(self.clone())
    }
}
