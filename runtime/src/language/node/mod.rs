//! TypeScript and JavaScript: bundled into one module, evaluated on top of the base image.

mod own;
mod packages;

use std::{path::Path, sync::Arc};

use mirra_bundler::{BundleError, Bundler, Request};
use mirra_host_sdk::{BoxFuture, Diagnostic, HostError, PrepareError};
use wasmtime::format_err;

use super::{Built, Language, Reading, Recipe, explain};
use crate::{
    engine::{
        cache::Cache,
        command,
        shared::{Prebuilt, SharedEngine},
        snapshot::Loaded,
        thin,
    },
    files::{Archive, Files},
    handler::Traces,
    settings::{self, SettingsFile},
    stack,
};

/// QuickJS with the layer: `guest-sdk/node`.
pub const GUEST: Prebuilt = Prebuilt { name: "node", module: include_bytes!("../../../../guest-sdk/node/prebuilt/engine.wasm.zst") };

/// Node's modules that the layer has, one name a line: the engine's own word, written when it was built.
const BUILTINS: &str = include_str!("../../../../guest-sdk/node/prebuilt/builtins.txt");

/// The component around a handler's image.
pub static GLUE: &[u8] = include_bytes!("../../../../guest-sdk/node/prebuilt/glue.wasm");

pub use packages::Packages;

/// What Intl knows of languages and time zones, as a tar archive.
static INTL: &[u8] = include_bytes!("../../../../guest-sdk/node/prebuilt/intl.tar.zst");

/// The folder that the layer knows it by (`layer/src/intl/data.mjs`).
const INTL_FOLDER: &str = "intl";

/// Words of JavaScript without which nothing of Intl is ever asked for.
const WORDS_OF_INTL: [&str; 3] = ["Intl", "toLocale", "localeCompare"];

pub struct Node {
    pub engine: Arc<SharedEngine>,
    pub bundler: Bundler,
    pub packages: Packages,
    /// What every handler sees of files.
    pub files: Files,
}

/// Unpacked into the cache and opened when the first handler formats something.
pub fn files(cache: Arc<Cache>) -> Files {
    Files::default().with_later(INTL_FOLDER, move || {
        let archive = cache.library("intl", INTL).and_then(|entry| Archive::open(Box::new(entry.map()?)));
        Arc::new(archive.unwrap_or_else(|error| {
            tracing::error!(%error, "the data of Intl cannot be read");
            Archive::empty()
        }))
    })
}

/// A folder is taken for one of JavaScript where nothing says otherwise.
pub fn accepts(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    path.is_dir() || mirra_bundler::EXTENSIONS.contains(&extension)
}

impl Language for Node {
    fn name(&self) -> &'static str {
        "node"
    }

    fn engine_id(&self) -> &str {
        &self.engine.id
    }

    fn settings_file(&self) -> Option<SettingsFile> {
        Some(settings::PACKAGE_JSON)
    }

    fn read<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Result<Reading, PrepareError>> {
        Box::pin(async move {
            let packages = self.packages.of(path).await?;
            let builtins = BUILTINS.lines().map(|name| format!("node:{name}")).collect();
            let request = Request { path: path.to_owned(), packages: packages.folder.clone(), builtins };
            let bundle = self.bundler.bundle(&request).await.map_err(|error| rejected(error, &packages))?;
            let own = own::files(path).await?;
            let traces = Traces { code: bundle.code, source_map: bundle.source_map };
            let mut ingredients = vec![traces.code.clone().into_bytes(), traces.source_map.clone().into_bytes()];
            ingredients.extend(own.mount.iter().map(|mount| mount.archive.clone()));
            Ok(Reading::Recipe(Recipe {
                ingredients,
                inputs: [bundle.inputs, packages.inputs, own.inputs].concat(),
                warnings: bundle.warnings,
                start: traces.code.clone(),
                traces: Some(traces),
                mounts: own.mount.into_iter().collect(),
            }))
        })
    }

    fn build<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Built, PrepareError>> {
        Box::pin(async move {
            let files = recipe.files(&self.files()).map_err(internal)?;
            let Loaded { image, logs } = self.load(recipe, files).await?;
            Ok(Built { image, logs: logs.into_iter().map(|entry| entry.message).collect() })
        })
    }

    fn files(&self) -> Files {
        self.files.clone()
    }

    fn base(&self) -> wasmtime::Result<&[u8]> {
        self.engine.base()
    }

    fn component(&self, image: &[u8]) -> wasmtime::Result<Vec<u8>> {
        thin::thin_component(self.engine.glue, image)
    }

    fn export<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Vec<u8>, PrepareError>> {
        Box::pin(async move {
            let is_of_use = WORDS_OF_INTL.iter().any(|word| recipe.start.contains(word));
            let common = if is_of_use { self.files() } else { Files::default() };
            let files = recipe.files(&common).map_err(internal)?;
            let loaded = self.load(recipe, files.clone()).await?;
            let code = self.engine.code().await.map_err(internal)?;
            // Other hosts have no wide arithmetic.
            let code = mirra_linker::wide::narrow(&code).map_err(|error| internal(format_err!("{error:#}")))?;
            let handler = thin::self_contained_component(self.engine.glue, &loaded.image, &code).map_err(internal)?;
            command::around(&handler, &files).map_err(internal)
        })
    }
}

impl Node {
    async fn load(&self, recipe: &Recipe, files: Files) -> Result<Loaded, PrepareError> {
        let traces = recipe.traces.as_ref().ok_or_else(|| PrepareError::rejected("nothing was bundled"))?;
        let loaded = self.engine.load(&recipe.start, files).await.map_err(internal)?;
        loaded.map_err(|error| PrepareError::rejected(explain(error, |stack| stack::map_stack(stack, &traces.code, &traces.source_map))))
    }
}

fn rejected(error: BundleError, packages: &packages::Found) -> PrepareError {
    let problem = |d: mirra_bundler::Diagnostic| {
        let mut problem = Diagnostic { message: d.message, file: d.file, line: d.line, column: d.column, frame: d.frame };
        packages.explain(&mut problem);
        problem
    };
    match error {
        BundleError::Rejected { diagnostics } => PrepareError::Rejected(diagnostics.into_iter().map(problem).collect()),
        BundleError::Internal(message) => HostError::caused_by("the bundler failed", message).into(),
    }
}

fn internal(error: wasmtime::Error) -> PrepareError {
    HostError::caused_by("the handler could not be built", error).into()
}
