//! The data plane: runs handlers as WebAssembly components, each call in an instance of its own. The only crate that knows
//! wasmtime.
//!
//! Start at [`LocalExecutor`]; `call.rs` tells the story of one call, `prepare.rs` that of one deploy.

mod admission;
mod artifact;
mod call;
pub mod cgroup;
mod engine;
mod executor;
mod files;
mod handler;
mod host;
mod language;
mod limits;
mod prepare;
mod scheduler;
mod settings;
mod stack;

pub use engine::metering::Metering;
pub use executor::{Config, Load, LocalExecutor, LongWork, Progress};
pub use language::python::accepts as is_python_handler;
pub use mirra_bundler::ChildCommand;

/// Must come first in `main`. Bundling somebody's code happens in short-lived children of this very program: started as one of
/// them, this does the work and never returns; otherwise it answers how they are started.
pub fn init() -> std::io::Result<ChildCommand> {
    const SUBCOMMAND: &str = "__bundle";
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == SUBCOMMAND) && arguments.next().is_none() {
        let is_success = mirra_bundler::child_main() == std::process::ExitCode::SUCCESS;
        std::process::exit(if is_success { 0 } else { 1 });
    }
    ChildCommand::this_program(SUBCOMMAND)
}
