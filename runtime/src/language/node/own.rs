//! Files that a JavaScript handler brings besides its code: what lies in its folder and is neither code nor somebody's tools.

use std::path::{Path, PathBuf};

use mirra_host_sdk::{HostError, PrepareError};

use crate::{
    files,
    language::{Mount, gather::Gathering},
};

/// The layer knows it by this name (`fs-own.mjs`), and shows it as /var/task.
const FOLDER: &str = "handler";

/// Code is in the bundle.
const CODE: [&str; 9] = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".map"];

/// What tells package managers and compilers what to do.
const OF_TOOLS: [&str; 8] = [
    "bun.lock",
    "bun.lockb",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "yarn.lock",
];

/// What a handler brings.
#[derive(Default)]
pub struct Own {
    pub mount: Option<Mount>,
    pub inputs: Vec<PathBuf>,
}

/// The files of the handler at `path`. What lies beside a file may be anything: only a folder brings some.
pub async fn files(path: &Path) -> Result<Own, PrepareError> {
    let Some(folder) = path.canonicalize().ok().filter(|path| path.is_dir()) else { return Ok(Own::default()) };
    let read = tokio::task::spawn_blocking(move || gather(&folder)).await;
    read.map_err(|error| HostError::caused_by("a handler's files could not be read", error))?
}

fn gather(folder: &Path) -> Result<Own, PrepareError> {
    let mut gathering = Gathering::new(folder, is_foreign);
    gathering.folder(folder, 0)?;
    let Gathering { files, inputs, .. } = gathering;
    if files.is_empty() {
        return Ok(Own { mount: None, inputs });
    }
    let archive = files::pack(files.iter().map(|(path, content)| (path.as_str(), content.as_slice())));
    let archive = archive.map_err(|error| HostError::caused_by("a handler's files could not be stored", error))?;
    Ok(Own { mount: Some(Mount { folder: FOLDER.to_owned(), archive }), inputs })
}

fn is_foreign(name: &str) -> bool {
    let is_of_compiler = name.starts_with("tsconfig") && name.ends_with(".json");
    name == "node_modules" || is_of_compiler || OF_TOOLS.contains(&name) || CODE.iter().any(|extension| name.ends_with(extension))
}
