//! Links CPython with the scientific packages, one core module by itself, and what stands under it (`scientific/wasi`) into one.
//!
//! The engine calls WASI 0.1, which `wasi` exports; `wasi` calls functions of the engine that are no exports of it, which are
//! found by their names. What is left is a module as a C compiler would write it: one memory, one table, and the stack pointer
//! as its only global, so that a snapshot of its memory is a snapshot of all of it.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection, FunctionSection, GlobalSection,
    GlobalType, ImportSection, Instruction, MemorySection, MemoryType, RefType, TableSection, TableType, TagKind, TagSection, TagType,
    TypeSection, ValType,
    reencode::{Error, Reencode, RoundtripReencoder},
};
use wasmparser::{ExternalKind, FuncType, Operator};

use crate::module::{Module, Offset, offset};

const WASM_PAGE_BYTES: u64 = 64 << 10;

const ENGINE: usize = 0;
const WASI: usize = 1;

/// Interfaces that are left to the host.
const WORLD: &str = "mirra:function/";
/// How `wasi` calls the module that it is linked into.
const ENGINE_NAMESPACE: &str = "engine";
/// How the builder of the engine calls what it has put in front of functions of WASI, so that the clock stands still and
/// randomness is zero until its own snapshot is taken; and how it calls those functions themselves.
const IN_FRONT: &str = "__wrap___wasi_";
const BEHIND: &str = "__wasi_";

/// How a linker names the stack pointer, and the end of a module's data.
const STACK_POINTER: &str = "__stack_pointer";
const HEAP_BASE: &str = "__heap_base";

const EXPORTS: [&str; 6] = [
    "boot",
    "source_buffer",
    "load",
    "cabi_realloc",
    "mirra:function/handler@0.1.0#handle",
    "cabi_post_mirra:function/handler@0.1.0#handle",
];

/// Where `wasi` has its data and its pointers to functions: behind everything that the engine has.
pub struct Behind {
    pub address: u64,
    pub slot: u64,
}

impl Behind {
    pub fn of(engine: &Module<'_>) -> Result<Behind> {
        let address = engine.memory_pages_min.context("no memory")? * WASM_PAGE_BYTES;
        Ok(Behind { address, slot: engine.table_min.context("no table")? })
    }
}

pub fn link(engine: &[u8], wasi: &[u8]) -> Result<Vec<u8>> {
    let modules = [Module::read(engine).context("the engine")?, Module::read(wasi).context("wasi")?];
    Linker { modules: &modules, types: Types::default(), imports: Vec::new() }.link()
}

/// What a function is after linking.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    Defined { module: usize, index: u32 },
    /// An import of the result.
    Host(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    StackPointer,
    Constant(i32),
}

struct Linker<'a> {
    modules: &'a [Module<'a>; 2],
    types: Types,
    /// Name and type of every import of the result.
    imports: Vec<(&'a str, &'a str, u32)>,
}

/// Function types, each once.
#[derive(Default)]
struct Types {
    types: Vec<FuncType>,
    index: HashMap<FuncType, u32>,
}

impl Types {
    fn of(&mut self, ty: &FuncType) -> u32 {
        *self.index.entry(ty.clone()).or_insert_with(|| {
            self.types.push(ty.clone());
            self.types.len() as u32 - 1
        })
    }
}

impl<'a> Linker<'a> {
    /// The function that an index of `module` stands for.
    fn function(&mut self, module: usize, index: u32) -> Result<Place> {
        let of = &self.modules[module];
        let Some(import) = of.imported_functions.get(index as usize).copied() else {
            return Ok(Place::Defined { module, index });
        };
        let ty = of.function_type(index)?;
        if import.module.starts_with(WORLD) {
            let ty = self.types.of(ty);
            return Ok(Place::Host(self.import(import.module, import.name, ty)));
        }
        let (provider, index) = match module {
            ENGINE => (WASI, self.modules[WASI].export(&format!("{}#{}", import.module, import.name), ExternalKind::Func)?),
            _ if import.module == ENGINE_NAMESPACE => (ENGINE, self.modules[ENGINE].named(import.name)?),
            _ => bail!("nobody provides {} {}", import.module, import.name),
        };
        let provided = self.modules[provider].function_type(index)?;
        ensure!(provided == ty, "{} is a {provided} and is used as a {ty}", import.name);
        Ok(Place::Defined { module: provider, index })
    }

    fn import(&mut self, module: &'a str, name: &'a str, ty: u32) -> usize {
        if let Some(at) = self.imports.iter().position(|(m, n, _)| (*m, *n) == (module, name)) {
            return at;
        }
        self.imports.push((module, name, ty));
        self.imports.len() - 1
    }

    /// What every function index of a module stands for.
    fn places(&mut self, module: usize) -> Result<Vec<Place>> {
        let of = &self.modules[module];
        let mut places = (0..of.function_types.len() as u32).map(|index| self.function(module, index)).collect::<Result<Vec<_>>>()?;
        for (name, indices) in &of.names {
            if let Some(function) = name.strip_prefix(IN_FRONT) {
                let behind = of.named(&format!("{BEHIND}{function}"))?;
                for index in indices {
                    places[*index as usize] = Place::Defined { module, index: behind };
                }
            }
        }
        Ok(places)
    }

    /// The value of a global, which is the same for as long as the engine lives.
    fn global(&self, module: usize, index: u32) -> Result<Value> {
        let of = &self.modules[module];
        let global = of.globals.get(index as usize).context("no such global, or an imported one")?;
        if global.ty.mutable {
            return Ok(Value::StackPointer);
        }
        Ok(Value::Constant(absolute(offset(&global.init_expr)?)?))
    }

    /// Each has one mutable global: the stack pointer. Of `wasi` it is known by its name.
    fn check_globals(&self) -> Result<()> {
        let mutable = |module: &Module<'_>| module.globals.iter().filter(|global| global.ty.mutable).count();
        ensure!(self.modules.iter().all(|module| mutable(module) <= 1), "more than one mutable global");
        let exported = self.modules[WASI].export(STACK_POINTER, ExternalKind::Global)?;
        ensure!(self.global(WASI, exported)? == Value::StackPointer, "a stack pointer that does not move");
        ensure!(self.modules.iter().all(|module| module.imported_globals.is_empty()), "an imported global");
        ensure!(self.modules[WASI].tags.is_empty(), "exceptions in wasi");
        Ok(())
    }

    fn link(mut self) -> Result<Vec<u8>> {
        self.check_globals()?;
        let places = [self.places(ENGINE)?, self.places(WASI)?];
        let mut numbers: HashMap<Place, u32> = (0..self.imports.len()).map(|import| (Place::Host(import), import as u32)).collect();
        for (module, of) in self.modules.iter().enumerate() {
            for index in of.imported_functions.len()..of.function_types.len() {
                let next = numbers.len() as u32;
                numbers.insert(Place::Defined { module, index: index as u32 }, next);
            }
        }
        let remaps = [self.remap(ENGINE, &places[ENGINE], &numbers)?, self.remap(WASI, &places[WASI], &numbers)?];
        self.write(remaps, &numbers)
    }

    fn remap(&mut self, module: usize, places: &[Place], numbers: &HashMap<Place, u32>) -> Result<Remap> {
        let of = &self.modules[module];
        Ok(Remap {
            types: of.types.iter().map(|ty| self.types.of(ty)).collect(),
            functions: places.iter().map(|place| numbers[place]).collect(),
            globals: (0..of.globals.len() as u32).map(|index| self.global(module, index)).collect::<Result<_>>()?,
        })
    }

    fn write(&self, mut remaps: [Remap; 2], numbers: &HashMap<Place, u32>) -> Result<Vec<u8>> {
        let mut functions = FunctionSection::new();
        let (mut code, mut data, mut elements) = (CodeSection::new(), DataSection::new(), ElementSection::new());
        let mut tags = TagSection::new();
        for ((module, of), remap) in self.modules.iter().enumerate().zip(&mut remaps) {
            for (ty, body) in of.function_types[of.imported_functions.len()..].iter().zip(&of.bodies) {
                functions.function(remap.types[*ty as usize]);
                remap.parse_function_body(&mut code, body.clone()).map_err(|error| anyhow!("module {module}: {error}"))?;
            }
            for element in &of.elements {
                let functions = element.functions.iter().map(|function| remap.functions[*function as usize]).collect::<Vec<_>>();
                elements.active(None, &ConstExpr::i32_const(absolute(element.offset)?), Elements::Functions(functions.into()));
            }
            for tag in &of.tags {
                tags.tag(TagType { kind: TagKind::Exception, func_type_idx: remap.types[*tag as usize] });
            }
            for segment in &of.data {
                let wasmparser::DataKind::Active { offset_expr, .. } = &segment.kind else { bail!("passive data") };
                data.active(0, &ConstExpr::i32_const(absolute(offset(offset_expr)?)?), segment.data.iter().copied());
            }
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&self.type_section()?).section(&self.import_section()).section(&functions);
        module.section(&self.table_section()?).section(&self.memory_section()?).section(&tags).section(&self.global_section()?);
        module.section(&self.exports(numbers)?).section(&elements).section(&code).section(&data);
        Ok(module.finish())
    }

    fn exports(&self, numbers: &HashMap<Place, u32>) -> Result<ExportSection> {
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        for name in EXPORTS {
            let index = self.modules[WASI].export(name, ExternalKind::Func)?;
            exports.export(name, ExportKind::Func, numbers[&Place::Defined { module: WASI, index }]);
        }
        Ok(exports)
    }

    fn type_section(&self) -> Result<TypeSection> {
        let mut section = TypeSection::new();
        for ty in &self.types.types {
            let values = |types: &[wasmparser::ValType]| types.iter().map(|ty| RoundtripReencoder.val_type(*ty)).collect::<Result<Vec<ValType>, _>>();
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

    fn table_section(&self) -> Result<TableSection> {
        let pointers: usize = self.modules[WASI].elements.iter().map(|element| element.functions.len()).sum();
        let size = Behind::of(&self.modules[ENGINE])?.slot + pointers as u64;
        let mut section = TableSection::new();
        section.table(TableType { element_type: RefType::FUNCREF, table64: false, minimum: size, maximum: Some(size), shared: false });
        Ok(section)
    }

    /// Up to where the data of `wasi` ends.
    fn memory_section(&self) -> Result<MemorySection> {
        let wasi = &self.modules[WASI];
        let end = wasi.globals.get(wasi.export(HEAP_BASE, ExternalKind::Global)? as usize).context("no such global")?;
        let minimum = (absolute(offset(&end.init_expr)?)? as u64).div_ceil(WASM_PAGE_BYTES);
        ensure!(minimum > self.modules[ENGINE].memory_pages_min.context("no memory")?, "wasi lies in the engine's own memory");
        let mut section = MemorySection::new();
        section.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
        Ok(section)
    }

    fn global_section(&self) -> Result<GlobalSection> {
        let pointer = self.modules[ENGINE].globals.iter().find(|global| global.ty.mutable).context("no stack pointer")?;
        let top = absolute(offset(&pointer.init_expr)?)?;
        let mut section = GlobalSection::new();
        section.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(top));
        Ok(section)
    }
}

/// One module's indices in those of the result.
struct Remap {
    types: Vec<u32>,
    functions: Vec<u32>,
    globals: Vec<Value>,
}

fn absolute(offset: Offset) -> Result<i32> {
    ensure!(offset.global.is_none(), "an address that depends on a global");
    Ok(offset.constant)
}

impl Reencode for Remap {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(self.functions[function as usize])
    }

    fn type_index(&mut self, ty: u32) -> Result<u32, Error> {
        Ok(self.types[ty as usize])
    }

    /// Only the stack pointer is left as a global.
    fn global_index(&mut self, _global: u32) -> Result<u32, Error> {
        Ok(0)
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, Error> {
        if let Operator::GlobalGet { global_index } = operator
            && let Value::Constant(value) = self.globals[global_index as usize]
        {
            return Ok(Instruction::I32Const(value));
        }
        wasm_encoder::reencode::utils::instruction(self, operator)
    }
}
