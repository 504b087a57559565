//! The `mirra` binary: the only place that puts the runtime together with the doors to it, the command line and HTTP.
//!
//! `cli/` has a file for each subcommand; `mirra serve` goes on in `routes.rs` (what is deployed), `watch.rs` (what changes)
//! and `http/` (who calls).

mod cli;
mod compose;
mod config;
mod deploy;
mod failure;
mod http;
mod logs;
mod metrics;
mod problem;
mod routes;
mod signals;
mod survey;
mod terminal;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // First of all: this process may be one that bundles a handler.
    let bundler = match mirra_runtime::init() {
        Ok(bundler) => bundler,
        Err(error) => return failure::Failure::host(error).report().into(),
    };
    let exit = cli::Cli::parse().run(bundler).unwrap_or_else(|failure| failure.report());
    exit.into()
}
