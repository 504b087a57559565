//! The chores of this repository: `cargo xtask engines | test | tidy`.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

mod engines;
mod npm;
mod shell;
mod test;
mod tidy;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The chores of this repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Builds the language engines that ship in guest-sdk/*/prebuilt.
    Engines(engines::Options),
    /// Installs what the tests need, builds everything and runs all tests.
    Test,
    /// Checks what neither the compiler nor clippy does: lengths of files, leftovers, machine paths, lock files.
    Tidy,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let cli = Cli::parse();
    let root = root()?;
    match cli.chore {
        Chore::Engines(options) => engines::run(&root, &options),
        Chore::Test => test::run(&root),
        Chore::Tidy => tidy::run(&root),
    }
}

/// The repository. Asked when this runs and not when it is compiled: clones may share a target folder.
fn root() -> Result<PathBuf> {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    let root = Path::new(&manifest_dir).join("..");
    root.canonicalize().with_context(|| format!("no such folder: {}", root.display()))
}

/// Where cargo builds.
fn target_dir(root: &Path) -> PathBuf {
    // A relative one is relative to where the command was typed, as for cargo.
    env::var_os("CARGO_TARGET_DIR").and_then(|dir| std::path::absolute(dir).ok()).unwrap_or_else(|| root.join("target"))
}
