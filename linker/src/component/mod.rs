//! Links the modules of componentize-py's component, and what stands under its C library.
//!
//! componentize-py links dynamically: fourteen modules, the interpreter calls its own C library through a table, and the address
//! of every object of another module is a global. All of that is known once its snapshot is taken, so here calls become
//! direct and addresses constants.

mod read;

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use wasmparser::{ExternalKind, Validator};

use crate::{
    Behind, ENGINE, STACK_POINTER, WORLD,
    module::{Import, Module, Offset, absolute, offset},
    output::{Interface, Output, Part, Place},
    remap::Value,
};
use read::Component;

/// The module that holds memory, table and addresses; its functions do nothing but call through the table.
const MAIN: usize = 0;
/// What libraries export, the last one the stand-in for functions that nobody defines.
const OF_LIBRARIES: [&str; 3] = ["_initialize", "__wasm_call_ctors", "__main_argc_argv"];

/// Exports of the result, each by the module that has it.
const EXPORTS_OF_WASI: [&str; 3] = ["boot", "source_buffer", "load"];
const EXPORTS_OF_ENGINE: [&str; 3] =
    ["cabi_realloc", "mirra:function/handler@0.1.0#handle", "cabi_post_mirra:function/handler@0.1.0#handle"];

/// The most modules that an import is passed on by: through a trampoline to what fills the table, and on to who exports it.
const HOPS_MAX: usize = 8;

/// Where the module under the C library belongs, so that it can be compiled for that place.
pub fn behind(component: &[u8]) -> Result<Behind> {
    let component = Component::read(component)?;
    Behind::of(&Module::read(component.modules.first().context("a component without modules")?)?)
}

/// `wasi`: the module of `guest-sdk/python/wasi`, with its data and its pointers to functions where [`behind`] says; it is refused
/// if they lie elsewhere.
pub fn link(component: &[u8], wasi: &[u8]) -> Result<Vec<u8>> {
    // In a valid one everything refers to what is in front of it, so that looking for where something comes from ends.
    Validator::new().validate_all(component).context("an invalid component")?;
    let component = Component::read(component)?;
    let mut modules = component.modules.iter().map(|wasm| Module::read(wasm)).collect::<Result<Vec<_>>>()?;
    modules.push(Module::read(wasi).context("wasi")?);
    Linker::new(&component, &modules)?.link()
}

struct Linker<'a> {
    component: &'a Component<'a>,
    modules: &'a [Module<'a>],
    main: &'a Module<'a>,
    /// Those whose code is part of the result.
    linked: Vec<usize>,
    wasi: usize,
    interface: Interface<'a>,
    /// What is in every slot of the table that a function of `MAIN` calls.
    slots: HashMap<i32, (usize, u32)>,
}

/// Where a function is looked for.
enum Step {
    Found(Place),
    /// It is this function of that module, whatever that is.
    Elsewhere(usize, u32),
}

impl<'a> Linker<'a> {
    fn new(component: &'a Component<'a>, modules: &'a [Module<'a>]) -> Result<Linker<'a>> {
        let (main, wasi) = (modules.get(MAIN).context("a component without modules")?, modules.len() - 1);
        // The adapter for WASI 0.1 is replaced by `wasi`; what only makes instances of components has no part in it.
        let is_library = |module: &Module| module.exports.iter().any(|export| OF_LIBRARIES.contains(&export.name));
        let libraries = modules.iter().enumerate().filter(|(number, module)| *number != wasi && is_library(module));
        let linked = libraries.map(|(number, _)| number).chain([wasi]).collect();
        let mut slots = HashMap::new();
        // The module that fills the table for the trampolines of `MAIN` has nothing but that to do, and no export.
        let fills = |module: &Module| module.exports.is_empty() && !module.elements.is_empty() && !module.imported_globals.is_empty();
        let (filling, module) = modules.iter().enumerate().find(|(_, module)| fills(module)).context("no module fills the table")?;
        for element in &module.elements {
            let start = absolute(element.offset)?;
            let filled = element.functions.iter().enumerate();
            slots.extend(filled.map(|(at, function)| (start.wrapping_add(at as i32), (filling, *function))));
        }
        Ok(Linker { component, modules, main, linked, wasi, interface: Interface::default(), slots })
    }

    fn module(&self, number: usize) -> Result<&'a Module<'a>> {
        self.modules.get(number).with_context(|| format!("no module {number}"))
    }

    /// The function that an index of `module` stands for.
    fn function(&mut self, module: usize, index: u32) -> Result<Place> {
        let mut at = (module, index);
        for _ in 0..HOPS_MAX {
            match self.step(at.0, at.1)? {
                Step::Found(place) => return Ok(place),
                Step::Elsewhere(module, index) => at = (module, index),
            }
        }
        bail!("function {index} of module {module} leads nowhere")
    }

    fn step(&mut self, module: usize, index: u32) -> Result<Step> {
        let of = self.module(module)?;
        let Some(import) = of.imported_functions.get(index as usize) else {
            if module != MAIN {
                return Ok(Step::Found(Place::Defined { module, index }));
            }
            let slot = of.slot_called_by(index)?;
            let (filling, target) = *self.slots.get(&slot).with_context(|| format!("nothing is put into slot {slot}"))?;
            return Ok(Step::Elsewhere(filling, target));
        };
        let ty = self.interface.ty(of.function_type(index)?);
        if import.module.starts_with(WORLD) {
            return Ok(Step::Found(self.interface.import(import.module, import.name, ty)));
        }
        if import.module.contains(':') || import.module.starts_with("wasi_snapshot") {
            let name = format!("{}#{}", import.module, import.name);
            let provided = self.module(self.wasi)?.export(&name, ExternalKind::Func);
            return Ok(Step::Found(provided.map_or(Place::Trap(ty), |index| Place::Defined { module: self.wasi, index })));
        }
        if import.module == ENGINE {
            return self.exporting(import.name).map(|(module, index)| Step::Elsewhere(module, index));
        }
        let (module, index) = self.exported(module, import, ExternalKind::Func)?;
        Ok(Step::Elsewhere(module, index))
    }

    /// The module and the index there of what an import of `module` is.
    fn exported(&self, module: usize, import: &Import<'_>, kind: ExternalKind) -> Result<(usize, u32)> {
        let context = || format!("import {} {} of module {module}", import.module, import.name);
        let target = self.component.resolve(module, import.module, import.name, kind).with_context(context)?.with_context(context)?;
        Ok((target.module, self.module(target.module)?.export(&target.name, kind).with_context(context)?))
    }

    /// A function that some module of the engine exports under this name, other than one that only passes a call on.
    fn exporting(&self, name: &str) -> Result<(usize, u32)> {
        for number in self.linked.iter().copied().filter(|number| *number != self.wasi) {
            if let Ok(index) = self.module(number)?.export(name, ExternalKind::Func) {
                return Ok((number, index));
            }
        }
        bail!("no module of the engine exports {name}")
    }

    /// The value of a global of `module`, which is the same for as long as the engine lives.
    fn global(&self, module: usize, index: u32) -> Result<Value> {
        let of = self.module(module)?;
        if let Some(import) = of.imported_globals.get(index as usize) {
            let (module, index) = self.exported(module, import, ExternalKind::Global)?;
            return self.global(module, index);
        }
        let is_stack_pointer =
            of.exports.iter().any(|export| export.kind == ExternalKind::Global && export.index == index && export.name == STACK_POINTER);
        if is_stack_pointer && (module == MAIN || module == self.wasi) {
            return Ok(Value::StackPointer);
        }
        let global = of.globals.get(index as usize - of.imported_globals.len()).context("no such global")?;
        let Offset { global, constant } = offset(&global.init_expr)?;
        match global.map(|index| self.global(module, index)).transpose()? {
            None => Ok(Value::Constant(constant)),
            Some(Value::Constant(base)) => Ok(Value::Constant(base.wrapping_add(constant))),
            Some(Value::StackPointer) => bail!("a global that begins as the stack pointer"),
        }
    }

    fn link(mut self) -> Result<Vec<u8>> {
        let wasi = self.module(self.wasi)?;
        let end = Behind::of(self.main)?.ends(wasi)?;
        let linked = self.linked.clone();
        // Imports of the result are found on the way.
        let functions = linked.iter().map(|number| self.functions(*number)).collect::<Result<Vec<_>>>()?;
        let parts = linked.iter().zip(functions).map(|(number, functions)| self.part(*number, functions)).collect::<Result<_>>()?;
        let exports = self.exports()?;
        let slots = self.filled()?;
        let stack_top = self.stack_top()?;
        Output { interface: self.interface, parts, data: vec![self.main, wasi], slots, exports, end, stack_top }.write()
    }

    /// What every function index of a module stands for.
    fn functions(&mut self, number: usize) -> Result<Vec<Place>> {
        let count = self.module(number)?.function_types.len() as u32;
        (0..count).map(|index| self.function(number, index)).collect()
    }

    fn part(&mut self, number: usize, functions: Vec<Place>) -> Result<Part<'a>> {
        let module = self.module(number)?;
        let globals = module.imported_globals.len() + module.globals.len();
        Ok(Part {
            number,
            module,
            types: module.types.iter().map(|ty| self.interface.ty(ty)).collect(),
            functions,
            globals: (0..globals as u32).map(|index| self.global(number, index)).collect::<Result<_>>()?,
        })
    }

    fn exports(&mut self) -> Result<Vec<(&'a str, Place)>> {
        let mut exports = Vec::new();
        for name in EXPORTS_OF_WASI {
            let index = self.module(self.wasi)?.export(name, ExternalKind::Func)?;
            exports.push((name, Place::Defined { module: self.wasi, index }));
        }
        for name in EXPORTS_OF_ENGINE {
            let (module, index) = self.exporting(name)?;
            exports.push((name, self.function(module, index)?));
        }
        Ok(exports)
    }

    /// Pointers to functions that dynamic linking resolved, in the order of the table. A trampoline's target that nothing else
    /// mentions is called directly by now.
    fn filled(&mut self) -> Result<Vec<(i32, Place)>> {
        let mut slots: Vec<_> = self.slots.iter().map(|(slot, target)| (*slot, *target)).collect();
        slots.sort_unstable();
        slots.into_iter().map(|(slot, (module, function))| Ok((slot, self.function(module, function)?))).collect()
    }

    fn stack_top(&self) -> Result<i32> {
        let index = self.main.export(STACK_POINTER, ExternalKind::Global)?;
        absolute(offset(&self.main.globals.get(index as usize).context("no such global")?.init_expr)?)
    }
}
