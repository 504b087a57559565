//! Handlers as commands of WASI: what `mirra build` writes, any host of WASI 0.2 runs, and mirra takes back.
//!
//! The handler is nested as it is (`guest-sdk/command/command.wat` is what is around it), and its files lie beside it as one tar
//! archive, so that both can be taken out again and given mirra's own host in place of the one on WASI.

use wasm_encoder::{
    Component, ComponentSectionId, ConstExpr, DataSection, ExportKind, ExportSection, MemorySection, MemoryType, Module, RawSection,
};
use wasmparser::{BinaryReader, ComponentExportSectionReader, Parser, Payload};
use wasmtime::Result;

use super::split::{WASM_PAGE_BYTES, sections};
use crate::files::Files;

const COMMAND: &[u8] = include_bytes!("../../../guest-sdk/command/prebuilt/command.wasm");

const NESTED: u8 = ComponentSectionId::Component as u8;
const MODULE: u8 = ComponentSectionId::CoreModule as u8;
const EXPORTS: u8 = ComponentSectionId::Export as u8;

/// Where the archive begins in the memory that is called so. In front of it is room for the code that reads it
/// (`guest-sdk/command/files`).
const ARCHIVE: &str = "archive";
const ARCHIVE_START: usize = 128 << 10;

/// `handler`, a self-contained component, as a component that exports `wasi:cli/run` and has `files` with it.
pub fn around(handler: &[u8], files: &Files) -> Result<Vec<u8>> {
    let archive = if files.is_empty() { None } else { Some(archive_module(&files.pack()?)) };
    let (mut handler, mut archive) = (Some(handler), archive.as_deref());
    let mut command = Component::new();
    for section in sections(COMMAND)? {
        let section = section?;
        // The first nested component stands for the handler, the first module for its files.
        let placed = match section.id {
            NESTED => handler.take(),
            MODULE => archive.take(),
            _ => None,
        };
        command.section(&RawSection { id: section.id, data: placed.unwrap_or(section.data) });
    }
    Ok(command.finish())
}

/// A module that is nothing but a memory with the archive in it.
fn archive_module(archive: &[u8]) -> Vec<u8> {
    let mut memories = MemorySection::new();
    let pages = (ARCHIVE_START + archive.len()).div_ceil(WASM_PAGE_BYTES) as u64;
    memories.memory(MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export(ARCHIVE, ExportKind::Memory, 0);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(ARCHIVE_START as i32), archive.iter().copied());
    let mut module = Module::new();
    module.section(&memories).section(&exports).section(&data);
    module.finish()
}

/// The handler in `component`, if that is a command with one in it. Told by what it exports and not by our own bytes, so that
/// files of other versions, and files that tools have rewritten, are taken back too. `component` may be anything; one that is
/// damaged is left to the compiler, which says what is wrong with it.
pub fn handler_in(component: &[u8]) -> Option<&[u8]> {
    const HANDLER: &str = "mirra:function/handler@";
    if exports(component, HANDLER).ok()? || !exports(component, "wasi:cli/run@").ok()? {
        return None;
    }
    let nested = sections(component).ok()?.map_while(Result::ok).find(|section| section.id == NESTED)?.data;
    exports(nested, HANDLER).ok()?.then_some(nested)
}

/// The archive of the files in `command`, a command with a handler in it. None: it has no files, or is of a version that knew none.
pub fn archive_in(command: &[u8]) -> Option<&[u8]> {
    let module = sections(command).ok()?.map_while(Result::ok).find(|section| section.id == MODULE)?.data;
    let (mut is_archive, mut content) = (false, None);
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::ExportSection(exports) => is_archive = exports.into_iter().flatten().any(|export| export.name == ARCHIVE),
            Payload::DataSection(data) => content = data.into_iter().next()?.ok(),
            _ => {}
        }
    }
    content.filter(|_| is_archive).map(|content| content.data)
}

/// Whether a component exports an interface, in whatever version.
fn exports(component: &[u8], interface: &str) -> Result<bool> {
    let mut is_found = false;
    for section in sections(component)? {
        let section = section?;
        if section.id == EXPORTS {
            for export in ComponentExportSectionReader::new(BinaryReader::new(section.data, 0))? {
                is_found |= export?.name.name.starts_with(interface);
            }
        }
    }
    Ok(is_found)
}
