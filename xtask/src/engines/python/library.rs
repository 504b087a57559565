//! The standard library: compiled, and without what no handler can use.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{engines::archive::Files, shell};

/// What needs a screen, a terminal, a C compiler or pip.
const LEFT_OUT: [&str; 12] = [
    "_pyrepl",
    "config-3.14-wasm32-wasi",
    "ctypes",
    "curses",
    "ensurepip",
    "idlelib",
    "pydoc_data",
    "site-packages",
    "tkinter",
    "turtle.py",
    "turtledemo",
    "venv",
];

/// A tar archive of `.pyc` files. `sources` is one of `.py` files; `engine` compiles them, so that they are what it reads.
pub fn compile(root: &Path, folder: &Path, engine: &[u8], sources: &[u8]) -> Result<Vec<u8>> {
    let (sources_folder, compiled_folder) = (folder.join("library/sources"), folder.join("library/compiled"));
    for made in [&sources_folder, &compiled_folder] {
        if made.exists() {
            fs::remove_dir_all(made)?;
        }
        fs::create_dir_all(made)?;
    }
    unpack(sources, &sources_folder).context("cannot unpack the standard library")?;
    let engine_file = folder.join("engine.wasm");
    fs::write(&engine_file, engine)?;
    let mut node = Command::new("node");
    // The interpreter's frames are larger than those that Node's stack is made for.
    node.arg("--stack-size=8000").arg(root.join("guest-sdk/python/library/compile.mjs")).arg(&engine_file);
    shell::run(node.arg(&sources_folder).arg(&compiled_folder))?;
    let mut files = Files::default();
    files.add(&compiled_folder, Path::new(""), "pyc")?;
    files.pack()
}

fn unpack(archive: &[u8], into: &Path) -> Result<()> {
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let first = path.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "py") && !LEFT_OUT.contains(&&*first) {
            entry.unpack_in(into)?;
        }
    }
    Ok(())
}
