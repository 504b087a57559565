//! What a script may use, as its owner has set it.

use mirra_host_sdk::{LimitError, Limits, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ApiError;

/// `config` of the API; every field has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// Seconds of wall time, 1–300.
    #[schemars(range(min = 1, max = 300))]
    pub timeout: u64,
    /// MB, 128–3008. More memory means proportionally more CPU.
    #[schemars(range(min = 128, max = 3008))]
    pub memory: u64,
    /// USD that one execution may cost.
    #[schemars(with = "f64")]
    pub max_cost_per_execution: Usd,
    /// Executions that may begin on one day (UTC).
    #[schemars(range(min = 1, max = EXECUTIONS_PER_DAY_MAX))]
    pub max_executions_per_day: u32,
    /// The installed resources that it may use, by id or name. Empty: none.
    pub allowed_resources: Vec<String>,
}

/// Nobody's script is called as often by people.
pub const EXECUTIONS_PER_DAY_MAX: u32 = 10_000_000;
const ALLOWED_RESOURCES_MAX: usize = 100;
const COST_USD_MAX: Usd = Usd::from_picodollars(100_000_000_000_000);

impl Default for Config {
    fn default() -> Config {
        Config {
            timeout: 30,
            memory: 128,
            max_cost_per_execution: Usd::from_picodollars(1_000_000_000_000),
            max_executions_per_day: 100,
            allowed_resources: Vec::new(),
        }
    }
}

/// Only what is to be changed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigChange {
    /// Seconds of wall time, 1–300.
    pub timeout: Option<u64>,
    /// MB, 128–3008. More memory means proportionally more CPU.
    pub memory: Option<u64>,
    /// USD that one execution may cost.
    #[schemars(with = "Option<f64>")]
    pub max_cost_per_execution: Option<Usd>,
    /// Executions that may begin on one day (UTC).
    pub max_executions_per_day: Option<u32>,
    /// The installed resources that it may use, by id or name. Empty: none.
    pub allowed_resources: Option<Vec<String>>,
}

impl Config {
    pub fn changed(mut self, change: ConfigChange) -> Result<Config, ApiError> {
        self.timeout = change.timeout.unwrap_or(self.timeout);
        self.memory = change.memory.unwrap_or(self.memory);
        self.max_cost_per_execution = change.max_cost_per_execution.unwrap_or(self.max_cost_per_execution);
        self.max_executions_per_day = change.max_executions_per_day.unwrap_or(self.max_executions_per_day);
        self.allowed_resources = change.allowed_resources.unwrap_or(self.allowed_resources);
        self.limits()?;
        if !(1..=EXECUTIONS_PER_DAY_MAX).contains(&self.max_executions_per_day) {
            let message = format!("maxExecutionsPerDay must be between 1 and {EXECUTIONS_PER_DAY_MAX}");
            return Err(ApiError::invalid("config.maxExecutionsPerDay", message));
        }
        if self.max_cost_per_execution > COST_USD_MAX {
            let message = format!("maxCostPerExecution must be at most {COST_USD_MAX} USD");
            return Err(ApiError::invalid("config.maxCostPerExecution", message));
        }
        if self.allowed_resources.len() > ALLOWED_RESOURCES_MAX {
            let message = format!("allowedResources has more than {ALLOWED_RESOURCES_MAX} entries");
            return Err(ApiError::invalid("config.allowedResources", message));
        }
        Ok(self)
    }

    pub fn limits(&self) -> Result<Limits, ApiError> {
        let invalid = |error: LimitError| ApiError::invalid(&format!("config.{}", error.field), error.to_string());
        let limits = Limits::default().with_timeout_s(self.timeout).map_err(invalid)?.with_memory_mb(self.memory).map_err(invalid)?;
        Ok(Limits { cost_usd_max: self.max_cost_per_execution, ..limits })
    }
}
