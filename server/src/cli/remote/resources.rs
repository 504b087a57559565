use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Part, ServerFlags,
    client::{Client, read},
    table::{Column, facts, rows, text, time},
};
use crate::failure::{Exit, Failure};

/// The APIs that handlers call: list, search, install, uninstall
#[derive(Args)]
pub struct Resources {
    #[command(subcommand)]
    what: What,

    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Subcommand)]
enum What {
    /// Those that are installed
    List,
    /// Those that can be installed
    Search {
        /// Words of the name, the description or the tags
        words: Vec<String>,

        #[command(flatten)]
        part: Part,
    },
    /// Install one, so that handlers can call it
    Install {
        /// Its id or its name
        resource: String,
        /// Of tiered pricing
        #[arg(long)]
        tier: Option<String>,
    },
    /// Take one away, with its credentials
    Uninstall {
        /// Its id, its name, or what handlers call it
        resource: String,
    },
}

const INSTALLED: &[Column] = &[
    ("NAME", |row| text(&row["resourceName"])),
    ("IN HANDLERS", |row| format!("mirra.{}", text(&row["name"]))),
    ("ID", |row| text(&row["resourceId"])),
    ("AUTHENTICATED", |row| if row["isAuthenticated"] == true { "yes".to_owned() } else { "no".to_owned() }),
    ("INSTALLED", |row| time(&row["installedAt"])),
];

const FOUND: &[Column] = &[
    ("NAME", |row| text(&row["name"])),
    ("ID", |row| text(&row["id"])),
    ("TYPE", |row| text(&row["resourceType"])),
    ("CATEGORY", |row| text(&row["category"])),
    ("USERS", |row| text(&row["installs"])),
    ("RATING", |row| text(&row["rating"])),
    ("DESCRIPTION", |row| text(&row["description"])),
];

impl Resources {
    pub fn run(self) -> Result<Exit, Failure> {
        self.server.ask(async |client| self.of(client).await)
    }

    async fn of(&self, client: &Client) -> Result<Exit, Failure> {
        let server = &self.server;
        match &self.what {
            What::List => {
                let answer = client.call("resources.listInstallations", &json!({})).await?;
                server.show(&answer.data, |data| rows(data, INSTALLED, "nothing is installed: see 'mirra resources search'"))
            }
            What::Search { words, part } => {
                let answer = client.call("resources.search", &part.of(json!({ "query": words.join(" ") }))).await?;
                server.show_part(part, &answer, |data| rows(data, FOUND, "nothing found"))
            }
            What::Install { resource, tier } => {
                let id = published(client, resource).await?;
                let answer = client.call("resources.install", &json!({ "id": id, "tier": tier })).await?;
                server.show(&answer.data, installed)
            }
            What::Uninstall { resource } => {
                let id = of_installed(client, resource).await?;
                let answer = client.call("resources.uninstall", &json!({ "id": id })).await?;
                server.show(&answer.data, |_| format!("{resource} is uninstalled"))
            }
        }
    }
}

fn installed(row: &Value) -> String {
    let needs = match row["isAuthenticated"] == true {
        true => String::new(),
        false => "credentials: POST /api/sdk/v1/resources/ID/authenticate or /authorize, as docs/api.md has it".to_owned(),
    };
    facts(&[("name", text(&row["resourceName"])), ("in handlers", format!("mirra.{}", text(&row["name"]))), ("still needs", needs)])
}

/// The id of what can be installed.
async fn published(client: &Client, wanted: &str) -> Result<String, Failure> {
    let answer = client.call("resources.search", &json!({ "query": wanted, "limit": 100 })).await?;
    let found: Value = read(&answer.data)?;
    // An id is in no text that is searched: whether there is one of it is for the server to say.
    unique(&found, wanted, &["id", "name"]).map(|id| id.unwrap_or_else(|| wanted.to_owned()))
}

async fn of_installed(client: &Client, wanted: &str) -> Result<String, Failure> {
    let answer = client.call("resources.listInstallations", &json!({})).await?;
    unique(&read(&answer.data)?, wanted, &["resourceId", "name", "resourceName", "installationId"])?
        .ok_or_else(|| Failure::wrong_use(anyhow!("'{wanted}' is not installed")).next_step("See 'mirra resources list'."))
}

/// The id, which is the first of `members`, of the one that has the name in any of them.
fn unique(rows: &Value, wanted: &str, members: &[&str]) -> Result<Option<String>, Failure> {
    let is_meant = |row: &&Value| members.iter().any(|member| text(&row[*member]).eq_ignore_ascii_case(wanted));
    let ids: Vec<_> = rows.as_array().into_iter().flatten().filter(is_meant).map(|row| text(&row[members[0]])).collect();
    match &*ids {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        several => Err(Failure::wrong_use(anyhow!("'{wanted}' is the name of {}", several.len()))
            .next_step(format!("Say which by its id:\n    {}", several.join("\n    ")))),
    }
}
