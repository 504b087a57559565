//! Wheels become one tree. A wheel is a stranger's archive: nothing it says about itself is believed.

use std::{collections::BTreeMap, fs::File, io::Read as _, path::Path};

use zip::{CompressionMethod, ZipArchive, read::ZipFile};

use crate::{
    Error, Limits, NativePackage,
    native::{is_native_file, works_without},
    report::{self, Found},
};

/// Text compresses to a tenth; what goes this far beyond is made to exhaust whoever unpacks it. Small files may do anything.
const MAX_RATIO: u64 = 200;
const RATIO_MATTERS_FROM: u64 = 1 << 20;

/// Lists of a wheel's files with hashes and signatures: they would not fit what is left of it.
const NOT_KEPT: [&str; 3] = ["RECORD", "RECORD.jws", "RECORD.p7s"];

/// What `site-packages` will hold.
pub(crate) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
    limits: Limits,
}

/// A file of a wheel, and where it goes.
enum Destination {
    SitePackages(String),
    /// Scripts, headers and data of other folders, which nothing in the sandbox looks for.
    Nowhere,
}

impl Tree {
    pub fn new(limits: Limits) -> Self {
        Self { files: BTreeMap::new(), bytes: 0, limits }
    }

    /// Adds a wheel, and answers which native files were left out. Where two wheels have the same file, the later one counts.
    pub fn add(&mut self, folder: &Path, found: &Found) -> Result<Vec<String>, Error> {
        let bad = |reason: String| Error::Wheel { file: found.file.clone(), reason };
        let file = File::open(folder.join(&found.file)).map_err(|error| Error::Internal(format!("{}: {error}", found.file)))?;
        let mut archive = ZipArchive::new(file).map_err(|error| bad(error.to_string()))?;
        if archive.len() > self.limits.files {
            return Err(self.too_many_files(found));
        }
        let mut left_out = Vec::new();
        let mut has_metadata = false;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(|error| bad(error.to_string()))?;
            let path = entry.name().map_err(|error| bad(error.to_string()))?.into_owned();
            if entry.is_dir() || entry.is_symlink() {
                continue;
            }
            let Destination::SitePackages(path) = destination(&path).map_err(bad)? else { continue };
            if is_native_file(&path) {
                left_out.push(path);
                continue;
            }
            has_metadata |= path.ends_with(".dist-info/METADATA");
            let content = self.read(&mut entry, found)?;
            self.insert(path, content, found)?;
        }
        if !has_metadata {
            return Err(bad("it has no METADATA".to_owned()));
        }
        match left_out.first() {
            Some(native) if !works_without(&found.name) => Err(contains_native(found, native)),
            _ => Ok(left_out),
        }
    }

    fn read(&self, entry: &mut ZipFile<'_, File>, found: &Found) -> Result<Vec<u8>, Error> {
        let bad = |reason: String| Error::Wheel { file: found.file.clone(), reason };
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(bad("it is compressed as no wheel may be".to_owned()));
        }
        let (size, compressed) = (entry.size(), entry.compressed_size());
        if size >= RATIO_MATTERS_FROM && size / MAX_RATIO > compressed {
            return Err(bad(format!("{size} bytes are said to be in {compressed}")));
        }
        // The sizes may be wrong: what is read counts.
        let left = self.limits.bytes - self.bytes;
        let mut content = Vec::with_capacity(size.min(left) as usize);
        entry.take(left + 1).read_to_end(&mut content).map_err(|error| bad(error.to_string()))?;
        if content.len() as u64 > left {
            let limit = format!("{} MB", self.limits.bytes / 1_000_000);
            return Err(Error::TooLarge { limit, file: found.file.clone() });
        }
        Ok(content)
    }

    fn insert(&mut self, path: String, content: Vec<u8>, found: &Found) -> Result<(), Error> {
        // What is replaced stays counted: a wheel could have one large file a thousand times.
        self.bytes += content.len() as u64;
        self.files.insert(path, content);
        if self.files.len() > self.limits.files { Err(self.too_many_files(found)) } else { Ok(()) }
    }

    fn too_many_files(&self, found: &Found) -> Error {
        Error::TooLarge { limit: format!("{} files", self.limits.files), file: found.file.clone() }
    }

    /// All files, sorted.
    pub fn into_files(self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        for path in self.files.keys() {
            let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
            if let Some(both) = parents.into_iter().find(|parent| self.files.contains_key(*parent)) {
                return Err(Error::Wheel {
                    file: both.to_owned(),
                    reason: "one package has it as a file and another as a folder".to_owned(),
                });
            }
        }
        Ok(self.files.into_iter().collect())
    }
}

/// Where a file of a wheel goes, or why it may not be there.
fn destination(path: &str) -> Result<Destination, String> {
    let is_bad = |part: &str| matches!(part, "" | "." | "..");
    if path.contains(['\\', '\0']) || path.split('/').any(is_bad) || path.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err(format!("it has a file outside of itself: {}", path.escape_debug()));
    }
    let (top, below) = path.split_once('/').unwrap_or((path, ""));
    if top.ends_with(".dist-info") && NOT_KEPT.contains(&below) {
        return Ok(Destination::Nowhere);
    }
    if !top.ends_with(".data") {
        return Ok(Destination::SitePackages(path.to_owned()));
    }
    let library = below.strip_prefix("purelib/").or_else(|| below.strip_prefix("platlib/"));
    Ok(library.map_or(Destination::Nowhere, |path| Destination::SitePackages(path.to_owned())))
}

fn contains_native(found: &Found, file: &str) -> Error {
    let kind = if report::is_pure(&found.file) { "although its name says otherwise" } else { "which it does not work without" };
    let package = NativePackage {
        name: found.name.clone(),
        version: found.version.clone(),
        needed_by: None,
        pure_version: None,
        advice: Some(format!("it contains {file}, {kind}")),
    };
    Error::Native { place: None, packages: vec![package] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_leaves_the_tree() {
        let evil = [
            "../x.py",
            "/x.py",
            "a/../../x.py",
            "a-1.data/purelib/../../x.py",
            "a\\..\\x.py",
            "c:/x.py",
            "a//x.py",
            "./x.py",
            "a\0.py",
            "",
        ];
        for path in evil {
            assert!(destination(path).is_err(), "{path}");
        }
    }

    #[test]
    fn files_of_other_schemes_go_where_they_belong() {
        let place = |path: &str| match destination(path) {
            Ok(Destination::SitePackages(path)) => Some(path),
            _ => None,
        };
        assert_eq!(place("a/b.data/purelib/c.py").as_deref(), Some("a/b.data/purelib/c.py"));
        assert_eq!(place("a-1.data/platlib/c.py").as_deref(), Some("c.py"));
        assert_eq!(place("a-1.dist-info/METADATA").as_deref(), Some("a-1.dist-info/METADATA"));
        for path in ["a-1.dist-info/RECORD", "a-1.data/scripts/run", "a-1.data/headers/a.h", "a-1.data/x"] {
            assert_eq!(place(path), None);
        }
    }
}
