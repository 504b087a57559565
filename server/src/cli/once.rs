//! One call, as `mirra run` and `mirra exec` make it.

use std::{
    fs::File,
    io::{Read, Write, stdin},
    path::PathBuf,
};

use anyhow::Context;
use mirra_host_sdk::{ErrorCode, Executor, HandlerId, Invocation, Json, Outcome, Source};
use mirra_runtime::ChildCommand;
use serde_json::value::RawValue;

use crate::{
    compose::{self, Size},
    config::HostFlags,
    failure::{Exit, Failure},
    problem::Problem,
    terminal::{self, say},
};

/// Prepares the handler and calls it. A problem is what kept the call from being made.
pub fn call(
    flags: &HostFlags,
    bundler: ChildCommand,
    handler: PathBuf,
    invocation: impl FnOnce(HandlerId) -> Invocation,
) -> Result<Result<Outcome, Problem>, Failure> {
    trace();
    compose::block_on(async {
        let executor = compose::executor(flags, bundler, Size::ONE_CALL, &compose::control(flags, false, None)?).await?;
        let prepared = match executor.prepare(Source::path(handler)).await {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Err(error.into())),
        };
        // Said once, when it was new.
        for warning in prepared.warnings.iter().filter(|_| !prepared.is_cached) {
            say(format_args!("{} {warning}", terminal::level(mirra_host_sdk::LogLevel::Warn)));
        }
        Ok(executor.invoke(invocation(prepared.id)).await.map_err(Problem::from))
    })
}

/// An event as an argument gives it: JSON, `@FILE`, or `-` for stdin. Read no further than it may be long.
pub fn event(argument: &str, bytes_max: u64) -> Result<Result<Json, Problem>, Failure> {
    let mut bytes = Vec::new();
    let read = match argument.strip_prefix('@') {
        None if argument == "-" => stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes).context("cannot read stdin"),
        None => argument.as_bytes().take(bytes_max + 1).read_to_end(&mut bytes).context("cannot read the event"),
        Some(path) => File::open(path)
            .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
            .with_context(|| format!("cannot read the event from {path}")),
    };
    read.map_err(Failure::wrong_use)?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("the event is longer than the {bytes_max} bytes that are allowed");
        return Ok(Err(Problem::new(ErrorCode::PayloadTooLarge, message)));
    }
    let json = serde_json::from_slice::<Box<RawValue>>(&bytes);
    Ok(json.map_err(|error| Problem::not_json("the event is not JSON", &error)))
}

/// The host's own words are for whoever asks for them: setting them up takes time.
pub fn trace() {
    if std::env::var_os("RUST_LOG").is_some() {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}

/// Writes a line to stdout. Whoever closed it wants no more of it.
pub fn print(line: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(line).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::host(error)),
        _ => Ok(()),
    }
}

/// Prints an outcome, or the problem in its place, as JSON.
pub fn print_json(called: &Result<Outcome, Problem>) -> Result<Exit, Failure> {
    let (json, exit) = match called {
        Ok(outcome) => (serde_json::to_vec(outcome).map_err(Failure::host)?, exit_of(outcome)),
        Err(problem) => (problem.to_json(), problem.code.into()),
    };
    print(&json)?;
    Ok(exit)
}

pub fn exit_of(outcome: &Outcome) -> Exit {
    outcome.result.as_ref().map_or_else(|error| error.code.into(), |_| Exit::Success)
}
