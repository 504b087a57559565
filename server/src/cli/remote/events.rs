use std::{
    fs::File,
    io::{Read, stdin},
};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json, value::RawValue};

use super::{
    ServerFlags,
    client::Client,
    table::{Column, rows, text, time},
};
use crate::{
    failure::{Exit, Failure},
    http::API_BODY_BYTES_MAX,
};

/// What has happened: send events, list the types that are known
#[derive(Args)]
pub struct Events {
    #[command(subcommand)]
    what: What,

    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Subcommand)]
enum What {
    /// Tell what has happened: an event as JSON, or an array of them
    ///
    /// Such as {"type": "order.placed", "content": {"text": "a book"}}, or CloudEvents. One with an id that came before starts nothing
    /// again.
    Send {
        /// A file, or - for stdin
        file: String,
    },
    /// The types that are described, with their fields; any other type may be sent, too
    Types {
        /// Those of a source alone, such as telegram
        #[arg(long)]
        source: Option<String>,
    },
}

const SENT: &[Column] = &[
    ("ID", |event| text(&event["id"])),
    ("TYPE", |event| text(&event["type"])),
    ("TIME", |event| time(&event["timestamp"])),
    ("FLOWS STARTED", |event| if event["duplicate"] == true { "none: it had come before".to_owned() } else { text(&event["flows"]) }),
];

const TYPES: &[Column] = &[
    ("TYPE", |known| text(&known["eventType"])),
    ("DESCRIPTION", |known| text(&known["description"])),
    ("FIELDS", |known| known["fields"].as_array().into_iter().flatten().map(field).collect::<Vec<_>>().join(", ")),
];

/// However a server describes a field, its name is what conditions are written with.
fn field(field: &Value) -> String {
    ["path", "name", "field"].iter().find_map(|member| field[*member].as_str().map(str::to_owned)).unwrap_or_else(|| text(field))
}

impl Events {
    pub fn run(self) -> Result<Exit, Failure> {
        self.server.ask(async |client| self.of(client).await)
    }

    async fn of(&self, client: &Client) -> Result<Exit, Failure> {
        match &self.what {
            What::Send { file } => {
                let events = read(file)?;
                let answer = client.call("events.send", &json!({ "events": events })).await?;
                // One is answered alone, several as a list.
                self.server.show(&answer.data, |data| match &data["events"] {
                    Value::Null => rows(&json!([data]), SENT, ""),
                    events => rows(events, SENT, "no events"),
                })
            }
            What::Types { source } => {
                let answer = client.call("flows.listEventTypes", &json!({ "source": source })).await?;
                self.server.show(&answer.data, |data| rows(&data["eventTypes"], TYPES, "no such types"))
            }
        }
    }
}

fn read(file: &str) -> Result<Box<RawValue>, Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => stdin().lock().take(API_BODY_BYTES_MAX + 1).read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(API_BODY_BYTES_MAX + 1).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("cannot read {file}")).map_err(Failure::wrong_use)?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::wrong_use(anyhow!("{file} is not JSON: {error}")))
}
