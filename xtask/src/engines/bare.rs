//! Compiles guests that need nothing of Rust but `core`: they bring no heap and no runtime of their own, as what they are linked
//! into has both.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use mirra_linker::Behind;

use super::{
    guest::{TARGET, cargo, remap},
    toolchain::Toolchain,
};
use crate::{shell, target_dir};

/// A crate and the module that it gives.
pub struct Bare {
    /// Relative to the repository.
    pub folder: &'static str,
    pub module: &'static str,
}

impl Bare {
    /// The module, whose memory is somebody else's; `to_linker` says where in it its own things lie. Each `name` compiles where
    /// nothing else does.
    pub fn build(&self, root: &Path, name: &str, toolchain: &Toolchain, to_linker: &[String]) -> Result<Vec<u8>> {
        let target_dir = target_dir(root).join("engines").join(name);
        let mut build = cargo(toolchain, &root.join(self.folder));
        build.args(["build", "--release", "--locked", "--target", TARGET]).env("CARGO_TARGET_DIR", &target_dir);
        let mut flags = remap(&[(root.to_owned(), "mirra"), (target_dir.clone(), "target")]);
        if let Some(std_sources) = &toolchain.std_sources {
            flags.extend(remap(&[(std_sources.clone(), "rust")]));
            build.args(["-Z", "build-std=core"]).env("RUSTC_BOOTSTRAP", "1");
        }
        flags.push("-Clink-arg=--import-memory".to_owned());
        flags.extend(to_linker.iter().map(|flag| format!("-Clink-arg={flag}")));
        build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        if let Some(linker) = &toolchain.linker {
            build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        shell::run(&mut build)?;
        let path = target_dir.join(TARGET).join("release").join(self.module);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// As above, for what stands under an engine's C library: with its data and its pointers to functions at the place that is
    /// free behind the rest of the engine.
    pub fn build_behind(&self, root: &Path, name: &str, toolchain: &Toolchain, behind: Behind) -> Result<Vec<u8>> {
        // It has no stack of its own: the linker gives it the engine's.
        let to_linker = ["-zstack-size=0", "--export=__stack_pointer", "--export=__heap_base"].map(str::to_owned);
        let bases = [format!("--global-base={}", behind.address), format!("--table-base={}", behind.slot)];
        self.build(root, name, toolchain, &[bases.as_slice(), &to_linker].concat())
    }
}
