//! Brings the chosen wheels, each with the hash that was chosen.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Engine, Error, Phase, Progress, explain,
    pip::{Arguments, Output, Pip},
    report::Found,
};

/// In pip's own folder.
pub(crate) const WHEELS: &str = "fetched-wheels";

/// Whether it is pure, and the older Python that it is built for.
type Kind = (bool, Option<(u32, u32)>);

/// Answers the folder that the wheels lie in.
pub(crate) async fn fetch(pip: &Pip, engine: &Engine, found: &[Found], progress: Progress<'_>) -> Result<PathBuf, Error> {
    // pip looks for one version of Python at a time, and where an index tells no hashes it would take a native wheel first.
    let mut groups: BTreeMap<Kind, Vec<&Found>> = BTreeMap::new();
    for found in found {
        groups.entry((found.is_pure(), found.built_for)).or_default().push(found);
    }
    let mut done = 0;
    progress(Phase::Fetching { done, of: found.len() });
    for ((is_pure, built_for), group) in groups {
        list(&pip.work, &group)?;
        let arguments = Arguments::download(WHEELS).with(["--requirement", LIST]);
        let arguments = match built_for {
            Some((major, minor)) => arguments.any_wheel(&format!("{major}.{minor}"), (major, minor)),
            None if is_pure => arguments.pure(&engine.python_version),
            None => arguments.any_wheel(&engine.python_version, engine.version()?),
        };
        let mut count = |line: &str| {
            if is_arrival(line) && done < found.len() {
                done += 1;
                progress(Phase::Fetching { done, of: found.len() });
            }
        };
        let output = pip.run(arguments.as_slice(), &mut count).await?;
        if !output.is_success {
            return Err(why(&output));
        }
    }
    Ok(pip.work.join(WHEELS))
}

const LIST: &str = "locked.txt";

fn list(work: &Path, group: &[&Found]) -> Result<(), Error> {
    let line = |found: &&Found| format!("{}=={} --hash=sha256:{}\n", found.name, found.version, found.sha256);
    let text: String = group.iter().map(line).collect();
    fs::write(work.join(LIST), text).map_err(|error| Error::Internal(format!("{LIST}: {error}")))
}

/// pip writes such a line for every wheel, whether or not it had it. It is for the progress only.
fn is_arrival(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (first, last) = (words.next(), words.find(|word| word.ends_with(".whl")));
    matches!(first, Some("Downloading" | "Using" | "Processing")) && last.is_some()
}

pub(crate) fn why(output: &Output) -> Error {
    match explain::unreached(output) {
        Some(detail) => Error::Network { detail },
        None => Error::Internal(explain::last_words(output)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wheel_is_counted_once() {
        assert!(is_arrival("  Downloading six-1.17.0-py2.py3-none-any.whl (11 kB)"));
        assert!(is_arrival("  Using cached six-1.17.0-py2.py3-none-any.whl (11 kB)"));
        assert!(!is_arrival("  Downloading six-1.17.0-py2.py3-none-any.whl.metadata (1 kB)"));
        assert!(!is_arrival("Saved ./fetched-wheels/six-1.17.0-py2.py3-none-any.whl"));
    }
}
