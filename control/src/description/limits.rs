use mirra_host_sdk::Limits;
use serde_json::json;

use crate::{PlatformLimits, flow, script};

/// Everything that is bounded, by what it bounds, as JSON: made of what the bounds themselves are read from.
pub fn limits(platform: &PlatformLimits) -> String {
    let calls = Limits::default();
    let range =
        |range: std::ops::RangeInclusive<u64>, default: u64| json!({ "min": range.start(), "max": range.end(), "default": default });
    let config = script::Config::default();
    let json = json!({
        "calls": {
            "timeoutSeconds": range(Limits::TIMEOUT_S, calls.timeout_ms / 1000),
            "memoryMb": range(Limits::MEMORY_MB, calls.memory_bytes_max >> 20),
            "costUsd": { "default": calls.cost_usd_max },
            "eventBytesMax": calls.event_bytes_max,
            "outputBytesMax": calls.output_bytes_max,
            "logBytesMax": calls.log_bytes_max,
            "openOperationsMax": calls.open_operations_max,
        },
        "scripts": {
            "codeBytesMax": script::CODE_BYTES_MAX,
            "maxExecutionsPerDay": { "default": config.max_executions_per_day, "max": script::EXECUTIONS_PER_DAY_MAX },
            "maxCostPerExecutionUsd": { "default": config.max_cost_per_execution },
        },
        "flows": {
            "titleCharactersMax": flow::TITLE_CHARACTERS_MAX,
            "descriptionCharactersMax": flow::DESCRIPTION_CHARACTERS_MAX,
            "promptCharactersMax": flow::PROMPT_CHARACTERS_MAX,
            "conditionLevelsMax": mirra_triggers::limits::LEVELS_MAX,
            "conditionsMax": mirra_triggers::limits::CONDITIONS_MAX,
            "conditionFieldCharactersMax": mirra_triggers::limits::FIELD_CHARACTERS_MAX,
            "conditionValueCharactersMax": mirra_triggers::limits::VALUE_CHARACTERS_MAX,
            "scheduleIntervalSecondsMin": 60,
            "schedulesPerFlow": 1,
            "timezone": "UTC",
            "retryWaitsMs": crate::work::RETRY_WAITS_MS,
        },
        "platform": platform,
    });
    // JSON of our own always serializes.
    serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"
}
