//! From a JavaScript handler's lock file to its packages, installed by the package manager that wrote the lock.
//!
//! [`Project::of`] reads what a folder says. [`Installer::install`] has npm, pnpm or yarn install exactly what the lock names into a
//! folder of the cache, once for each lock; the handler's own folder stays as it is. Nothing of a package runs: install scripts are
//! left out, and so are the parts of the project's settings that name programs. Only this crate knows package managers.

mod error;
mod explain;
mod install;
mod manager;
mod project;
mod settings;

pub use error::Error;
pub use install::{Installed, Installer, Limits};
pub use manager::Manager;
pub use project::Project;
