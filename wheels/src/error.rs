//! Why there are no packages, in words for people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in one of the handler's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Relative to the handler's folder, with `/` between its parts.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something required, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// As it is written: a name, mostly with versions.
    pub what: String,
    /// The package that requires it; nobody if the handler itself does.
    pub by: Option<String>,
    /// The handler's requirement that leads to it, as far as that is known.
    pub place: Option<Place>,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.what, needed(&self.by))
    }
}

/// A package that exists only as compiled code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativePackage {
    /// Normalized name.
    pub name: String,
    /// The version that would have been taken.
    pub version: String,
    /// The package that requires it; nobody if the handler itself does.
    pub needed_by: Option<String>,
    /// The newest version of it that is pure Python.
    pub pure_version: Option<String>,
    /// What to do instead.
    pub advice: Option<String>,
}

impl fmt::Display for NativePackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, .. } = self;
        write!(f, "{name} {version}{} is native code, which cannot run in the sandbox", needed(&self.needed_by))?;
        match (&self.advice, &self.pure_version) {
            (Some(advice), _) => write!(f, ": {advice}"),
            (None, Some(pure)) => write!(f, ": the newest version in pure Python is {name}=={pure}"),
            (None, None) => f.write_str(": use a package in pure Python instead"),
        }
    }
}

/// Why there are no packages. The text names no place: [`Error::place`] does.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that says what is required cannot be understood.
    #[error("{reason}")]
    Malformed {
        /// Where.
        place: Place,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// Something that pip would understand, but that a handler may not ask of the host.
    #[error("{what} is refused: {reason}")]
    Refused {
        /// Where.
        place: Place,
        /// The option or requirement.
        what: String,
        /// Why.
        reason: String,
    },
    /// The handler was written for another Python.
    #[error("the handler requires Python {required}, and runs on Python {offered}: change requires-python")]
    PythonVersion {
        /// Where.
        place: Place,
        /// As written.
        required: String,
        /// The engine's.
        offered: String,
    },
    /// The index has no such package.
    #[error("there is no package {0}: check how it is written")]
    NotFound(Needed),
    /// The package exists, but not in a version that was asked for.
    #[error("no version fits {needed}: for this Python there are {}", some_of(.available))]
    NoVersion {
        /// What no version fits.
        needed: Needed,
        /// The versions that could be used, oldest first.
        available: Vec<String>,
    },
    /// The package exists, but in no form that can be used.
    #[error("{needed} cannot be used: {reason}")]
    NoWheel {
        /// The package.
        needed: Needed,
        /// Why.
        reason: String,
    },
    /// No choice of versions suits everybody.
    #[error("requirements contradict each other: {}", .causes.join("; "))]
    Conflict {
        /// The first requirement of the handler's own that takes part in it.
        place: Option<Place>,
        /// Who requires what, in pip's words.
        causes: Vec<String>,
    },
    /// The engine comes with one version of a package and another one is required.
    #[error("{needed} does not fit {provided}, which is part of the engine: allow that version")]
    Provided {
        /// What does not fit.
        needed: Needed,
        /// The engine's package, by name and version.
        provided: String,
    },
    /// Packages that exist only as compiled code. Never empty.
    #[error("{}", .packages.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Native {
        /// The handler's requirement that leads to the first of them.
        place: Option<Place>,
        /// All that were found.
        packages: Vec<NativePackage>,
    },
    /// A native package that another engine comes with: see [`Engine::elsewhere`](crate::Engine::elsewhere).
    #[error("{0} is native code, which this engine does not come with")]
    Elsewhere(Needed),
    /// The handler gives hashes, and what the index has is not among them.
    #[error("{file} is not among the hashes given for {name}: {reason}")]
    Hash {
        /// Where the hashes are.
        place: Option<Place>,
        /// The package.
        name: String,
        /// The wheel.
        file: String,
        /// What to do.
        reason: String,
    },
    /// The packages exceed a limit.
    #[error("the packages have more than {limit} together: require fewer or smaller ones ({file} is where it was exceeded)")]
    TooLarge {
        /// Which limit, with its unit.
        limit: String,
        /// The wheel that was being unpacked.
        file: String,
    },
    /// A wheel that is not one, or does what none may.
    #[error("{file} is no wheel that can be used: {reason}")]
    Wheel {
        /// The wheel.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The package index cannot be reached.
    #[error("cannot reach the package index: {detail}")]
    Network {
        /// pip's own words.
        detail: String,
    },
    /// There is no pip, or none that can be used.
    #[error("Python packages need pip 22.2 or newer: install python3-pip, or set MIRRA_PYTHON to a Python that has it ({detail})")]
    NoPip {
        /// What was tried.
        detail: String,
    },
    /// It took too long.
    #[error("finding and fetching the packages took more than {seconds} s: pin versions, or try again on a faster network")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// Something else failed: a fault of this program or of the machine, in words for its operator.
    #[error("cannot make the packages: {0}")]
    Internal(String),
}

impl Error {
    /// Where in the handler's files it has its cause.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Malformed { place, .. } | Self::Refused { place, .. } | Self::PythonVersion { place, .. } => Some(place),
            Self::NotFound(needed) | Self::Elsewhere(needed) => needed.place.as_ref(),
            Self::NoVersion { needed, .. } | Self::NoWheel { needed, .. } | Self::Provided { needed, .. } => needed.place.as_ref(),
            Self::Conflict { place, .. } | Self::Native { place, .. } | Self::Hash { place, .. } => place.as_ref(),
            Self::TooLarge { .. }
            | Self::Wheel { .. }
            | Self::Network { .. }
            | Self::NoPip { .. }
            | Self::Timeout { .. }
            | Self::Internal(_) => None,
        }
    }

    /// Whether the handler's author can mend it, as opposed to whoever runs the host.
    pub fn is_authors(&self) -> bool {
        !matches!(self, Self::Network { .. } | Self::NoPip { .. } | Self::Internal(_))
    }
}

fn needed(by: &Option<String>) -> String {
    by.as_ref().map(|by| format!(" (needed by {by})")).unwrap_or_default()
}

/// The newest versions are those that somebody who asks for another one can use.
const SHOWN_VERSIONS: usize = 8;

fn some_of(versions: &[String]) -> String {
    let skipped = versions.len().saturating_sub(SHOWN_VERSIONS);
    let more = if skipped > 0 { format!("{skipped} older ones and ") } else { String::new() };
    format!("{more}{}", versions[skipped..].join(", "))
}
