//! The Python that packages are meant for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, requirements::normalize};

/// The Python that packages are chosen for, and what comes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Engine {
    /// Such as `3.14.2`. `3.14` means `3.14.0` to packages that want a later one.
    pub python_version: String,
    /// Python packages that the engine comes with, by name and version: they count as installed and are not fetched. A stand-in
    /// without dependencies takes part in the resolution, so what they depend on has to be among them, and an extra of theirs
    /// adds nothing.
    pub provided: Vec<(String, String)>,
    /// Native packages that another engine comes with. If one of them turns out to be needed, [`Error::Elsewhere`] says so.
    pub elsewhere: Vec<String>,
}

impl Engine {
    /// An engine with nothing but Python.
    pub fn python(version: impl Into<String>) -> Self {
        Self { python_version: version.into(), ..Self::default() }
    }

    /// Major and minor version.
    pub(crate) fn version(&self) -> Result<(u32, u32), Error> {
        let mut parts = self.python_version.split('.').map(|part| part.parse().ok());
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor)) => Ok((major, minor)),
            _ => Err(Error::Internal(format!("\"{}\" is no version of Python", self.python_version))),
        }
    }

    fn full_version(&self) -> String {
        match self.python_version.split('.').count() {
            2 => format!("{}.0", self.python_version),
            _ => self.python_version.clone(),
        }
    }

    pub(crate) fn provides(&self, name: &str) -> Option<&str> {
        let provided = self.provided.iter().find(|(provided, _)| normalize(provided) == name);
        provided.map(|(_, version)| version.as_str())
    }

    pub(crate) fn is_elsewhere(&self, name: &str) -> bool {
        self.elsewhere.iter().any(|elsewhere| normalize(elsewhere) == name)
    }

    /// What PEP 508's markers are evaluated with: CPython as it is built for WASI, where `uname` answers `wasi` and `wasm32`.
    pub(crate) fn markers(&self) -> Result<Value, Error> {
        let (major, minor) = self.version()?;
        let full = self.full_version();
        Ok(json!({
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": "wasm32",
            "platform_python_implementation": "CPython",
            "platform_release": "0.0.0",
            "platform_system": "wasi",
            "platform_version": "0.0.0",
            "python_full_version": full,
            "python_version": format!("{major}.{minor}"),
            "sys_platform": "wasi",
        }))
    }
}
