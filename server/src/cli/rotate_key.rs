use clap::Args;

use super::once;
use crate::{
    compose,
    config::{HostFlags, SECRET_KEY_NEXT},
    failure::{Exit, Failure},
    terminal::say,
};

/// Encrypt all credentials with a new key, while the server runs
///
/// Without MIRRA_SECRET_KEY, the key is in the file secret.key of the data folder, and a new one takes its place. With it, give the new one
/// as MIRRA_SECRET_KEY_NEXT, and start the server with it afterwards.
#[derive(Args)]
pub struct RotateKey {
    #[command(flatten)]
    host: HostFlags,
}

impl RotateKey {
    pub fn run(self) -> Result<Exit, Failure> {
        once::trace();
        let next = std::env::var(SECRET_KEY_NEXT).ok();
        let control = compose::control(&self.host, true, None)?;
        let rotated = compose::block_on(async { control.rotate_secret_key(next.as_deref()).await.map_err(Failure::from) })?;
        say(format_args!("{rotated} credentials are encrypted with a new key"));
        if next.is_some() {
            say(format_args!("start mirra with that key as MIRRA_SECRET_KEY from now on"));
        }
        Ok(Exit::Success)
    }
}
