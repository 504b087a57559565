use serde::{Deserialize, Serialize};

/// What one account may keep. What is beyond is made by a program that has gone wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AccountLimits {
    /// That it has made, in whichever graph.
    pub memory_entities: u32,
    /// Of their names, content and metadata.
    pub memory_bytes: u64,
    /// That it has made, drafts included.
    pub resources: u32,
    /// Resources that it has installed.
    pub installations: u32,
}

impl Default for AccountLimits {
    fn default() -> AccountLimits {
        AccountLimits { memory_entities: 10_000_000, memory_bytes: 10 << 30, resources: 1_000, installations: 1_000 }
    }
}
