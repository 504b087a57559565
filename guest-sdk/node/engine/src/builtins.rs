//! Node's modules: `import` finds those of the layer.

use std::fmt::Write;

use rquickjs::{
    Ctx, Error, Function, Module, Object, Persistent, Result, Runtime, Value,
    loader::{ImportAttributes, Loader, Resolver},
    module::Declared,
};

const PREFIX: &str = "node:";

/// The layer's `(name) -> module`: undefined if there is none.
#[derive(Clone)]
struct Builtins(Persistent<Function<'static>>);

/// Lets modules import them.
pub fn install(runtime: &Runtime, builtin: Persistent<Function<'static>>) {
    let builtins = Builtins(builtin);
    runtime.set_loader(builtins.clone(), builtins);
}

impl Builtins {
    fn get<'js>(&self, cx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
        self.0.clone().restore(cx)?.call((name.strip_prefix(PREFIX).unwrap_or(name),))
    }
}

impl Resolver for Builtins {
    fn resolve<'js>(&mut self, cx: &Ctx<'js>, base: &str, name: &str, _: Option<ImportAttributes<'js>>) -> Result<String> {
        if self.get(cx, name)?.is_undefined() {
            // Only an `import()` of a name made up at run time comes here: the rest is bundled, or was refused.
            let why = "a handler can import what was bundled with it and modules of Node";
            return Err(Error::new_resolving_message(base, name, why));
        }
        Ok(if name.starts_with(PREFIX) { name.to_owned() } else { format!("{PREFIX}{name}") })
    }
}

impl Loader for Builtins {
    /// A module whose default export is the layer's very object, and whose others are that object's members.
    fn load<'js>(&mut self, cx: &Ctx<'js>, name: &str, _: Option<ImportAttributes<'js>>) -> Result<Module<'js, Declared>> {
        let exports = self.get(cx, name)?;
        let mut source = String::from("const { exports } = import.meta; export default exports;");
        for (number, member) in Object::from_value(exports.clone())?.keys::<String>().enumerate() {
            // Names in quotes may be any, words of the language too.
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
