use std::fs;

use super::{
    Keyring, Sealed,
    key::{KeySource, SecretKey, make_file, next_to},
    unusable,
};
use crate::{ApiError, store::Store};

impl Keyring {
    /// Held until it is dropped.
    fn turn(&self) -> Result<Option<fs::File>, ApiError> {
        let KeySource::File(path) = &self.source else { return Ok(None) };
        let failed = |error| ApiError::internal("keys cannot be rotated", error);
        let file = fs::File::options().create(true).truncate(false).write(true).open(path.with_extension("lock")).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Some(file))
    }

    /// Encrypts everything anew, in one transaction: with `given`, or with a key that is made and takes the place of the one in the file.
    /// Servers that are running read the new key when they meet it. How many credentials there were.
    pub async fn rotate(&self, store: &Store, given: Option<&str>, now: i64) -> Result<usize, ApiError> {
        // One at a time, in all processes: another one's next key must not be taken for one that was left behind.
        let _turn = self.turn()?;
        let in_use = store.secret_key().await?;
        let next = match (&self.source, given) {
            (_, Some(text)) => SecretKey::parse(text).map_err(unusable)?,
            (KeySource::File(path), None) => {
                if let Some(in_use) = &in_use {
                    // Puts the key in its place that an interrupted rotation has left beside it.
                    self.source.read(in_use).map_err(unusable)?;
                }
                // The store has not taken it.
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
            Ok::<_, ApiError>(Sealed { key_id: next.id().to_owned(), sealed: next.seal(holder_id, &plain)? })
        };
        let rotated = store.reseal(next.id(), now, anew).await?;
        if let (KeySource::File(path), None) = (&self.source, given) {
            // Where this does not happen any more, whoever next reads the key does it.
            fs::rename(next_to(path), path).map_err(|error| ApiError::internal("the new key cannot take the old one's place", error))?;
        }
        Ok(rotated)
    }
}
