use wasmtime::bail;

use super::{
    Call,
    bindings::mirra::function::hashing::{Hash, Host},
};

type State = (u64, u64, u64, u64, u64, u64, u64, u64);

/// So long that asking costs nothing beside it, and so short that others need not wait.
const BLOCKS_BYTES_MAX: usize = 64 << 10;

impl Host for Call {
    async fn compress(&mut self, hash: Hash, state: State, blocks: Vec<u8>) -> wasmtime::Result<Option<State>> {
        if blocks.len() > BLOCKS_BYTES_MAX {
            bail!("{} bytes are hashed at once, of at most {BLOCKS_BYTES_MAX}", blocks.len());
        }
        self.work(blocks.len()).await?;
        let mut state = [state.0, state.1, state.2, state.3, state.4, state.5, state.6, state.7];
        let is_whole = match hash {
            Hash::Sha1 => with_pairs(&mut state, |words: &mut [u32; 5]| whole(&blocks, |blocks| sha1::block_api::compress(words, blocks))),
            Hash::Sha256 => {
                with_pairs(&mut state, |words: &mut [u32; 8]| whole(&blocks, |blocks| sha2::block_api::compress256(words, blocks)))
            }
            Hash::Sha512 => whole(&blocks, |blocks| sha2::block_api::compress512(&mut state, blocks)),
        };
        if !is_whole {
            bail!("{} bytes are hashed, which are no whole blocks", blocks.len());
        }
        let [a, b, c, d, e, f, g, h] = state;
        Ok(Some((a, b, c, d, e, f, g, h)))
    }
}

/// Whether they are whole blocks, and then `compress` has seen them.
fn whole<const BYTES: usize>(bytes: &[u8], compress: impl FnOnce(&[[u8; BYTES]])) -> bool {
    let (blocks, rest) = bytes.as_chunks();
    if rest.is_empty() {
        compress(blocks);
    }
    rest.is_empty()
}

/// Lets `change` see the words of 32 bits that a state is made of.
fn with_pairs<const WORDS: usize, R>(state: &mut [u64; 8], change: impl FnOnce(&mut [u32; WORDS]) -> R) -> R {
    let mut words = std::array::from_fn(|index| (state[index / 2] >> (32 * (index % 2))) as u32);
    let changed = change(&mut words);
    state.fill(0);
    for (index, word) in words.into_iter().enumerate() {
        state[index / 2] |= u64::from(word) << (32 * (index % 2));
    }
    changed
}
