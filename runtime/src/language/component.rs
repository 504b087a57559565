//! Components of other origin, in any language that can target the WIT world `function`, and handlers that `mirra build` made
//! into components.

use std::path::Path;

use mirra_host_sdk::{BoxFuture, Diagnostic, PrepareError};

use super::{Built, Language, Mount, Reading, Recipe};
use crate::{
    engine::{command, shared::build_id},
    files,
};

pub struct Component {
    /// Names what compiles components: compiled code of another wasmtime is not taken for this one's.
    engine_id: String,
}

impl Component {
    pub fn new(wasmtime: &wasmtime::Engine) -> Component {
        let engine_id = build_id(wasmtime, |hash| {
            hash.update(include_str!("../engine/command.rs").as_bytes());
        });
        Component { engine_id }
    }
}

/// As much as source code may have, and as much again for what `mirra build` puts around it: Python and its library have 30 MB.
const COMPONENT_BYTES_MAX: u64 = 100 << 20;

pub fn accepts(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
}

impl Language for Component {
    fn name(&self) -> &'static str {
        "component"
    }

    fn engine_id(&self) -> &str {
        &self.engine_id
    }

    fn read<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Result<Reading, PrepareError>> {
        Box::pin(async move {
            let rejected = |message: String| {
                let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
                PrepareError::Rejected(vec![Diagnostic { message, file, ..Diagnostic::default() }])
            };
            let size = tokio::fs::metadata(path).await.map_err(|error| rejected(format!("cannot be read: {error}")))?.len();
            if size > COMPONENT_BYTES_MAX {
                return Err(rejected(format!("has {size} bytes, and a component may have {COMPONENT_BYTES_MAX}")));
            }
            let wasm = tokio::fs::read(path).await.map_err(|error| rejected(format!("cannot be read: {error}")))?;
            if !wasmparser::Parser::is_component(&wasm) {
                let what = if wasmparser::Parser::is_core_wasm(&wasm) { "a core wasm module" } else { "not wasm" };
                return Err(rejected(format!("is {what}; mirra runs components of the world mirra:function/function (see wit/)")));
            }
            let mounts = mounts(&wasm).map_err(|error| rejected(format!("holds files that cannot be read: {error:#}")))?;
            Ok(Reading::Recipe(Recipe {
                ingredients: vec![wasm],
                inputs: vec![path.to_owned()],
                warnings: Vec::new(),
                start: String::new(),
                traces: None,
                mounts,
            }))
        })
    }

    fn build<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Built, PrepareError>> {
        Box::pin(async move {
            let file = recipe.ingredients.concat();
            let image = command::handler_in(&file).map(<[u8]>::to_vec).unwrap_or(file);
            Ok(Built { image, logs: Vec::new() })
        })
    }

    /// It is its own image.
    fn component(&self, image: &[u8]) -> wasmtime::Result<Vec<u8>> {
        Ok(image.to_vec())
    }

    fn export<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Vec<u8>, PrepareError>> {
        Box::pin(async move { Ok(recipe.ingredients.concat()) })
    }
}

fn mounts(component: &[u8]) -> wasmtime::Result<Vec<Mount>> {
    let archive = command::handler_in(component).and_then(|_| command::archive_in(component));
    let archives = archive.map(files::unpack).transpose()?.unwrap_or_default();
    Ok(archives.into_iter().map(|(folder, archive)| Mount { folder, archive }).collect())
}
