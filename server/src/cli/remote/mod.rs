//! The commands that ask a server: one file for each noun, over one client.

mod client;
mod deploy;
mod events;
mod files;
mod flows;
mod keys;
mod login;
mod logs;
mod named;
mod notifications;
mod resources;
mod scripts;
mod settings;
mod table;

use clap::Args;
use serde_json::{Value, value::RawValue};

use self::client::{Answer, Client};
use super::once;
use crate::{
    compose,
    failure::{Exit, Failure},
    terminal::say,
};

pub use self::{
    deploy::Deploy, events::Events, flows::Flows, keys::Keys, login::Login, logs::Logs, notifications::Notifications, resources::Resources,
    scripts::Scripts,
};

/// Which server is asked, and how its answers are shown.
#[derive(Args)]
pub struct ServerFlags {
    /// The server; otherwise that of 'mirra login', or http://127.0.0.1:3000
    #[arg(long, value_name = "URL", env = "MIRRA_URL", global = true, help_heading = "Server")]
    url: Option<String>,

    /// Print what the server answers, as JSON, instead of text for people
    #[arg(long, global = true, help_heading = "Server")]
    json: bool,
}

/// Which part of a list.
#[derive(Args)]
struct Part {
    /// As many at a time
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,

    /// Without as many at its beginning
    #[arg(long, default_value_t = 0)]
    offset: u32,
}

impl Part {
    /// Parameters, and the part.
    fn of(&self, mut params: Value) -> Value {
        params["limit"] = self.limit.into();
        params["offset"] = self.offset.into();
        params
    }
}

impl ServerFlags {
    /// Runs a command that asks the server.
    fn ask(&self, command: impl AsyncFnOnce(&Client) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
        once::trace();
        let client = Client::new(self)?;
        compose::block_on(async { command(&client).await })
    }

    /// Prints a part of a list, and says if it is not all: `text` makes it for people.
    fn show_part(&self, part: &Part, answer: &Answer, text: impl FnOnce(&Value) -> String) -> Result<Exit, Failure> {
        let next = u64::from(part.offset) + u64::from(part.limit);
        let exit = self.show(&answer.data, text)?;
        if let Some(total) = answer.total.filter(|total| *total > next) {
            say(format_args!("there are {total}: --offset {next} shows more"));
        }
        Ok(exit)
    }

    /// Prints an answer: unchanged for programs, or as `text` makes it for people.
    fn show(&self, data: &RawValue, text: impl FnOnce(&Value) -> String) -> Result<Exit, Failure> {
        if self.json {
            once::print(data.get().as_bytes())?;
        } else {
            let text = text(&client::read(data)?);
            if !text.is_empty() {
                once::print(text.as_bytes())?;
            }
        }
        Ok(Exit::Success)
    }
}
