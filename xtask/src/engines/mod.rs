//! `cargo xtask engines`: builds what ships in `guest-sdk/*/prebuilt`, or checks that it is what its sources give.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::{npm, target_dir};

mod command;
mod guest;
mod manifest;
mod placement;
pub mod python;
mod strip;
mod toolchain;

use guest::Guest;
use manifest::{Digest, Manifest};
use toolchain::Toolchain;

/// What ships of the engine, relative to the repository.
const PREBUILT: &str = "guest-sdk/node/prebuilt";
const ENGINE: &str = "engine.wasm.zst";
const GLUE: &str = "glue.wasm";
const MANIFEST: &str = "manifest.txt";

/// The best ratio that still decompresses with little memory; compressing takes a second.
const ZSTD_LEVEL: i32 = 19;

#[derive(Args)]
pub struct Options {
    /// Builds nothing that ships: checks that what ships is what the sources give, byte for byte where the pinned toolchain is
    /// at hand.
    #[arg(long)]
    check: bool,
    /// Installs the pinned toolchain's Debian packages first if they are missing (as root; prints the command otherwise).
    #[arg(long)]
    install_toolchain: bool,
    /// What compiles the engine; only the pinned toolchain gives the bytes that ship.
    #[arg(long, value_enum, default_value = "pinned", conflicts_with = "check")]
    toolchain: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Debian's Rust and clang, in the versions that `toolchain.rs` names.
    Pinned,
    /// rustup's, with its target wasm32-unknown-unknown, for quick local work.
    Rustup,
}

/// What a build gives.
struct Built {
    engine: Vec<u8>,
    glue: Vec<u8>,
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    if options.check {
        return check(root, options.install_toolchain);
    }
    command::build(root)?;
    let toolchain = match options.toolchain {
        Kind::Pinned => toolchain::pinned(options.install_toolchain)?,
        Kind::Rustup => toolchain::rustup()?,
    };
    let built = build(root, &toolchain)?;
    let engine_zst = zstd::encode_all(&*built.engine, ZSTD_LEVEL)?;
    let manifest =
        Manifest { toolchain: toolchain.versions.clone(), sources: manifest::sources(root)?, results: results(&engine_zst, &built.glue) };
    write(root, ENGINE, &engine_zst)?;
    write(root, GLUE, &built.glue)?;
    write(root, MANIFEST, manifest.render().as_bytes())?;
    println!("{PREBUILT}/{ENGINE}: {} bytes, {} unpacked, blake3 {}", engine_zst.len(), built.engine.len(), Digest::of(&built.engine));
    println!("{PREBUILT}/{GLUE}: {} bytes, blake3 {}", built.glue.len(), Digest::of(&built.glue));
    if matches!(options.toolchain, Kind::Rustup) {
        println!("This is NOT the pinned build: `cargo xtask engines --check` refuses it. Run `cargo xtask engines` before you commit.");
    }
    Ok(())
}

/// First what costs nothing: the sources, the toolchain's name and the shipped files are those of the manifest. Then the
/// proof, where it can be had: the same bytes come out again.
fn check(root: &Path, install_toolchain: bool) -> Result<()> {
    command::check(root)?;
    let shipped = Shipped::read(root)?;
    let expected = Manifest {
        toolchain: toolchain::pinned_versions(),
        sources: manifest::sources(root)?,
        results: results(&shipped.engine_zst, &shipped.glue),
    };
    let differences = shipped.manifest.differences(&expected);
    if !differences.is_empty() {
        bail!("{PREBUILT} is not what the sources give; run `cargo xtask engines`\n  {}", differences.join("\n  "));
    }
    println!("The manifest's digests are those of the sources and of what ships.");
    let toolchain = match toolchain::pinned(install_toolchain) {
        Ok(toolchain) => toolchain,
        Err(missing) => {
            println!("NOT REBUILT: only digests were compared, as the pinned toolchain cannot be had here. {missing:#}");
            return Ok(());
        }
    };
    let built = build(root, &toolchain)?;
    let engine = zstd::decode_all(&*shipped.engine_zst).with_context(|| format!("{ENGINE} is damaged"))?;
    same_bytes(ENGINE, &engine, &built.engine)?;
    same_bytes(GLUE, &shipped.glue, &built.glue)?;
    println!("Rebuilt: the same {} bytes of engine, blake3 {}, and {} of glue.", engine.len(), Digest::of(&engine), built.glue.len());
    Ok(())
}

fn build(root: &Path, toolchain: &Toolchain) -> Result<Built> {
    let layer = root.join("guest-sdk/node/layer");
    npm::install(&layer)?;
    npm::script(&layer, "build")?;
    let target_dir = target_dir(root).join("engines");
    let guest = Guest::fetch(root, &target_dir, toolchain)?;
    let placement = target_dir.join("placement");
    placement::profile(root, &guest.traced()?, &placement)?;
    let engine = guest.build(&placement)?;
    let glue = wat::parse_file(root.join("guest-sdk/node/glue.wat"))?;
    Ok(Built { engine: strip::strip(&engine)?, glue })
}

fn results(engine_zst: &[u8], glue: &[u8]) -> manifest::Digests {
    [(ENGINE.to_owned(), Digest::of(engine_zst)), (GLUE.to_owned(), Digest::of(glue))].into()
}

fn same_bytes(name: &str, shipped: &[u8], built: &[u8]) -> Result<()> {
    if shipped == built {
        return Ok(());
    }
    let at = shipped.iter().zip(built).take_while(|(shipped, built)| shipped == built).count();
    bail!(
        "{name}: the sources give {} bytes, blake3 {}; what ships is {} bytes, blake3 {}; they differ from byte {at} on. Run `cargo xtask engines`",
        built.len(),
        Digest::of(built),
        shipped.len(),
        Digest::of(shipped),
    )
}

/// What is in `PREBUILT` now.
struct Shipped {
    engine_zst: Vec<u8>,
    glue: Vec<u8>,
    manifest: Manifest,
}

impl Shipped {
    fn read(root: &Path) -> Result<Shipped> {
        let read = |name: &str| {
            fs::read(root.join(PREBUILT).join(name)).with_context(|| format!("cannot read {PREBUILT}/{name}; run `cargo xtask engines`"))
        };
        let manifest = String::from_utf8(read(MANIFEST)?).with_context(|| format!("{MANIFEST} is not text"))?;
        let manifest =
            Manifest::parse(&manifest).with_context(|| format!("{PREBUILT}/{MANIFEST} is damaged; run `cargo xtask engines`"))?;
        Ok(Shipped { engine_zst: read(ENGINE)?, glue: read(GLUE)?, manifest })
    }
}

fn write(root: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = root.join(PREBUILT).join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
