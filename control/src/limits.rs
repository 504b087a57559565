//! What accounts, scripts and flows may use besides what each call may (`host-sdk`): one table, which an operator may replace in part.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::account::AccountLimits;

/// Every number of the documents has its default here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PlatformLimits {
    /// Of one key, to the API.
    pub requests_per_minute: NonZeroU32,
    pub per_account: AccountLimits,
    /// Of one script, by whoever asks for them.
    pub manual_executions_per_minute: NonZeroU32,
}

impl Default for PlatformLimits {
    fn default() -> PlatformLimits {
        let number = |number: u32| NonZeroU32::MIN.saturating_add(number - 1);
        PlatformLimits {
            per_account: AccountLimits::default(),
            requests_per_minute: number(1_000),
            manual_executions_per_minute: number(100),
        }
    }
}
