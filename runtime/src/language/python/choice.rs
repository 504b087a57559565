//! Which of the two engines a handler runs on.
//!
//! Whoever imports numpy wants the scientific one, and so does whoever requires it; what only a package of theirs requires shows when
//! packages are looked for (`mirra_wheels::Error::Elsewhere`).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use mirra_wheels::Requirements;

use super::source;
use crate::language::gather::FILES_MAX;

/// What only the scientific engine has: as it is imported, and as it is required. What it has of pure Python besides can be
/// had on either, and is no reason to wait for it.
const PACKAGES: [(&str, &str); 16] = [
    ("PIL", "pillow"),
    ("contourpy", "contourpy"),
    ("formulaic", "formulaic"),
    ("kiwisolver", "kiwisolver"),
    ("lxml", "lxml"),
    ("matplotlib", "matplotlib"),
    ("mpl_toolkits", "matplotlib"),
    ("numpy", "numpy"),
    ("pandas", "pandas"),
    ("patsy", "patsy"),
    ("pylab", "matplotlib"),
    ("regex", "regex"),
    ("scipy", "scipy"),
    ("seaborn", "seaborn"),
    ("sklearn", "scikit-learn"),
    ("statsmodels", "statsmodels"),
];

/// As they are required.
pub fn distributions() -> impl Iterator<Item = &'static str> {
    PACKAGES.iter().map(|(_, distribution)| *distribution)
}

/// Whether the handler at a path imports or requires one of them. What cannot be read is told by whoever reads it next.
pub fn wants_scientific(path: &Path) -> bool {
    if !source::accepts(path) {
        return false;
    }
    let Some((root, entry)) = source::entry(path) else { return false };
    requires(&root, &entry) || imports(&root, &entry)
}

fn requires(root: &Path, entry: &str) -> bool {
    Requirements::of(root, Path::new(entry)).is_ok_and(|requirements| requirements.requires_any(distributions()).is_some())
}

/// Looks through the file and those of the handler's own that it leads to.
fn imports(root: &Path, entry: &str) -> bool {
    let mut waiting = vec![root.join(entry)];
    let mut seen = BTreeSet::new();
    while let Some(next) = waiting.pop() {
        if !seen.insert(next.clone()) || seen.len() > FILES_MAX {
            continue;
        }
        if next.is_dir() {
            waiting.extend(modules_in(&next));
            continue;
        }
        let Ok(text) = fs::read(&next) else { continue };
        for name in source::imports(&String::from_utf8_lossy(&text)) {
            let own = source::own_module(root, &name);
            if own.is_none() && PACKAGES.iter().any(|(package, _)| *package == name) {
                return true;
            }
            waiting.extend(own);
        }
    }
    false
}

fn modules_in(package: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = package.read_dir().into_iter().flatten().flatten();
    let is_module = |entry: &fs::DirEntry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_folder || entry.path().extension().is_some_and(|extension| extension == "py")
    };
    entries.filter(is_module).map(|entry| entry.path())
}
