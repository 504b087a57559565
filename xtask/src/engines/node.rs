//! The JavaScript engine: `guest-sdk/node`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{
    Artifact, Engine,
    archive::Files,
    guest::{self, Guest},
    placement, same_bytes, strip,
    toolchain::Toolchain,
};
use crate::{npm, shell, target_dir};

pub const ENGINE: Engine = Engine {
    name: "node",
    prebuilt: "guest-sdk/node/prebuilt",
    sources: &[
        "guest-sdk/node/engine",
        "guest-sdk/node/glue.wat",
        "guest-sdk/node/intl",
        "guest-sdk/node/layer",
        "guest-sdk/node/placement",
        "wit",
    ],
    tools: |_| Ok(Vec::new()),
    build,
    compare: same_bytes,
};

fn build(root: &Path, toolchain: &Toolchain) -> Result<Vec<Artifact>> {
    let layer = root.join("guest-sdk/node/layer");
    npm::install(&layer)?;
    npm::script(&layer, "build")?;
    let target_dir = target_dir(root).join("engines");
    let guest = Guest::fetch(root, &target_dir, toolchain)?;
    let placement = target_dir.join("placement");
    placement::profile(root, &guest.traced()?, &placement)?;
    let engine = strip::strip(&guest.build(&placement)?)?;
    let glue = wat::parse_file(root.join("guest-sdk/node/glue.wat"))?;
    let builtins = fs::read(layer.join("dist/builtins.txt")).context("the layer's build writes what handlers can import")?;
    Ok(vec![
        Artifact { name: "builtins.txt", bytes: builtins },
        Artifact { name: "engine.wasm.zst", bytes: engine },
        Artifact { name: "glue.wasm", bytes: glue },
        Artifact { name: "intl.tar.zst", bytes: intl(root, toolchain)? },
    ])
}

/// What Intl knows, as files in an archive: of CLDR by its npm packages, of ICU4X and IANA by crates that have it in them.
fn intl(root: &Path, toolchain: &Toolchain) -> Result<Vec<u8>> {
    let folder = root.join("guest-sdk/node/intl");
    npm::install(&folder)?;
    npm::script(&folder, "build")?;
    let mut export = guest::cargo(toolchain, &folder.join("icu"));
    export.args(["run", "--release", "--locked", "--quiet", "--"]).arg(folder.join("dist"));
    shell::run(export.env("CARGO_TARGET_DIR", target_dir(root).join("engines/intl")))?;
    let mut files = Files::default();
    files.add_all(&folder.join("dist"))?;
    files.pack()
}
