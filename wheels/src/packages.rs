//! What a resolution comes to.

use serde::{Deserialize, Serialize};

/// The packages of a handler, as one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    /// Path relative to `site-packages`, with `/` between its parts, and content. Sorted; the same for the same lock.
    pub files: Vec<(String, Vec<u8>)>,
    /// What they were made of.
    pub lock: Lock,
    /// What the author should know: a package that was taken in an older version, and why.
    pub notes: Vec<String>,
    /// They were in the cache: nothing was resolved or fetched.
    pub is_cached: bool,
}

impl Packages {
    pub(crate) fn empty(python_version: &str) -> Self {
        let lock = Lock { python_version: python_version.to_owned(), packages: Vec::new() };
        Self { files: Vec::new(), lock, notes: Vec::new(), is_cached: true }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, content)| content.len() as u64).sum()
    }
}

/// Exactly which wheels were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The engine's.
    pub python_version: String,
    /// Sorted by name.
    pub packages: Vec<Locked>,
}

/// One wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// Normalized name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The wheel's file name, as the index has it.
    pub file: String,
    /// Of the wheel, in hex.
    pub sha256: String,
    /// Native files that the wheel has and the tree has not; the package works without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}
