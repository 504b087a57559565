//! `cargo xtask test`: everything from installing to the last test, in one command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{npm, shell};

/// Where packages of npm lie that tests need. The layer is one.
const NPM_ROOTS: [&str; 2] = ["guest-sdk", "fixtures"];
const LAYER: &str = "guest-sdk/node/layer";
const TYPES: &str = "guest-sdk/node/types";

const MYPY: &str = "mypy==2.4.1";
/// What other people's schedulers are called by, and call with.
const SCHEDULERS: &str = "examples/schedulers";

const HANDLERS: &str = "fixtures/handlers";

/// Runs all tests, also after one failed, and cargo's last: what they say at their end is then at the end.
pub fn run(root: &Path) -> Result<()> {
    for package in npm_packages(root)? {
        npm::install(&package)?;
    }
    let is_layer_sound = test_layer(&root.join(LAYER));
    let are_types_sound = npm::script(&root.join(TYPES), "test").and_then(|()| test_types(root));

    install_schedulers(root)?;

    // Tests start binaries of other packages, which `cargo test` alone would not build.
    shell::run(shell::cargo(root).args(["build", "--release", "--workspace", "--locked"]))?;
    let mut counts = Counts::default();
    let is_rust_sound =
        shell::run_watched(shell::cargo(root).args(["test", "--release", "--workspace", "--locked", "--no-fail-fast"]), |line| {
            counts.add(line)
        })?;

    let Counts { passed, failed, ignored } = counts;
    let failures = if failed > 0 { format!("{failed} FAILED, ") } else { String::new() };
    println!("\ncargo test, all packages: {failures}{passed} passed, {ignored} ignored");
    if let Err(error) = &is_layer_sound {
        println!("tests of {LAYER}: FAILED (above): {error:#}");
    } else {
        println!("tests of {LAYER}: passed (above)");
    }
    if let Err(error) = &are_types_sound {
        println!("types of handlers: FAILED (above): {error:#}");
    } else {
        println!("types of handlers: passed (above)");
    }
    if !is_rust_sound || is_layer_sound.is_err() || are_types_sound.is_err() {
        bail!("tests failed");
    }
    Ok(())
}

/// Builds the layer and runs its tests in Node.
fn test_layer(layer: &Path) -> Result<()> {
    npm::script(layer, "build")?;
    let mut files = files_below(&layer.join("test"))?;
    // Named one by one: what `node --test` makes of a folder or of a pattern changed with Node 21 and 22.
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    if files.is_empty() {
        return Ok(());
    }
    let files = files.iter().filter_map(|file| file.strip_prefix(layer).ok());
    shell::run(Command::new("node").args(["--test", "--test-reporter=spec"]).args(files).current_dir(layer))
}

/// Has mypy look at the Python handlers, in an environment of its own: strictly at those that say what they are given.
fn test_types(root: &Path) -> Result<()> {
    let environment = crate::target_dir(root).join("types");
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    shell::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", MYPY]))?;
    let mut handlers = files_below(&root.join(HANDLERS))?;
    handlers.retain(|file| file.file_name().is_some_and(|name| name == "handler.py"));
    // One at a time: each is a module of the same name.
    for handler in handlers {
        let is_typed = handler.parent().is_some_and(|folder| folder.to_string_lossy().contains("py-typed"));
        let mut mypy = Command::new(&python);
        mypy.args(["-m", "mypy", "--no-error-summary", "--cache-dir"]).arg(environment.join("cache")).arg(&handler);
        mypy.args(is_typed.then_some("--strict"));
        shell::run(mypy.env("MYPYPATH", root.join("guest-sdk/python/stubs")))?;
    }
    Ok(())
}

/// Where the tests of the examples find them: an environment of their own, 400 MB and a minute the first time.
fn install_schedulers(root: &Path) -> Result<()> {
    let environment = crate::target_dir(root).join("schedulers");
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    for file in files_below(&root.join(SCHEDULERS))?.iter().filter(|file| file.ends_with("requirements.txt")) {
        pip.arg("-r").arg(file);
    }
    shell::run(&mut pip)
}

/// Folders with a lock file of npm.
fn npm_packages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut packages = Vec::new();
    for npm_root in NPM_ROOTS {
        let files = files_below(&root.join(npm_root))?;
        packages
            .extend(files.iter().filter(|file| file.ends_with("package-lock.json")).filter_map(|file| file.parent()).map(Path::to_owned));
    }
    Ok(packages)
}

/// All files in a folder and in those below it, but not in installed packages or build results. None if there is no folder.
fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !dir.is_dir() {
        return Ok(files);
    }
    let unreadable = || format!("cannot read {}", dir.display());
    for entry in fs::read_dir(dir).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let is_ours = entry.file_name() != "node_modules" && entry.file_name() != "target";
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        } else if entry.file_type()?.is_dir() && is_ours {
            files.extend(files_below(&entry.path())?);
        }
    }
    files.sort();
    Ok(files)
}

/// Sums of cargo's `test result:` lines, of which every test binary writes one.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.trim_start().strip_prefix("test result: ").and_then(|result| result.split_once(". ")) else { return };
        for count in counts.split("; ") {
            let Some((number, name)) = count.split_once(' ') else { continue };
            let number = number.parse().unwrap_or(0);
            match name.trim() {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_summed() {
        let mut counts = Counts::default();
        counts.add("test limits::fuel ... ok\n");
        counts.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s\n");
        counts.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (14, 1, 1));
    }
}
