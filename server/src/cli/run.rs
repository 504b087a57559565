use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use mirra_host_sdk::{Invocation, InvocationError, Outcome, Usage};
use mirra_runtime::ChildCommand;

use super::once;
use crate::{
    config::{HostFlags, LimitFlags},
    failure::{Exit, Failure},
    logs,
    problem::Problem,
    terminal::{dim, red, say, size, time},
};

/// Call a handler once
///
/// The result stands alone on stdout, as JSON. Its logs go to stderr while it runs, and a line of what it used after.
#[derive(Args)]
pub struct Run {
    /// A .ts, .js, .mjs or .wasm file, or a folder
    handler: PathBuf,

    /// The event: JSON, @FILE to read it from a file, or - to read it from stdin
    #[arg(long, short, value_name = "JSON|@FILE|-", default_value = "{}", allow_hyphen_values = true)]
    event: String,

    /// Print the whole outcome as JSON: result or error, logs, usage
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    host: HostFlags,
}

impl Run {
    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        let limits = self.limits.limits()?;
        let called = match once::event(&self.event, limits.event_bytes_max)? {
            Err(problem) => Err(problem),
            Ok(event) => once::call(&self.host, bundler, self.handler, |handler| Invocation {
                log_sink: Some(Arc::new(logs::Direct)),
                ..Invocation::new(handler, event, limits)
            })?,
        };
        if self.json { once::print_json(&called) } else { print(called) }
    }
}

fn print(called: Result<Outcome, Problem>) -> Result<Exit, Failure> {
    let outcome = match called {
        Ok(outcome) => outcome,
        Err(problem) => {
            say(format_args!("{} {}", red(&format!("{}:", problem.code)), problem));
            return Ok(problem.code.into());
        }
    };
    match &outcome.result {
        Ok(result) => once::print(result.get().as_bytes())?,
        Err(error) => say_error(error),
    }
    say_usage(&outcome.usage);
    Ok(once::exit_of(&outcome))
}

/// `CODE: Name: message` and the stack.
fn say_error(error: &InvocationError) {
    let name = error.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    say(format_args!("{} {name}{}", red(&format!("{}:", error.code)), error.message));
    if let Some(stack) = &error.stack {
        say(format_args!("{stack}"));
    }
}

fn say_usage(usage: &Usage) {
    let us = |us| time(Duration::from_micros(us));
    let (cold_start, cpu, wall) = (us(usage.cold_start_us), us(usage.cpu_us), us(usage.wall_us));
    let (memory, cost) = (size(usage.memory_bytes_peak), usage.cost_usd);
    say(format_args!("{}", dim(&format!("cold start {cold_start}, CPU {cpu}, wall {wall}, memory {memory}, cost {cost} USD"))));
}
