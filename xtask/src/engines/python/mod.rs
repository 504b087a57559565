//! The Python engine: `guest-sdk/python`.
//!
//! componentize-py makes a component of CPython with the engine's own modules in it, and that is linked into one core module with
//! what stands under its C library. The standard library is compiled by the engine itself, run by Node.

mod compare;
mod component;
mod componentize;
mod library;
mod link;
mod module;
mod optimise;
mod wasi;

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{Artifact, Engine, toolchain::Toolchain};
use crate::target_dir;

pub const ENGINE: Engine = Engine {
    name: "python",
    prebuilt: "guest-sdk/python/prebuilt",
    sources: &[
        "guest-sdk/python/componentize",
        "guest-sdk/python/engine",
        "guest-sdk/python/glue.wat",
        "guest-sdk/python/library",
        "guest-sdk/python/wasi",
        "guest-sdk/python/wit",
        "wit",
        "xtask/src/engines/python",
    ],
    // Which componentize-py it is, stands among the sources.
    tools: |_| Ok(vec![optimise::VERSION.to_owned()]),
    build,
    compare: compare::compare,
};

fn build(root: &Path, toolchain: &Toolchain) -> Result<Vec<Artifact>> {
    let folder = target_dir(root).join("engines/python");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let componentize = componentize::Componentize::install(root, &folder)?;
    let component = componentize.run()?;
    let behind = link::Behind::of(&component)?;
    let wasi = wasi::build(root, &folder, toolchain, &behind)?;
    let engine = optimise::optimise(&folder, &link::link(&component, &wasi)?)?;
    let library = library::compile(root, &folder, &engine, &componentize.library()?)?;
    let glue = wat::parse_file(root.join("guest-sdk/python/glue.wat"))?;
    Ok(vec![
        Artifact { name: "engine.wasm.zst", bytes: engine },
        Artifact { name: "library.tar.zst", bytes: library },
        Artifact { name: "glue.wasm", bytes: glue },
    ])
}
