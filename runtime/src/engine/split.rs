//! Takes a language engine's core module apart: code to be shared by all handlers, and the memory it starts with.

use wasm_encoder::{EntityType, ImportSection, MemoryType, Module, RawSection, SectionId};
use wasmparser::{DataKind, Operator, Parser, Payload, TypeRef};
use wasmtime::{Result, bail, error::Context};

pub const WASM_PAGE_BYTES: usize = 64 << 10;

pub struct Split {
    /// The module with its memory imported as `env.memory` and without data.
    pub code: Vec<u8>,
    /// What its memory holds before the first instruction.
    pub memory: Vec<u8>,
}

/// The engine is our own build, so what does not fit is a mistake in it, not in anybody's input.
pub fn split(guest: &[u8]) -> Result<Split> {
    let mut memory = Vec::new();
    let mut imports = ImportSection::new();
    let mut mutable_globals = 0;
    for payload in Parser::new(0).parse_all(guest) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(ty) = import.ty else { bail!("the engine imports {} which is no function", import.name) };
                    imports.import(import.module, import.name, EntityType::Function(ty));
                }
            }
            Payload::MemorySection(section) => {
                for ty in section {
                    memory = vec![0; ty?.initial as usize * WASM_PAGE_BYTES];
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    mutable_globals += usize::from(global?.ty.mutable);
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let DataKind::Active { offset_expr, .. } = data.kind else { bail!("the engine has passive data") };
                    let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                        bail!("the engine has data at a computed address")
                    };
                    let start = value as u32 as usize;
                    let target = memory.get_mut(start..start + data.data.len()).context("data outside of memory")?;
                    target.copy_from_slice(data.data);
                }
            }
            _ => {}
        }
    }
    // A snapshot holds memory and nothing else. The stack pointer is back where it began whenever no call is under way; a
    // second global would have to be carried along.
    if mutable_globals != 1 {
        bail!("the engine has {mutable_globals} mutable globals instead of the stack pointer alone");
    }
    let shared = MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("env", "memory", EntityType::Memory(shared));
    Ok(Split { code: with_imports(guest, &imports)?, memory })
}

/// The module with `imports` in place of its own, and without memory, data and custom sections.
fn with_imports(guest: &[u8], imports: &ImportSection) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for section in sections(guest)? {
        let section = section?;
        match section.id {
            id if id == SectionId::Import as u8 => module.section(imports),
            id if id == SectionId::Memory as u8 || id == SectionId::Data as u8 || id == SectionId::DataCount as u8 => continue,
            id if id == SectionId::Custom as u8 => continue,
            _ => module.section(&section),
        };
    }
    Ok(module.finish())
}

fn section<'a>(reader: &mut wasmparser::BinaryReader<'a>) -> Result<RawSection<'a>> {
    let id = reader.read_u8()?;
    let len = reader.read_var_u32()? as usize;
    Ok(RawSection { id, data: reader.read_bytes(len)? })
}

/// The top-level sections of a module or component, as they stand. After an error nothing more can be made of it.
pub fn sections(wasm: &[u8]) -> Result<impl Iterator<Item = Result<RawSection<'_>>>> {
    const HEADER_BYTES: usize = 8;
    let mut reader = wasmparser::BinaryReader::new(wasm.get(HEADER_BYTES..).context("no wasm header")?, HEADER_BYTES);
    Ok(std::iter::from_fn(move || (!reader.eof()).then(|| section(&mut reader))))
}
