use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, once};
use crate::failure::{Exit, Failure};

/// Print a shell's completions for this command
///
/// For bash: mirra completions bash > ~/.local/share/bash-completion/completions/mirra
#[derive(Args)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "mirra", &mut script);
        once::print(script.trim_ascii_end())?;
        Ok(Exit::Success)
    }
}
