//! `cargo xtask tidy`: the house rules that neither the compiler nor clippy enforces.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::shell;

mod lines;
mod locks;

/// Something that has to change before it may be committed.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1 on.
    line: usize,
    reason: String,
}

pub fn run(root: &Path) -> Result<()> {
    let listing = list(root, &["--cached", "--others"])?;
    let paths: Vec<&str> = listing.split_terminator('\0').collect();

    let mut findings = locks::check(root, &paths);
    for path in list(root, &["--cached", "--ignored"])?.split_terminator('\0') {
        findings.push(Finding { path: path.into(), line: 1, reason: "committed although .gitignore names it".into() });
    }
    let mut checked = 0;
    for path in paths {
        // What was deleted and not yet committed is listed too; what is not text has no lines.
        let Ok(Ok(text)) = fs::read(root.join(path)).map(String::from_utf8) else { continue };
        findings.extend(lines::check(path, &text));
        checked += 1;
    }
    for Finding { path, line, reason } in &findings {
        println!("{path}:{line}: {reason}");
    }
    match findings.len() {
        0 => println!("tidy: {checked} files, nothing to say"),
        1 => bail!("tidy: one finding in {checked} files"),
        count => bail!("tidy: {count} findings in {checked} files"),
    }
    Ok(())
}

/// The paths that git lists, each with a zero after it.
fn list(root: &Path, which: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--exclude-standard"]).args(which);
    shell::output(&mut git).context("tidy checks the files that git knows")
}
