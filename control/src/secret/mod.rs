//! Credentials at rest: encrypted with one key, which is not kept where they are.

mod key;
mod rotation;

use std::sync::{Arc, PoisonError, RwLock};

use crate::{ApiError, store::Store};

pub use key::{KeySource, SecretKey};

/// What is encrypted, and with which key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Sealed {
    pub key_id: String,
    pub sealed: Vec<u8>,
}

/// Encrypts and decrypts what belongs to a holder. What was encrypted for one can be decrypted for no other, so that whoever can write to
/// the store cannot make one account use another's credentials.
pub struct Keyring {
    source: KeySource,
    key: RwLock<Option<Arc<SecretKey>>>,
}

const NO_KEY: &str = "the key of the credentials cannot be used";

impl Keyring {
    /// Reads the key if something is encrypted already, so that a wrong one is told at the start and not at the first call.
    pub async fn open(source: KeySource, store: &Store) -> Result<Keyring, ApiError> {
        let keyring = Keyring { source, key: RwLock::default() };
        if let Some(in_use) = store.secret_key().await? {
            keyring.key_of(&in_use)?;
        }
        Ok(keyring)
    }

    /// Encrypts for a holder with the key that is in use, which is told by the store while nothing else is written: so nothing is encrypted
    /// with a key that a rotation has just replaced. A key is made where there is none yet.
    pub fn seal(&self, holder_id: &str, plain: &[u8], in_use: Option<&str>) -> Result<Sealed, ApiError> {
        let key = match in_use {
            Some(in_use) => self.key_of(in_use)?,
            None => self.remember(self.source.read_or_make().map_err(unusable)?),
        };
        Ok(Sealed { key_id: key.id().to_owned(), sealed: key.seal(holder_id, plain)? })
    }

    pub fn unseal(&self, holder_id: &str, sealed: &Sealed) -> Result<Vec<u8>, ApiError> {
        self.key_of(&sealed.key_id)?.unseal(holder_id, &sealed.sealed)
    }

    /// The key of that id: the one that is known, or the one that has taken its place since.
    fn key_of(&self, id: &str) -> Result<Arc<SecretKey>, ApiError> {
        let known = self.key.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known.filter(|key| key.id() == id) {
            Some(key) => Ok(key),
            None => Ok(self.remember(self.source.read(id).map_err(unusable)?)),
        }
    }

    fn remember(&self, key: SecretKey) -> Arc<SecretKey> {
        let key = Arc::new(key);
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        key
    }
}

fn unusable(error: key::KeyError) -> ApiError {
    ApiError::internal(NO_KEY, error)
}
