//! Which server, and by which key: from flags and the environment, or from the file that `mirra login` writes.

use std::{
    collections::BTreeMap,
    env, fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use serde::Deserialize;
use url::Url;

use crate::failure::Failure;

pub const DEFAULT_URL: &str = "http://127.0.0.1:3000";

/// What `config.toml` holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server that is asked when nothing else is said.
    url: Option<String>,
    /// By the URL of the server that they are for: no other ever sees one.
    #[serde(default)]
    keys: BTreeMap<String, String>,
}

impl Settings {
    /// Empty where there is no file.
    pub fn load() -> Result<Settings, Failure> {
        let Some(path) = path() else { return Ok(Settings::default()) };
        let unusable = |error: anyhow::Error| {
            Failure::wrong_use(error.context(format!("{} cannot be used", path.display()))).next_step("Write it anew with 'mirra login'.")
        };
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| unusable(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => Err(unusable(error.into())),
        }
    }

    /// The server that is meant, without a slash at its end.
    pub fn url(&self, wanted: Option<&str>) -> Result<String, Failure> {
        let text = wanted.filter(|url| !url.is_empty()).or(self.url.as_deref()).unwrap_or(DEFAULT_URL);
        let wrong = |reason: String| {
            Failure::wrong_use(anyhow!("'{text}' is no URL of a server: {reason}"))
                .next_step("Write it as http://HOST:PORT or https://HOST.")
        };
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it must begin with http:// or https://".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user or a password in it, and keys are given in other ways".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or a fragment".to_owned()));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    /// The key for a server.
    pub fn key(&self, url: &str) -> Option<String> {
        let given = env::var("MIRRA_API_KEY").ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        given.or_else(|| self.keys.get(url).cloned())
    }

    /// With a key for a server, which is the one that is asked from now on.
    pub fn with(mut self, url: String, key: String) -> Settings {
        self.keys.insert(url.clone(), key);
        Settings { url: Some(url), ..self }
    }

    /// Writes the file, for its owner's eyes alone. Answers where.
    pub fn save(&self) -> Result<PathBuf, Failure> {
        let path = path().ok_or_else(|| {
            Failure::wrong_use(anyhow!("there is no folder for settings"))
                .next_step("Set XDG_CONFIG_HOME or HOME, or give keys in MIRRA_API_KEY.")
        })?;
        write_privately(&path, &self.to_toml()).with_context(|| format!("cannot write {}", path.display())).map_err(Failure::host)?;
        Ok(path)
    }

    fn to_toml(&self) -> String {
        let mut text = String::new();
        if let Some(url) = &self.url {
            text += &format!("url = {}\n", quoted(url));
        }
        text += "\n[keys]\n";
        for (url, key) in &self.keys {
            text += &format!("{} = {}\n", quoted(url), quoted(key));
        }
        text
    }
}

/// A text of JSON is one of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Under another name until it is whole; never readable by others, not even for a moment.
fn write_privately(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let unfinished = path.with_extension(format!("{}.new", std::process::id()));
    // What a crash left behind may have been readable.
    let _ = fs::remove_file(&unfinished);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// `$XDG_CONFIG_HOME/mirra/config.toml`, or `~/.config/mirra/config.toml`.
fn path() -> Option<PathBuf> {
    let absolute = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("mirra").join("config.toml"))
}

/// Of a company's own authority, where curl and others look for them too.
pub fn root_certificates(url: &str) -> Result<String, Failure> {
    let given = env::var_os("SSL_CERT_FILE").filter(|_| url.starts_with("https:"));
    let Some(path) = given.map(PathBuf::from) else { return Ok(String::new()) };
    fs::read_to_string(&path).with_context(|| format!("cannot read SSL_CERT_FILE, which is {}", path.display())).map_err(Failure::wrong_use)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let odd = "a \"key\" with \\ and \u{1}\n";
        let settings = Settings::default().with("https://one".into(), "first".into()).with("http://two:1".into(), odd.into());
        let read: Settings = toml::from_str(&settings.to_toml()).unwrap();
        assert_eq!(
            (read.url.as_deref(), read.keys["http://two:1"].as_str(), read.keys["https://one"].as_str()),
            (Some("http://two:1"), odd, "first")
        );
    }

    #[test]
    fn urls_are_checked() {
        let url = |text: &str| Settings::default().url(Some(text)).map_err(|failure| failure.to_string());
        assert_eq!(url("https://example.com/"), Ok("https://example.com".to_owned()));
        assert_eq!(url("http://[::1]:3000/behind/proxy/"), Ok("http://[::1]:3000/behind/proxy".to_owned()));
        assert_eq!(url(""), Ok(DEFAULT_URL.to_owned()));
        for wrong in ["example.com", "ftp://example.com", "http://user:secret@example.com", "http://example.com/?q=1", "http://"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }
}
