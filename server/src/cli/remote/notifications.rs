use clap::Args;
use serde_json::json;

use super::{
    Part, ServerFlags,
    table::{Column, rows, text, time},
};
use crate::failure::{Exit, Failure};

/// What an account is to know, such as that a flow was paused
#[derive(Args)]
pub struct Notifications {
    /// Say that all of them were read
    #[arg(long)]
    mark_read: bool,

    #[command(flatten)]
    part: Part,

    #[command(flatten)]
    server: ServerFlags,
}

const LISTED: &[Column] = &[
    ("WHEN", |notice| time(&notice["createdAt"])),
    ("READ", |notice| if text(&notice["readAt"]).is_empty() { "no".to_owned() } else { "yes".to_owned() }),
    ("TYPE", |notice| text(&notice["type"])),
    ("MESSAGE", |notice| text(&notice["message"])),
];

impl Notifications {
    pub fn run(self) -> Result<Exit, Failure> {
        let server = &self.server;
        server.ask(async |client| {
            if self.mark_read {
                let answer = client.call("notifications.markRead", &json!({})).await?;
                return server.show(&answer.data, |data| format!("{} were marked as read", text(&data["marked"])));
            }
            let answer = client.call("notifications.list", &self.part.of(json!({}))).await?;
            server.show(&answer.data, |data| rows(&data["notifications"], LISTED, "nothing to know"))
        })
    }
}
