//! From what a Python handler requires to the files of its packages.
//!
//! [`Requirements::of`] reads what the handler's files say. [`Resolver::resolve`] has pip find versions that fit together and
//! fetch their wheels, and unpacks them itself. Nothing of a package runs: there are only wheels, never a `setup.py`. The
//! sandbox has no dynamic linker, so native code is left out where a package works without it, and refused by name elsewhere.
//!
//! Why pip and not uv: whoever has Python has pip, and how the host reaches its index (mirror, proxy, certificates) is
//! written in pip's configuration, which uv does not read. Only this crate knows pip.

mod cache;
mod engine;
mod error;
mod explain;
mod fetch;
mod native;
mod packages;
mod pinned;
mod pip;
mod report;
mod requirements;
mod resolver;
mod solve;
mod stand_in;
mod unpack;

pub use engine::Engine;
pub use error::{Error, NativePackage, Needed, Place};
pub use packages::{Lock, Locked, Packages};
pub use pinned::PinnedWheel;
pub use requirements::{REQUIREMENTS_FILE, Requirements};
pub use resolver::{Limits, Phase, Progress, Resolver};
