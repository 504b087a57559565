//! AES in the modes that Node's ciphers and WebCrypto name.

use aes::cipher::{Block, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit, StreamCipher};
use aes::{Aes128, Aes192, Aes256};
use ghash::{GHash, universal_hash::UniversalHash};
use rquickjs::{ArrayBuffer, Class, Ctx, Object};

use crate::{Bytes, Refusal, buffer, define, reserve, room, unknown, view};

const BLOCK: usize = 16;
type AesBlock = Block<Aes128>;

pub struct Cipher {
    mode: Mode,
    is_encrypting: bool,
    /// What is not a whole block yet, or may be the padded one.
    pending: Vec<u8>,
}

enum Mode {
    Blocks(Box<dyn Blocks>),
    Stream(Box<dyn StreamCipher>),
    Gcm(Box<Gcm>),
}

trait Blocks {
    fn process(&mut self, blocks: &mut [AesBlock]);
}

struct Encrypting<M>(M);
struct Decrypting<M>(M);

impl<M: BlockModeEncrypt<BlockSize = aes::cipher::consts::U16>> Blocks for Encrypting<M> {
    fn process(&mut self, blocks: &mut [AesBlock]) {
        self.0.encrypt_blocks(blocks);
    }
}

impl<M: BlockModeDecrypt<BlockSize = aes::cipher::consts::U16>> Blocks for Decrypting<M> {
    fn process(&mut self, blocks: &mut [AesBlock]) {
        self.0.decrypt_blocks(blocks);
    }
}

/// GCM in pieces: the crate `aes-gcm` takes messages as a whole only.
struct Gcm {
    stream: Box<dyn StreamCipher>,
    hash: Authenticator,
    /// What the hash is encrypted with.
    mask: AesBlock,
    aad_bytes: u64,
    text_bytes: u64,
}

/// GHASH over pieces of any length.
struct Authenticator {
    hash: GHash,
    pending: AesBlock,
    filled: usize,
}

impl Authenticator {
    fn new(key: &AesBlock) -> Authenticator {
        Authenticator { hash: GHash::new(key), pending: AesBlock::default(), filled: 0 }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        if self.filled > 0 {
            let (piece, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.pending[self.filled..self.filled + piece.len()].copy_from_slice(piece);
            self.filled += piece.len();
            bytes = rest;
            if self.filled < BLOCK {
                return;
            }
            self.pad();
        }
        let (blocks, rest) = AesBlock::slice_as_chunks(bytes);
        self.hash.update(blocks);
        self.pending[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    /// Ends a part: what is missing of its last block is zeros.
    fn pad(&mut self) {
        if self.filled > 0 {
            self.pending[self.filled..].fill(0);
            self.hash.update(std::slice::from_ref(&self.pending));
            self.filled = 0;
        }
    }

    /// Ends both parts of a message, whose lengths are given in bytes.
    fn finish(&mut self, first: u64, second: u64) -> AesBlock {
        self.pad();
        let mut lengths = AesBlock::default();
        lengths[..8].copy_from_slice(&(first << 3).to_be_bytes());
        lengths[8..].copy_from_slice(&(second << 3).to_be_bytes());
        self.hash.update(&[lengths]);
        self.hash.clone().finalize()
    }
}

impl Gcm {
    fn new<A>(key: &[u8], iv: &[u8]) -> Option<Gcm>
    where
        A: KeyInit + BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16> + 'static,
        ctr::Ctr32BE<A>: KeyIvInit<IvSize = aes::cipher::consts::U16> + StreamCipher,
    {
        let mut hash_key = AesBlock::default();
        A::new_from_slice(key).ok()?.encrypt_block(&mut hash_key);
        let mut counter = AesBlock::default();
        if iv.len() == 12 {
            counter[..12].copy_from_slice(iv);
            counter[15] = 1;
        } else {
            let mut hash = Authenticator::new(&hash_key);
            hash.update(iv);
            counter = hash.finish(0, iv.len() as u64);
        }
        let mut stream = ctr::Ctr32BE::<A>::new_from_slices(key, &counter).ok()?;
        let mut mask = AesBlock::default();
        stream.apply_keystream(&mut mask);
        Some(Gcm { stream: Box::new(stream), hash: Authenticator::new(&hash_key), mask, aad_bytes: 0, text_bytes: 0 })
    }

    fn process(&mut self, text: &mut [u8], is_encrypting: bool) {
        if self.text_bytes == 0 {
            self.hash.pad();
        }
        self.text_bytes += text.len() as u64;
        if is_encrypting {
            self.stream.apply_keystream(text);
            self.hash.update(text);
        } else {
            self.hash.update(text);
            self.stream.apply_keystream(text);
        }
    }

    fn tag(&mut self) -> Vec<u8> {
        let hash = self.hash.finish(self.aad_bytes, self.text_bytes);
        hash.iter().zip(&self.mask).map(|(hash, mask)| hash ^ mask).collect()
    }
}

/// The mode over AES with keys of that type. None: a key or an initialization vector of another length.
macro_rules! mode {
    ($Aes:ty, $mode:expr, $is_encrypting:expr, $key:expr, $iv:expr) => {
        match ($mode, $is_encrypting) {
            ("cbc", true) => blocks(cbc::Encryptor::<$Aes>::new_from_slices($key, $iv).ok().map(Encrypting)),
            ("cbc", false) => blocks(cbc::Decryptor::<$Aes>::new_from_slices($key, $iv).ok().map(Decrypting)),
            ("ecb", true) => blocks(ecb::Encryptor::<$Aes>::new_from_slice($key).ok().map(Encrypting)),
            ("ecb", false) => blocks(ecb::Decryptor::<$Aes>::new_from_slice($key).ok().map(Decrypting)),
            ("ctr", _) => ctr::Ctr128BE::<$Aes>::new_from_slices($key, $iv).ok().map(|mode| Mode::Stream(Box::new(mode))),
            ("gcm", _) => Gcm::new::<$Aes>($key, $iv).map(|mode| Mode::Gcm(Box::new(mode))),
            _ => None,
        }
    };
}

fn blocks(mode: Option<impl Blocks + 'static>) -> Option<Mode> {
    mode.map(|mode| Mode::Blocks(Box::new(mode)))
}

impl Cipher {
    fn new(mode: &str, is_encrypting: bool, key: &[u8], iv: &[u8]) -> Option<Cipher> {
        let mode = match key.len() {
            16 => mode!(Aes128, mode, is_encrypting, key, iv),
            24 => mode!(Aes192, mode, is_encrypting, key, iv),
            32 => mode!(Aes256, mode, is_encrypting, key, iv),
            _ => None,
        };
        mode.map(|mode| Cipher { mode, is_encrypting, pending: Vec::new() })
    }

    fn update(&mut self, input: &[u8], is_padded: bool) -> Result<Vec<u8>, Refusal> {
        let mut output = room(self.pending.len() + input.len())?;
        output.append(&mut self.pending);
        output.extend_from_slice(input);
        match &mut self.mode {
            Mode::Blocks(blocks) => {
                let held = is_padded && !self.is_encrypting && !output.is_empty();
                let whole = (output.len() - usize::from(held)) / BLOCK * BLOCK;
                self.pending = output.split_off(whole);
                blocks.process(AesBlock::slice_as_chunks_mut(&mut output).0);
            }
            Mode::Stream(stream) => stream.apply_keystream(&mut output),
            Mode::Gcm(gcm) => gcm.process(&mut output, self.is_encrypting),
        }
        Ok(output)
    }

    fn finish(&mut self, is_padded: bool) -> Result<Vec<u8>, Refusal> {
        let Mode::Blocks(blocks) = &mut self.mode else { return Ok(Vec::new()) };
        let mut last = std::mem::take(&mut self.pending);
        if is_padded && self.is_encrypting {
            let padding = BLOCK - last.len();
            reserve(&mut last, padding)?;
            last.resize(BLOCK, padding as u8);
        }
        if !last.len().is_multiple_of(BLOCK) || (is_padded && last.is_empty()) {
            return Err(Refusal::new("ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH", "error:1C80006B:Provider routines::wrong final block length"));
        }
        blocks.process(AesBlock::slice_as_chunks_mut(&mut last).0);
        if is_padded && !self.is_encrypting {
            let padding = usize::from(last[last.len() - 1]);
            let text = last.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding));
            let text = text.filter(|text| last[*text..].iter().all(|byte| usize::from(*byte) == padding));
            last.truncate(text.ok_or_else(|| Refusal::new("ERR_OSSL_BAD_DECRYPT", "error:1C800064:Provider routines::bad decrypt"))?);
        }
        Ok(last)
    }
}

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "cipher", cipher)?;
    define(native, "cipherUpdate", update)?;
    define(native, "cipherFinal", finish)?;
    define(native, "cipherAad", |cipher: Class<'_, Cipher>, bytes: Bytes<'_>| {
        if let Mode::Gcm(gcm) = &mut cipher.borrow_mut().mode {
            gcm.aad_bytes += view(&bytes).len() as u64;
            gcm.hash.update(view(&bytes));
        }
    })?;
    define(native, "cipherTag", tag)
}

fn cipher<'js>(cx: Ctx<'js>, mode: String, is_encrypting: bool, key: Bytes<'js>, iv: Bytes<'js>) -> rquickjs::Result<Class<'js, Cipher>> {
    let cipher = Cipher::new(&mode, is_encrypting, view(&key), view(&iv)).ok_or_else(|| unknown("cipher", &mode).throw(&cx))?;
    Class::instance(cx, cipher)
}

fn update<'js>(cx: Ctx<'js>, cipher: Class<'js, Cipher>, bytes: Bytes<'js>, is_padded: bool) -> rquickjs::Result<ArrayBuffer<'js>> {
    let output = cipher.borrow_mut().update(view(&bytes), is_padded).map_err(|refusal| refusal.throw(&cx))?;
    buffer(&cx, output)
}

fn finish<'js>(cx: Ctx<'js>, cipher: Class<'js, Cipher>, is_padded: bool) -> rquickjs::Result<ArrayBuffer<'js>> {
    let output = cipher.borrow_mut().finish(is_padded).map_err(|refusal| refusal.throw(&cx))?;
    buffer(&cx, output)
}

/// The tag of all that was processed; 16 bytes. No more may come.
fn tag<'js>(cx: Ctx<'js>, cipher: Class<'js, Cipher>) -> rquickjs::Result<ArrayBuffer<'js>> {
    let tag = match &mut cipher.borrow_mut().mode {
        Mode::Gcm(gcm) => gcm.tag(),
        _ => Vec::new(),
    };
    buffer(&cx, tag)
}
