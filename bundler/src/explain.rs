//! rolldown's diagnostics in the words of a handler's author.

use std::path::Path;

use nodejs_built_in_modules::is_nodejs_builtin_module;
use rolldown_error::{BuildDiagnostic, DiagnosableResolveError, DiagnosticOptions, EventKind};
use rolldown_resolver::ResolveError;
use serde_json::Value;

use crate::{
    Diagnostic, absent,
    diagnostic::Position,
    folder::{Folder, normalize},
    plugin::REFUSED,
};

/// Whether a warning of rolldown's means that the handler will not work.
pub(crate) fn is_fatal(warning: &BuildDiagnostic) -> bool {
    match warning.kind() {
        EventKind::UnresolvedImport => true,
        // Packages probe what another one offers (`React.useId`); in one's own code it is a slip.
        EventKind::ImportIsUndefined => !is_in_package(warning),
        _ => false,
    }
}

/// A warning as a line of text, unless it concerns a package, which its user cannot change.
pub(crate) fn warning(warning: BuildDiagnostic, folder: &Folder) -> Option<String> {
    if is_in_package(&warning) {
        return None;
    }
    let explained = explain(warning, folder);
    Some(Diagnostic { frame: None, ..explained }.to_string())
}

fn is_in_package(diagnostic: &BuildDiagnostic) -> bool {
    let file = diagnostic.id().unwrap_or_default();
    Path::new(&file).components().any(|part| part.as_os_str() == "node_modules")
}

pub(crate) fn explain(mut diagnostic: BuildDiagnostic, folder: &Folder) -> Diagnostic {
    let message = message(&mut diagnostic, folder);
    let place = diagnostic.to_diagnostic_with(&options(folder)).get_primary_location();
    match place {
        Some((file, line, column, _)) => {
            let file = folder.name(Path::new(&file));
            let source = folder.source(&file).unwrap_or_default();
            let position =
                Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column + 1).unwrap_or(u32::MAX) };
            Diagnostic::at(&file, &source, position, message)
        }
        None => match diagnostic.id().filter(|id| Path::new(id).starts_with(folder.root())) {
            Some(id) => Diagnostic::in_file(&folder.name(Path::new(&id)), message),
            None => Diagnostic::new(message),
        },
    }
}

/// Files are named as their author knows them, and nobody learns where the folder lies.
fn without_root(text: &str, folder: &Folder) -> String {
    text.replace(&format!("{}/", folder.root().display()), "")
}

fn options(folder: &Folder) -> DiagnosticOptions {
    DiagnosticOptions { cwd: folder.root().to_path_buf() }
}

fn message(diagnostic: &mut BuildDiagnostic, folder: &Folder) -> String {
    let importer = diagnostic.id().unwrap_or_default();
    let specifier = diagnostic.exporter().unwrap_or_default();
    let text = diagnostic.to_message_with(&options(folder));
    let plain = without_root(without_importer(&text), folder);
    match diagnostic.kind() {
        EventKind::UnresolvedImport => unresolved(&specifier, Path::new(&importer), folder),
        EventKind::ResolveError => {
            let reason = diagnostic.downcast_mut().map(|e: &mut DiagnosableResolveError| e.reason.clone());
            format!("cannot import \"{specifier}\": {}", reason.unwrap_or_default())
        }
        EventKind::MissingExportError if importer.ends_with("ts") => {
            format!("{plain}: if it is a type, write `import type` or `export type`")
        }
        EventKind::UnloadableDependencyError => refused_specifier(&text, &importer).map_or(plain, elsewhere),
        _ => plain,
    }
}

/// rolldown's message up to where it says which file imports, which the place says too.
fn without_importer(text: &str) -> &str {
    let end = [", imported by", " (imported by"].iter().filter_map(|words| text.find(words)).min();
    &text[..end.unwrap_or(text.len())]
}

/// The specifier from rolldown's "Could not load <id> (imported by <importer>) - …" for an id the plugin refused, whose
/// zero byte it spells out.
fn refused_specifier<'t>(text: &'t str, importer: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(REFUSED.trim_start_matches('\0'))?;
    let (specifier, _) = rest.rsplit_once(&format!(" (imported by {importer})"))?;
    Some(specifier)
}

fn elsewhere(specifier: &str) -> String {
    if absent::native(specifier, "").is_some() {
        return absent::message(specifier);
    }
    format!("cannot import \"{specifier}\": only packages and files in the handler's folder can be imported")
}

fn unresolved(specifier: &str, importer: &Path, folder: &Folder) -> String {
    if is_nodejs_builtin_module(specifier) {
        return absent::message(specifier);
    }
    let from = importer.parent().unwrap_or(folder.root());
    if specifier.starts_with('.') {
        let target = normalize(&from.join(specifier));
        return if !target.starts_with(folder.root()) || folder.leads_outside(&target) {
            outside(specifier)
        } else if let Some(package) = package_to_compile(importer, folder) {
            absent::message(package)
        } else {
            format!("cannot find \"{specifier}\"")
        };
    }
    let folder_of = |package: &str| folder.root().join("node_modules").join(package);
    match package(specifier) {
        Some(package) if folder.leads_outside(&folder_of(package)) => outside(specifier),
        Some(package) if folder.is_file(&folder_of(package).join("package.json")) => {
            format!("cannot find \"{specifier}\": the package \"{package}\" has no such file")
        }
        Some(package) => format!("cannot find \"{specifier}\": {}", remedy(package, folder)),
        None => format!("cannot find \"{specifier}\""),
    }
}

/// The package that a file is of, if its native part has yet to be compiled.
fn package_to_compile<'p>(importer: &'p Path, folder: &Folder) -> Option<&'p str> {
    let (above, rest) = importer.to_str()?.rsplit_once("node_modules/")?;
    let package = package(rest)?;
    folder.is_file(Path::new(&format!("{above}node_modules/{package}/binding.gyp"))).then_some(package)
}

/// How a package that is not there gets there, by what package.json says of it.
fn remedy(package: &str, folder: &Folder) -> String {
    let manifest: Value = folder.source("package.json").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let is_in = |field: &str| manifest.get(field).and_then(|required| required.get(package)).is_some();
    if is_in("dependencies") || is_in("optionalDependencies") {
        return "package.json requires it: run `npm install` in the handler's folder, and keep the lock file that it writes".to_owned();
    }
    if is_in("devDependencies") {
        return "package.json requires it for development alone: move it from devDependencies to dependencies".to_owned();
    }
    format!("run `npm install {package}` in the handler's folder")
}

fn outside(specifier: &str) -> String {
    format!("cannot import \"{specifier}\": it is outside the handler's folder")
}

/// The package a specifier names, if npm could have one of that name.
fn package(specifier: &str) -> Option<&str> {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    let name = &specifier[..end];
    let bare = name.strip_prefix('@').unwrap_or(name);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '/');
    let complete = name.matches('/').count() + 1 == parts && !bare.starts_with(['.', '-', '/']);
    (complete && !bare.is_empty() && bare.chars().all(allowed)).then_some(name)
}

pub(crate) fn explain_tsconfig(error: ResolveError, folder: &Folder) -> Diagnostic {
    match &error {
        ResolveError::TsconfigNotFound(path) => {
            let path = options(folder).stabilize_path(path);
            Diagnostic::new(format!("a tsconfig.json refers to \"{path}\", which is not in the handler's folder"))
        }
        ResolveError::TsconfigLoadFailed { path, source } => match source.as_ref() {
            ResolveError::Json(json) => {
                let file = folder.name(path);
                let text = folder.source(&file).unwrap_or_default();
                let position =
                    Position { line: u32::try_from(json.line).unwrap_or(1).max(1), column: u32::try_from(json.column).unwrap_or(1).max(1) };
                Diagnostic::at(&file, &text, position, &json.message)
            }
            other => Diagnostic::in_file(&folder.name(path), other.to_string()),
        },
        other => Diagnostic::new(without_root(&other.to_string(), folder)),
    }
}
