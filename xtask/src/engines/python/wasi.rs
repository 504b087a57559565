//! Compiles what stands under the engine's C library: `guest-sdk/python/wasi`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::link::Behind;
use crate::{
    engines::{
        guest::{TARGET, cargo, remap},
        toolchain::Toolchain,
    },
    shell,
};

const MODULE: &str = "mirra_python_wasi.wasm";

/// The module, with its data and its pointers to functions at the place that is free behind the rest of the engine.
pub fn build(root: &Path, folder: &Path, toolchain: &Toolchain, behind: &Behind) -> Result<Vec<u8>> {
    let target_dir = folder.join("wasi");
    let crate_folder = root.join("guest-sdk/python/wasi");
    let mut build = cargo(toolchain, &crate_folder);
    build.args(["build", "--release", "--locked", "--target", TARGET]).env("CARGO_TARGET_DIR", &target_dir);
    let mut flags = remap(&[(root.to_owned(), "mirra"), (target_dir.clone(), "target")]);
    if let Some(std_sources) = &toolchain.std_sources {
        flags.extend(remap(&[(std_sources.clone(), "rust")]));
        build.args(["-Z", "build-std=core"]).env("RUSTC_BOOTSTRAP", "1");
    }
    let (global_base, table_base) = (format!("--global-base={}", behind.address), format!("--table-base={}", behind.slot));
    // It has no stack of its own: the linker gives it the engine's.
    let to_linker = ["--import-memory", "-zstack-size=0", &global_base, &table_base, "--export=__stack_pointer", "--export=__heap_base"];
    flags.extend(to_linker.iter().map(|flag| format!("-Clink-arg={flag}")));
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    if let Some(linker) = &toolchain.linker {
        build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    shell::run(&mut build)?;
    let path = target_dir.join(TARGET).join("release").join(MODULE);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}
