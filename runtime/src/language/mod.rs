//! The languages that handlers are written in. A language turns a source into a component; everything after that is the same
//! for all.

pub mod component;
mod gather;
pub mod installed;
pub mod node;
pub mod python;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mirra_host_sdk::{BoxFuture, PrepareError};

use crate::{
    engine::snapshot::LoadError,
    files::{Archive, Files},
    handler::Traces,
    settings::SettingsFile,
};

/// What a handler's source becomes before it is compiled.
pub struct Recipe {
    /// Everything the component is made from; hashed with the engine's build, it names the handler.
    pub ingredients: Vec<Vec<u8>>,
    /// Every file that was read, and every folder that was searched: the handler changes when one of these does.
    pub inputs: Vec<PathBuf>,
    pub warnings: Vec<String>,
    /// What the engine loads: code, or the path of a file in `mounts`.
    pub start: String,
    /// For stack traces.
    pub traces: Option<Traces>,
    /// Files that the handler sees, besides those of its language.
    pub mounts: Vec<Mount>,
}

impl Recipe {
    /// All that the handler sees: `common`, and what is its own.
    fn files(&self, common: &Files) -> wasmtime::Result<Files> {
        let mut files = common.clone();
        for mount in &self.mounts {
            files = files.with(&*mount.folder, Arc::new(Archive::open(Box::new(mount.archive.clone()))?));
        }
        Ok(files)
    }
}

/// What reading a source comes to.
pub enum Reading {
    Recipe(Recipe),
    /// The handler is one for the language of this name, as turned out on the way.
    Elsewhere(&'static str),
}

/// An archive (tar), and the folder that it is seen as.
pub struct Mount {
    pub folder: String,
    pub archive: Vec<u8>,
}

/// One language. `LocalExecutor` holds a table of them.
pub trait Language: Send + Sync {
    fn name(&self) -> &'static str;

    /// Names this build of the language's engine.
    fn engine_id(&self) -> &str;

    /// Where a handler's settings are. None: handlers in this language have none.
    fn settings_file(&self) -> Option<SettingsFile> {
        None
    }

    /// Reads the source; nothing is compiled yet. Errors in it are told here, with their place.
    fn read<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, Result<Reading, PrepareError>>;

    /// What handlers start from: their artifacts are kept as differences to it.
    fn base(&self) -> wasmtime::Result<&[u8]> {
        Ok(&[])
    }

    /// The handler's image, and what its top level logged meanwhile.
    fn build<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Built, PrepareError>>;

    /// The component that runs, as wasm, made of an image.
    fn component(&self, image: &[u8]) -> wasmtime::Result<Vec<u8>>;

    /// The component as something any wasmtime can run; one of other origin as it is.
    fn export<'a>(&'a self, recipe: &'a Recipe) -> BoxFuture<'a, Result<Vec<u8>, PrepareError>>;

    /// Files that every handler in this language sees besides its own.
    fn files(&self) -> Files {
        Files::default()
    }
}

pub struct Built {
    pub image: Vec<u8>,
    pub logs: Vec<String>,
}

/// What a person reads when the top level of their module does not come to its end.
/// `map` leads from positions in what was loaded to those in the source.
fn explain(error: LoadError, map: impl FnOnce(&str) -> String) -> String {
    match error {
        LoadError::Thrown { name, message, stack } => {
            let stack = map(&stack);
            let separator = if name.is_empty() { "" } else { ": " };
            let newline = if stack.is_empty() { "" } else { "\n" };
            format!("the handler's top level failed: {name}{separator}{message}{newline}{stack}")
        }
        LoadError::NeverSettles => "the handler's top level awaits something that never comes".to_owned(),
        LoadError::NoHandler { message } => message,
        LoadError::TooSlow(limits) => {
            let seconds = limits.time_max.as_secs();
            format!("the handler's top level did not end within {seconds} s; what takes long belongs into the handler function")
        }
        LoadError::TooBig(limits) => {
            let megabytes = limits.memory_bytes_max >> 20;
            format!("the handler's top level needs more than {megabytes} MB of memory; what is large belongs into the handler function")
        }
        LoadError::StackOverflow => "the handler's top level calls itself too deeply: the stack overflowed".to_owned(),
    }
}
