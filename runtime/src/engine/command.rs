//! Handlers as commands of WASI: what `mirra build` writes, any host of WASI 0.2 runs, and mirra takes back.
//!
//! The handler is nested as it is (`guest-sdk/command/command.wat` is what is around it), so that it can be taken out again and
//! given mirra's own host in place of the one on WASI.

use wasm_encoder::{Component, ComponentSectionId, RawSection};
use wasmparser::{BinaryReader, ComponentExportSectionReader};
use wasmtime::Result;

use super::split::sections;

const COMMAND: &[u8] = include_bytes!("../../../guest-sdk/command/prebuilt/command.wasm");

const NESTED: u8 = ComponentSectionId::Component as u8;
const EXPORTS: u8 = ComponentSectionId::Export as u8;

/// `handler`, a self-contained component, as a component that exports `wasi:cli/run`.
pub fn around(handler: &[u8]) -> Result<Vec<u8>> {
    let mut command = Component::new();
    let mut is_handler_placed = false;
    for section in sections(COMMAND)? {
        let section = section?;
        // The first nested component stands for the handler.
        let is_place = section.id == NESTED && !is_handler_placed;
        is_handler_placed |= is_place;
        command.section(&RawSection { id: section.id, data: if is_place { handler } else { section.data } });
    }
    Ok(command.finish())
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
