//! From a JavaScript handler's lock file to its packages, installed by the package manager that wrote the lock.
//!
//! [`Project::of`] reads what a folder says. [`Installer::install`] has npm, pnpm or yarn install exactly what the lock names into a
//! folder of the cache, once for each lock; the handler's own folder stays as it is. Packages come from
//! registries and from the handler's own folder, and nothing of them runs: install scripts are left out, git is not there to be run,
//! and of the project's settings only those are handed on that name no program. Only this crate knows package managers.

mod error;
mod explain;
mod install;
mod locks;
mod manager;
mod project;
mod settings;
mod sources;

pub use error::Error;
pub use install::{Installed, Installer, Limits};
pub use manager::Manager;
pub use project::Project;
