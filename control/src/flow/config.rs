//! What a flow may use, as its owner has set it.

use mirra_host_sdk::Usd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ApiError, PlatformLimits};

/// `config` of the API. What is absent is as the platform has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// USD that one run may cost.
    #[schemars(with = "Option<f64>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_per_execution: Option<Usd>,
    /// Runs that may begin on one day (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_executions_per_day: Option<u32>,
    /// USD that all runs of one day (UTC) may cost; none begins beyond.
    #[schemars(with = "Option<f64>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_per_day: Option<Usd>,
    /// What becomes of ticks that came while no server ran: the latest is run once, or all are left out.
    pub missed_ticks: MissedTicks,
    /// Where it is told, besides the account's notifications, that the flow was paused: `POST` of JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MissedTicks {
    #[default]
    Latest,
    Skip,
}

const URL_BYTES_MAX: usize = 2_000;

impl Config {
    pub fn checked(self, limits: &PlatformLimits) -> Result<Config, ApiError> {
        let per_day = limits.executions_per_flow_per_day.get();
        if self.max_executions_per_day.is_some_and(|max| !(1..=per_day).contains(&max)) {
            let message = format!("config.maxExecutionsPerDay must be between 1 and {per_day}");
            return Err(ApiError::invalid("config.maxExecutionsPerDay", message));
        }
        if let Some(url) = &self.notify_url {
            let is_http = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !is_http || url.len() > URL_BYTES_MAX {
                return Err(ApiError::invalid("config.notifyUrl", "config.notifyUrl must be an http or https address"));
            }
        }
        Ok(self)
    }

    /// As it was kept.
    pub fn kept(text: &str) -> Config {
        serde_json::from_str(text).unwrap_or_default()
    }
}
