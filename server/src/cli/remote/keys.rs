use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    ServerFlags,
    table::{Column, facts, rows, text, time},
};
use crate::failure::{Exit, Failure};

/// The keys of an account: list, create, revoke
#[derive(Args)]
pub struct Keys {
    #[command(subcommand)]
    what: What,

    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Subcommand)]
enum What {
    /// Those that count
    List,
    /// Make one, which is shown this once
    Create {
        /// What it is for
        name: String,
        /// What it may use, such as scripts or memory; all that yours may if none is named
        #[arg(long, value_name = "ADAPTER")]
        scope: Vec<String>,
    },
    /// Let one count no longer
    Revoke {
        /// Its id, as 'mirra keys list' shows it
        id: String,
    },
}

const LISTED: &[Column] = &[
    ("NAME", |key| text(&key["name"])),
    ("ID", |key| text(&key["id"])),
    ("KEY", |key| text(&key["hint"])),
    ("SCOPES", scopes),
    ("SCRIPT", |key| text(&key["scriptId"])),
    ("MADE", |key| time(&key["createdAt"])),
];

fn scopes(key: &Value) -> String {
    let scopes: Vec<_> = key["scopes"].as_array().into_iter().flatten().map(text).collect();
    if scopes.is_empty() { "all".to_owned() } else { scopes.join(", ") }
}

impl Keys {
    pub fn run(self) -> Result<Exit, Failure> {
        let server = &self.server;
        server.ask(async |client| match &self.what {
            What::List => {
                let answer = client.call("keys.list", &json!({})).await?;
                server.show(&answer.data, |data| rows(data, LISTED, "no keys"))
            }
            What::Create { name, scope } => {
                let answer = client.call("keys.create", &json!({ "name": name, "scopes": scope })).await?;
                server.show(&answer.data, |key| {
                    let shown = format!("{} (shown this once)", text(&key["key"]));
                    facts(&[("id", text(&key["id"])), ("scopes", scopes(key)), ("key", shown)])
                })
            }
            What::Revoke { id } => {
                let answer = client.call("keys.revoke", &json!({ "id": id })).await?;
                server.show(&answer.data, |_| format!("{id} is revoked"))
            }
        })
    }
}
