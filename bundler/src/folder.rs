//! The handler's folder as the bundler sees it: beyond it there is nothing.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    string::FromUtf8Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cap_std::{ambient_authority, fs::Dir};
use oxc_resolver::{FileMetadata, ResolveError};

use crate::Diagnostic;

/// A file system that ends at one folder.
///
/// rolldown and its resolver reach files through this alone, and it reaches them through a directory
/// handle that the kernel confines. Whatever leads outside (`..`, an absolute path, a symbolic link, a
/// tsconfig's `extends`) is as if it did not exist, whoever asks.
///
/// Where packages were installed elsewhere, `node_modules` is seen there, wherever in the folder it is; links from it lead back.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Canonical, valid UTF-8.
    root: PathBuf,
    dir: Dir,
    packages: Option<Dir>,
    max_bytes: u64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    read: BTreeSet<PathBuf>,
    bytes: u64,
    links_outside: Vec<PathBuf>,
    problems: Vec<Diagnostic>,
}

impl Folder {
    /// Opens `root`, which must be canonical; all files read through it may have `max_bytes` together. `packages` is laid out as
    /// `root` and has its `node_modules`.
    pub fn open(root: PathBuf, packages: Option<&Path>, max_bytes: u64) -> io::Result<Self> {
        let open = |path: &Path| Dir::open_ambient_dir(path, ambient_authority());
        let (dir, packages) = (open(&root)?, packages.map(open).transpose()?);
        Ok(Self(Arc::new(Inner { root, dir, packages, max_bytes, seen: Mutex::default() })))
    }

    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// `path` as diagnostics name it: relative to the folder.
    pub fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(self.root()).unwrap_or(path);
        relative.to_string_lossy().into_owned()
    }

    /// The text of a file that was read before, for a code frame.
    pub fn source(&self, file: &str) -> Option<String> {
        let path = self.root().join(file);
        let (dir, relative) = self.place(&path, true).ok()?;
        text(dir.read(relative).ok()?).ok()
    }

    pub fn is_file(&self, path: &Path) -> bool {
        oxc_resolver::FileSystem::metadata(self, path).is_ok_and(FileMetadata::is_file)
    }

    /// Every file read of the folder itself, as absolute paths. Packages that were installed elsewhere do not change.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let seen = self.seen();
        let own = seen.read.iter().filter(|path| self.0.packages.is_none() || !is_in_modules(path));
        own.cloned().collect()
    }

    /// What was wrong with files themselves: too large, not text.
    pub fn take_problems(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.seen().problems)
    }

    pub fn report(&self, problem: Diagnostic) {
        self.seen().problems.push(problem);
    }

    /// Whether a symbolic link at `path` or `path.*` was met that leads out of the folder.
    pub fn leads_outside(&self, path: &Path) -> bool {
        let links = &self.seen().links_outside;
        links.iter().any(|link| path.starts_with(link) || link.with_extension("") == path)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Every change is a single push, insert or addition: a panic elsewhere cannot leave it half done.
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn relative<'p>(&self, path: &'p Path) -> io::Result<&'p Path> {
        match path.strip_prefix(self.root()) {
            Ok(rest) if rest.as_os_str().is_empty() => Ok(Path::new(".")),
            Ok(rest) => Ok(rest),
            Err(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The directory that a path lies in, and the path there. Links of packages are followed here, as none leads out of a directory.
    fn place<'p>(&self, path: &'p Path, follows_last: bool) -> io::Result<(&Dir, Cow<'p, Path>)> {
        let mut path = Cow::Borrowed(self.relative(path)?);
        let Some(packages) = &self.0.packages else { return Ok((&self.0.dir, path)) };
        for _ in 0..LINKS_MAX {
            if !is_in_modules(&path) {
                return Ok((&self.0.dir, path));
            }
            match linked(packages, &path, follows_last)? {
                Some(target) => path = Cow::Owned(target),
                None => return Ok((packages, path)),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Counts a file once, however often it is read.
    fn admit(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let max_bytes = self.0.max_bytes;
        let mut seen = self.seen();
        if seen.read.contains(path) {
            return Ok(());
        }
        if seen.bytes + bytes > max_bytes {
            let max_mb = max_bytes / 1_000_000;
            seen.problems.push(Diagnostic::new(format!(
                "the handler and what it imports exceed {max_mb} MB of source: import less, or parts of packages"
            )));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        seen.bytes += bytes;
        seen.read.insert(path.to_path_buf());
        Ok(())
    }
}

/// Text as it is parsed and quoted: without a byte order mark.
fn text(bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
    let mut text = String::from_utf8(bytes)?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// What a caller outside may know of a path outside: nothing. cap-std's own refusal carries no errno.
fn hide_outside(error: io::Error) -> io::Error {
    let refused = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    if refused { io::ErrorKind::NotFound.into() } else { error }
}

fn describe(metadata: &cap_std::fs::Metadata) -> FileMetadata {
    FileMetadata::new(metadata.is_file(), metadata.is_dir(), metadata.is_symlink())
}

impl oxc_resolver::FileSystem for Folder {
    fn new(_yarn_pnp: bool) -> Self {
        unreachable!("only a resolver that is given no file system makes one")
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let (dir, relative) = self.place(path, true)?;
        let file = dir.open(&*relative).map_err(hide_outside)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Of a linked package, the file that it leads to.
        self.admit(&self.root().join(relative), metadata.len())?;
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // No more than was counted, should the file grow meanwhile.
        file.take(metadata.len()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        text(self.read(path)?).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let byte = error.as_bytes()[offset];
            let message = format!("not UTF-8 text: byte 0x{byte:02x} at offset {offset}");
            self.report(Diagnostic::in_file(&self.name(path), message));
            io::ErrorKind::InvalidData.into()
        })
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let (dir, relative) = self.place(path, true)?;
        let metadata = dir.metadata(relative);
        metadata.map(|metadata| describe(&metadata)).map_err(hide_outside)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let (dir, relative) = self.place(path, false)?;
        let metadata = dir.symlink_metadata(relative);
        metadata.map(|metadata| describe(&metadata)).map_err(hide_outside)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        let (dir, relative) = self.place(path, false)?;
        let target = dir.read_link_contents(relative).map_err(hide_outside)?;
        let from = path.parent().unwrap_or(path);
        // An absolute link is not followed into a folder, even where it leads back into this one.
        if target.is_absolute() || !normalize(&from.join(&target)).starts_with(self.root()) {
            self.seen().links_outside.push(path.to_path_buf());
        }
        Ok(target)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let (dir, relative) = self.place(path, true)?;
        let relative = dir.canonicalize(relative).map_err(hide_outside)?;
        Ok(self.root().join(relative))
    }
}

/// rolldown writes through this trait in other modes; here nothing is ever written.
impl rolldown_fs::FileSystem for Folder {
    fn remove_dir_all(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn create_dir_all(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn write(&self, _path: &Path, _content: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove_file(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn exists(&self, path: &Path) -> bool {
        oxc_resolver::FileSystem::metadata(self, path).is_ok()
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let (dir, relative) = self.place(path, true)?;
        let entries = dir.read_dir(relative).map_err(hide_outside)?;
        entries.map(|entry| Ok(path.join(entry?.file_name()))).collect()
    }
}

const MODULES: &str = "node_modules";

/// Links that are followed from one package to another; more are a circle.
const LINKS_MAX: usize = 16;

fn is_in_modules(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == MODULES)
}

/// Where a path leads that passes through a linked package (`node_modules/a` or `node_modules/@a/b`). Its own last part is followed
/// if that is asked for.
fn linked(packages: &Dir, path: &Path, follows_last: bool) -> io::Result<Option<PathBuf>> {
    let mut begin = PathBuf::new();
    let mut parts = path.components().peekable();
    let mut is_package = false;
    while let Some(part) = parts.next() {
        begin.push(part);
        let is_scope = is_package && part.as_os_str().as_encoded_bytes().starts_with(b"@");
        let may_be_followed = is_package && !is_scope && (follows_last || parts.peek().is_some());
        if may_be_followed && packages.symlink_metadata(&begin).map_err(hide_outside)?.is_symlink() {
            let target = packages.read_link_contents(&begin)?;
            let target = begin.parent().unwrap_or(Path::new("")).join(target);
            return Ok(Some(normalize(&parts.fold(target, |path, part| path.join(part)))));
        }
        is_package = is_scope || part.as_os_str() == MODULES;
    }
    Ok(None)
}

/// `path` without `.` and `..`, by its spelling alone.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
