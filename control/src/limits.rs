//! What accounts, scripts and flows may use besides what each call may (`host-sdk`): one table, which an operator may replace in part.

use std::num::NonZeroU32;

use mirra_host_sdk::Usd;
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
    /// That an account has at a time.
    pub flows_per_user: NonZeroU32,
    /// That an account makes, those that it deletes included.
    pub flows_created_per_day: NonZeroU32,
    /// Runs of one flow that begin on a day (UTC).
    pub executions_per_flow_per_day: NonZeroU32,
    /// Runs of one flow at the same time.
    pub concurrent_executions_per_flow: NonZeroU32,
    /// Runs of flows at the same time, of all accounts together.
    pub concurrent_flow_executions: NonZeroU32,
    /// Results that are kept of a flow.
    pub results_kept_per_flow: NonZeroU32,
    pub logs_kept_days: NonZeroU32,
    pub results_kept_days: NonZeroU32,
    /// How long an event that comes again is known to have come.
    pub events_known_days: NonZeroU32,
    /// Over which ticks that are due in the same minute are spread; each flow has its own place there.
    pub tick_spread_ms: u32,
    /// What runs of an account may cost on a day (UTC), before none begins any more. None: as much as they do.
    pub cost_usd_per_user_per_day: Option<Usd>,
}

impl Default for PlatformLimits {
    fn default() -> PlatformLimits {
        let number = |number: u32| NonZeroU32::MIN.saturating_add(number - 1);
        PlatformLimits {
            per_account: AccountLimits::default(),
            requests_per_minute: number(1_000),
            manual_executions_per_minute: number(100),
            flows_per_user: number(1_000),
            flows_created_per_day: number(100),
            executions_per_flow_per_day: number(10_000),
            concurrent_executions_per_flow: number(10),
            concurrent_flow_executions: number(200),
            results_kept_per_flow: number(100),
            logs_kept_days: number(30),
            results_kept_days: number(90),
            events_known_days: number(7),
            tick_spread_ms: 10_000,
            cost_usd_per_user_per_day: None,
        }
    }
}
