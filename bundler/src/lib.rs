//! Makes one ES module of a handler: TypeScript or JavaScript, its local imports and its packages.
//!
//! The work is done by rolldown, which only this crate knows, in a child process, since the parser of a
//! stranger's file may overflow its stack or exhaust memory, and neither can be caught. [`Bundler`] is the
//! parent's side; the program it starts calls [`child_main`] and does nothing else.

mod absent;
mod bundle;
mod child;
mod diagnostic;
mod entry;
mod explain;
mod folder;
mod parent;
mod places;
mod plugin;
mod variants;

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

pub use child::child_main;
pub use diagnostic::Diagnostic;
pub use entry::{EXTENSIONS, Entry, locate_entry};
pub use parent::{Bundler, ChildCommand};

/// Bytes of source that a handler and everything it imports may have together: 50 MB, a limit of the platform.
pub const MAX_SOURCE_BYTES: u64 = 50_000_000;

/// Where code believes the handler's folder to be (`__dirname`, `import.meta.url`): where AWS Lambda has it.
pub const HANDLER_FOLDER: &str = "/var/task";

/// What to bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// A file or a folder, as [`locate_entry`] understands it. Nothing outside that folder, or the file's, is read.
    pub path: PathBuf,
    /// Packages that were installed elsewhere: a folder laid out as the handler's, whose `node_modules` is taken for that.
    pub packages: Option<PathBuf>,
    /// Modules the engine itself provides, which stay imports: `node:fs` (then `fs` means it too), `mirra`.
    pub builtins: Vec<String>,
}

/// A handler as one module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// An ES module (ES2023) that imports nothing but [`Request::builtins`]. Exports are the entry's; a CommonJS
    /// entry has its `module.exports` as the default export. Names are as written, or have a `$1` added.
    pub code: String,
    /// Source map, version 3, as JSON: `sources` relative to the handler's folder, with `sourcesContent`.
    pub source_map: String,
    /// Every file that was read, package.json and tsconfig.json included, but for what lies in [`Request::packages`]: absolute paths, sorted. While their contents
    /// stay the same and no file is added to the folder, so does the bundle.
    pub inputs: Vec<PathBuf>,
    /// Remarks on the handler's own files, as `file:line:column: message`.
    pub warnings: Vec<String>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The handler's author has to mend something. Never empty; sorted by place.
    #[error("{}", .diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Rejected {
        /// What to mend.
        diagnostics: Vec<Diagnostic>,
    },
    /// The bundler itself failed: a fault of this program or of the machine, in words for its operator.
    #[error("the bundler failed: {0}")]
    Internal(String),
}

impl From<Diagnostic> for BundleError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Rejected { diagnostics: vec![diagnostic] }
    }
}

/// What bundling one handler may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From the request to the answer.
    pub wall: Duration,
    /// CPU time of the child process, in whole seconds.
    pub cpu_seconds: u64,
    /// Memory the child may have written to, in bytes, without the stacks of its threads.
    pub memory_bytes: u64,
    /// Bytes of all files read, together.
    pub source_bytes: u64,
}

impl Default for Limits {
    /// 60 s, 60 s, 2 GiB (10 MB of dense code take 1.4 GB), [`MAX_SOURCE_BYTES`].
    fn default() -> Self {
        Self { wall: Duration::from_secs(60), cpu_seconds: 60, memory_bytes: 2 << 30, source_bytes: MAX_SOURCE_BYTES }
    }
}

/// One line of JSON on the child's standard input.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    request: Request,
    limits: Limits,
}

/// The child's standard output.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Bundled(Bundle),
    Rejected(Vec<Diagnostic>),
}
