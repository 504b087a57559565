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

use self::client::Client;
use super::once;
use crate::{
    compose,
    failure::{Exit, Failure},
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

impl ServerFlags {
    /// Runs a command that asks the server.
    fn ask(&self, command: impl AsyncFnOnce(&Client) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
        once::trace();
        let client = Client::new(self)?;
        compose::block_on(async { command(&client).await })
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
