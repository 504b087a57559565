//! Runs componentize-py, in an environment of its own.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::shell;

/// How every frame of zstd begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

pub struct Componentize<'a> {
    root: &'a Path,
    folder: &'a Path,
    environment: PathBuf,
}

impl<'a> Componentize<'a> {
    /// The version and the very file that `guest-sdk/python/componentize/requirements.txt` names.
    pub fn install(root: &'a Path, folder: &'a Path) -> Result<Componentize<'a>> {
        let environment = folder.join("environment");
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--require-hashes"]);
        shell::run(pip.arg("--requirement").arg(root.join("guest-sdk/python/componentize/requirements.txt")))?;
        Ok(Componentize { root, folder, environment })
    }

    /// The component of the engine's modules, with the interpreter as it is after importing them.
    pub fn run(&self) -> Result<Vec<u8>> {
        let component = self.folder.join("component.wasm");
        let mut command = Command::new(self.environment.join("bin/componentize-py"));
        command.arg("--quiet").arg("--wit-path").arg(self.wit()?).args(["--world", "mirra:python/engine", "componentize"]);
        command.arg("--python-path").arg(self.modules()?).arg("mirra_engine");
        command.arg("--output").arg(&component);
        shell::run(command.env("LD_PRELOAD", self.same()?))?;
        fs::read(&component).with_context(|| format!("cannot read {}", component.display()))
    }

    /// The engine's own modules, copied to where nothing else is: the interpreter would leave compiled ones beside them, and find
    /// them there the next time, which makes another image.
    fn modules(&self) -> Result<PathBuf> {
        let modules = self.folder.join("modules");
        let copy = || -> std::io::Result<()> {
            if modules.exists() {
                fs::remove_dir_all(&modules)?;
            }
            let package = modules.join("mirra_engine");
            fs::create_dir_all(&package)?;
            for file in fs::read_dir(self.root.join("guest-sdk/python/engine/mirra_engine"))? {
                let file = file?;
                if file.path().extension().is_some_and(|extension| extension == "py") {
                    fs::copy(file.path(), package.join(file.file_name()))?;
                }
            }
            Ok(())
        };
        copy().context("cannot copy the engine's modules")?;
        Ok(modules)
    }

    /// The world, with the interfaces that it is made of where WIT looks for them.
    fn wit(&self) -> Result<PathBuf> {
        let wit = self.folder.join("wit");
        let copy = || -> std::io::Result<()> {
            let dependency = wit.join("deps/mirra-function");
            fs::create_dir_all(&dependency)?;
            for (from, to) in [("guest-sdk/python/wit", &wit), ("wit", &dependency)] {
                for file in fs::read_dir(self.root.join(from))? {
                    let file = file?;
                    fs::copy(file.path(), to.join(file.file_name()))?;
                }
            }
            Ok(())
        };
        copy().context("cannot gather the engine's world")?;
        Ok(wit)
    }

    /// What makes the same component come out every time (`same.c` says how).
    fn same(&self) -> Result<PathBuf> {
        let library = self.folder.join("same.so");
        let source = self.root.join("guest-sdk/python/componentize/same.c");
        shell::run(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source))?;
        Ok(library)
    }

    /// The sources of the standard library, as a tar archive. They lie in componentize-py's own library, compressed: it shows
    /// them to the interpreter, and has no command that gives them out.
    pub fn library(&self) -> Result<Vec<u8>> {
        let python = fs::read_dir(self.environment.join("lib"))?.next().context("an environment without Python")??.path();
        let path = python.join("site-packages/componentize_py/componentize_py.abi3.so");
        let program = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let starts = program.windows(ZSTD_MAGIC.len()).enumerate().filter(|(_, window)| *window == ZSTD_MAGIC).map(|(at, _)| at);
        for start in starts {
            let mut content = Vec::new();
            let decoder = zstd::Decoder::new(&program[start..]).map(zstd::Decoder::single_frame);
            if decoder.is_ok_and(|mut decoder| decoder.read_to_end(&mut content).is_ok()) && is_library(&content) {
                return Ok(content);
            }
        }
        bail!("{} holds no standard library", path.display())
    }
}

fn is_library(content: &[u8]) -> bool {
    let mut archive = tar::Archive::new(content);
    let Ok(mut entries) = archive.entries() else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| entry.path_bytes().ends_with(b"asyncio/base_events.py")))
}
