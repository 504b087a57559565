//! How a command ends.

use std::{fmt, process::ExitCode};

use anyhow::Error;
use mirra_control::{ApiError, OpenError};
use mirra_host_sdk::ErrorCode;

use crate::terminal;

/// The exit codes, as `mirra --help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success = 0,
    /// The handler threw, never settled, or answered what JSON cannot carry.
    HandlerFailed = 1,
    /// The command cannot be carried out as it was given.
    WrongUse = 2,
    LimitHit = 3,
    /// Nobody's fault but the host's: its disk, its ports, itself.
    HostFailed = 4,
}

impl From<ErrorCode> for Exit {
    fn from(code: ErrorCode) -> Exit {
        match code {
            limit if limit.is_limit() => Exit::LimitHit,
            ErrorCode::HandlerError | ErrorCode::ResourceDenied => Exit::HandlerFailed,
            ErrorCode::InternalError => Exit::HostFailed,
            _ => Exit::WrongUse,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not be carried out: what happened, the chain of causes, and what to do next.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Error,
    next_step: Option<String>,
}

impl Failure {
    pub fn wrong_use(error: impl Into<Error>) -> Failure {
        Failure { exit: Exit::WrongUse, error: error.into(), next_step: None }
    }

    pub fn host(error: impl Into<Error>) -> Failure {
        Failure { exit: Exit::HostFailed, error: error.into(), next_step: None }
    }

    pub fn of(exit: Exit, error: impl Into<Error>) -> Failure {
        Failure { exit, error: error.into(), next_step: None }
    }

    pub fn next_step(self, next_step: impl Into<String>) -> Failure {
        Failure { next_step: Some(next_step.into()), ..self }
    }

    /// Tells it on stderr, and answers how to exit.
    pub fn report(self) -> Exit {
        terminal::say(format_args!("{} {}", terminal::red("error:"), self.error));
        for cause in self.error.chain().skip(1) {
            terminal::say(format_args!("  caused by: {cause}"));
        }
        if let Some(next_step) = self.next_step {
            terminal::say(format_args!("  {next_step}"));
        }
        self.exit
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        let failure = Failure::host(error);
        let next_step = failure.error.chain().find_map(|cause| cause.downcast_ref::<OpenError>()).map(OpenError::next_step);
        Failure { next_step: next_step.map(str::to_owned), ..failure }
    }
}

/// What happened, without its causes.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
