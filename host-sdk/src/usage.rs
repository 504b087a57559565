use serde::{Deserialize, Serialize};

use crate::Usd;

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// From the wish for an instance to the first instruction of the handler's engine in it.
    pub cold_start_us: u64,
    /// Wall time of the call, the cold start included.
    pub wall_us: u64,
    /// Time in which the call had a CPU.
    pub cpu_us: u64,
    /// Units of fuel; the same for the same work on any machine.
    pub fuel: u64,
    /// The most that all memories and tables held together.
    pub memory_bytes_peak: u64,
    /// Log lines dropped because the call had logged too much.
    pub log_lines_dropped: u64,
    pub cost_usd: Usd,
}
