//! Links an interpreter that is one module already, and complete but for WASI 0.1: CPython with the scientific packages.
//!
//! It calls WASI, which the module under its C library exports. That one calls functions of the interpreter which are no
//! exports of it; they are found by the names that the builder left in it for debugging.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use wasmparser::ExternalKind;

use crate::{
    Behind, ENGINE, STACK_POINTER, WORLD,
    module::{Module, absolute, offset},
    output::{Interface, Output, Part, Place},
    remap::Value,
};

/// The two modules, as `Place::Defined` calls them.
const INTERPRETER: usize = 0;
const WASI: usize = 1;

/// How the interpreter's builder calls what it has put in front of functions of WASI, so that the clock stands still and
/// randomness is zero until its own snapshot is taken; and how it calls those functions themselves.
const IN_FRONT: &str = "__wrap___wasi_";
const BEHIND: &str = "__wasi_";

/// Exports of the result, which are `wasi`'s.
const EXPORTS: [&str; 6] = [
    "boot",
    "source_buffer",
    "load",
    "cabi_realloc",
    "mirra:function/handler@0.1.0#handle",
    "cabi_post_mirra:function/handler@0.1.0#handle",
];

/// `wasi`: the module of `guest-sdk/python/scientific/wasi`, with its data and its pointers to functions behind the memory and
/// the table of `engine`; it is refused if they lie elsewhere.
pub fn link(engine: &[u8], wasi: &[u8]) -> Result<Vec<u8>> {
    let (engine, wasi) = (Module::read(engine).context("the engine")?, Module::read(wasi).context("wasi")?);
    let names = Names::of(&engine, &wasi)?;
    Linker { engine: &engine, wasi: &wasi, names, interface: Interface::default() }.link()
}

/// Functions of the interpreter that somebody asks for by name. Several can have the same.
struct Names<'a>(HashMap<&'a str, Vec<u32>>);

impl<'a> Names<'a> {
    fn of(engine: &Module<'a>, wasi: &Module<'_>) -> Result<Names<'a>> {
        let asked: HashSet<&str> =
            wasi.imported_functions.iter().filter(|import| import.module == ENGINE).map(|import| import.name).collect();
        let is_wanted = |name: &str| name.starts_with(IN_FRONT) || name.starts_with(BEHIND) || asked.contains(name);
        let mut names: HashMap<_, Vec<u32>> = HashMap::new();
        for (name, index) in engine.names(is_wanted)? {
            names.entry(name).or_default().push(index);
        }
        Ok(Names(names))
    }

    /// The one function that is called so.
    fn get(&self, name: &str) -> Result<u32> {
        match self.0.get(name).map(Vec::as_slice) {
            Some(&[index]) => Ok(index),
            Some(several) => bail!("{} functions are called {name}", several.len()),
            None => bail!("no function is called {name}"),
        }
    }
}

struct Linker<'a> {
    engine: &'a Module<'a>,
    wasi: &'a Module<'a>,
    names: Names<'a>,
    interface: Interface<'a>,
}

impl<'a> Linker<'a> {
    fn link(mut self) -> Result<Vec<u8>> {
        let (engine, wasi) = (self.engine, self.wasi);
        let end = Behind::of(engine)?.ends(wasi)?;
        let mut functions = [self.functions(INTERPRETER, engine)?, self.functions(WASI, wasi)?];
        self.skip_what_is_in_front(&mut functions[INTERPRETER])?;
        let [of_engine, of_wasi] = functions;
        let parts = [self.part(INTERPRETER, engine, of_engine)?, self.part(WASI, wasi, of_wasi)?];
        let exported = wasi.export(STACK_POINTER, ExternalKind::Global)? as usize;
        ensure!(parts[WASI].globals.get(exported) == Some(&Value::StackPointer), "a stack pointer that does not move");
        let export = |name| Ok((name, Place::Defined { module: WASI, index: wasi.export(name, ExternalKind::Func)? }));
        let exports = EXPORTS.into_iter().map(export).collect::<Result<_>>()?;
        let stack_pointer = engine.globals.iter().find(|global| global.ty.mutable).context("no stack pointer")?;
        let stack_top = absolute(offset(&stack_pointer.init_expr)?)?;
        Output { interface: self.interface, parts: parts.into(), data: vec![engine, wasi], slots: Vec::new(), exports, end, stack_top }
            .write()
    }

    /// What every function index of a module stands for.
    fn functions(&mut self, number: usize, module: &'a Module<'a>) -> Result<Vec<Place>> {
        (0..module.function_types.len() as u32).map(|index| self.function(number, module, index)).collect()
    }

    fn function(&mut self, number: usize, module: &'a Module<'a>, index: u32) -> Result<Place> {
        let Some(import) = module.imported_functions.get(index as usize) else {
            return Ok(Place::Defined { module: number, index });
        };
        let ty = module.function_type(index)?;
        if import.module.starts_with(WORLD) {
            let ty = self.interface.ty(ty);
            return Ok(self.interface.import(import.module, import.name, ty));
        }
        let (provider, number, index) = match number {
            INTERPRETER => (self.wasi, WASI, self.wasi.export(&format!("{}#{}", import.module, import.name), ExternalKind::Func)?),
            _ if import.module == ENGINE => (self.engine, INTERPRETER, self.names.get(import.name)?),
            _ => bail!("nobody provides {} {}", import.module, import.name),
        };
        let provided = provider.function_type(index)?;
        ensure!(provided == ty, "{} is a {provided} and is used as a {ty}", import.name);
        Ok(Place::Defined { module: number, index })
    }

    /// Lets the interpreter call functions of WASI where its builder has it call something in front of them.
    fn skip_what_is_in_front(&self, functions: &mut [Place]) -> Result<()> {
        for (name, indices) in &self.names.0 {
            let Some(function) = name.strip_prefix(IN_FRONT) else { continue };
            let index = self.names.get(&format!("{BEHIND}{function}"))?;
            for in_front in indices {
                *functions.get_mut(*in_front as usize).context("a name of no function")? = Place::Defined { module: INTERPRETER, index };
            }
        }
        Ok(())
    }

    fn part(&mut self, number: usize, module: &'a Module<'a>, functions: Vec<Place>) -> Result<Part<'a>> {
        let types = module.types.iter().map(|ty| self.interface.ty(ty)).collect();
        Ok(Part { number, module, types, functions, globals: globals(module)? })
    }
}

/// The only mutable one is the stack pointer, and the others are the same for as long as the engine lives.
fn globals(module: &Module<'_>) -> Result<Vec<Value>> {
    ensure!(module.imported_globals.is_empty(), "an imported global");
    ensure!(module.globals.iter().filter(|global| global.ty.mutable).count() <= 1, "more than one mutable global");
    let value = |global: &wasmparser::Global<'_>| match global.ty.mutable {
        true => Ok(Value::StackPointer),
        false => Ok(Value::Constant(absolute(offset(&global.init_expr)?)?)),
    };
    module.globals.iter().map(value).collect()
}
