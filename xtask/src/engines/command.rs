//! What makes a command of WASI out of a handler. It is text, so encoding it needs no compiler: it is checked byte for byte
//! everywhere, and has no manifest.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::same_bytes;

const SOURCE: &str = "guest-sdk/command/command.wat";
const PREBUILT: &str = "guest-sdk/command/prebuilt/command.wasm";

pub fn build(root: &Path) -> Result<()> {
    let command = wat::parse_file(root.join(SOURCE))?;
    fs::write(root.join(PREBUILT), &command).with_context(|| format!("cannot write {PREBUILT}"))?;
    println!("{PREBUILT}: {} bytes", command.len());
    Ok(())
}

pub fn check(root: &Path) -> Result<()> {
    let shipped = fs::read(root.join(PREBUILT)).with_context(|| format!("cannot read {PREBUILT}; run `cargo xtask engines`"))?;
    same_bytes(PREBUILT, &shipped, &wat::parse_file(root.join(SOURCE))?)
}
