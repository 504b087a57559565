//! The compilers of the engine.
//!
//! The bytes that ship come from one pinned set: Debian's Rust builds the standard library for wasm from source, which
//! needs nothing but Debian's package archive. rustup's own toolchain, which the rest of the repository needs anyway,
//! gives the linker.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use super::guest;
use crate::shell;

/// The pinned Rust; the files of Debian's packages are always here.
const PINNED_CARGO: &str = "/usr/bin/cargo";
const PINNED_RUSTC: &str = "/usr/bin/rustc";
const PINNED_RUST_VERSION: &str = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)";

const PINNED_CLANG: &str = "clang-19";
const PINNED_CLANG_VERSION: &str = "clang version 19.1.7";
/// Its version is looked at where it is used.
const WASM_OPT: &str = "wasm-opt";

const PINNED_AR: &str = "llvm-ar-19";

/// The toolchain of rustup that has the linker, and what the linker says about itself.
const LINKER_TOOLCHAIN: &str = "1.95.0";
const PINNED_LINKER_VERSION: &str = "LLD 22.1.2 (/checkout/src/llvm-project/llvm 1cb4e3833c1919c2e6fb579a23ac0e2b22587b7e)";

/// What apt is asked for. A revision of Debian's (what a star stands for) may change; the sources behind it do not.
const DEBIAN_PACKAGES: [&str; 6] =
    ["binaryen=108*", "rustc-web=1.96.0*", "cargo-web=1.96.0*", "rust-web-src=1.96.0*", "clang-19=1:19.1.7*", "llvm-19=1:19.1.7*"];

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Programs that build the engine.
pub struct Toolchain {
    pub cargo: PathBuf,
    /// None: the one that cargo finds by itself.
    pub rustc: Option<PathBuf>,
    /// None: the one that rustc brings.
    pub linker: Option<PathBuf>,
    pub clang: &'static str,
    pub ar: &'static str,
    /// The standard library's sources. None: it comes compiled.
    pub std_sources: Option<PathBuf>,
    /// For the manifest.
    pub versions: Vec<String>,
}

/// What the manifest of a pinned build says.
pub fn pinned_versions() -> Vec<String> {
    versions([PINNED_RUST_VERSION, PINNED_CLANG_VERSION, PINNED_LINKER_VERSION])
}

fn versions(programs: [&str; 3]) -> Vec<String> {
    let flags = [
        format!("clang's flags: {}", guest::CFLAGS),
        format!("rustc's flags for JavaScript: {}", guest::RUSTFLAGS.join(" ")),
        format!("zstd: level {}", super::ZSTD_LEVEL),
    ];
    programs.map(str::to_owned).into_iter().chain(flags).collect()
}

/// The pinned toolchain, or what is missing and how to get it.
pub fn pinned(install: bool) -> Result<Toolchain> {
    match find_pinned() {
        Err(missing) if install => {
            println!("{missing:#}");
            install_debian_packages()?;
            find_pinned()
        }
        Err(missing) => bail!("{missing:#}\nThis installs it (and so does --install-toolchain, as root):\n  {}", install_command()),
        found => found,
    }
}

fn find_pinned() -> Result<Toolchain> {
    let rustc = shell::output(Command::new(PINNED_RUSTC).arg("--version"))?;
    if rustc != PINNED_RUST_VERSION {
        bail!("{PINNED_RUSTC} is {rustc} and not {PINNED_RUST_VERSION}");
    }
    let sysroot = PathBuf::from(shell::output(Command::new(PINNED_RUSTC).args(["--print", "sysroot"]))?);
    let std_sources = sysroot.join("lib/rustlib/src/rust");
    if !std_sources.join("library").is_dir() {
        bail!("the standard library's sources are not in {}", std_sources.display());
    }
    shell::output(Command::new(PINNED_CARGO).arg("--version"))?;
    let clang = shell::output(Command::new(PINNED_CLANG).arg("--version"))?;
    if !clang.lines().next().is_some_and(|line| line.contains(PINNED_CLANG_VERSION)) {
        bail!("{PINNED_CLANG} is {clang} and not {PINNED_CLANG_VERSION}");
    }
    shell::output(Command::new(PINNED_AR).arg("--version"))?;
    shell::output(Command::new(WASM_OPT).arg("--version"))?;
    Ok(Toolchain {
        cargo: PINNED_CARGO.into(),
        rustc: Some(PINNED_RUSTC.into()),
        linker: Some(find_linker()?),
        clang: PINNED_CLANG,
        ar: PINNED_AR,
        std_sources: Some(std_sources),
        versions: pinned_versions(),
    })
}

/// The linker that rustup's toolchain of that very version brings, under whatever name the toolchain is installed.
fn find_linker() -> Result<PathBuf> {
    let by_name = || shell::output(Command::new("rustup").args(["run", LINKER_TOOLCHAIN, "rustc", "--print", "sysroot"]));
    let by_default = || shell::output(Command::new("rustc").args(["--print", "sysroot"]));
    let host = shell::output(Command::new(PINNED_RUSTC).args(["--print", "host-tuple"]))?;
    let mut found = Vec::new();
    for sysroot in [by_default(), by_name()].into_iter().flatten() {
        let linker = PathBuf::from(sysroot).join("lib/rustlib").join(&host).join("bin/rust-lld");
        match shell::output(Command::new(&linker).args(["-flavor", "wasm", "--version"])) {
            Ok(version) if version == PINNED_LINKER_VERSION => return Ok(linker),
            Ok(version) => found.push(version),
            Err(error) => found.push(format!("{error:#}")),
        }
    }
    bail!(
        "no rust-lld of Rust {LINKER_TOOLCHAIN} ({PINNED_LINKER_VERSION}) but {found:?}; `rustup toolchain install {LINKER_TOOLCHAIN}` gets it"
    )
}

fn install_command() -> String {
    format!(
        "apt-get update && apt-get install --yes --no-install-recommends {}",
        DEBIAN_PACKAGES.map(|package| format!("'{package}'")).join(" ")
    )
}

fn install_debian_packages() -> Result<()> {
    if shell::output(Command::new("id").arg("-u"))? != "0" {
        bail!("only root can install packages:\n  {}", install_command());
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    shell::run(apt().args(["update", "--quiet"]))?;
    shell::run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(DEBIAN_PACKAGES))
        .context("Debian may have replaced these versions by newer ones: pin those in xtask/src/engines/toolchain.rs and build anew")
}

/// rustup's toolchain, as it is.
pub fn rustup() -> Result<Toolchain> {
    let targets = shell::output(Command::new("rustup").args(["target", "list", "--installed"]))?;
    if !targets.lines().any(|target| target == WASM_TARGET) {
        bail!("rustup has no {WASM_TARGET}: `rustup target add {WASM_TARGET}`");
    }
    let rustc = shell::output(Command::new("rustc").arg("--version"))?;
    let clang = shell::output(Command::new(PINNED_CLANG).arg("--version"))?;
    Ok(Toolchain {
        cargo: "cargo".into(),
        rustc: None,
        linker: None,
        clang: PINNED_CLANG,
        ar: PINNED_AR,
        std_sources: None,
        versions: versions([&rustc, clang.lines().next().unwrap_or_default(), "rustup's own linker and standard library"]),
    })
}
