use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};
use serde_json::value::RawValue;

use crate::{HandlerId, InvocationError, Limits, Usage};

/// JSON text, known to be valid and otherwise not looked at: the host hands events and results through.
pub type Json = Box<RawValue>;

/// One call, before it is made.
#[derive(Clone)]
pub struct Invocation {
    /// Opaque, `exec_` and 24 hex digits; the handler sees it. The same id for a retry of the same run.
    pub execution_id: String,
    pub handler: HandlerId,
    /// The account that it runs for. None: that of whoever runs the executor.
    pub user_id: Option<Arc<str>>,
    /// The installed resources that it may use, by id or name. None: all that the account has.
    pub allowed_resources: Option<Arc<[String]>>,
    /// How many handlers have called one another up to this call; 0 where it was no handler that called.
    pub depth: u32,
    /// The name or id of the script, for `context.scriptId`.
    pub script_id: String,
    /// The script's version, for `context.version`.
    pub version: String,
    pub trigger: Trigger,
    /// Any JSON value.
    pub event: Json,
    pub limits: Limits,
    /// Told of each log line as it is written. The outcome holds them all, so most callers need none.
    pub log_sink: Option<Arc<dyn LogSink>>,
}

impl Invocation {
    /// A manual call under a new execution id.
    pub fn new(handler: HandlerId, event: Json, limits: Limits) -> Invocation {
        Invocation {
            execution_id: new_execution_id(),
            user_id: None,
            allowed_resources: None,
            depth: 0,
            script_id: handler.0.clone(),
            handler,
            version: String::new(),
            trigger: Trigger::Manual,
            event,
            limits,
            log_sink: None,
        }
    }
}

/// `exec_` and 24 hex digits that no other execution has.
pub fn new_execution_id() -> String {
    format!("exec_{:024x}", rand::random::<u128>() >> 32)
}

/// What caused a call, for `context.trigger`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    #[default]
    Manual,
    Http,
    Cron,
    Event,
    Webhook,
}

/// One call, after it was made.
#[derive(Debug)]
pub struct Outcome {
    pub execution_id: String,
    /// The handler's result as JSON, or why there is none.
    pub result: Result<Json, InvocationError>,
    pub logs: Vec<LogEntry>,
    pub usage: Usage,
}

/// `{"executionId", "success": true, "result": …, "logs", "usage"}`, or `"success": false` and `"error"` in place of the result.
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut outcome = serializer.serialize_struct("Outcome", 5)?;
        outcome.serialize_field("executionId", &self.execution_id)?;
        outcome.serialize_field("success", &self.result.is_ok())?;
        match &self.result {
            Ok(result) => outcome.serialize_field("result", result)?,
            Err(error) => outcome.serialize_field("error", error)?,
        }
        outcome.serialize_field("logs", &self.logs)?;
        outcome.serialize_field("usage", &self.usage)?;
        outcome.end()
    }
}

/// A line that the handler logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    pub level: LogLevel,
    /// Microseconds since the call began.
    pub elapsed_us: u64,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        })
    }
}

/// Told of log lines while a call runs. Called on the path of the call: hand the line on, do no work here.
pub trait LogSink: Send + Sync {
    fn log(&self, entry: &LogEntry);
}
