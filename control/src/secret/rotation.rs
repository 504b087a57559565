use std::fs;

use super::{
    Keyring, Sealed,
    key::{KeySource, SecretKey, make_file, next_to},
    unusable,
};
use crate::{ApiError, store::Store};

impl Keyring {
    /// Encrypts everything anew, in one transaction: with `given`, or with a key that is made and takes the place of the one in the file.
    /// Servers that are running read the new key when they meet it. How many credentials there were.
    pub async fn rotate(&self, store: &Store, given: Option<&str>, now: i64) -> Result<usize, ApiError> {
        let next = match (&self.source, given) {
            (_, Some(text)) => SecretKey::parse(text).map_err(unusable)?,
            (KeySource::File(path), None) => {
                // Of a rotation that did not come to its end: the store has not taken it, or it would not lie here any more.
                let _ = fs::remove_file(next_to(path));
                make_file(&next_to(path)).map_err(unusable)?
            }
            (KeySource::Given(_), None) => {
                let message = "the key was given by the operator, and so must the next one be: set MIRRA_SECRET_KEY_NEXT";
                return Err(ApiError::invalid("MIRRA_SECRET_KEY_NEXT", message));
            }
        };
        let anew = |holder_id: &str, old: &Sealed| {
            let plain = self.unseal(holder_id, old)?;
            Ok(Sealed { key_id: next.id().to_owned(), sealed: next.seal(holder_id, &plain)? })
        };
        let rotated = store.reseal(next.id(), now, anew).await?;
        if let (KeySource::File(path), None) = (&self.source, given) {
            // Where this does not happen any more, whoever next reads the key does it.
            fs::rename(next_to(path), path).map_err(|error| ApiError::internal("the new key cannot take the old one's place", error))?;
        }
        Ok(rotated)
    }
}
