//! Compiles `guest-sdk/node/engine` so that the same sources give the same bytes, wherever they lie.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{manifest::Digest, toolchain::Toolchain};
use crate::shell;

/// QuickJS is C: clang's optimisation, and the instructions that copy and fill memory at once.
pub const CFLAGS: &str = "-O3 -mbulk-memory";

/// For what is written for it, wide registers and multiplication; loops that were not are slower in registers. Hosts that lack the
/// second get the engine without (`mirra_linker::wide`).
pub const RUSTFLAGS: [&str; 2] = ["-Ctarget-feature=+simd128,+wide-arithmetic", "-Cno-vectorize-slp"];

pub const TARGET: &str = "wasm32-unknown-unknown";
const MODULE: &str = "mirra_engine_node.wasm";

/// Beginnings of environment variables that would reach the compilers and change what they write. (Flags for rustc given in
/// any other way give way to `CARGO_ENCODED_RUSTFLAGS`.)
const FOREIGN: [&str; 12] = [
    "AR",
    "CARGO_BUILD_",
    "CARGO_INCREMENTAL",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "CC",
    "CFLAGS",
    "LD_LIBRARY_PATH",
    "MIRRA_",
    "RUSTC",
    "TARGET_",
];

/// The crate, and what compiles it into where.
pub struct Guest<'a> {
    root: &'a Path,
    target_dir: &'a Path,
    toolchain: &'a Toolchain,
    /// Folders that differ between machines, and names that do not. Where several fit a path, the last one counts.
    folders: Vec<(PathBuf, &'static str)>,
}

impl<'a> Guest<'a> {
    /// Fetches what the crate depends on.
    pub fn fetch(root: &'a Path, target_dir: &'a Path, toolchain: &'a Toolchain) -> Result<Guest<'a>> {
        let mut guest = Guest { root, target_dir, toolchain, folders: vec![(root.to_owned(), "mirra"), (target_dir.to_owned(), "target")] };
        // The registry's folders exist once something was fetched.
        shell::run(guest.cargo().args(["fetch", "--locked", "--target", TARGET]))?;
        guest.folders.extend(registries()?.into_iter().map(|registry| (registry, "crates")));
        guest.folders.extend(toolchain.std_sources.iter().map(|std| (std.clone(), "rust")));
        Ok(guest)
    }

    /// The engine that places its allocations as the file says (`placement.rs`), as the linker left it.
    pub fn build(&self, placement: &Path) -> Result<Vec<u8>> {
        let wasm = self.compile(|build| build.env("MIRRA_PLACEMENT", placement))?;
        for (folder, _) in &self.folders {
            let folder = folder.as_os_str().as_encoded_bytes();
            if wasm.windows(folder.len()).any(|window| window == folder) {
                bail!("the engine holds a path of this machine: {}", String::from_utf8_lossy(folder));
            }
        }
        Ok(wasm)
    }

    /// The engine that tells of its allocations.
    pub fn traced(&self) -> Result<Vec<u8>> {
        self.compile(|build| build.args(["--features", "trace-allocations"]))
    }

    fn compile(&self, options: impl FnOnce(&mut Command) -> &mut Command) -> Result<Vec<u8>> {
        let toolchain = self.toolchain;
        let mut build = self.cargo();
        build.args(["build", "--release", "--locked", "--target", TARGET]);
        build.env("CARGO_TARGET_DIR", self.target_dir).env("CARGO_ENCODED_RUSTFLAGS", self.rustflags().join("\u{1f}"));
        let cc = self.root.join("guest-sdk/node/engine/cc.sh");
        build.env("CC_wasm32_unknown_unknown", &cc).env("MIRRA_CLANG", toolchain.clang);
        build.env("AR_wasm32_unknown_unknown", toolchain.ar);
        // The digest is there for cargo, which must compile QuickJS anew when the script, or what it puts in, is another one.
        let folder = self.root.join("guest-sdk/node/engine");
        let mut changes = Vec::new();
        for path in ["cc.sh", "immortal.c", "regexp.c", "json/read.c", "json/write.c"].map(|file| folder.join(file)) {
            changes.extend(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
        let digest = Digest::of(&changes);
        build.env("CFLAGS_wasm32_unknown_unknown", format!("{CFLAGS} -DMIRRA_CC={digest}"));
        if let Some(linker) = &toolchain.linker {
            build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        if toolchain.std_sources.is_some() {
            build.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
        }
        shell::run(options(&mut build))?;

        let path = self.target_dir.join(TARGET).join("release").join(MODULE);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn rustflags(&self) -> Vec<String> {
        let mut flags = remap(&self.folders);
        flags.extend(RUSTFLAGS.map(str::to_owned));
        flags
    }

    fn cargo(&self) -> Command {
        cargo(self.toolchain, &self.root.join("guest-sdk/node/engine"))
    }
}

/// The toolchain's cargo, with nothing of the environment that would change what it builds.
pub fn cargo(toolchain: &Toolchain, folder: &Path) -> Command {
    let mut cargo = Command::new(&toolchain.cargo);
    cargo.current_dir(folder);
    for (name, _) in env::vars_os() {
        if FOREIGN.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes())) {
            cargo.env_remove(name);
        }
    }
    if let Some(rustc) = &toolchain.rustc {
        cargo.env("RUSTC", rustc);
    }
    cargo
}

pub fn remap(folders: &[(PathBuf, &str)]) -> Vec<String> {
    folders.iter().map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())).collect()
}

/// Where cargo unpacks crates: one folder per registry or mirror.
fn registries() -> Result<Vec<PathBuf>> {
    let home = env::home_dir().context("no home folder")?;
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).unwrap_or_else(|| home.join(".cargo"));
    let sources = cargo_home.join("registry/src");
    let entries = fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))?;
    let mut registries = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    registries.sort();
    Ok(registries)
}
