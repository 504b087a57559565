//! `cargo xtask engines`: builds what ships in `guest-sdk/*/prebuilt`, or checks that it is what its sources give.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

mod archive;
mod bare;
mod command;
mod guest;
mod manifest;
mod node;
mod placement;
mod python;
mod scientific;
mod strip;
mod toolchain;

use manifest::{Digest, Manifest};
use toolchain::Toolchain;

/// An engine: what ships of it, what it is made from, and how.
struct Engine {
    name: &'static str,
    /// What ships, relative to the repository.
    prebuilt: &'static str,
    /// Files, and folders with all that is in them, relative to the repository.
    sources: &'static [&'static str],
    /// What builds it besides the pinned toolchain, a line each.
    tools: fn(&Path) -> Result<Vec<String>>,
    build: fn(&Path, &Toolchain) -> Result<Vec<Artifact>>,
    /// Compares what ships with what was built.
    compare: fn(&str, &[u8], &[u8]) -> Result<()>,
}

/// What makes a command of a handler is no engine, and is built and checked like one.
const ENGINES: [Engine; 4] = [command::ENGINE, node::ENGINE, python::ENGINE, scientific::ENGINE];

/// A file that ships. One whose name says so is compressed there, and not here.
struct Artifact {
    name: &'static str,
    bytes: Vec<u8>,
}

const COMPRESSED: &str = ".zst";
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
    /// Only this engine: command, node, python or scientific.
    #[arg(long)]
    engine: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Debian's Rust and clang, in the versions that `toolchain.rs` names.
    Pinned,
    /// rustup's, with its target wasm32-unknown-unknown, for quick local work.
    Rustup,
}

pub fn run(root: &Path, options: &Options) -> Result<()> {
    if options.check {
        return check(root, options);
    }
    let toolchain = match options.toolchain {
        Kind::Pinned => toolchain::pinned(options.install_toolchain)?,
        Kind::Rustup => toolchain::rustup()?,
    };
    for engine in options.engines() {
        let mut results = manifest::Digests::new();
        for artifact in (engine.build)(root, &toolchain)? {
            let is_compressed = artifact.name.ends_with(COMPRESSED);
            let bytes = if is_compressed { zstd::encode_all(&*artifact.bytes, ZSTD_LEVEL)? } else { artifact.bytes };
            write(root, engine, artifact.name, &bytes)?;
            println!("{}/{}: {} bytes, blake3 {}", engine.prebuilt, artifact.name, bytes.len(), Digest::of(&bytes));
            results.insert(artifact.name.to_owned(), Digest::of(&bytes));
        }
        let manifest = engine.manifest(root, toolchain.versions.clone(), results)?;
        write(root, engine, MANIFEST, manifest.render().as_bytes())?;
    }
    if matches!(options.toolchain, Kind::Rustup) {
        println!("This is NOT the pinned build: `cargo xtask engines --check` refuses it. Run `cargo xtask engines` before you commit.");
    }
    Ok(())
}

/// First what costs nothing: the sources, the toolchain's name and the shipped files are those of the manifest. Then the
/// proof, where it can be had: the same comes out again.
fn check(root: &Path, options: &Options) -> Result<()> {
    for engine in options.engines() {
        engine.check_manifest(root)?;
    }
    println!("The manifests' digests are those of the sources and of what ships.");
    let toolchain = match toolchain::pinned(options.install_toolchain) {
        Ok(toolchain) => toolchain,
        Err(missing) => {
            println!("NOT REBUILT: only digests were compared, as the pinned toolchain cannot be had here. {missing:#}");
            return Ok(());
        }
    };
    for engine in options.engines() {
        for built in (engine.build)(root, &toolchain)? {
            let shipped = engine.read(root, built.name)?;
            let is_compressed = built.name.ends_with(COMPRESSED);
            let damaged = || format!("{}/{} is damaged", engine.prebuilt, built.name);
            let shipped = if is_compressed { zstd::decode_all(&*shipped).with_context(damaged)? } else { shipped };
            (engine.compare)(built.name, &shipped, &built.bytes)?;
            println!("Rebuilt: {}/{}, {} bytes.", engine.prebuilt, built.name, shipped.len());
        }
    }
    Ok(())
}

impl Options {
    fn engines(&self) -> impl Iterator<Item = &'static Engine> {
        ENGINES.iter().filter(|engine| self.engine.as_deref().is_none_or(|name| name == engine.name))
    }
}

impl Engine {
    fn manifest(&self, root: &Path, mut toolchain: Vec<String>, results: manifest::Digests) -> Result<Manifest> {
        toolchain.extend((self.tools)(root)?);
        Ok(Manifest { toolchain, sources: manifest::sources(root, self.sources)?, results })
    }

    fn check_manifest(&self, root: &Path) -> Result<()> {
        let text = String::from_utf8(self.read(root, MANIFEST)?).with_context(|| format!("{MANIFEST} is not text"))?;
        let shipped =
            Manifest::parse(&text).with_context(|| format!("{}/{MANIFEST} is damaged; run `cargo xtask engines`", self.prebuilt))?;
        let names = shipped.results.keys();
        let results = names.map(|name| Ok((name.clone(), Digest::of(&self.read(root, name)?)))).collect::<Result<_>>()?;
        let differences = shipped.differences(&self.manifest(root, toolchain::pinned_versions(), results)?);
        if !differences.is_empty() {
            bail!("{} is not what the sources give; run `cargo xtask engines`\n  {}", self.prebuilt, differences.join("\n  "));
        }
        Ok(())
    }

    fn read(&self, root: &Path, name: &str) -> Result<Vec<u8>> {
        let unreadable = || format!("cannot read {}/{name}; run `cargo xtask engines`", self.prebuilt);
        fs::read(root.join(self.prebuilt).join(name)).with_context(unreadable)
    }
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

fn write(root: &Path, engine: &Engine, name: &str, bytes: &[u8]) -> Result<()> {
    let path = root.join(engine.prebuilt).join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
