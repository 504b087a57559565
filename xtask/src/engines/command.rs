//! What makes a command of WASI out of a handler: `guest-sdk/command`. It is text but for the code that reads a handler's files,
//! which is put into it compiled.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use wasm_encoder::{Component, ComponentSectionId, RawSection};
use wasmparser::BinaryReader;

use super::{
    Artifact, Engine,
    guest::{TARGET, cargo, remap},
    same_bytes, strip,
    toolchain::Toolchain,
};
use crate::{shell, target_dir};

pub const ENGINE: Engine = Engine {
    name: "command",
    prebuilt: "guest-sdk/command/prebuilt",
    sources: &["guest-sdk/command/command.wat", "guest-sdk/command/files", "xtask/src/engines/command.rs"],
    tools: |_| Ok(Vec::new()),
    build,
    compare: same_bytes,
};

const MODULE: &str = "mirra_command_files.wasm";

/// The reader's stack, in front of its data; both are below the archive, which begins at 128 KiB. Were they not, its import of
/// the memory would ask for more than the stand-in for the archive has, and the command would be no valid component.
const STACK_BYTES: u32 = 32 << 10;

fn build(root: &Path, toolchain: &Toolchain) -> Result<Vec<Artifact>> {
    let reader = strip::strip(&compile(root, toolchain)?)?;
    let command = with_reader(&wat::parse_file(root.join("guest-sdk/command/command.wat"))?, &reader)?;
    Ok(vec![Artifact { name: "command.wasm", bytes: command }])
}

fn compile(root: &Path, toolchain: &Toolchain) -> Result<Vec<u8>> {
    let target_dir = target_dir(root).join("engines/command");
    let mut build = cargo(toolchain, &root.join("guest-sdk/command/files"));
    build.args(["build", "--release", "--locked", "--target", TARGET]).env("CARGO_TARGET_DIR", &target_dir);
    let mut flags = remap(&[(root.to_owned(), "mirra"), (target_dir.clone(), "target")]);
    if let Some(std_sources) = &toolchain.std_sources {
        flags.extend(remap(&[(std_sources.clone(), "rust")]));
        build.args(["-Z", "build-std=core"]).env("RUSTC_BOOTSTRAP", "1");
    }
    flags.extend(["-Clink-arg=--import-memory".to_owned(), format!("-Clink-arg=-zstack-size={STACK_BYTES}")]);
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    if let Some(linker) = &toolchain.linker {
        build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    shell::run(&mut build)?;
    let path = target_dir.join(TARGET).join("release").join(MODULE);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The command with `reader` in the place of the empty module that stands for it.
fn with_reader(command: &[u8], reader: &[u8]) -> Result<Vec<u8>> {
    let empty = wasm_encoder::Module::new().finish();
    let (header, sections) = command.split_at_checked(empty.len()).context("no component")?;
    let mut sections = BinaryReader::new(sections, header.len());
    let mut component = Component::new();
    let mut places = 0;
    while !sections.eof() {
        let id = sections.read_u8()?;
        let len = sections.read_var_u32()? as usize;
        let data = sections.read_bytes(len)?;
        // It has a name.
        let is_place = id == ComponentSectionId::CoreModule as u8 && strip::strip(data)? == empty;
        places += u32::from(is_place);
        component.section(&RawSection { id, data: if is_place { reader } else { data } });
    }
    ensure!(places == 1, "{places} modules of the command are empty, and not the one that stands for the reader");
    Ok(component.finish())
}
