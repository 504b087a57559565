//! What makes a command of WASI out of a handler: `guest-sdk/command`. It is text but for the code that reads a handler's files,
//! which is put into it compiled.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use wasm_encoder::{Component, ComponentSectionId, RawSection};
use wasmparser::BinaryReader;

use super::{Artifact, Engine, bare::Bare, same_bytes, strip, toolchain::Toolchain};

pub const ENGINE: Engine = Engine {
    name: "command",
    prebuilt: "guest-sdk/command/prebuilt",
    sources: &["guest-sdk/command/command.wat", "guest-sdk/command/files", "xtask/src/engines/bare.rs", "xtask/src/engines/command.rs"],
    tools: |_| Ok(Vec::new()),
    build,
    compare: same_bytes,
};

const READER: Bare = Bare { folder: "guest-sdk/command/files", module: "mirra_command_files.wasm" };

/// The reader's stack, in front of its data; both are below the archive, which begins at 128 KiB. Were they not, its import of
/// the memory would ask for more than the stand-in for the archive has, and the command would be no valid component.
const STACK_BYTES: u32 = 32 << 10;

fn build(root: &Path, toolchain: &Toolchain) -> Result<Vec<Artifact>> {
    let reader = READER.build(root, "command", toolchain, &[format!("-zstack-size={STACK_BYTES}")])?;
    let reader = strip::strip(&reader)?;
    let command = with_reader(&wat::parse_file(root.join("guest-sdk/command/command.wat"))?, &reader)?;
    Ok(vec![Artifact { name: "command.wasm", bytes: command }])
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
