//! Packages that were made before, one file for each set of requirements.
//!
//! A file begins with the hash of all that follows, so one that is damaged or half written counts as absent. It is written
//! under another name first: a reader sees all of it or nothing.

use std::{
    io::{self, Read as _, Write as _},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use cap_std::{ambient_authority, fs::Dir};
use serde::{Deserialize, Serialize};

use crate::{Limits, Lock, Packages};

const HASH_BYTES: usize = blake3::OUT_LEN;
const LENGTH_BYTES: usize = 8;

/// Beyond the files themselves: their names, and the lock.
const MAX_HEADER_BYTES: u64 = 32 << 20;

#[derive(Debug)]
pub(crate) struct Cache(Dir);

/// Before the contents, which follow each other without a gap.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    lock: Lock,
    notes: Vec<String>,
    #[serde(borrow)]
    files: Vec<(std::borrow::Cow<'a, str>, usize)>,
}

impl Cache {
    pub fn open(folder: &Path) -> io::Result<Self> {
        Dir::create_ambient_dir_all(folder, ambient_authority())?;
        Dir::open_ambient_dir(folder, ambient_authority()).map(Self)
    }

    /// What was made for `key`, if it is there and whole.
    pub fn load(&self, key: &str, limits: &Limits) -> Option<Packages> {
        let mut bytes = Vec::new();
        let max_bytes = limits.bytes + MAX_HEADER_BYTES;
        self.0.open(file_name(key)).ok()?.take(max_bytes).read_to_end(&mut bytes).ok()?;
        let (hash, body) = bytes.split_at_checked(HASH_BYTES)?;
        if blake3::hash(body).as_bytes() != hash {
            return None;
        }
        let (length, rest) = body.split_at_checked(LENGTH_BYTES)?;
        let length = u64::from_le_bytes(length.try_into().ok()?);
        let (header, mut contents) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let Header { lock, notes, files } = serde_json::from_slice(header).ok()?;
        let mut tree = Vec::with_capacity(files.len());
        for (path, length) in files {
            let (content, rest) = contents.split_at_checked(length)?;
            tree.push((path.into_owned(), content.to_vec()));
            contents = rest;
        }
        let packages = Packages { files: tree, lock, notes, is_cached: true };
        // The limits may have been others then.
        let is_within = packages.bytes() <= limits.bytes && packages.files.len() <= limits.files;
        (contents.is_empty() && is_within).then_some(packages)
    }

    /// Keeps what was made for `key`.
    pub fn store(&self, key: &str, packages: &Packages) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let temporary = format!("{key}.{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let written = self.write(&temporary, packages).and_then(|()| self.0.rename(&temporary, &self.0, file_name(key)));
        if written.is_err() {
            let _ = self.0.remove_file(&temporary);
        }
        written
    }

    fn write(&self, name: &str, packages: &Packages) -> io::Result<()> {
        let files = packages.files.iter().map(|(path, content)| (path.as_str().into(), content.len())).collect();
        let header = serde_json::to_vec(&Header { lock: packages.lock.clone(), notes: packages.notes.clone(), files })?;
        let mut body = (header.len() as u64).to_le_bytes().to_vec();
        body.extend_from_slice(&header);
        for (_, content) in &packages.files {
            body.extend_from_slice(content);
        }
        let mut file = self.0.create(name)?;
        file.write_all(blake3::hash(&body).as_bytes())?;
        file.write_all(&body)
    }
}

fn file_name(key: &str) -> String {
    format!("{key}.packages")
}
