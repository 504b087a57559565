use clap::Args;
use mirra_runtime::ChildCommand;

use super::serve::Serve;
use crate::failure::{Exit, Failure};

/// Serve handlers while you write them: everything that happens in one terminal
///
/// As 'mirra serve', which says more, with the address of each handler and a line for each call beside what the handler logs. If the port is
/// taken, the next one that is free is used.
#[derive(Args)]
pub struct Dev {
    #[command(flatten)]
    serve: Serve,
}

impl Dev {
    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        self.serve.for_development().run(bundler)
    }
}
