//! Scripts: handlers that accounts keep here, with versions of which one runs, and the history of their runs.

mod config;
mod history;
mod lint;
mod making;
mod operations;
mod running;
mod source;
mod text;
mod versions;

pub use config::Config;
pub use operations::{OPERATIONS, RUNS};
