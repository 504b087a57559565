use std::io::{IsTerminal, Read, stdin};

use anyhow::{Context, anyhow};
use clap::Args;
use console::Term;
use mirra_host_sdk::ErrorCode;
use serde_json::json;

use super::{
    client::{Client, Unanswered},
    settings::Settings,
};
use crate::{
    cli::once,
    compose,
    failure::{Exit, Failure},
    terminal::say,
};

/// More than any key.
const KEY_BYTES_MAX: u64 = 4096;

/// Keep the key of a server, which is the one that is asked from now on
///
/// The key is read from stdin, checked against the server and written to $XDG_CONFIG_HOME/mirra/config.toml or
/// ~/.config/mirra/config.toml, for your eyes alone. It is sent to that server and to no other.
#[derive(Args)]
pub struct Login {
    /// The server
    #[arg(long, value_name = "URL", env = "MIRRA_URL")]
    url: Option<String>,
}

impl Login {
    pub fn run(self) -> Result<Exit, Failure> {
        once::trace();
        let settings = Settings::load()?;
        let url = settings.url(self.url.as_deref())?;
        if is_open_to_others(&url) {
            say(format_args!("{url} is not https: whoever is on the way there can read the key"));
        }
        let key = read_key()?;
        let client = Client::with_key(url.clone(), key.clone())?;
        compose::block_on(async { check(&client).await })?;
        let path = settings.with(url.clone(), key).save()?;
        say(format_args!("{}: has the key for {url}, which is asked from now on", path.display()));
        Ok(Exit::Success)
    }
}

/// A key that may not do this is a key.
async fn check(client: &Client) -> Result<(), Failure> {
    match client.call("notifications.list", &json!({ "limit": 1 })).await {
        Ok(_) => Ok(()),
        Err(Unanswered::Refused(refusal)) if refusal.code == ErrorCode::ResourceDenied => Ok(()),
        Err(Unanswered::Refused(refusal)) if refusal.code == ErrorCode::Unauthorized => {
            let failure = Failure::wrong_use(anyhow!("{} does not know this key: {}", client.url, refusal.message));
            Err(failure
                .next_step("Nothing was kept. 'mirra serve' shows the owner's key at its first start; 'mirra keys create' makes more."))
        }
        Err(unanswered) => Err(unanswered.into()),
    }
}

/// From a person without showing it, or from a program; never from an argument, which others on the machine can see.
fn read_key() -> Result<String, Failure> {
    let mut key = String::new();
    if stdin().is_terminal() {
        say(format_args!("The key (it is not shown):"));
        key = Term::stderr().read_secure_line().context("cannot read the key").map_err(Failure::wrong_use)?;
    } else {
        stdin()
            .lock()
            .take(KEY_BYTES_MAX)
            .read_to_string(&mut key)
            .context("cannot read the key from stdin")
            .map_err(Failure::wrong_use)?;
    }
    let key = key.trim();
    if key.is_empty() || key.contains(char::is_control) {
        let failure = Failure::wrong_use(anyhow!("stdin holds no key"));
        return Err(failure.next_step("Give it as one line: mirra login --url URL < file-with-the-key"));
    }
    Ok(key.to_owned())
}

fn is_open_to_others(url: &str) -> bool {
    let host = url::Url::parse(url).ok().and_then(|url| (url.scheme() == "http").then(|| url.host_str().unwrap_or_default().to_owned()));
    host.is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host != "localhost" && !address.is_ok_and(|address| address.is_loopback())
    })
}
