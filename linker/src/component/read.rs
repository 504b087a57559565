//! The component that componentize-py makes, read as far as linking needs it: its core modules, and which export of which
//! module every import of theirs is.

use anyhow::{Context, Result, bail};
use wasmparser::{CanonicalFunction, ComponentAlias, ExternalKind, Instance, Parser, Payload};

/// An export of a core module.
#[derive(Clone, Debug)]
pub struct Target {
    pub module: usize,
    pub name: String,
}

enum CoreInstance {
    /// A module, and the instances that its imports come from, by name.
    Of(u32, Vec<(String, u32)>),
    /// Exports of other instances, gathered.
    Gathered(Vec<(String, ExternalKind, u32)>),
}

/// A core function: an export, or None for one that the canonical ABI makes.
type Function = Option<(u32, String)>;

#[derive(Default)]
pub struct Component<'a> {
    pub modules: Vec<&'a [u8]>,
    instances: Vec<CoreInstance>,
    functions: Vec<Function>,
    globals: Vec<(u32, String)>,
}

impl<'a> Component<'a> {
    pub fn read(wasm: &'a [u8]) -> Result<Component<'a>> {
        let mut component = Component::default();
        // Everything of interest is at the top: what is nested is skipped.
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    if depth == 0 {
                        component.modules.push(wasm.get(unchecked_range.clone()).context("a module that is cut off")?);
                    }
                    depth += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                _ if depth == 0 => component.section(payload)?,
                _ => {}
            }
        }
        Ok(component)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(match instance? {
                        Instance::Instantiate { module_index, args } => {
                            CoreInstance::Of(module_index, args.iter().map(|arg| (arg.name.to_owned(), arg.index)).collect())
                        }
                        Instance::FromExports(exports) => {
                            CoreInstance::Gathered(exports.iter().map(|e| (e.name.to_owned(), e.kind, e.index)).collect())
                        }
                    });
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias? else { continue };
                    match kind {
                        ExternalKind::Func => self.functions.push(Some((instance_index, name.to_owned()))),
                        ExternalKind::Global => self.globals.push((instance_index, name.to_owned())),
                        _ => {}
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    if !matches!(function?, CanonicalFunction::Lift { .. }) {
                        self.functions.push(None);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The export that an import of `module` is. None: a function of the world.
    pub fn resolve(&self, module: usize, namespace: &str, name: &str, kind: ExternalKind) -> Result<Option<Target>> {
        let arguments = self.instances.iter().find_map(|instance| match instance {
            CoreInstance::Of(of, arguments) if *of as usize == module => Some(arguments),
            _ => None,
        });
        let arguments = arguments.with_context(|| format!("module {module} is never instantiated"))?;
        let (_, instance) = arguments.iter().find(|(argument, _)| argument == namespace).with_context(|| format!("no {namespace}"))?;
        self.export_of(*instance, name, kind)
    }

    fn export_of(&self, instance: u32, name: &str, kind: ExternalKind) -> Result<Option<Target>> {
        match self.instances.get(instance as usize).context("no such instance")? {
            CoreInstance::Of(module, _) => Ok(Some(Target { module: *module as usize, name: name.to_owned() })),
            CoreInstance::Gathered(exports) => {
                let export = exports.iter().find(|(export, of, _)| export == name && *of == kind);
                let (_, _, index) = export.with_context(|| format!("no {name} among the exports that were gathered"))?;
                let aliased = match kind {
                    ExternalKind::Func => self.functions.get(*index as usize).context("no such function")?.as_ref(),
                    ExternalKind::Global => Some(self.globals.get(*index as usize).context("no such global")?),
                    _ => bail!("{name} is neither a function nor a global"),
                };
                aliased.map_or(Ok(None), |(instance, name)| self.export_of(*instance, name, kind))
            }
        }
    }
}
