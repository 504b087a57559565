//! The JavaScript engine: `guest-sdk/node`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{Artifact, Engine, guest::Guest, placement, same_bytes, strip, toolchain::Toolchain};
use crate::{npm, target_dir};

pub const ENGINE: Engine = Engine {
    name: "node",
    prebuilt: "guest-sdk/node/prebuilt",
    sources: &["guest-sdk/node/engine", "guest-sdk/node/glue.wat", "guest-sdk/node/layer", "guest-sdk/node/placement", "wit"],
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
    ])
}
