use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::once;
use crate::{
    compose,
    config::HostFlags,
    failure::{Exit, Failure},
    terminal::say,
};

/// Copy all that users keep into one file, while the server runs
///
/// Credentials are in it encrypted: the key, which is secret.key in the data folder unless MIRRA_SECRET_KEY is set, is not. Keep it elsewhere.
///
/// To go back to it, stop the server and put the file in the data folder as mirra.db, without the mirra.db-wal and mirra.db-shm that lie there.
#[derive(Args)]
pub struct Backup {
    /// The file to write; there must be none of that name
    file: PathBuf,

    #[command(flatten)]
    host: HostFlags,
}

impl Backup {
    pub fn run(self) -> Result<Exit, Failure> {
        once::trace();
        let file = self.file.display();
        if self.file.exists() {
            return Err(Failure::wrong_use(anyhow!("there is a file {file} already")));
        }
        let control = compose::control(&self.host, true, None)?;
        compose::block_on(async { control.backup(&self.file).await.map_err(Failure::host) })?;
        say(format_args!("{file}: written"));
        Ok(Exit::Success)
    }
}
