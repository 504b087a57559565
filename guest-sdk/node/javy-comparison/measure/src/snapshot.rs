//! A guest that starts where another one was.

use wasm_encoder::{ConstExpr, DataSection, MemorySection, MemoryType, Module, RawSection, SectionId};
use wasmparser::Parser;
use wasmtime::Result;

const WASM_PAGE_BYTES: usize = 64 << 10;

/// `wasm` with `image` in its memory. The one mutable global of a guest, the stack pointer, is back where it began whenever no
/// call is under way.
pub fn with_image(wasm: &[u8], image: &[u8]) -> Result<Vec<u8>> {
    let mut memories = MemorySection::new();
    let pages = (image.len() / WASM_PAGE_BYTES) as u64;
    memories.memory(MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let occupied = image.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), image[..occupied].iter().copied());

    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Some((id, range)) = payload?.as_section() else { continue };
        match id {
            id if id == SectionId::Memory as u8 => module.section(&memories),
            id if id == SectionId::Data as u8 => module.section(&data),
            id => module.section(&RawSection { id, data: &wasm[range] }),
        };
    }
    Ok(module.finish())
}
