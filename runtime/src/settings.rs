//! What a handler's folder says of the handler besides its code: `mirra` in package.json, `tool.mirra` in pyproject.toml.
//!
//! ```json
//! { "mirra": { "allowedHosts": ["api.example.com", "*.example.org"], "allowedResources": ["telegram"] } }
//! ```
//! ```toml
//! [tool.mirra]
//! allowed-hosts = ["api.example.com", "*.example.org"]
//! allowed-resources = ["telegram"]
//! ```

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use mirra_host_sdk::{AllowList, Diagnostic, PrepareError};
use serde::Deserialize;

/// Longer than any that somebody wrote.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a handler asks to be held to. It can only ever give up what the host would allow.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The hosts that it may reach, written as for `--allow-net`. None: all that the host allows.
    #[serde(alias = "allowed-hosts")]
    pub allowed_hosts: Option<Vec<String>>,
    /// The installed resources that it may use, by id or name. None: all that its account has.
    #[serde(alias = "allowed-resources")]
    pub allowed_resources: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
struct Package {
    mirra: Option<Settings>,
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    tool: Package,
}

/// The file in a handler's folder that has its settings, as its language has it.
pub struct SettingsFile {
    name: &'static str,
    parse: fn(&str) -> Result<Settings, String>,
}

pub const PACKAGE_JSON: SettingsFile = SettingsFile {
    name: "package.json",
    parse: |text| match serde_json::from_str::<Package>(text) {
        Ok(package) => Ok(package.mirra.unwrap_or_default()),
        Err(error) => Err(error.to_string()),
    },
};

pub const PYPROJECT_TOML: SettingsFile = SettingsFile {
    name: "pyproject.toml",
    parse: |text| match toml::from_str::<Project>(text) {
        Ok(project) => Ok(project.tool.mirra.unwrap_or_default()),
        Err(error) => Err(error.message().to_owned()),
    },
};

impl SettingsFile {
    /// The settings of the handler at `path`, and the file that has them, or would.
    ///
    /// # Errors
    /// The file has settings that are none, or cannot be read.
    pub fn read(&self, path: &Path) -> Result<(Settings, PathBuf), PrepareError> {
        let rejected =
            |message| PrepareError::Rejected(vec![Diagnostic { message, file: Some(self.name.to_owned()), ..Diagnostic::default() }]);
        let unreadable = |error: io::Error| rejected(format!("cannot be read: {error}"));
        // A handler is where its file is, and not where a link to it is, for its imports, too.
        let path = path.canonicalize().map_err(unreadable)?;
        let folder = if path.is_dir() { &*path } else { path.parent().unwrap_or(&path) };
        let settings = match read(folder, self.name).map_err(unreadable)? {
            Some(text) => (self.parse)(&text).and_then(Settings::checked).map_err(rejected)?,
            None => Settings::default(),
        };
        Ok((settings, folder.join(self.name)))
    }
}

impl Settings {
    fn checked(self) -> Result<Settings, String> {
        match AllowList::parse(self.allowed_hosts.iter().flatten().map(String::as_str)) {
            Ok(_) => Ok(self),
            Err(error) => Err(format!("the handler's allowed hosts: {error}")),
        }
    }
}

/// None: there is no such file in the folder. One that is a link out of it does not count as in it.
fn read(folder: &Path, name: &str) -> io::Result<Option<String>> {
    let file = match Dir::open_ambient_dir(folder, ambient_authority())?.open(name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Refused by cap-std, and not by the system.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {} MB", FILE_BYTES_MAX >> 20)));
    }
    Ok(Some(text))
}
