//! Links the modules of componentize-py's component, and what stands under its C library, into one core module.
//!
//! componentize-py links dynamically: fourteen modules, the interpreter calls its own C library through a table, and the address
//! of every object of another module is a global. All of that is known once its snapshot is taken, so here calls become
//! direct and addresses constants. What is left is a module as a C compiler would write it: one memory, one table, and the stack
//! pointer as its only global, so that a snapshot of its memory is a snapshot of all of it.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, MemoryType, RefType, TableSection, TableType, TypeSection,
    ValType,
    reencode::{Error, Reencode, RoundtripReencoder},
};
use wasmparser::{ExternalKind, FuncType, Operator};

use super::{
    component::Component,
    module::{Module, Offset, offset},
};

const WASM_PAGE_BYTES: u64 = 64 << 10;

/// The module that holds memory, table and addresses; its functions do nothing but call through the table.
const MAIN: usize = 0;
/// How that module names the stack pointer.
const STACK_POINTER: &str = "__stack_pointer";
/// How a linker names the end of a module's data.
const HEAP_BASE: &str = "__heap_base";

/// What libraries export, the last one the stand-in for functions that nobody defines.
const OF_LIBRARIES: [&str; 3] = ["_initialize", "__wasm_call_ctors", "__main_argc_argv"];

/// Interfaces that are left to the host.
const WORLD: &str = "mirra:function/";
/// How `guest-sdk/python/wasi` calls the module that it is linked into.
const ENGINE: &str = "engine";

/// Exports of the result, each by the module that has it.
const EXPORTS_OF_WASI: [&str; 3] = ["boot", "source_buffer", "load"];
const EXPORTS_OF_ENGINE: [&str; 3] =
    ["cabi_realloc", "mirra:function/handler@0.1.0#handle", "cabi_post_mirra:function/handler@0.1.0#handle"];

/// Where the module under the C library has its data and its pointers to functions: behind everything that the component has.
pub struct Behind {
    pub address: u64,
    pub slot: u64,
}

impl Behind {
    pub fn of(component: &[u8]) -> Result<Behind> {
        let component = Component::read(component)?;
        let main = Module::read(component.modules.first().context("a component without modules")?)?;
        let address = main.memory_pages_min.context("no memory")? * WASM_PAGE_BYTES;
        Ok(Behind { address, slot: main.table_min.context("no table")? })
    }
}

/// `wasi`: the module of `guest-sdk/python/wasi`, with its data and its pointers to functions as `Behind` says.
pub fn link(component: &[u8], wasi: &[u8]) -> Result<Vec<u8>> {
    let component = Component::read(component)?;
    let mut modules = component.modules.iter().map(|wasm| Module::read(wasm)).collect::<Result<Vec<_>>>()?;
    modules.push(Module::read(wasi)?);
    Linker::new(&component, &modules)?.link()
}

/// What a function is after linking.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Defined {
        module: usize,
        index: u32,
    },
    /// An import of the result.
    Host(usize),
    /// A function that traps, of this type.
    Trap(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    StackPointer,
    Constant(i32),
}

struct Linker<'a> {
    component: &'a Component<'a>,
    modules: &'a [Module<'a>],
    /// Those whose code is part of the result.
    linked: Vec<usize>,
    wasi: usize,
    types: Types,
    /// Name and type of every import of the result.
    imports: Vec<(&'a str, &'a str, u32)>,
    /// What is in every slot of the table that a function of `MAIN` calls.
    slots: HashMap<i32, (usize, u32)>,
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
    fn new(component: &'a Component<'a>, modules: &'a [Module<'a>]) -> Result<Linker<'a>> {
        let wasi = modules.len() - 1;
        // The adapter for WASI 0.1 is replaced by `wasi`; what only makes instances of components has no part in it.
        let exports_any = |module: &Module| module.exports.iter().any(|export| OF_LIBRARIES.contains(&export.name));
        let mut linked: Vec<usize> = (0..wasi).filter(|&module| exports_any(&modules[module])).collect();
        linked.push(wasi);
        let mut slots = HashMap::new();
        // The module that fills the table for the trampolines of `MAIN` has nothing but that to do, and no export.
        let fills = |module: &Module| module.exports.is_empty() && !module.elements.is_empty() && !module.imported_globals.is_empty();
        let filling = modules.iter().position(fills).context("no module fills the table")?;
        for element in &modules[filling].elements {
            let start = absolute(element.offset)?;
            slots.extend(element.functions.iter().enumerate().map(|(at, function)| (start + at as i32, (filling, *function))));
        }
        Ok(Linker { component, modules, linked, wasi, types: Types::default(), imports: Vec::new(), slots })
    }

    /// The function that an index of `module` stands for.
    fn function(&mut self, module: usize, index: u32) -> Result<Place> {
        let of = &self.modules[module];
        let Some(import) = of.imported_functions.get(index as usize).copied() else {
            if module != MAIN {
                return Ok(Place::Defined { module, index });
            }
            let slot = of.slot_called_by(index)?;
            let (filling, target) = *self.slots.get(&slot).with_context(|| format!("nothing is put into slot {slot}"))?;
            return self.function(filling, target);
        };
        let ty = self.types.of(of.function_type(index)?);
        if import.module.starts_with(WORLD) {
            return Ok(Place::Host(self.import(import.module, import.name, ty)));
        }
        if import.module.contains(':') || import.module.starts_with("wasi_snapshot") {
            let name = format!("{}#{}", import.module, import.name);
            let provided = self.modules[self.wasi].export(&name, ExternalKind::Func);
            return Ok(provided.map_or(Place::Trap(ty), |index| Place::Defined { module: self.wasi, index }));
        }
        if import.module == ENGINE {
            return self.engine_export(import.name);
        }
        let context = || format!("import {} {} of module {module}", import.module, import.name);
        let target = self.component.resolve(module, import.module, import.name, ExternalKind::Func).with_context(context)?;
        let target = target.with_context(context)?;
        let index = self.modules[target.module].export(&target.name, ExternalKind::Func).with_context(context)?;
        self.function(target.module, index)
    }

    fn import(&mut self, module: &'a str, name: &'a str, ty: u32) -> usize {
        if let Some(at) = self.imports.iter().position(|(m, n, _)| (*m, *n) == (module, name)) {
            return at;
        }
        self.imports.push((module, name, ty));
        self.imports.len() - 1
    }

    /// A function that some module of the engine exports under this name, other than one that only passes a call on.
    fn engine_export(&mut self, name: &str) -> Result<Place> {
        let engine: Vec<usize> = self.linked.iter().copied().filter(|module| *module != self.wasi).collect();
        for module in engine {
            if let Ok(index) = self.modules[module].export(name, ExternalKind::Func) {
                return self.function(module, index);
            }
        }
        bail!("no module of the engine exports {name}")
    }

    /// The value of a global of `module`, which is the same for as long as the engine lives.
    fn global(&self, module: usize, index: u32) -> Result<Value> {
        let of = &self.modules[module];
        let imported = of.imported_globals.len();
        if let Some(import) = of.imported_globals.get(index as usize) {
            let context = || format!("global {} {} of module {module}", import.module, import.name);
            let target = self.component.resolve(module, import.module, import.name, ExternalKind::Global).with_context(context)?;
            let target = target.with_context(context)?;
            let index = self.modules[target.module].export(&target.name, ExternalKind::Global).with_context(context)?;
            return self.global(target.module, index);
        }
        let is_stack_pointer =
            of.exports.iter().any(|export| export.kind == ExternalKind::Global && export.index == index && export.name == STACK_POINTER);
        if is_stack_pointer && (module == MAIN || module == self.wasi) {
            return Ok(Value::StackPointer);
        }
        let global = of.globals.get(index as usize - imported).context("no such global")?;
        let Offset { global, constant } = offset(&global.init_expr)?;
        match global.map(|index| self.global(module, index)).transpose()? {
            None => Ok(Value::Constant(constant)),
            Some(Value::Constant(base)) => Ok(Value::Constant(base.wrapping_add(constant))),
            Some(Value::StackPointer) => bail!("a global that begins as the stack pointer"),
        }
    }

    fn link(mut self) -> Result<Vec<u8>> {
        self.check_globals()?;
        // What every function index of every linked module stands for; imports of the result are found on the way.
        let linked = self.linked.clone();
        let mut places = HashMap::new();
        for &module in &linked {
            let count = self.modules[module].function_types.len() as u32;
            let of = (0..count).map(|index| self.function(module, index)).collect::<Result<Vec<_>>>()?;
            places.insert(module, of);
        }
        let numbers = self.number(&linked, &places);
        let remaps = linked.iter().map(|&module| self.remap(module, &places[&module], &numbers)).collect::<Result<Vec<_>>>()?;
        self.write(&linked, remaps, &numbers)
    }

    /// Only the stack pointer is ever written to.
    fn check_globals(&self) -> Result<()> {
        for &module in &self.linked {
            for written in self.modules[module].globals_written()? {
                let value = self.global(module, written)?;
                ensure!(value == Value::StackPointer, "module {module} writes to global {written}, which is not the stack pointer");
            }
        }
        Ok(())
    }

    /// The index of every function of the result.
    fn number(&self, linked: &[usize], places: &HashMap<usize, Vec<Place>>) -> HashMap<Place, u32> {
        let mut numbers: HashMap<Place, u32> = (0..self.imports.len()).map(|import| (Place::Host(import), import as u32)).collect();
        for &module in linked {
            let imported = self.modules[module].imported_functions.len();
            for index in imported..self.modules[module].function_types.len() {
                let next = numbers.len() as u32;
                numbers.insert(Place::Defined { module, index: index as u32 }, next);
            }
        }
        for &module in linked {
            for place in &places[&module] {
                let next = numbers.len() as u32;
                numbers.entry(*place).or_insert(next);
            }
        }
        numbers
    }

    fn remap(&mut self, module: usize, places: &[Place], numbers: &HashMap<Place, u32>) -> Result<Remap> {
        let of = &self.modules[module];
        let globals = of.imported_globals.len() + of.globals.len();
        Ok(Remap {
            types: of.types.iter().map(|ty| self.types.of(ty)).collect(),
            functions: places.iter().map(|place| numbers[place]).collect(),
            globals: (0..globals as u32).map(|index| self.global(module, index)).collect::<Result<_>>()?,
        })
    }

    fn write(&mut self, linked: &[usize], mut remaps: Vec<Remap>, numbers: &HashMap<Place, u32>) -> Result<Vec<u8>> {
        let exports = self.exports(numbers)?;
        let main = &self.modules[MAIN];
        let mut functions = FunctionSection::new();
        let (mut code, mut data, mut elements) = (CodeSection::new(), DataSection::new(), ElementSection::new());
        for (&module, remap) in linked.iter().zip(&mut remaps) {
            let of = &self.modules[module];
            for (ty, body) in of.function_types[of.imported_functions.len()..].iter().zip(&of.bodies) {
                functions.function(remap.types[*ty as usize]);
                remap.parse_function_body(&mut code, body.clone()).map_err(|error| anyhow!("module {module}: {error}"))?;
            }
            for element in &of.elements {
                let start = remap.offset(element.offset)?;
                let functions = element.functions.iter().map(|function| remap.functions[*function as usize]).collect::<Vec<_>>();
                elements.active(None, &ConstExpr::i32_const(start), Elements::Functions(functions.into()));
            }
        }
        self.fill_slots(numbers, &mut elements)?;
        let mut traps: Vec<_> =
            numbers.iter().filter_map(|(place, at)| if let Place::Trap(ty) = place { Some((*at, *ty)) } else { None }).collect();
        traps.sort_unstable();
        for (_, ty) in traps {
            functions.function(ty);
            let mut trap = Function::new([]);
            trap.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
            code.function(&trap);
        }
        for of in [main, &self.modules[self.wasi]] {
            for segment in &of.data {
                let wasmparser::DataKind::Active { offset_expr, .. } = &segment.kind else { continue };
                data.active(0, &ConstExpr::i32_const(absolute(offset(offset_expr)?)?), segment.data.iter().copied());
            }
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&self.type_section()?).section(&self.import_section()).section(&functions);
        module.section(&self.table_section()?).section(&self.memory_section()?).section(&self.global_section()?);
        module.section(&exports).section(&elements).section(&code).section(&data);
        Ok(module.finish())
    }

    /// Pointers to functions that dynamic linking resolved.
    fn fill_slots(&mut self, numbers: &HashMap<Place, u32>, elements: &mut ElementSection) -> Result<()> {
        let mut slots: Vec<_> = self.slots.iter().map(|(slot, target)| (*slot, *target)).collect();
        slots.sort_unstable();
        for (slot, (module, function)) in slots {
            let place = self.function(module, function)?;
            // A trampoline's target that nothing else mentions is called directly by now.
            if let Some(number) = numbers.get(&place) {
                elements.active(None, &ConstExpr::i32_const(slot), Elements::Functions(vec![*number].into()));
            }
        }
        Ok(())
    }

    fn exports(&mut self, numbers: &HashMap<Place, u32>) -> Result<ExportSection> {
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        for name in EXPORTS_OF_WASI {
            let index = self.modules[self.wasi].export(name, ExternalKind::Func)?;
            exports.export(name, ExportKind::Func, numbers[&Place::Defined { module: self.wasi, index }]);
        }
        for name in EXPORTS_OF_ENGINE {
            let place = self.engine_export(name)?;
            exports.export(name, ExportKind::Func, *numbers.get(&place).with_context(|| format!("{name} is not linked"))?);
        }
        Ok(exports)
    }

    fn type_section(&self) -> Result<TypeSection> {
        let mut section = TypeSection::new();
        for ty in &self.types.types {
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

    fn table_section(&self) -> Result<TableSection> {
        let pointers: usize = self.modules[self.wasi].elements.iter().map(|element| element.functions.len()).sum();
        let size = self.modules[MAIN].table_min.context("no table")? + pointers as u64;
        let mut section = TableSection::new();
        section.table(TableType { element_type: RefType::FUNCREF, table64: false, minimum: size, maximum: Some(size), shared: false });
        Ok(section)
    }

    /// Up to where the data of `wasi` ends.
    fn memory_section(&self) -> Result<MemorySection> {
        let wasi = &self.modules[self.wasi];
        let end = wasi.globals.get(wasi.export(HEAP_BASE, ExternalKind::Global)? as usize).context("no such global")?;
        let minimum = (absolute(offset(&end.init_expr)?)? as u64).div_ceil(WASM_PAGE_BYTES);
        let mut section = MemorySection::new();
        section.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
        Ok(section)
    }

    fn global_section(&self) -> Result<GlobalSection> {
        let main = &self.modules[MAIN];
        let index = main.export(STACK_POINTER, ExternalKind::Global)?;
        let top = absolute(offset(&main.globals[index as usize].init_expr)?)?;
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

impl Remap {
    fn offset(&self, offset: Offset) -> Result<i32> {
        let Some(global) = offset.global else { return Ok(offset.constant) };
        match self.globals.get(global as usize) {
            Some(Value::Constant(base)) => Ok(base.wrapping_add(offset.constant)),
            _ => bail!("the table is filled at an offset that changes"),
        }
    }
}

/// Of a module that is linked already.
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
