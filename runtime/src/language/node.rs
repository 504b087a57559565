//! TypeScript and JavaScript: bundled into one module, evaluated on top of the base image.

use std::{path::Path, sync::Arc};

use mirra_bundler::{BundleError, Bundler, Request};
use mirra_host_sdk::{BoxFuture, Diagnostic, HostError, PrepareError};
use wasmtime::Engine;

use super::{Built, Language, Recipe};
use crate::{
    engine::{
        command,
        shared::{Prebuilt, SharedEngine},
        snapshot::{self, LOAD_MEMORY_BYTES_MAX, LOAD_TIME_MAX, LoadError, Loaded},
        thin,
    },
    handler::Traces,
    stack,
};

/// QuickJS with the layer: `guest-sdk/node`.
pub static PREBUILT: Prebuilt = Prebuilt {
    name: "node",
    guest: include_bytes!("../../../guest-sdk/node/prebuilt/engine.wasm.zst"),
    glue: include_bytes!("../../../guest-sdk/node/prebuilt/glue.wasm"),
};

pub struct Node {
    pub wasmtime: Engine,
    pub engine: Arc<SharedEngine>,
    pub bundler: Bundler,
}

impl Language for Node {
    fn name(&self) -> &'static str {
        "node"
    }

    fn accepts(&self, path: &Path) -> bool {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        path.is_dir() || mirra_bundler::EXTENSIONS.contains(&extension)
    }

    fn engine_id(&self) -> &str {
        &self.engine.id
    }

    fn read<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Result<Recipe, PrepareError>> {
        Box::pin(async move {
            let request = Request { path: path.to_owned(), builtins: Vec::new() };
            let bundle = self.bundler.bundle(&request).await.map_err(rejected)?;
            let traces = Traces { code: bundle.code, source_map: bundle.source_map };
            Ok(Recipe {
                ingredients: vec![traces.code.clone().into_bytes(), traces.source_map.clone().into_bytes()],
                inputs: bundle.inputs,
                warnings: bundle.warnings,
                traces: Some(traces),
            })
        })
    }

    fn build<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Built, PrepareError>> {
        Box::pin(async move {
            let Loaded { image, logs } = self.load(recipe).await?;
            let component = thin::thin_component(self.engine.glue, &image).map_err(internal)?;
            Ok(Built { component, logs: logs.into_iter().map(|entry| entry.message).collect() })
        })
    }

    fn export<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Vec<u8>, PrepareError>> {
        Box::pin(async move {
            let loaded = self.load(recipe).await?;
            let code = self.engine.code().map_err(internal)?;
            let handler = thin::self_contained_component(self.engine.glue, &loaded.image, &code).map_err(internal)?;
            command::around(&handler).map_err(internal)
        })
    }
}

impl Node {
    async fn load(&self, recipe: &Recipe) -> Result<Loaded, PrepareError> {
        let traces = recipe.traces.as_ref().ok_or_else(|| PrepareError::rejected("nothing was bundled"))?;
        let base = self.engine.base().map_err(internal)?;
        let loaded = snapshot::load(&self.wasmtime, &self.engine.module, base, &traces.code).await.map_err(internal)?;
        loaded.map_err(|error| PrepareError::rejected(explain(error, traces)))
    }
}

/// What a person reads when the top level of their module does not come to its end.
fn explain(error: LoadError, traces: &Traces) -> String {
    match error {
        LoadError::Thrown { name, message, stack } => {
            let stack = stack::map_stack(&stack, &traces.code, &traces.source_map);
            let separator = if name.is_empty() { "" } else { ": " };
            let newline = if stack.is_empty() { "" } else { "\n" };
            format!("the handler's top level failed: {name}{separator}{message}{newline}{stack}")
        }
        LoadError::NeverSettles => "the handler's top level awaits something that never comes".to_owned(),
        LoadError::NoHandler { message } => message,
        LoadError::TooSlow => {
            let seconds = LOAD_TIME_MAX.as_secs();
            format!("the handler's top level did not end within {seconds} s; what takes long belongs into the handler function")
        }
        LoadError::TooBig => {
            let megabytes = LOAD_MEMORY_BYTES_MAX >> 20;
            format!("the handler's top level needs more than {megabytes} MB of memory; what is large belongs into the handler function")
        }
        LoadError::StackOverflow => "the handler's top level calls itself too deeply: the stack overflowed".to_owned(),
    }
}

fn rejected(error: BundleError) -> PrepareError {
    match error {
        BundleError::Rejected { diagnostics } => PrepareError::Rejected(
            diagnostics
                .into_iter()
                .map(|d| Diagnostic { message: d.message, file: d.file, line: d.line, column: d.column, frame: d.frame })
                .collect(),
        ),
        BundleError::Internal(message) => HostError::caused_by("the bundler failed", message).into(),
    }
}

fn internal(error: wasmtime::Error) -> PrepareError {
    HostError::caused_by("the handler could not be built", error).into()
}
