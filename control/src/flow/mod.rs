//! Flows: scripts, or prompts, that run by the clock, by events, or when a webhook is called.

pub mod batch;
mod code;
mod config;
mod finding;
mod making;
mod market;
mod operations;
mod schedule;
mod shown;
mod subscription;
mod trigger;
mod trying;

pub use config::Config;
pub use making::{DESCRIPTION_CHARACTERS_MAX, PROMPT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX};
pub use market::market;
pub use operations::OPERATIONS;
pub use schedule::tick;
