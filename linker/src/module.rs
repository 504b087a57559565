//! A core module, read as far as linking needs it.

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, Export, ExternalKind, FuncType, FunctionBody, Global, KnownCustom, Name,
    NameSectionReader, Operator, Parser, Payload, TypeRef,
};

#[derive(Clone, Copy)]
pub struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
}

/// Functions of a table, from an offset on.
pub struct Element {
    pub offset: Offset,
    pub functions: Vec<u32>,
}

/// Bytes of the memory, from an offset on.
pub struct Data<'a> {
    pub offset: Offset,
    pub bytes: &'a [u8],
}

/// A constant, on top of the value of a global if there is one.
#[derive(Clone, Copy)]
pub struct Offset {
    pub global: Option<u32>,
    pub constant: i32,
}

#[derive(Default)]
pub struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imported_functions: Vec<Import<'a>>,
    pub imported_globals: Vec<Import<'a>>,
    /// Types of all functions, imported ones first.
    pub function_types: Vec<u32>,
    pub globals: Vec<Global<'a>>,
    pub exports: Vec<Export<'a>>,
    pub elements: Vec<Element>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub data: Vec<Data<'a>>,
    /// Types of its exceptions.
    pub tags: Vec<u32>,
    pub memory_pages_min: Option<u64>,
    pub table_min: Option<u64>,
    names: Option<NameSectionReader<'a>>,
}

impl<'a> Module<'a> {
    pub fn read(wasm: &'a [u8]) -> Result<Module<'a>> {
        let mut module = Module::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        module.types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        module.import(import?)?;
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        module.function_types.push(ty?);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        ensure!(module.table_min.is_none(), "more than one table");
                        module.table_min = Some(table?.ty.initial);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        ensure!(module.memory_pages_min.is_none(), "more than one memory");
                        module.memory_pages_min = Some(memory?.initial);
                    }
                }
                Payload::TagSection(section) => {
                    for tag in section {
                        module.tags.push(tag?.func_type_idx);
                    }
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        module.names = Some(names);
                    }
                }
                Payload::GlobalSection(section) => module.globals = section.into_iter().collect::<Result<_, _>>()?,
                Payload::ExportSection(section) => module.exports = section.into_iter().collect::<Result<_, _>>()?,
                Payload::ElementSection(section) => {
                    for element in section {
                        module.element(element?)?;
                    }
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::DataSection(section) => {
                    for data in section {
                        module.data(data?)?;
                    }
                }
                // A start function of the snapshot has run; one of our own has nothing to do, as memory is zero.
                _ => {}
            }
        }
        Ok(module)
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<()> {
        let name = Import { module: import.module, name: import.name };
        match import.ty {
            TypeRef::Func(ty) => {
                self.imported_functions.push(name);
                self.function_types.push(ty);
            }
            TypeRef::Global(_) => self.imported_globals.push(name),
            // There is one of each in what is linked.
            TypeRef::Memory(_) | TypeRef::Table(_) => {}
            _ => bail!("imports {} {}, which is neither a function, a global, a memory nor a table", import.module, import.name),
        }
        Ok(())
    }

    fn element(&mut self, element: wasmparser::Element<'a>) -> Result<()> {
        let ElementItems::Functions(functions) = element.items else { bail!("has elements that are no functions") };
        let functions = functions.into_iter().collect::<Result<Vec<_>, _>>()?;
        match element.kind {
            ElementKind::Active { offset_expr, .. } => self.elements.push(Element { offset: offset(&offset_expr)?, functions }),
            ElementKind::Declared => {}
            ElementKind::Passive => bail!("has elements that are put into the table at run time"),
        }
        Ok(())
    }

    fn data(&mut self, data: wasmparser::Data<'a>) -> Result<()> {
        let DataKind::Active { offset_expr, .. } = &data.kind else { bail!("has data that is put into memory at run time") };
        self.data.push(Data { offset: offset(offset_expr)?, bytes: data.data });
        Ok(())
    }

    /// Functions by the names that debugging knows them by, where `is_wanted`; several can have the same. Only those, as a large
    /// module has more megabytes of names than anybody asks for.
    pub fn names(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<(&'a str, u32)>> {
        let mut names = Vec::new();
        for subsection in self.names.iter().cloned().flatten() {
            let Name::Function(functions) = subsection? else { continue };
            for naming in functions {
                let naming = naming?;
                if is_wanted(naming.name) {
                    names.push((naming.name, naming.index));
                }
            }
        }
        Ok(names)
    }

    pub fn export(&self, name: &str, kind: ExternalKind) -> Result<u32> {
        let export = self.exports.iter().find(|export| export.name == name && export.kind == kind);
        Ok(export.with_context(|| format!("nothing exports {name}"))?.index)
    }

    pub fn function_type(&self, function: u32) -> Result<&FuncType> {
        let ty = self.function_types.get(function as usize).context("no such function")?;
        self.types.get(*ty as usize).context("no such type")
    }

    /// The slot of the table that a function of nothing but a call through it goes to.
    pub fn slot_called_by(&self, function: u32) -> Result<i32> {
        let defined = (function as usize).checked_sub(self.imported_functions.len()).context("an import calls nothing")?;
        let mut slot = None;
        let mut last_constant = None;
        for operator in self.bodies.get(defined).context("no such function")?.get_operators_reader()? {
            match operator? {
                Operator::LocalGet { .. } | Operator::End => {}
                Operator::I32Const { value } => last_constant = Some(value),
                Operator::CallIndirect { .. } => slot = last_constant,
                other => bail!("a trampoline does more than call: {other:?}"),
            }
        }
        slot.context("a trampoline calls nothing")
    }
}

pub fn offset(expression: &ConstExpr<'_>) -> Result<Offset> {
    let mut offset = Offset { global: None, constant: 0 };
    for operator in expression.get_operators_reader() {
        match operator? {
            Operator::I32Const { value } => offset.constant = offset.constant.wrapping_add(value),
            Operator::GlobalGet { global_index } if offset.global.is_none() => offset.global = Some(global_index),
            Operator::I32Add | Operator::End => {}
            other => bail!("a constant that is no sum: {other:?}"),
        }
    }
    Ok(offset)
}

/// Of a module whose addresses are known.
pub fn absolute(offset: Offset) -> Result<i32> {
    ensure!(offset.global.is_none(), "an address that depends on a global");
    Ok(offset.constant)
}
