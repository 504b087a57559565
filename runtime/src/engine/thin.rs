//! Writes components: the glue (`guest-sdk/node/glue.wat`) around a handler's memory image.

use wasm_encoder::{
    Component, ComponentSectionId, ConstExpr, DataSection, ExportKind, ExportSection, MemorySection, MemoryType, Module, RawSection,
};
use wasmtime::Result;

use super::split::{WASM_PAGE_BYTES, sections};

/// A handler that borrows the engine: the form that is compiled and run.
pub fn thin_component(glue: &[u8], image: &[u8]) -> Result<Vec<u8>> {
    assemble(glue, image, None)
}

/// The same with the engine inside: the form that needs nothing but what `wit/` says.
pub fn self_contained_component(glue: &[u8], image: &[u8], engine_code: &[u8]) -> Result<Vec<u8>> {
    assemble(glue, image, Some(engine_code))
}

/// The glue's first import is the engine, its first core module the stand-in for the image. An engine put in place of the
/// import has the same index, 0, since both come first.
fn assemble(glue: &[u8], image: &[u8], engine_code: Option<&[u8]>) -> Result<Vec<u8>> {
    const CORE_MODULE: u8 = ComponentSectionId::CoreModule as u8;
    const IMPORT: u8 = ComponentSectionId::Import as u8;
    const CUSTOM: u8 = ComponentSectionId::CoreCustom as u8;
    let snapshot = snapshot_module(image);
    let mut component = Component::new();
    let (mut is_image_placed, mut is_engine_placed) = (false, engine_code.is_none());
    for section in sections(glue)? {
        let section = section?;
        match section.id {
            CORE_MODULE if !is_image_placed => {
                component.section(&RawSection { id: CORE_MODULE, data: &snapshot });
                is_image_placed = true;
            }
            IMPORT if !is_engine_placed => {
                component.section(&RawSection { id: CORE_MODULE, data: engine_code.unwrap_or_default() });
                is_engine_placed = true;
            }
            CUSTOM => {}
            _ => {
                component.section(&section);
            }
        }
    }
    Ok(component.finish())
}

/// A module that is nothing but a memory with `image` in it.
fn snapshot_module(image: &[u8]) -> Vec<u8> {
    let mut memories = MemorySection::new();
    let pages = (image.len() / WASM_PAGE_BYTES) as u64;
    memories.memory(MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let mut data = DataSection::new();
    for (start, bytes) in occupied(image) {
        data.active(0, &ConstExpr::i32_const(start as i32), bytes.iter().copied());
    }
    let mut module = Module::new();
    module.section(&memories).section(&exports).section(&data);
    module.finish()
}

/// The runs of `image` that are not zero, in steps coarse enough that a segment's header costs less than the zeros it saves.
fn occupied(image: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const STEP_BYTES: usize = 64;
    let mut steps = image.chunks(STEP_BYTES).map(|step| step.iter().any(|byte| *byte != 0)).enumerate().peekable();
    std::iter::from_fn(move || {
        let (first, _) = steps.find(|(_, is_occupied)| *is_occupied)?;
        let mut end = first + 1;
        while steps.next_if(|(_, is_occupied)| *is_occupied).is_some() {
            end += 1;
        }
        let start = first * STEP_BYTES;
        Some((start, &image[start..(end * STEP_BYTES).min(image.len())]))
    })
}
