//! The module that comes out.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, MemoryType, RefType, TableSection, TableType, TagKind,
    TagSection, TagType, TypeSection, ValType,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::FuncType;

use crate::{
    Behind, WASM_PAGE_BYTES,
    module::{Module, absolute},
    remap::{Remap, Value},
};

/// What a function is after linking.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    Defined {
        module: usize,
        index: u32,
    },
    /// An import of the result.
    Host(usize),
    /// A function that traps, of this type.
    Trap(u32),
}

/// A module whose code is part of the result.
pub struct Part<'a> {
    /// What `Place::Defined` calls it.
    pub number: usize,
    pub module: &'a Module<'a>,
    /// What each of its types, functions and globals is in the result.
    pub types: Vec<u32>,
    pub functions: Vec<Place>,
    pub globals: Vec<Value>,
}

/// All that linking has found out.
pub struct Output<'a> {
    pub interface: Interface<'a>,
    pub parts: Vec<Part<'a>>,
    /// Those whose data is the memory's.
    pub data: Vec<&'a Module<'a>>,
    /// Pointers to functions besides those of the parts. Left out if nothing mentions the function.
    pub slots: Vec<(i32, Place)>,
    pub exports: Vec<(&'a str, Place)>,
    /// Where memory and table end.
    pub end: Behind,
    pub stack_top: i32,
}

/// Types and imports, each once.
#[derive(Default)]
pub struct Interface<'a> {
    types: Vec<FuncType>,
    type_indices: HashMap<FuncType, u32>,
    /// Name and type.
    imports: Vec<(&'a str, &'a str, u32)>,
}

impl<'a> Interface<'a> {
    pub fn ty(&mut self, ty: &FuncType) -> u32 {
        *self.type_indices.entry(ty.clone()).or_insert_with(|| {
            self.types.push(ty.clone());
            self.types.len() as u32 - 1
        })
    }

    pub fn import(&mut self, module: &'a str, name: &'a str, ty: u32) -> Place {
        let known = self.imports.iter().position(|(m, n, _)| (*m, *n) == (module, name));
        Place::Host(known.unwrap_or_else(|| {
            self.imports.push((module, name, ty));
            self.imports.len() - 1
        }))
    }

    fn type_section(&self) -> Result<TypeSection> {
        let mut section = TypeSection::new();
        for ty in &self.types {
            let values = |types: &[wasmparser::ValType]| {
                types.iter().map(|ty| RoundtripReencoder.val_type(*ty)).collect::<Result<Vec<ValType>, _>>()
            };
            section.ty().function(values(ty.params())?, values(ty.results())?);
        }
        Ok(section)
    }

    fn import_section(&self) -> ImportSection {
        let mut section = ImportSection::new();
        for (module, name, ty) in &self.imports {
            section.import(module, name, EntityType::Function(*ty));
        }
        section
    }
}

#[derive(Default)]
struct Sections {
    functions: FunctionSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
    tags: TagSection,
}

impl Output<'_> {
    pub fn write(&self) -> Result<Vec<u8>> {
        let (numbers, traps) = self.number();
        let mut sections = Sections::default();
        for part in &self.parts {
            sections.part(part, &numbers).with_context(|| format!("module {}", part.number))?;
        }
        for (slot, place) in &self.slots {
            if let Some(number) = numbers.get(place) {
                sections.pointers(*slot, vec![*number]);
            }
        }
        for ty in traps {
            sections.trap(ty);
        }
        for segment in self.data.iter().flat_map(|module| &module.data) {
            sections.data.active(0, &ConstExpr::i32_const(absolute(segment.offset)?), segment.bytes.iter().copied());
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&self.interface.type_section()?).section(&self.interface.import_section()).section(&sections.functions);
        module.section(&self.table_section()).section(&self.memory_section());
        if !sections.tags.is_empty() {
            module.section(&sections.tags);
        }
        module.section(&self.global_section()).section(&self.export_section(&numbers)?);
        module.section(&sections.elements).section(&sections.code).section(&sections.data);
        Ok(module.finish())
    }

    /// The index of every function of the result, and the types of those that trap, which are the last ones.
    fn number(&self) -> (HashMap<Place, u32>, Vec<u32>) {
        let imports = self.interface.imports.len();
        let mut numbers: HashMap<Place, u32> = (0..imports).map(|import| (Place::Host(import), import as u32)).collect();
        for part in &self.parts {
            for index in part.module.imported_functions.len()..part.module.function_types.len() {
                let next = numbers.len() as u32;
                numbers.insert(Place::Defined { module: part.number, index: index as u32 }, next);
            }
        }
        let mut traps = Vec::new();
        for place in self.parts.iter().flat_map(|part| &part.functions) {
            if let Place::Trap(ty) = place
                && !numbers.contains_key(place)
            {
                numbers.insert(*place, numbers.len() as u32);
                traps.push(*ty);
            }
        }
        (numbers, traps)
    }

    fn table_section(&self) -> TableSection {
        let size = self.end.slot;
        let mut section = TableSection::new();
        section.table(TableType { element_type: RefType::FUNCREF, table64: false, minimum: size, maximum: Some(size), shared: false });
        section
    }

    fn memory_section(&self) -> MemorySection {
        let minimum = self.end.address.div_ceil(WASM_PAGE_BYTES);
        let mut section = MemorySection::new();
        section.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
        section
    }

    fn global_section(&self) -> GlobalSection {
        let mut section = GlobalSection::new();
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        section.global(ty, &ConstExpr::i32_const(self.stack_top));
        section
    }

    fn export_section(&self, numbers: &HashMap<Place, u32>) -> Result<ExportSection> {
        let mut section = ExportSection::new();
        section.export("memory", ExportKind::Memory, 0);
        for (name, place) in &self.exports {
            section.export(name, ExportKind::Func, *numbers.get(place).with_context(|| format!("{name} is not linked"))?);
        }
        Ok(section)
    }
}

impl Sections {
    fn part(&mut self, part: &Part<'_>, numbers: &HashMap<Place, u32>) -> Result<()> {
        let number = |place| numbers.get(place).copied().context("calls a function of what is not linked");
        let functions = part.functions.iter().map(number).collect::<Result<_>>()?;
        let mut remap = Remap { types: &part.types, functions, globals: &part.globals, tags_before: self.tags.len() };
        let types = part.module.function_types.get(part.module.imported_functions.len()..).unwrap_or_default();
        ensure!(types.len() == part.module.bodies.len(), "{} functions with {} bodies", types.len(), part.module.bodies.len());
        for (ty, body) in types.iter().zip(&part.module.bodies) {
            self.functions.function(remap.ty(*ty)?);
            remap.body(&mut self.code, body.clone())?;
        }
        for element in &part.module.elements {
            let functions = element.functions.iter().map(|function| remap.function(*function)).collect::<Result<_>>()?;
            self.pointers(remap.offset(element.offset)?, functions);
        }
        for tag in &part.module.tags {
            self.tags.tag(TagType { kind: TagKind::Exception, func_type_idx: remap.ty(*tag)? });
        }
        Ok(())
    }

    fn pointers(&mut self, slot: i32, functions: Vec<u32>) {
        self.elements.active(None, &ConstExpr::i32_const(slot), Elements::Functions(functions.into()));
    }

    fn trap(&mut self, ty: u32) {
        let mut trap = Function::new([]);
        trap.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        self.functions.function(ty);
        self.code.function(&trap);
    }
}
