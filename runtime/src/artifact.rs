//! What is kept of a handler: its image as a difference to its language's, and what is told of it.
//!
//! The compiled component holds the whole image, 15 MB for Python, which is why it is only kept while it is in use; it is made again
//! from this without running anything of the handler's.

use mirra_host_sdk::HandlerId;
use wasmtime::{Result, bail, error::Context};

use crate::engine::cache::{Cache, Entry};

/// An image differs little, so that most of a difference is zeros: they compress to nothing at any level.
const ZSTD_LEVEL: i32 = 3;

/// An image is not larger than what a handler's top level may use.
const IMAGE_BYTES_MAX: usize = 256 << 20;

pub struct Artifact {
    /// As it is stored beside the compiled component.
    pub metadata: Vec<u8>,
    /// Compressed.
    difference: Vec<u8>,
}

/// Under which name the cache has a handler's artifact.
fn name(id: &HandlerId) -> String {
    format!("artifact-{id}")
}

impl Artifact {
    /// `base`: what the handler's language starts from; nothing for a component, which is its own image.
    pub fn new(metadata: Vec<u8>, image: &[u8], base: &[u8]) -> Result<Artifact> {
        let mut difference = image.to_vec();
        exclusive_or(&mut difference, base);
        let difference = zstd::bulk::compress(&difference, ZSTD_LEVEL).context("cannot compress an image")?;
        Ok(Artifact { metadata, difference })
    }

    pub fn image(&self, base: &[u8]) -> Result<Vec<u8>> {
        let mut image = zstd::bulk::decompress(&self.difference, IMAGE_BYTES_MAX).context("cannot decompress an image")?;
        exclusive_or(&mut image, base);
        Ok(image)
    }

    pub fn store(&self, cache: &Cache, id: &HandlerId) -> Result<()> {
        let data = [&(self.metadata.len() as u32).to_le_bytes()[..], &self.metadata, &self.difference].concat();
        cache.put(&name(id), &[], &data)?;
        Ok(())
    }

    /// Notes that the handler is in use, though it was not made from this.
    pub fn keep(cache: &Cache, id: &HandlerId) {
        cache.keep(&name(id));
    }

    /// In bytes.
    pub fn size(cache: &Cache, id: &HandlerId) -> Option<u64> {
        Some(cache.get(&name(id))?.data().ok()?.len() as u64)
    }

    /// None: there is none, or it is damaged.
    pub fn load(cache: &Cache, id: &HandlerId) -> Option<Artifact> {
        Self::read(&cache.get(&name(id))?).ok()
    }

    fn read(entry: &Entry) -> Result<Artifact> {
        let data = entry.data()?;
        let Some((len, rest)) = data.split_first_chunk::<4>() else { bail!("an artifact without a beginning") };
        let (metadata, difference) = rest.split_at_checked(u32::from_le_bytes(*len) as usize).context("an artifact that is cut off")?;
        Ok(Artifact { metadata: metadata.to_vec(), difference: difference.to_vec() })
    }
}

fn exclusive_or(bytes: &mut [u8], other: &[u8]) {
    for (byte, other) in bytes.iter_mut().zip(other) {
        *byte ^= other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_comes_back_as_it_was() {
        let base: Vec<u8> = (0..100_000_u32).map(|at| (at.wrapping_mul(at) >> 3) as u8).collect();
        for image in [base.clone(), [&base[..], b"more"].concat(), base[..50_000].to_vec(), Vec::new()] {
            let mut changed = image;
            if let Some(byte) = changed.get_mut(777) {
                *byte ^= 0x55;
            }
            let artifact = Artifact::new(Vec::new(), &changed, &base).unwrap();
            assert!(artifact.difference.len() < 1_000, "{} bytes", artifact.difference.len());
            assert_eq!(artifact.image(&base).unwrap(), changed);
        }
    }
}
