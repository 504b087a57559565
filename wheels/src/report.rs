//! What pip found, from the report it writes.

use serde::Deserialize;

use crate::{Error, Needed, requirements::normalize};

/// A distribution that pip would install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Normalized.
    pub name: String,
    pub version: String,
    /// The wheel's file name.
    pub file: String,
    pub sha256: String,
    /// As its metadata has them.
    pub requires: Vec<String>,
    pub extras: Vec<String>,
    /// The version of CPython it was looked for with, where that is an older one than the engine's.
    pub built_for: Option<(u32, u32)>,
}

impl Found {
    /// Whether it says of itself that it runs on every machine.
    pub fn is_pure(&self) -> bool {
        is_pure(&self.file)
    }
}

/// Whether a wheel's name says that it runs on every machine.
pub(crate) fn is_pure(file: &str) -> bool {
    let platforms = file.strip_suffix(".whl").and_then(|stem| stem.rsplit('-').next()).unwrap_or_default();
    platforms.split('.').any(|platform| platform == "any")
}

/// The normalized name that a requirement begins with.
pub(crate) fn name_in(requirement: &str) -> String {
    let end = requirement.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(requirement.len());
    normalize(&requirement[..end])
}

#[derive(Deserialize)]
struct Report {
    install: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    download_info: DownloadInfo,
    /// Required by an address instead of a name.
    #[serde(default)]
    is_direct: bool,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
    #[serde(default)]
    requires_dist: Vec<String>,
    #[serde(default)]
    provides_extra: Vec<String>,
}

#[derive(Deserialize)]
struct DownloadInfo {
    url: String,
    archive_info: Option<ArchiveInfo>,
}

#[derive(Deserialize)]
struct ArchiveInfo {
    /// `sha256=…`: pip 22 knows no other field.
    hash: Option<String>,
}

pub(crate) fn parse(json: &[u8]) -> Result<Vec<Found>, Error> {
    let report: Report = serde_json::from_slice(json).map_err(|error| Error::Internal(format!("pip's report: {error}")))?;
    report.install.into_iter().map(found).collect()
}

/// A published package that requires another one by an address, be it a wheel, a source or a repository.
pub(crate) fn by_address(name: &str) -> Error {
    let needed = Needed { what: name.to_owned(), by: None, place: None };
    Error::NoWheel { needed, reason: "another one requires it by an address, and only wheels of the host's index are used".to_owned() }
}

fn found(Item { metadata, download_info, is_direct }: Item) -> Result<Found, Error> {
    if is_direct {
        return Err(by_address(&metadata.name));
    }
    let address = download_info.url.split(['#', '?']).next().unwrap_or_default();
    // The one sign of a wheel's name that addresses escape.
    let file = address.rsplit('/').next().unwrap_or_default().replace("%2B", "+").replace("%2b", "+");
    let hash = download_info.archive_info.and_then(|archive| archive.hash);
    let sha256 = hash.as_deref().and_then(|hash| hash.strip_prefix("sha256=")).unwrap_or_default().to_ascii_lowercase();
    if sha256.len() != 64 || !file.ends_with(".whl") {
        return Err(Error::Internal(format!("the index tells no SHA-256 of a wheel for {} {}", metadata.name, metadata.version)));
    }
    Ok(Found {
        name: normalize(&metadata.name),
        version: metadata.version,
        file,
        sha256,
        requires: metadata.requires_dist,
        extras: metadata.provides_extra,
        built_for: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheels_name_tells_whether_it_is_pure() {
        assert!(is_pure("six-1.17.0-py2.py3-none-any.whl"));
        assert!(!is_pure("markupsafe-3.0.4-cp314-cp314-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"));
        assert!(!is_pure("ruff-0.1-py3-none-manylinux2014_x86_64.whl"));
        assert!(!is_pure("any.zip"));
    }

    #[test]
    fn names_end_where_the_rest_begins() {
        for written in ["Zope.Interface>=5", "zope-interface [test] ; extra == 'x'", "zope_interface", "zope.interface (>=5)"] {
            assert_eq!(name_in(written), "zope-interface", "{written}");
        }
    }

    #[test]
    fn a_report_is_read() {
        let hash = "ab".repeat(32);
        let json = format!(
            r#"{{"version": "1", "install": [{{"metadata": {{"name": "Torch_X", "version": "1.0+cpu", "requires_dist": ["six"]}},
               "download_info": {{"url": "https://a.example/torch_x-1.0%2Bcpu-py3-none-any.whl", "archive_info": {{"hash": "sha256={hash}"}}}}}}]}}"#
        );
        let found = parse(json.as_bytes()).unwrap();
        assert_eq!(found[0].file, "torch_x-1.0+cpu-py3-none-any.whl");
        assert_eq!((found[0].name.as_str(), found[0].sha256.as_str()), ("torch-x", hash.as_str()));
    }
}
