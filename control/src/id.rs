//! Ids: opaque, and not to be guessed.

use crate::ApiError;

/// `prefix_` and 24 hexadecimal digits.
pub fn new(prefix: &str) -> Result<String, ApiError> {
    Ok(format!("{prefix}_{}", hex(&random::<12>()?)))
}

/// 24 hexadecimal digits, the first of them the time: those made at about the same time lie beside each other in the store.
pub fn object(unix_ms: i64) -> Result<String, ApiError> {
    let seconds = u32::try_from(unix_ms / 1000).unwrap_or(u32::MAX);
    Ok(format!("{seconds:08x}{}", hex(&random::<8>()?)))
}

pub fn random<const BYTES: usize>() -> Result<[u8; BYTES], ApiError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal("the system gives no randomness", error))?;
    Ok(bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
