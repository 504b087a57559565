use std::{
    io::{Read, stdin},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use mirra_host_sdk::{ErrorCode, Invocation, Json, Limits, Outcome, Trigger};
use mirra_runtime::ChildCommand;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::once;
use crate::{
    config::HostFlags,
    failure::{Exit, Failure},
    logs,
    problem::Problem,
};

/// Make one call that is described as JSON on stdin; for schedulers
///
/// Reads {"handler": path, "event"?: any, "limits"?: {…}, "executionId"?, "scriptId"?, "version"?, "trigger"?} and prints the
/// outcome as JSON: {"executionId", "success": true, "result", "logs", "usage"}, or "success": false and "error": {"code",
/// "message", …} in place of the result. Logs go to stderr while the handler runs. Exit codes are those of 'mirra run'.
///
/// The limits: timeoutMs, memoryBytesMax, costUsdMax, fuelMax, eventBytesMax, outputBytesMax, logBytesMax, openOperationsMax.
/// The trigger: manual, http, cron, event or webhook.
#[derive(Args)]
pub struct Exec {
    #[command(flatten)]
    host: HostFlags,
}

/// More than any event that is allowed by default, and less than would hurt.
const REQUEST_BYTES_MAX: u64 = 128 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    handler: PathBuf,
    event: Option<Json>,
    #[serde(default)]
    limits: Limits,
    execution_id: Option<String>,
    script_id: Option<String>,
    #[serde(default)]
    version: String,
    #[serde(default)]
    trigger: Trigger,
}

impl Exec {
    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        let called = read().and_then(|request| match request {
            Err(problem) => Ok(Err(problem)),
            Ok(request) => self.call(bundler, request),
        });
        // Whoever reads stdout gets JSON, whatever happens; the causes are for the operator.
        let called = called.unwrap_or_else(|failure| {
            let message = failure.to_string();
            let code = if failure.report() == Exit::HostFailed { ErrorCode::InternalError } else { ErrorCode::ValidationError };
            Err(Problem::new(code, message))
        });
        once::print_json(&called)
    }

    fn call(self, bundler: ChildCommand, request: Request) -> Result<Result<Outcome, Problem>, Failure> {
        let Request { handler, event, limits, execution_id, script_id, version, trigger } = request;
        once::call(&self.host, bundler, handler, |handler| {
            let call = Invocation::new(handler, event.unwrap_or_else(no_event), limits);
            Invocation {
                execution_id: execution_id.unwrap_or(call.execution_id),
                script_id: script_id.unwrap_or(call.script_id),
                version,
                trigger,
                log_sink: Some(Arc::new(logs::Direct)),
                ..call
            }
        })
    }
}

fn read() -> Result<Result<Request, Problem>, Failure> {
    let mut bytes = Vec::new();
    stdin().lock().take(REQUEST_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(Failure::wrong_use)?;
    if bytes.len() as u64 > REQUEST_BYTES_MAX {
        let message = format!("the request is longer than the {REQUEST_BYTES_MAX} bytes that are allowed");
        return Ok(Err(Problem::new(ErrorCode::PayloadTooLarge, message)));
    }
    let request = serde_json::from_slice::<Request>(&bytes).map_err(|error| Problem::not_json("stdin holds no request", &error));
    let checked = |request: Request| match request.limits.checked() {
        Ok(_) => Ok(request),
        Err(error) => Err(Problem::new(ErrorCode::ValidationError, format!("limits.{error}"))),
    };
    Ok(request.and_then(checked))
}

fn no_event() -> Json {
    // `{}` is JSON.
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}
