//! Compiled code on disk, named by what it was made from.
//!
//! Loading compiled code means running it, so a file is never trusted by its name. Each ends in a keyed hash over its name and
//! its content, under a key that only this cache's owner can read: a half-written, damaged, renamed or foreign file fails the
//! check and counts as absent. Whoever can read the key runs as the same user and could replace the program itself.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt},
};
use wasmtime::{Result, error::Context};

const MAGIC: &[u8; 8] = b"mirra\x00\x00\x01";
const HASH_BYTES: usize = 32;
/// `data length, u64 LE · keyed hash · magic`, at the end, so that the compiled code starts at offset 0 and can be mapped.
const TRAILER_BYTES: usize = 8 + HASH_BYTES + MAGIC.len();

const KEY_FILE: &str = "key";

/// The folder. Opened once, as a capability: nothing below can name a path outside of it.
pub struct Cache {
    folder: Dir,
    key: [u8; HASH_BYTES],
}

/// A file that passed the check.
pub struct Entry {
    file: File,
    /// What was stored besides the compiled code.
    pub data: Vec<u8>,
}

impl Entry {
    /// The very file that was checked, not whatever bears its name by now. Linux gives an open file a path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

impl Cache {
    /// Opens the folder, making it and its key if they are not there. Only its owner may enter it.
    pub fn open(path: &Path) -> Result<Cache> {
        let make = || -> io::Result<Dir> {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut private = DirBuilder::new();
            private.mode(0o700);
            let parent = Dir::open_ambient_dir(path.parent().unwrap_or(Path::new("/")), ambient_authority())?;
            let name = path.file_name().unwrap_or_default();
            match parent.create_dir_with(name, &private) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => parent.open_dir(name),
            }
        };
        let folder = make().with_context(|| format!("cannot open the cache folder {}", path.display()))?;
        let key = key(&folder).with_context(|| format!("cannot read or make the key of the cache in {}", path.display()))?;
        Ok(Cache { folder, key })
    }

    /// The entry of this name, if there is one that passes the check.
    pub fn get(&self, name: &str) -> Option<Entry> {
        let file = self.folder.open(name).ok()?.into_std();
        match self.verify(name, file) {
            Ok(entry) => Some(entry),
            Err(reason) => {
                tracing::warn!(entry = name, %reason, "ignoring a damaged cache file; it will be made anew");
                None
            }
        }
    }

    /// Stores compiled code (none for an entry that is only data) and answers the entry as `get` would.
    ///
    /// The file appears under its name whole or not at all, so that two servers can share a folder. It is not synced: what a
    /// power failure leaves behind fails the check.
    pub fn put(&self, name: &str, code: &[u8], data: &[u8]) -> Result<Entry> {
        let temporary = format!("{name}.{}", hex(&random::<8>()?));
        let mut hash = self.hasher(name);
        let mut write = || -> io::Result<File> {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            let mut file = self.folder.open_with(&temporary, &options)?.into_std();
            let data_len = (data.len() as u64).to_le_bytes();
            for part in [code, data, &data_len] {
                hash.update(part);
                file.write_all(part)?;
            }
            file.write_all(hash.finalize().as_bytes())?;
            file.write_all(MAGIC)?;
            self.folder.rename(&temporary, &self.folder, name)?;
            Ok(file)
        };
        let file = write().inspect_err(|_| drop(self.folder.remove_file(&temporary))).context("cannot write to the cache folder")?;
        Ok(Entry { file, data: data.to_vec() })
    }

    fn verify(&self, name: &str, file: File) -> Result<Entry, &'static str> {
        // SAFETY: files in this folder are replaced, never written to once they bear their name.
        let mapped = unsafe { memmap2::Mmap::map(&file) }.map_err(|_| "it cannot be mapped")?;
        let (content, trailer) = mapped.split_last_chunk::<TRAILER_BYTES>().ok_or("it is too short")?;
        let (data_len, rest) = trailer.split_at(8);
        let (stored, magic) = rest.split_at(HASH_BYTES);
        if magic != MAGIC {
            return Err("it is cut off or no cache file");
        }
        let mut hash = self.hasher(name);
        hash.update(content).update(data_len);
        let stored: [u8; HASH_BYTES] = stored.try_into().map_err(|_| "it is too short")?;
        // Comparison of blake3 hashes takes the same time whatever they hold.
        if hash.finalize() != blake3::Hash::from_bytes(stored) {
            return Err("its content is not what was stored under this name");
        }
        let data_len = u64::from_le_bytes(data_len.try_into().map_err(|_| "it is too short")?) as usize;
        let data = content.len().checked_sub(data_len).map(|start| content[start..].to_vec()).ok_or("its lengths disagree")?;
        drop(mapped);
        Ok(Entry { file, data })
    }

    fn hasher(&self, name: &str) -> blake3::Hasher {
        let mut hash = blake3::Hasher::new_keyed(&self.key);
        hash.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hash
    }
}

/// Reads the key, or makes it. Of two processes that make one at the same time, the first wins.
fn key(folder: &Dir) -> Result<[u8; HASH_BYTES]> {
    let read = || -> io::Result<[u8; HASH_BYTES]> {
        let mut key = [0; HASH_BYTES];
        folder.open(KEY_FILE)?.read_exact(&mut key)?;
        Ok(key)
    };
    match read() {
        Ok(key) => return Ok(key),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // A key cut short by a crash: whatever was stored under it is lost, and made anew.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => folder.remove_file(KEY_FILE)?,
        Err(error) => return Err(error.into()),
    }
    let temporary = format!("{KEY_FILE}.{}", hex(&random::<8>()?));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    folder.open_with(&temporary, &options)?.write_all(&random::<HASH_BYTES>()?)?;
    let linked = folder.hard_link(&temporary, folder, KEY_FILE);
    folder.remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(read()?),
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| wasmtime::format_err!("the system gives no randomness: {error}"))?;
    Ok(bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
