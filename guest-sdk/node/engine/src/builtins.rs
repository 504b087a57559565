//! Node's modules: `import` finds those of the layer, evaluated when they are first asked for.

use std::fmt::Write;

use rquickjs::{
    Ctx, Error, Function, Module, Object, Persistent, Result, Runtime, Value,
    context::EvalOptions,
    loader::{ImportAttributes, Loader, Resolver},
    module::Declared,
};

const PREFIX: &str = "node:";

/// What modules are called by that only others of the layer see.
const INTERNAL: &str = "internal/";

/// The source of each module, a function `(require, module)`, by name (`fs/promises`), sorted.
static SOURCES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtins.rs"));

/// The names of what handlers can import, without the prefix.
pub fn importable() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with(INTERNAL))
}

/// The function that evaluates the module.
pub fn compile<'js>(cx: Ctx<'js>, name: String) -> Result<Function<'js>> {
    let found = SOURCES.binary_search_by_key(&name.as_str(), |(name, _)| name);
    let Some((_, source)) = found.ok().and_then(|at| SOURCES.get(at)) else {
        return Err(Error::new_loading(name));
    };
    let mut options = EvalOptions::default();
    options.filename = Some(format!("mirra:layer/{name}"));
    // Packages of old were not written for it.
    options.strict = false;
    cx.eval_with_options(*source, options)
}

/// Lets modules import them. `builtin` is the layer's `(name) -> module`.
pub fn install(runtime: &Runtime, builtin: Persistent<Function<'static>>) {
    runtime.set_loader(Names, Builtins { builtin });
}

struct Names;

impl Resolver for Names {
    fn resolve<'js>(&mut self, _: &Ctx<'js>, base: &str, name: &str, _: Option<ImportAttributes<'js>>) -> Result<String> {
        let plain = name.strip_prefix(PREFIX).unwrap_or(name);
        match importable().find(|importable| *importable == plain) {
            Some(found) => Ok(format!("{PREFIX}{found}")),
            // Only an `import()` of a name made up at run time comes here: the rest is bundled, or was refused.
            None => Err(Error::new_resolving_message(base, name, "a handler can import what is bundled with it, and modules of Node")),
        }
    }
}

struct Builtins {
    builtin: Persistent<Function<'static>>,
}

impl Loader for Builtins {
    /// A module whose default export is the layer's very object, and whose others are that object's members.
    fn load<'js>(&mut self, cx: &Ctx<'js>, name: &str, _: Option<ImportAttributes<'js>>) -> Result<Module<'js, Declared>> {
        let plain = name.strip_prefix(PREFIX).unwrap_or(name);
        let exports: Value = self.builtin.clone().restore(cx)?.call((plain,))?;
        let mut source = String::from("const { exports } = import.meta; export default exports;");
        for (number, member) in Object::from_value(exports.clone())?.keys::<String>().enumerate() {
            // A name in quotes may be any, `default` and words of the language too.
            let member = member?;
            if member != "default" {
                let _ = write!(source, "const a{number} = exports[{member:?}]; export {{ a{number} as {member:?} }};");
            }
        }
        let module = Module::declare(cx.clone(), name, source)?;
        module.meta()?.set("exports", exports)?;
        Ok(module)
    }
}
