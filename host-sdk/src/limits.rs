use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Usd;

const MB: u64 = 1024 * 1024;

/// What one call may use. All limits are always on; each is declared here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Wall time from the moment the instance starts, waiting included; not the time in the queue before. 1–300 s. `TIMEOUT`.
    pub timeout_ms: u64,
    /// All memories and tables of the instance, summed; not what the host keeps for it (its stack, its logs, open operations),
    /// which other limits bound. 128–3008 MB. `MEMORY_LIMIT`.
    pub memory_bytes_max: u64,
    /// CPU, memory-time, the price of the call and its priced operations together. `COST_LIMIT`.
    pub cost_usd_max: Usd,
    /// CPU work in units of fuel, which no clock and no neighbour can bend. `TIMEOUT`.
    pub fuel_max: u64,
    /// The event, as JSON text. `PAYLOAD_TOO_LARGE`.
    pub event_bytes_max: u64,
    /// The result, as JSON text. `OUTPUT_TOO_LARGE`.
    pub output_bytes_max: u64,
    /// All log lines together; a call that passes it goes on, its further lines are counted and dropped.
    pub log_bytes_max: u64,
    /// Operations started and not yet awaited. `RESOURCE_DENIED` for the one too many.
    pub open_operations_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            timeout_ms: 30_000,
            memory_bytes_max: 128 * MB,
            cost_usd_max: Usd::from_picodollars(1_000_000_000_000),
            fuel_max: 300_000_000_000,
            event_bytes_max: 6 * MB,
            output_bytes_max: 6 * MB,
            log_bytes_max: MB,
            open_operations_max: 1_000,
        }
    }
}

/// A limit set outside its range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field} must be between {min} and {max} {unit}, and is {value}")]
pub struct LimitError {
    /// The contract's name of the field.
    pub field: &'static str,
    pub min: u64,
    pub max: u64,
    pub unit: &'static str,
    pub value: u64,
}

impl Limits {
    pub const TIMEOUT_S: std::ops::RangeInclusive<u64> = 1..=300;
    pub const MEMORY_MB: std::ops::RangeInclusive<u64> = 128..=3008;

    /// Sets the wall time, given as in the contract's `timeout`.
    pub fn with_timeout_s(mut self, timeout_s: u64) -> Result<Self, LimitError> {
        self.timeout_ms = within("timeout", timeout_s, Self::TIMEOUT_S, "seconds")? * 1000;
        Ok(self)
    }

    /// Sets the memory, given as in the contract's `memory`.
    pub fn with_memory_mb(mut self, memory_mb: u64) -> Result<Self, LimitError> {
        self.memory_bytes_max = within("memory", memory_mb, Self::MEMORY_MB, "MB")? * MB;
        Ok(self)
    }

    /// The limits, if none that has a maximum passes it: for limits that came from outside and not through the setters above.
    pub fn checked(self) -> Result<Self, LimitError> {
        within("timeoutMs", self.timeout_ms, 1..=Self::TIMEOUT_S.end() * 1000, "milliseconds")?;
        within("memoryBytesMax", self.memory_bytes_max, 0..=Self::MEMORY_MB.end() * MB, "bytes")?;
        Ok(self)
    }

    /// More memory means proportionally more CPU: a call's share when calls compete, 1 for the smallest.
    pub fn cpu_weight(&self) -> u64 {
        (self.memory_bytes_max / (128 * MB)).max(1)
    }
}

fn within(field: &'static str, value: u64, range: std::ops::RangeInclusive<u64>, unit: &'static str) -> Result<u64, LimitError> {
    let (min, max) = (*range.start(), *range.end());
    if range.contains(&value) { Ok(value) } else { Err(LimitError { field, min, max, unit, value }) }
}
