//! The Python engine: `guest-sdk/python`.
//!
//! componentize-py makes a component of CPython with the engine's own modules in it, and that is linked into one core module with
//! what stands under its C library. The standard library is compiled by the engine itself, run by Node.

mod compare;
mod componentize;
mod library;
mod optimise;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use mirra_linker::component;

use super::{Artifact, Engine, bare::Bare, toolchain::Toolchain};
use crate::target_dir;

pub const ENGINE: Engine = Engine {
    name: "python",
    prebuilt: "guest-sdk/python/prebuilt",
    sources: &[
        "guest-sdk/python/componentize",
        "guest-sdk/python/engine",
        "guest-sdk/python/glue.wat",
        "guest-sdk/python/ground",
        "guest-sdk/python/library",
        "guest-sdk/python/wasi",
        "guest-sdk/python/wit",
        "linker/src",
        "wit",
        "xtask/src/engines/archive.rs",
        "xtask/src/engines/bare.rs",
        "xtask/src/engines/python",
    ],
    // Which componentize-py it is, stands among the sources.
    tools: |_| Ok(vec![optimise::VERSION.to_owned()]),
    build,
    compare: compare::compare,
};

/// What stands under its C library.
const WASI: Bare = Bare { folder: "guest-sdk/python/wasi", module: "mirra_python_wasi.wasm" };

fn build(root: &Path, toolchain: &Toolchain) -> Result<Vec<Artifact>> {
    let folder = target_dir(root).join("engines/python");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let componentize = componentize::Componentize::install(root, &folder)?;
    let component = componentize.run()?;
    let wasi = WASI.build_behind(root, "python/wasi", toolchain, component::behind(&component)?)?;
    let engine = optimise::optimise(&folder, &component::link(&component, &wasi)?)?;
    let library = library::compile(root, &folder, &engine, &componentize.library()?)?;
    let glue = wat::parse_file(root.join("guest-sdk/python/glue.wat"))?;
    Ok(vec![
        Artifact { name: "engine.wasm.zst", bytes: engine },
        Artifact { name: "library.tar.zst", bytes: library },
        Artifact { name: "glue.wasm", bytes: glue },
    ])
}
