//! npm packages, always as their lock files say.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::shell;

/// Installs what the folder's lock file names.
pub fn install(dir: &Path) -> Result<()> {
    shell::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(dir))
}

/// Runs a script of the folder's package.json.
pub fn script(dir: &Path, name: &str) -> Result<()> {
    shell::run(Command::new("npm").args(["run", "--silent", name]).current_dir(dir))
}
