//! Flows: scripts, or prompts, that run by the clock, by events, or when a webhook is called.

mod code;
mod config;
mod finding;
mod making;
mod operations;
mod schedule;
mod shown;
mod subscription;
mod trigger;
mod trying;

pub use config::Config;
pub use making::{DESCRIPTION_CHARACTERS_MAX, PROMPT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX};
pub use operations::OPERATIONS;
pub use schedule::tick;
