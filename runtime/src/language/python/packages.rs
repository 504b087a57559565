//! The packages that a handler requires: found and fetched by pip (`wheels/`), shown to it as files.

use std::path::{Path, PathBuf};

use mirra_host_sdk::{Diagnostic, HostError, PrepareError};
use mirra_wheels::{Engine, Error, Packages, Requirements, Resolver};
use wasmtime::error::Context;

use super::{LIBRARY_FOLDER, choice, source};
use crate::{
    LongWork,
    files::{self, Files, ROOT},
};

/// What really runs, whatever name the contract has for it. `sys.version` says the same.
const PYTHON_VERSION: &str = "3.14.0";
const PYTHON_VERSION_SCIENTIFIC: &str = "3.15.0";

/// The small engine: it has no packages, and the scientific one has some that are nowhere else.
pub fn of_engine() -> Engine {
    let elsewhere = choice::distributions().map(str::to_owned).collect();
    Engine { elsewhere, ..Engine::python(PYTHON_VERSION) }
}

/// The scientific engine, with the packages that lie in its library.
pub fn of_library(library: &Files) -> Engine {
    let folder = library.find(ROOT, LIBRARY_FOLDER);
    let names = folder.map(|folder| library.names(folder.id)).unwrap_or_default();
    let provided = names.iter().filter_map(|name| name.strip_suffix(".dist-info/")?.rsplit_once('-'));
    let provided = provided.map(|(name, version)| (name.to_owned(), version.to_owned())).collect();
    Engine { provided, ..Engine::python(PYTHON_VERSION_SCIENTIFIC) }
}

pub struct Source {
    resolver: Resolver,
    engine: Engine,
    long_work: LongWork,
}

#[derive(Default)]
pub struct Found {
    /// A tar archive, as `files` reads it. None: nothing is required.
    pub archive: Option<Vec<u8>>,
    pub inputs: Vec<PathBuf>,
    pub notes: Vec<String>,
}

impl Source {
    /// `cache_folder`: where what was found once is kept.
    pub fn open(cache_folder: &Path, long_work: LongWork, engine: Engine) -> wasmtime::Result<Source> {
        let resolver = Resolver::from_env().with_cache(&cache_folder.join("packages")).context("cannot open the cache of packages")?;
        Ok(Source { resolver, engine, long_work })
    }

    /// None: the handler needs what only the other engine has.
    pub async fn of(&self, handler: &source::Source) -> Result<Option<Found>, PrepareError> {
        let requirements = Requirements::of(&handler.root, Path::new(&handler.entry)).map_err(refused)?;
        let inputs = requirements.inputs().map(Path::to_owned).collect();
        if requirements.is_empty() {
            return Ok(Some(Found { inputs, ..Found::default() }));
        }
        let _told = (self.long_work)("finding and fetching Python packages");
        let Packages { files, notes, .. } = match self.resolver.resolve(&requirements, &self.engine, &|_| ()).await {
            Err(Error::Elsewhere(_)) => return Ok(None),
            resolved => resolved.map_err(refused)?,
        };
        let archive = files::pack(files.iter().map(|(path, content)| (path.as_str(), content.as_slice())));
        let archive = archive.map_err(|error| HostError::caused_by("packages could not be stored", error))?;
        Ok(Some(Found { archive: Some(archive), inputs, notes }))
    }
}

fn refused(error: Error) -> PrepareError {
    if !error.is_authors() {
        return HostError::caused_by("a handler's packages could not be had", error).into();
    }
    let place = error.place();
    let (file, line) = (place.map(|place| place.file.clone()), place.map(|place| place.line));
    PrepareError::Rejected(vec![Diagnostic { message: error.to_string(), file, line, ..Diagnostic::default() }])
}
