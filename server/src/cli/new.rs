use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};

use super::once;
use crate::failure::{Exit, Failure};

/// Make a folder with a handler to begin with
#[derive(Args)]
pub struct New {
    /// The folder to make; its last part names the handler
    name: PathBuf,

    #[arg(long, value_enum, default_value_t = Language::Ts)]
    lang: Language,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// TypeScript
    Ts,
    /// JavaScript
    Js,
    /// Python
    Py,
}

type File = (&'static str, &'static str);

const TYPESCRIPT: &[File] = &[("handler.ts", include_str!("new/handler.ts")), ("tsconfig.json", include_str!("new/tsconfig.json"))];
const JAVASCRIPT: &[File] = &[("handler.js", include_str!("new/handler.js"))];
const PYTHON: &[File] = &[("handler.py", include_str!("new/handler.py")), ("requirements.txt", include_str!("new/requirements.txt"))];

impl New {
    pub fn run(self) -> Result<Exit, Failure> {
        let folder = self.name.display();
        let name = self.name.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::wrong_use(anyhow!("{folder} is no name for a handler")))?;
        let files = match self.lang {
            Language::Ts => TYPESCRIPT,
            Language::Js => JAVASCRIPT,
            Language::Py => PYTHON,
        };
        make(&self.name, name, files).with_context(|| format!("cannot make {folder}")).map_err(Failure::wrong_use)?;
        let made = format!(
            "Made {folder} with {}. Next:\n\n  mirra run {folder} --event '{{\"name\":\"Ada\"}}'\n  mirra serve {folder}",
            files[0].0
        );
        once::print(made.as_bytes())?;
        Ok(Exit::Success)
    }
}

fn make(folder: &Path, name: &str, files: &[File]) -> io::Result<()> {
    // Fails when there is one already: nothing of anybody's is overwritten.
    fs::create_dir(folder)?;
    // Python's folders have nothing of the kind.
    if !files[0].0.ends_with(".py") {
        let package = serde_json::json!({ "name": name, "private": true, "type": "module", "main": files[0].0 });
        fs::write(folder.join("package.json"), format!("{package:#}\n"))?;
    }
    for (file, content) in files {
        fs::write(folder.join(file), content)?;
    }
    Ok(())
}
