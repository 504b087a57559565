//! What a handler requires, read from its files and from nothing else.

mod script;
mod text;

use std::{
    collections::BTreeSet,
    io::{self, Read as _},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use cap_std::{ambient_authority, fs::Dir};
use pep508_rs::{VerbatimUrl, VersionOrUrl, pep440_rs::VersionSpecifiers};

use crate::{Error, Place};

/// Where a folder lists what it requires.
pub const REQUIREMENTS_FILE: &str = "requirements.txt";

/// More than anybody writes; what is parsed has to have bounds.
const MAX_LIST_BYTES: u64 = 1 << 20;
const MAX_SOURCE_BYTES: u64 = 50_000_000;
const MAX_REQUIREMENTS: usize = 1_000;
const MAX_REQUIREMENT_CHARS: usize = 512;

/// What a handler requires, and which files say so.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    pub(crate) list: Vec<Requirement>,
    pub(crate) python: Option<RequiredPython>,
    inputs: BTreeSet<PathBuf>,
}

/// One requirement: a name with versions, extras and markers.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub spec: pep508_rs::Requirement<VerbatimUrl>,
    /// SHA-256 in hex, as far as they are given.
    pub hashes: Vec<String>,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub(crate) struct RequiredPython {
    pub versions: VersionSpecifiers,
    pub place: Place,
}

impl Requirements {
    /// Reads what the handler in the folder `root` requires, whose first file is `entry` (absolute, or relative to `root`).
    ///
    /// That is the folder's `requirements.txt`, with the files it includes by `-r`, or the PEP 723 block of the entry
    /// (`# /// script`). Both together are an error, unless one of them lists nothing. A single `.py` file is an entry whose
    /// root is the folder it lies in. Nothing outside the folder is read.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Refused`], with file and line; [`Error::Internal`] if a file cannot be read.
    pub fn of(root: &Path, entry: &Path) -> Result<Self, Error> {
        let mut folder = Folder::open(root)?;
        let mut requirements = Self::default();
        if let Some(listed) = folder.read_list(REQUIREMENTS_FILE)? {
            requirements.list = text::parse(&mut folder, REQUIREMENTS_FILE, &listed)?;
        }
        let entry = entry.strip_prefix(root).unwrap_or(entry).to_string_lossy().replace('\\', "/");
        if let Some(source) = folder.read(&entry, MAX_SOURCE_BYTES)? {
            // A source in another encoding has an ASCII block all the same.
            let block = script::parse(&entry, &String::from_utf8_lossy(&source))?;
            requirements.add(block)?;
        }
        requirements.inputs = folder.inputs;
        Ok(requirements)
    }

    fn add(&mut self, block: script::Block) -> Result<(), Error> {
        if let (Some(first), false) = (block.list.first(), self.list.is_empty()) {
            let reason = format!("packages are listed both here and in {REQUIREMENTS_FILE}: keep one of the lists");
            return Err(Error::Malformed { place: first.place.clone(), reason });
        }
        self.list.extend(block.list);
        self.python = block.python;
        Ok(())
    }

    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every file that was read, the entry included: absolute if `root` was, sorted. A `requirements.txt` that is added later
    /// changes what is required.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.inputs.iter().map(PathBuf::as_path)
    }

    /// Normalized names of what the handler itself requires, in its own order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(Requirement::name)
    }

    /// The first of the handler's own requirements that is one of `names`.
    pub fn requires_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&str> {
        let names: BTreeSet<String> = names.into_iter().map(normalize).collect();
        self.names().find(|name| names.contains(*name))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Requirement> {
        self.list.iter().find(|requirement| requirement.name() == name)
    }

    pub(crate) fn place_of(&self, name: &str) -> Option<Place> {
        self.find(name).map(|requirement| requirement.place.clone())
    }
}

impl Requirement {
    /// Reads a requirement as PEP 508 writes it, and refuses those that name an address.
    fn parse(written: &str, place: &Place) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Malformed { place: place.clone(), reason };
        if written.chars().count() > MAX_REQUIREMENT_CHARS || written.contains(|c: char| c.is_control() && c != '\t') {
            return Err(malformed(format!("this is no requirement: more than {MAX_REQUIREMENT_CHARS} characters, or not text")));
        }
        let before_marker = written.split(';').next().unwrap_or(written);
        // Neither names nor versions have a slash.
        let is_address =
            before_marker.contains(['/', '\\', '@']) || [".whl", ".zip", ".gz"].iter().any(|end| before_marker.trim_end().ends_with(end));
        if is_address {
            return Err(refused(place, written, "a handler names packages and versions; where they come from is the host's to say"));
        }
        if written.contains("${") {
            return Err(refused(place, written, "variables are not replaced: write what is meant"));
        }
        // Not the error itself: what it displays is the whole line, and it panics where that has wide characters.
        let spec = pep508_rs::Requirement::from_str(written)
            .map_err(|error| malformed(format!("\"{written}\" is no requirement: {}", one_line(&error.message.to_string()))))?;
        match spec.version_or_url {
            Some(VersionOrUrl::Url(_)) => Err(refused(place, written, "a handler names packages and versions only")),
            _ => Ok(Self { spec, hashes: Vec::new(), place: place.clone() }),
        }
    }

    pub fn name(&self) -> &str {
        self.spec.name.as_ref()
    }
}

fn refused(place: &Place, what: &str, reason: &str) -> Error {
    Error::Refused { place: place.clone(), what: what.to_owned(), reason: reason.to_owned() }
}

fn one_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// A package's name as PEP 503 compares it: in lower case, with one hyphen for every run of `-`, `_` and `.`.
pub(crate) fn normalize(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    lower.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The handler's folder, beyond which there is nothing.
struct Folder {
    dir: Dir,
    root: PathBuf,
    inputs: BTreeSet<PathBuf>,
}

impl Folder {
    fn open(root: &Path) -> Result<Self, Error> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(|error| unreadable(&root.to_string_lossy(), &error))?;
        Ok(Self { dir, root: root.to_path_buf(), inputs: BTreeSet::new() })
    }

    /// What a file holds; nothing if there is none inside of the folder.
    fn read(&mut self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, Error> {
        let file = match self.dir.open(path) {
            Ok(file) => file,
            // cap-std's own refusal, of a path that leads outside, carries no number.
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error().is_none() => return Ok(None),
            Err(error) => return Err(unreadable(path, &error)),
        };
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        if bytes.len() as u64 > max_bytes {
            let reason = format!("more than {max_bytes} bytes");
            return Err(Error::Malformed { place: Place { file: path.to_owned(), line: 1 }, reason });
        }
        self.inputs.insert(self.root.join(path));
        Ok(Some(bytes))
    }

    /// The text of a list of requirements.
    fn read_list(&mut self, path: &str) -> Result<Option<String>, Error> {
        let Some(bytes) = self.read(path, MAX_LIST_BYTES)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = line_number(good.iter().filter(|byte| **byte == b'\n').count());
            Error::Malformed { place: Place { file: path.to_owned(), line }, reason: "not UTF-8 text".to_owned() }
        })?;
        Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
    }
}

/// A line's number, from 1, after so many others.
fn line_number(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX - 1) + 1
}

fn unreadable(path: &str, error: &io::Error) -> Error {
    Error::Internal(format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_pep_503_says() {
        assert_eq!(normalize("Zope._-Interface"), "zope-interface");
        assert_eq!(normalize("PyYAML"), "pyyaml");
    }

    #[test]
    fn addresses_in_every_form_are_refused() {
        let place = Place { file: "requirements.txt".into(), line: 1 };
        for address in ["six @ https://a.example/six.whl", "git+https://a.example/six", "./six", "../six", "six.whl", "file:///six", "a\\b"]
        {
            let error = Requirement::parse(address, &place).unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{address}: {error}");
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic() {
        let place = Place { file: "requirements.txt".into(), line: 1 };
        for text in ["", "é", "six>=é", "six[", "six ; ", "six ; python_version > 'é", "()(", "six==", "six ; (((((", "😀"] {
            assert!(matches!(Requirement::parse(text, &place), Err(Error::Malformed { .. })), "{text}");
        }
    }
}
