//! Files that ship with an engine, as one tar archive.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Their contents by their paths in the archive, in its order.
#[derive(Default)]
pub struct Files(BTreeMap<PathBuf, Vec<u8>>);

impl Files {
    /// The files with this extension that are in `folder` and the folders in it, as `path` of the archive.
    pub fn add(&mut self, folder: &Path, path: &Path, extension: &str) -> Result<()> {
        self.add_those(folder, path, &|file| file.extension().is_some_and(|its| its == extension))
    }

    /// All that is in `folder`.
    pub fn add_all(&mut self, folder: &Path) -> Result<()> {
        self.add_those(folder, Path::new(""), &|_| true)
    }

    fn add_those(&mut self, folder: &Path, path: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let (from, path) = (entry.path(), path.join(entry.file_name()));
            if entry.file_type()?.is_dir() {
                self.add_those(&from, &path, is_wanted)?;
            } else if is_wanted(&from) {
                self.0.insert(path, fs::read(from)?);
            }
        }
        Ok(())
    }

    /// The same bytes for the same files: in order, and without times and owners.
    pub fn pack(&self) -> Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o444);
            archive.append_data(&mut header, path, &**content)?;
        }
        Ok(archive.into_inner()?)
    }
}
