//! What rolldown is told about each module of a handler.

use std::{borrow::Cow, path::Path};

use nodejs_built_in_modules::is_nodejs_builtin_module;
use oxc::{
    ast::ast::{AccessorProperty, AccessorPropertyType, Decorator},
    ast_visit::{VisitJs, walk_js},
    span::Span,
};
use oxc_resolver::FileSystem as _;
use rolldown_common::{ImportKind, ResolvedExternal};
use rolldown_plugin::{
    HookLoadArgs, HookLoadOutput, HookLoadReturn, HookResolveIdArgs, HookResolveIdOutput, HookResolveIdReturn, HookTransformAstArgs,
    HookTransformAstReturn, HookUsage, Plugin, PluginContext, PluginContextResolveOptions, PluginHookMeta, PluginOrder,
    SharedLoadPluginContext,
};

use crate::{
    Diagnostic, absent,
    diagnostic::Position,
    folder::Folder,
    places,
    variants::{Variant, Variants},
};

/// Leaves the engine's own modules external, refuses imports by URL or absolute path and of native code, tells modules where they
/// are, and finds syntax the engine does not know and rolldown passes through.
#[derive(Debug)]
pub(crate) struct HandlerPlugin {
    builtins: Vec<String>,
    legacy_decorators: bool,
    variants: Variants,
    folder: Folder,
}

/// Ids of virtual modules start with a zero byte, which no path holds.
const FACADE: &str = "\0builtin:";
/// The prefix of what no handler can have: a module that says so when it is evaluated.
const ABSENT: &str = "\0absent:";
/// The prefix of what a package leaves out.
const EMPTY: &str = "\0empty:";
/// The prefix of what is global.
const GLOBAL: &str = "\0global:";
/// The prefix of an import that is refused by its spelling; loading it fails at the place of the import.
pub(crate) const REFUSED: &str = "\0refused:";

impl HandlerPlugin {
    pub fn new(builtins: &[String], legacy_decorators: bool, variants: Variants, folder: Folder) -> Self {
        Self { builtins: builtins.to_vec(), legacy_decorators, variants, folder }
    }

    fn builtin(&self, specifier: &str) -> Option<&str> {
        let means = |name: &&String| *name == specifier || name.strip_prefix("node:") == Some(specifier);
        self.builtins.iter().find(means).map(String::as_str)
    }
}

fn virtual_module(prefix: &str, name: &str) -> HookResolveIdOutput {
    HookResolveIdOutput::from_id(format!("{prefix}{name}"))
}

/// Whether an import names a place rather than a file of the handler or a package.
fn is_elsewhere(specifier: &str) -> bool {
    let schemes = ["/", "file:", "http:", "https:", "data:"];
    schemes.iter().any(|scheme| specifier.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Not all that is called `.node` is native: `react-dom/server.node` is what that package has for Node.
async fn leads_to_code(context: &PluginContext, args: &HookResolveIdArgs<'_>) -> bool {
    let leads_to = async || {
        let options = PluginContextResolveOptions { import_kind: args.kind, ..PluginContextResolveOptions::default() };
        context.resolve(args.specifier, args.importer, Some(options)).await.ok()?.ok()
    };
    absent::is_file(args.specifier) && leads_to().await.is_some_and(|found| !absent::is_file(found.id.as_str()))
}

impl Plugin for HandlerPlugin {
    fn name(&self) -> Cow<'static, str> {
        "handler".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId | HookUsage::Load | HookUsage::TransformAst
    }

    fn resolve_id_meta(&self) -> Option<PluginHookMeta> {
        Some(PluginHookMeta { order: Some(PluginOrder::Pre) })
    }

    async fn resolve_id(&self, context: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        if args.is_entry {
            return Ok(None);
        }
        if is_elsewhere(args.specifier) {
            return Ok(Some(virtual_module(REFUSED, args.specifier)));
        }
        if let Some(builtin) = self.builtin(args.specifier) {
            // The engine has no `require`: CommonJS gets a module that imports in its stead.
            return Ok(Some(if args.kind == ImportKind::Require {
                virtual_module(FACADE, builtin)
            } else {
                HookResolveIdOutput { external: Some(ResolvedExternal::Bool(true)), ..HookResolveIdOutput::from_id(builtin) }
            }));
        }
        let importer = args.importer.unwrap_or_default();
        let is_own = !importer.contains("/node_modules/");
        if let Some(native) = absent::native(args.specifier, importer)
            && !leads_to_code(context, args).await
        {
            // Of one's own static import it is known that it fails, and where.
            let is_certain = is_own && args.kind == ImportKind::Import;
            return Ok(Some(virtual_module(if is_certain { REFUSED } else { ABSENT }, native)));
        }
        if !is_own && is_nodejs_builtin_module(args.specifier) {
            return Ok(Some(virtual_module(ABSENT, args.specifier)));
        }
        Ok(self.variants.resolve(importer, args.specifier, args.kind).map(|variant| match variant {
            Variant::File(id) => HookResolveIdOutput::from_resolved_id(*id),
            Variant::Global(name) => virtual_module(GLOBAL, name),
            Variant::Nothing(path) => virtual_module(EMPTY, &path.to_string_lossy()),
        }))
    }

    async fn load(&self, _context: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        if args.id.starts_with(REFUSED) {
            anyhow::bail!("refused");
        }
        if args.id.starts_with('/') {
            let path = Path::new(args.id);
            if path.extension().is_some_and(|extension| extension == "css") {
                // rolldown refuses it too, but takes its text for its name.
                self.folder.report(Diagnostic::in_file(&self.folder.name(path), "handlers cannot import style sheets"));
                anyhow::bail!("refused");
            }
            // Read where it is parsed, rather than by another thread.
            let code = self.folder.read_to_string(path)?;
            return Ok(Some(HookLoadOutput { code: code.into(), ..HookLoadOutput::default() }));
        }
        if args.id.starts_with(EMPTY) {
            return Ok(Some(HookLoadOutput { code: "module.exports = {};".into(), ..HookLoadOutput::default() }));
        }
        if let Some(name) = args.id.strip_prefix(GLOBAL) {
            return Ok(Some(HookLoadOutput { code: format!("module.exports = globalThis.{name};").into(), ..HookLoadOutput::default() }));
        }
        if let Some(name) = args.id.strip_prefix(ABSENT) {
            let message = serde_json::Value::from(absent::message(name));
            let code = format!("throw Object.assign(new Error({message}), {{ code: \"MODULE_NOT_FOUND\" }}); module.exports = {{}};");
            return Ok(Some(HookLoadOutput { code: code.into(), ..HookLoadOutput::default() }));
        }
        Ok(args.id.strip_prefix(FACADE).map(|builtin| {
            // A JSON string is a JavaScript string.
            let name = serde_json::Value::from(builtin);
            HookLoadOutput {
                code: format!("import * as m from {name}; module.exports = m.default ?? {{ ...m }};").into(),
                ..HookLoadOutput::default()
            }
        }))
    }

    async fn transform_ast(&self, _context: &PluginContext, mut args: HookTransformAstArgs<'_>) -> HookTransformAstReturn {
        let mut finder = UnknownSyntax { legacy_decorators: self.legacy_decorators, found: Vec::new() };
        finder.visit_program(args.ast.program());
        for (span, message) in finder.found {
            let source = args.ast.source();
            let position = Position::of_byte(source, span.start as usize);
            self.folder.report(Diagnostic::at(args.stable_id, source, position, message));
        }
        if args.id.starts_with('/') {
            places::replace(&mut args.ast, &self.folder.name(Path::new(args.id)));
        }
        Ok(args.ast)
    }
}

/// Finds decorators and auto-accessors that would reach the engine.
struct UnknownSyntax {
    legacy_decorators: bool,
    found: Vec<(Span, &'static str)>,
}

impl<'a> VisitJs<'a> for UnknownSyntax {
    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        if !self.legacy_decorators {
            self.found.push((
                decorator.span,
                "decorators need \"experimentalDecorators\": true under \"compilerOptions\" in tsconfig.json: \
                 the newer kind of decorators is not supported",
            ));
        }
        walk_js::walk_decorator(self, decorator);
    }

    fn visit_accessor_property(&mut self, property: &AccessorProperty<'a>) {
        if property.r#type == AccessorPropertyType::AccessorProperty {
            self.found.push((property.span, "\"accessor\" properties are not supported: write a getter and a setter, or a plain property"));
        }
        walk_js::walk_accessor_property(self, property);
    }
}
