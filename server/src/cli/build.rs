use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use mirra_host_sdk::{PrepareError, Source};
use mirra_runtime::ChildCommand;

use super::once;
use crate::{
    compose::{self, Size},
    config::HostFlags,
    failure::{Exit, Failure},
    terminal::{Spinner, say, size},
};

/// Make a self-contained component of a handler
///
/// Any host of WASI 0.2 can run it ('wasmtime run X.wasm EVENT'), without operations and limits; 'mirra run' and 'mirra serve' run
/// it with both. Neither needs the source or its packages. A .wasm is written as it is.
#[derive(Args)]
pub struct Build {
    /// A .ts, .js, .mjs or .py file, or a folder
    handler: PathBuf,

    /// Where to write the component; give it the ending .wasm
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,

    #[command(flatten)]
    host: HostFlags,
}

impl Build {
    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        once::trace();
        let wasm = compose::block_on(async {
            let executor = compose::executor(&self.host, bundler, Size::ONE_CALL, &compose::control(&self.host, false, None)?).await?;
            let _spinner = Spinner::start("building");
            executor.export(&Source::path(self.handler)).await.map_err(rejected)
        })?;
        let output = self.output.display();
        std::fs::write(&self.output, &wasm).with_context(|| format!("cannot write {output}")).map_err(Failure::wrong_use)?;
        say(format_args!("{output}: {}", size(wasm.len() as u64)));
        Ok(Exit::Success)
    }
}

fn rejected(error: PrepareError) -> Failure {
    match error {
        PrepareError::Rejected(_) => Failure::wrong_use(error),
        PrepareError::Host(error) => Failure::host(error),
    }
}
