//! Which variant of a package is taken, where it has one for Node and one for browsers: Node's, as handlers move over from there.

use std::path::PathBuf;

use rolldown::{Platform, ResolveOptions, TsConfig};
use rolldown_common::{ImportKind, ResolvedId};
use rolldown_resolver::{ResolveError, Resolver};

use crate::{absent::package, folder::Folder};

/// Packages whose variant for Node needs what there cannot be, and whose variant for browsers does not:
/// - cheerio: Node's brings undici, to open sockets in `fromURL`, and is four times as large.
const FOR_BROWSERS: [&str; 1] = ["cheerio"];

/// What a package imports, and the global that does as well for it. form-data is from before Node had a FormData, which axios knows
/// to send, too; and brings a table of all media types, half of what a handler with axios would be.
const GLOBALS: [(&str, &str, &str); 1] = [("axios", "form-data", "FormData")];

/// What variants for Node import first of all. For an engine that does not have it, all packages come as for browsers.
const NEEDED: &str = "node:http";

/// Where an import of an exception leads.
pub enum Variant {
    /// To what is global under this name.
    Global(&'static str),
    File(Box<ResolvedId>),
    /// The variant leaves this file out.
    Nothing(PathBuf),
}

#[derive(Debug)]
pub struct Variants(Option<Resolver<Folder>>);

impl Variants {
    /// The resolver of a handler's imports, and that of packages which are an exception.
    pub fn of(folder: &Folder, builtins: &[String]) -> (Resolver<Folder>, Self) {
        if builtins.iter().any(|builtin| builtin == NEEDED) {
            (for_node(folder), Self(Some(for_browsers(folder))))
        } else {
            (for_browsers(folder), Self(None))
        }
    }

    /// Where an import leads that concerns an exception; none leaves it to the resolver.
    pub fn resolve(&self, importer: &str, specifier: &str, kind: ImportKind) -> Option<Variant> {
        let importing = importer.rsplit_once("node_modules/").map_or("", |(_, rest)| package(rest));
        if let Some((.., name)) = GLOBALS.iter().find(|(by, what, _)| *by == importing && *what == specifier) {
            return Some(Variant::Global(name));
        }
        let concerned = if specifier.starts_with(['.', '#']) { importing } else { package(specifier) };
        let resolver = self.0.as_ref().filter(|_| FOR_BROWSERS.contains(&concerned))?;
        match resolver.resolve(Some(importer.as_ref()), specifier, kind, false) {
            Ok(found) => Some(Variant::File(Box::new(found.into()))),
            Err(ResolveError::Ignored(path)) => Some(Variant::Nothing(path)),
            Err(_) => None,
        }
    }
}

/// `main` before `module`, as in Node: a package that requires another one gets what that has for those who require it.
fn for_node(folder: &Folder) -> Resolver<Folder> {
    let main_fields = names(&["main", "module"]);
    let options = ResolveOptions { condition_names: names(&["node", "module"]), main_fields, ..ResolveOptions::default() };
    resolver(folder, Platform::Neutral, options)
}

fn for_browsers(folder: &Folder) -> Resolver<Folder> {
    let options = ResolveOptions { condition_names: names(&["module"]), ..ResolveOptions::default() };
    resolver(folder, Platform::Browser, options)
}

fn resolver(folder: &Folder, platform: Platform, options: ResolveOptions) -> Resolver<Folder> {
    Resolver::new(folder.clone(), folder.root().to_path_buf(), platform, &TsConfig::Auto(true), options)
}

fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(ToString::to_string).collect())
}
