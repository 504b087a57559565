//! Why there are no packages, in words for people.

use crate::Manager;

/// Why there are no packages. `file` is relative to the handler's folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The project wants something that a handler may not ask of the host.
    #[error("{what}: {reason}")]
    Refused {
        /// The file that says so.
        file: String,
        /// What is wanted.
        what: String,
        /// Why it is refused, and the remedy.
        reason: String,
    },
    /// package.json and the lock do not say the same.
    #[error("the lock does not fit package.json: run `{}` and keep both ({detail})", .manager.update())]
    OutOfStep {
        /// The lock.
        file: String,
        /// Whose lock it is.
        manager: Manager,
        /// In the manager's own words.
        detail: String,
    },
    /// The registry has something else than the lock says.
    #[error("a package is not what the lock says, so the lock or the registry was changed: run `{}` anew ({detail})", .manager.update())]
    Integrity {
        /// The lock.
        file: String,
        /// Whose lock it is.
        manager: Manager,
        /// In the manager's own words.
        detail: String,
    },
    /// The registry has no such package or version.
    #[error("the registry does not have a package of the lock, or shows it only to users who are logged in: {detail}")]
    NotFound {
        /// The lock.
        file: String,
        /// In the manager's own words.
        detail: String,
    },
    /// The manager failed for another reason that lies in the project.
    #[error("{} cannot install the packages: {detail}", .manager.name())]
    Failed {
        /// The lock.
        file: String,
        /// Which.
        manager: Manager,
        /// Its own words.
        detail: String,
    },
    /// The packages exceed a limit.
    #[error("the packages take more than {limit}: require fewer or smaller ones")]
    TooLarge {
        /// The lock.
        file: String,
        /// Which limit, with its unit.
        limit: String,
    },
    /// It took too long.
    #[error("installing the packages took more than {seconds} s: require fewer, or try again on a faster network")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// The registry wants to know who asks.
    #[error(
        "the registry refuses to give a package to this user: log in to it on the host, where ~/.npmrc may name ${{NPM_TOKEN}}; in the handler's own, variables do not count ({detail})"
    )]
    Denied {
        /// In the manager's own words.
        detail: String,
    },
    /// The registry cannot be reached.
    #[error("cannot reach the registry of packages: {detail}")]
    Network {
        /// In the manager's own words.
        detail: String,
    },
    /// There is no such program.
    #[error("the handler's packages are installed by {0}, which is not there: install {0}, or put node_modules beside package.json", .manager.name())]
    NoManager {
        /// Which.
        manager: Manager,
    },
    /// There is one, of another time than the lock.
    #[error(
        "the lock is of yarn {wanted}, and the yarn that is there says that it is {found}: install the other one, or put node_modules beside package.json"
    )]
    OtherVersion {
        /// The version that wrote the lock.
        wanted: &'static str,
        /// What the program says.
        found: String,
    },
    /// Something else failed: a fault of this program or of the machine, in words for its operator.
    #[error("cannot install the packages: {0}")]
    Internal(String),
}

impl Error {
    /// Which of the handler's files it concerns, if the handler's author can mend it, as opposed to whoever runs the host.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Refused { file, .. }
            | Self::OutOfStep { file, .. }
            | Self::Integrity { file, .. }
            | Self::NotFound { file, .. }
            | Self::Failed { file, .. }
            | Self::TooLarge { file, .. } => Some(file),
            Self::Timeout { .. } => Some("package.json"),
            Self::Denied { .. } | Self::Network { .. } | Self::NoManager { .. } | Self::OtherVersion { .. } | Self::Internal(_) => None,
        }
    }
}
