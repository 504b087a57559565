//! What was built from what, as text beside what ships.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use anyhow::{Context, Result, bail};

/// Digests by name or by path relative to the repository.
pub type Digests = BTreeMap<String, Digest>;

/// Folders that hold what is made from sources, or tests of them.
const NO_SOURCES: [&str; 6] = ["__pycache__", "dist", "node_modules", "target", "test", "tests"];

#[derive(Clone, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(blake3::hash(bytes).to_hex().to_string())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub struct Manifest {
    /// Names and versions of what compiled, one a line.
    pub toolchain: Vec<String>,
    pub sources: Digests,
    pub results: Digests,
}

const INTRODUCTION: &str = "\
# What ships here and what it was built from (blake3). Written by `cargo xtask engines`, compared by `cargo xtask engines --check`.
";

impl Manifest {
    pub fn render(&self) -> String {
        let digests = |digests: &Digests| -> String { digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect() };
        let toolchain: String = self.toolchain.iter().map(|line| format!("{line}\n")).collect();
        let (results, sources) = (digests(&self.results), digests(&self.sources));
        format!("{INTRODUCTION}\n[results]\n{results}\n[toolchain]\n{toolchain}\n[sources]\n{sources}")
    }

    pub fn parse(text: &str) -> Result<Manifest> {
        let mut manifest = Manifest { toolchain: Vec::new(), sources: Digests::new(), results: Digests::new() };
        let mut section = "";
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line.starts_with('[') {
                section = line;
                continue;
            }
            let digests = match section {
                "[results]" => &mut manifest.results,
                "[sources]" => &mut manifest.sources,
                "[toolchain]" => {
                    manifest.toolchain.push(line.to_owned());
                    continue;
                }
                _ => bail!("an unknown section {section:?}"),
            };
            let (digest, name) = line.split_once("  ").with_context(|| format!("no digest and name: {line:?}"))?;
            digests.insert(name.to_owned(), Digest(digest.to_owned()));
        }
        Ok(manifest)
    }

    /// What a person must know to see why this manifest is not `expected`.
    pub fn differences(&self, expected: &Manifest) -> Vec<String> {
        let mut differences = compare(&self.sources, &expected.sources, "changed since the engine was built");
        differences.extend(compare(&self.results, &expected.results, "not the file that the manifest is about"));
        if self.toolchain != expected.toolchain {
            differences.push(format!(
                "built by\n    {}\n  and not by\n    {}",
                self.toolchain.join("\n    "),
                expected.toolchain.join("\n    ")
            ));
        }
        differences
    }
}

fn compare(found: &Digests, expected: &Digests, changed: &str) -> Vec<String> {
    let added = expected.keys().filter(|name| !found.contains_key(*name)).map(|name| format!("{name}: not in the manifest"));
    let other = found.iter().filter_map(|(name, digest)| match expected.get(name) {
        None => Some(format!("{name}: in the manifest and nowhere else")),
        Some(present) if present != digest => Some(format!("{name}: {changed}")),
        Some(_) => None,
    });
    added.chain(other).collect()
}

/// The digests of everything in `sources`, as it is now.
pub fn sources(root: &Path, sources: &[&str]) -> Result<Digests> {
    let mut digests = Digests::new();
    for source in sources {
        collect(root, source, &mut digests)?;
    }
    Ok(digests)
}

fn collect(root: &Path, relative: &str, digests: &mut Digests) -> Result<()> {
    let path = root.join(relative);
    let unreadable = || format!("cannot read {}", path.display());
    if !path.is_dir() {
        let bytes = fs::read(&path).with_context(unreadable)?;
        digests.insert(relative.to_owned(), Digest::of(&bytes));
        return Ok(());
    }
    for entry in fs::read_dir(&path).with_context(unreadable)? {
        let name = entry.with_context(unreadable)?.file_name();
        let name = name.to_str().with_context(|| format!("{}: {name:?} is not UTF-8", path.display()))?;
        let is_source = !NO_SOURCES.contains(&name) && !name.starts_with('.') && !name.ends_with(".md");
        if is_source {
            collect(root, &format!("{relative}/{name}"), digests)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            toolchain: vec!["rustc 1.2.3 (abc)".into()],
            sources: [("a/b.rs".into(), Digest::of(b"b")), ("a/c d.rs".into(), Digest::of(b"c"))].into(),
            results: [("x.wasm".into(), Digest::of(b"x"))].into(),
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let text = manifest().render();
        assert_eq!(Manifest::parse(&text).unwrap().render(), text);
        assert!(Manifest::parse(&text).unwrap().differences(&manifest()).is_empty());
    }

    #[test]
    fn every_difference_is_named() {
        let mut now = manifest();
        now.toolchain = vec!["rustc 4.5.6".into()];
        now.sources.insert("a/b.rs".into(), Digest::of(b"B"));
        now.sources.remove("a/c d.rs");
        now.sources.insert("a/new.rs".into(), Digest::of(b"n"));
        now.results.insert("x.wasm".into(), Digest::of(b"X"));
        let differences = manifest().differences(&now).join("\n");
        for expected in ["a/b.rs: changed", "a/c d.rs: in the manifest", "a/new.rs: not in", "x.wasm: not the file", "rustc 4.5.6"] {
            assert!(differences.contains(expected), "{expected} in {differences}");
        }
    }

    #[test]
    fn damaged_manifests_are_refused() {
        assert!(Manifest::parse("[sources]\nabc").is_err());
        assert!(Manifest::parse("[others]\nabc  d").is_err());
    }
}
