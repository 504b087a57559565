//! The packages that a handler requires: found and fetched by pip (`wheels/`), shown to it as files.

use std::{io, path::Path, path::PathBuf};

use mirra_host_sdk::{Diagnostic, HostError, PrepareError};
use mirra_wheels::{Engine, Error, Packages, Requirements, Resolver};

use super::source;
use crate::{LongWork, files};

/// What really runs, whatever name the contract has for it. `sys.version` says the same.
const PYTHON_VERSION: &str = "3.14.0";

pub struct Source {
    resolver: Resolver,
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
    pub fn open(cache_folder: &Path, long_work: LongWork) -> io::Result<Source> {
        Ok(Source { resolver: Resolver::from_env().with_cache(&cache_folder.join("packages"))?, long_work })
    }

    pub async fn of(&self, handler: &source::Source) -> Result<Found, PrepareError> {
        let requirements = Requirements::of(&handler.root, Path::new(&handler.entry)).map_err(refused)?;
        let inputs = requirements.inputs().map(Path::to_owned).collect();
        if requirements.is_empty() {
            return Ok(Found { inputs, ..Found::default() });
        }
        let _told = (self.long_work)("finding and fetching Python packages");
        let resolved = self.resolver.resolve(&requirements, &Engine::python(PYTHON_VERSION), &|_| ()).await;
        let Packages { files, notes, .. } = resolved.map_err(refused)?;
        let archive = files::pack(files.iter().map(|(path, content)| (path.as_str(), content.as_slice())));
        let archive = archive.map_err(|error| HostError::caused_by("packages could not be stored", error))?;
        Ok(Found { archive: Some(archive), inputs, notes })
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
