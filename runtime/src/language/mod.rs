//! The languages that handlers are written in. A language turns a source into a component; everything after that is the same
//! for all.

pub mod component;
pub mod node;

use std::path::{Path, PathBuf};

use mirra_host_sdk::{BoxFuture, PrepareError};

use crate::handler::Traces;

/// What a handler's source becomes before it is compiled.
pub struct Recipe {
    /// Everything the component is made from; hashed with the engine's build, it names the handler.
    pub ingredients: Vec<Vec<u8>>,
    /// Every file that was read: the handler changes when one of these does.
    pub inputs: Vec<PathBuf>,
    pub warnings: Vec<String>,
    /// For stack traces.
    pub traces: Option<Traces>,
}

/// One language. `LocalExecutor` holds a table of them and takes the first that accepts a source.
pub trait Language: Send + Sync {
    fn name(&self) -> &'static str;

    fn accepts(&self, path: &Path) -> bool;

    /// Names this build of the language's engine.
    fn engine_id(&self) -> &str;

    /// Reads the source; nothing is compiled yet. Errors in it are told here, with their place.
    fn read<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Result<Recipe, PrepareError>>;

    /// The component that runs, as wasm, and what the handler's top level logged meanwhile.
    fn build<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Built, PrepareError>>;

    /// The component as something any wasmtime can run; one of other origin as it is.
    fn export<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Vec<u8>, PrepareError>>;
}

pub struct Built {
    pub component: Vec<u8>,
    pub logs: Vec<String>,
}
