use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};

use crate::{ApiError, id};

const KEY_BYTES: usize = 32;
/// Drawn at random for each encryption: of this length, two are never the same.
const NONCE_BYTES: usize = 24;

/// A key that credentials are encrypted with (XChaCha20-Poly1305), written as 32 bytes in base64.
pub struct SecretKey {
    cipher: XChaCha20Poly1305,
    id: String,
}

impl SecretKey {
    /// # Errors
    /// It is not 32 bytes in base64.
    pub fn parse(text: &str) -> Result<SecretKey, KeyError> {
        let bytes = BASE64_STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
        bytes.map(|bytes| SecretKey::new(&bytes)).ok_or(KeyError::Malformed)
    }

    fn new(bytes: &[u8; KEY_BYTES]) -> SecretKey {
        // Tells nothing of the key, and tells it from others.
        let id = id::hex(&blake3::derive_key("mirra 2026 id of a secret key", bytes)[..8]);
        SecretKey { cipher: XChaCha20Poly1305::new(bytes.into()), id }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn seal(&self, holder_id: &str, plain: &[u8]) -> Result<Vec<u8>, ApiError> {
        let nonce = id::random::<NONCE_BYTES>()?;
        let payload = Payload { msg: plain, aad: holder_id.as_bytes() };
        let encrypted = self.cipher.encrypt(&nonce.into(), payload);
        let encrypted = encrypted.map_err(|_| ApiError::internal("credentials cannot be encrypted", "they are too long"))?;
        Ok([&nonce[..], &encrypted].concat())
    }

    pub fn unseal(&self, holder_id: &str, sealed: &[u8]) -> Result<Vec<u8>, ApiError> {
        let plain = sealed.split_first_chunk::<NONCE_BYTES>().and_then(|(nonce, encrypted)| {
            let payload = Payload { msg: encrypted, aad: holder_id.as_bytes() };
            self.cipher.decrypt(&(*nonce).into(), payload).ok()
        });
        plain.ok_or_else(|| ApiError::internal("credentials cannot be decrypted", "they are damaged, or were written for another holder"))
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("a key is 32 bytes in base64: `openssl rand -base64 32` makes one")]
    Malformed,
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}: {error}", path.display())]
    In { path: PathBuf, error: Box<KeyError> },
    #[error(
        "credentials are encrypted with the key {wanted}, and {from} is the key {found}: give mirra the one that it was started with before"
    )]
    Other { wanted: String, found: String, from: String },
}

/// Where the key is.
#[derive(Clone)]
pub enum KeySource {
    /// Given by the operator. The text, since there is no copying of keys.
    Given(String),
    /// In a file, which is made when a key is first needed. Whoever can read it and the store can read all credentials.
    File(PathBuf),
}

impl KeySource {
    /// The key of that id.
    pub fn read(&self, id: &str) -> Result<SecretKey, KeyError> {
        let (key, from) = match self {
            KeySource::Given(text) => (SecretKey::parse(text)?, "the one given".to_owned()),
            KeySource::File(path) => {
                // A rotation that was interrupted between the store and the file is ended here.
                let next = next_to(path);
                if read_file(&next).is_ok_and(|key| key.id == id) {
                    fs::rename(&next, path).map_err(|source| KeyError::File { path: next, source })?;
                }
                (read_file(path)?, format!("the one in {}", path.display()))
            }
        };
        match key.id == id {
            true => Ok(key),
            false => Err(KeyError::Other { wanted: id.to_owned(), found: key.id, from }),
        }
    }

    pub fn read_or_make(&self) -> Result<SecretKey, KeyError> {
        match self {
            KeySource::Given(text) => SecretKey::parse(text),
            KeySource::File(path) => match read_file(path) {
                Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => make_file(path),
                read => read,
            },
        }
    }
}

/// Where a file's next key is until the store has taken it.
pub fn next_to(path: &Path) -> PathBuf {
    path.with_extension("next")
}

pub fn read_file(path: &Path) -> Result<SecretKey, KeyError> {
    let text = fs::read_to_string(path).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
    SecretKey::parse(&text).map_err(|error| KeyError::In { path: path.to_owned(), error: Box::new(error) })
}

/// Writes a new key. Where another process has just done so, that one's is read.
pub fn make_file(path: &Path) -> Result<SecretKey, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let bytes = id::random::<KEY_BYTES>().map_err(|error| failed(io::Error::other(error)))?;
    // Whole or not at all: a file that is linked to its name when it is written.
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    let written = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(BASE64_STANDARD.encode(bytes).as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&unfinished, path)
    };
    let outcome = written();
    // Left behind, it would be another copy of the key.
    let _ = fs::remove_file(&unfinished);
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => read_file(path),
    }
}
