//! A child for this crate's tests, whose own programs cannot be one. `mirra` runs the same as a hidden subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    mirra_bundler::child_main()
}
