//! Python: a handler's files as they are, imported on top of the base image by CPython itself.

mod choice;
mod packages;
mod scientific;
mod source;

use std::{path::Path, sync::Arc};

use mirra_host_sdk::{BoxFuture, Diagnostic, HostError, PrepareError};
use wasmtime::{Result, error::Context};

use super::{Built, Language, Mount, Reading, Recipe, explain};
use crate::{
    engine::{
        cache::Cache,
        command,
        shared::{Prebuilt, SharedEngine},
        snapshot::{LoadError, Loaded},
        thin,
    },
    files::{Archive, Files},
    settings::{self, SettingsFile},
};

pub use choice::wants_scientific;
pub use packages::{Source as Packages, of_engine as packages_of_engine, of_library as packages_of_library};
pub use scientific::{Origin, SCIENTIFIC, SCIENTIFIC_LIMITS};
pub use source::accepts;

/// CPython with the engine's own modules in it: `guest-sdk/python`.
pub const GUEST: Prebuilt = Prebuilt { name: "python", module: include_bytes!("../../../../guest-sdk/python/prebuilt/engine.wasm.zst") };

/// The component around a handler's image, the same for both engines.
pub static GLUE: &[u8] = include_bytes!("../../../../guest-sdk/python/prebuilt/glue.wasm");

/// The standard library, compiled, as a tar archive.
static LIBRARY: &[u8] = include_bytes!("../../../../guest-sdk/python/prebuilt/library.tar.zst");

/// Folders of the tree that a handler sees; the engine knows them by these names (`load.py`).
const LIBRARY_FOLDER: &str = "python";
const HANDLER_FOLDER: &str = "handler";
const PACKAGES_FOLDER: &str = "packages";

/// Either engine.
pub struct Python {
    pub name: &'static str,
    pub engine: Arc<SharedEngine>,
    /// The library, which every handler has.
    pub library: Files,
    pub packages: Packages,
}

/// The library's archive from the cache, where it lies unpacked: it is read in place.
pub fn library(cache: &Cache) -> Result<Files> {
    let entry = cache.library("python", LIBRARY)?;
    let archive = Archive::open(Box::new(entry.map().context("cannot map the Python library")?))?;
    Ok(Files::default().with(LIBRARY_FOLDER, Arc::new(archive)))
}

impl Language for Python {
    fn name(&self) -> &'static str {
        self.name
    }

    fn engine_id(&self) -> &str {
        &self.engine.id
    }

    fn settings_file(&self) -> Option<SettingsFile> {
        Some(settings::PYPROJECT_TOML)
    }

    fn read<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Result<Reading, PrepareError>> {
        Box::pin(async move {
            let path = path.to_owned();
            let gathered = tokio::task::spawn_blocking(move || source::gather(&path)).await;
            let source = gathered.map_err(|error| HostError::caused_by("a handler's files could not be read", error))??;
            let Some(packages) = self.packages.of(&source).await? else { return Ok(Reading::Elsewhere(SCIENTIFIC)) };
            let mut mounts = vec![Mount { folder: HANDLER_FOLDER.to_owned(), archive: source.pack().map_err(internal)? }];
            mounts.extend(packages.archive.map(|archive| Mount { folder: PACKAGES_FOLDER.to_owned(), archive }));
            let archives = mounts.iter().map(|mount| mount.archive.clone());
            Ok(Reading::Recipe(Recipe {
                ingredients: std::iter::once(source.entry.clone().into_bytes()).chain(archives).collect(),
                inputs: [source.inputs, packages.inputs].concat(),
                warnings: packages.notes,
                start: format!("/{HANDLER_FOLDER}/{}", source.entry),
                traces: None,
                mounts,
            }))
        })
    }

    fn build<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Built, PrepareError>> {
        Box::pin(async move {
            let files = recipe.files(&self.library).map_err(internal)?;
            let Loaded { image, logs } = self.load(recipe, files).await?;
            Ok(Built { image, logs: logs.into_iter().map(|entry| entry.message).collect() })
        })
    }

    fn base(&self) -> wasmtime::Result<&[u8]> {
        self.engine.base()
    }

    fn component(&self, image: &[u8]) -> wasmtime::Result<Vec<u8>> {
        thin::thin_component(self.engine.glue, image)
    }

    fn export<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Vec<u8>, PrepareError>> {
        Box::pin(async move {
            let files = recipe.files(&self.library).map_err(internal)?;
            let loaded = self.load(recipe, files.clone()).await?;
            let code = self.engine.code().await.map_err(internal)?;
            let handler = thin::self_contained_component(self.engine.glue, &loaded.image, &code).map_err(internal)?;
            command::around(&handler, &files).map_err(internal)
        })
    }

    fn files(&self) -> Files {
        self.library.clone()
    }
}

impl Python {
    async fn load(&self, recipe: &Recipe, files: Files) -> Result<Loaded, PrepareError> {
        self.engine.load(&recipe.start, files).await.map_err(internal)?.map_err(rejected)
    }
}

/// What a person reads when their module does not come to its end. A syntax error knows its place.
fn rejected(error: LoadError) -> PrepareError {
    let place = match &error {
        LoadError::Thrown { name, message, stack } if name.ends_with("SyntaxError") || name.ends_with("IndentationError") => {
            place_of(stack).map(|(file, line)| (file, line, format!("{name}: {message}"), frame_of(stack)))
        }
        _ => None,
    };
    match place {
        Some((file, line, message, frame)) => {
            PrepareError::Rejected(vec![Diagnostic { message, file: Some(file), line: Some(line), frame, ..Diagnostic::default() }])
        }
        None => PrepareError::rejected(explain(error, |stack| stack.to_owned())),
    }
}

/// File and line of the first frame: `  File "handler.py", line 3`.
fn place_of(stack: &str) -> Option<(String, u32)> {
    let (file, rest) = stack.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    let line = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((file.to_owned(), line))
}

/// The source text that stands below it.
fn frame_of(stack: &str) -> Option<String> {
    let lines: Vec<&str> = stack.lines().skip(1).take_while(|line| line.starts_with("    ")).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn internal(error: wasmtime::Error) -> PrepareError {
    HostError::caused_by("the handler could not be built", error).into()
}
