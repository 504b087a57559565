//! Ids: opaque, and not to be guessed.

use crate::ApiError;

/// `prefix_` and 24 hexadecimal digits.
pub fn new(prefix: &str) -> Result<String, ApiError> {
    Ok(format!("{prefix}_{}", hex(&random::<12>()?)))
}

pub fn random<const BYTES: usize>() -> Result<[u8; BYTES], ApiError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal("the system gives no randomness", error))?;
    Ok(bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
