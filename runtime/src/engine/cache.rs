//! Compiled code on disk, named by what it was made from.
//!
//! Loading compiled code means running it, so a file is never trusted by its name. Each ends in a keyed hash over its name and
//! its content, under a key that only this cache's owner can read: a half-written, damaged, renamed or foreign file fails the
//! check and counts as absent. Whoever can read the key runs as the same user and could replace the program itself.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    os::{fd::AsRawFd, unix::fs::FileExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt},
};
use wasmtime::{Result, error::Context};

const MAGIC: &[u8; 8] = b"mirra\x00\x00\x02";
const HASH_BYTES: usize = 32;
/// `data length, u64 LE · keyed hash · magic`, at the end, so that the compiled code starts at offset 0 and can be mapped.
const TRAILER_BYTES: usize = 8 + HASH_BYTES + MAGIC.len();

const KEY_FILE: &str = "key";

/// What the names of entries begin with, and of a key that was being made; those that are being written among them.
const ENTRY_PREFIXES: [&str; 7] = ["artifact-", "engine-", "files-", "handler-", "library-", "source-", "key."];

/// What is made again from an artifact in milliseconds, and takes most of the room.
const IMAGE_PREFIX: &str = "handler-";
const IMAGE_UNUSED_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Its time of modification tells when the folder was last trimmed.
const TRIMMED_FILE: &str = "trimmed";

/// An entry that nobody asks for is removed after this time. Being asked for is noted as the file's time of modification, but no
/// more often than `NOTED_EVERY`.
const UNUSED_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
const NOTED_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The folder. Opened once, as a capability: nothing below can name a path outside of it.
pub struct Cache {
    folder: Dir,
    key: [u8; HASH_BYTES],
}

/// A file that passed the check. It stays what it is, even if it is removed from the folder.
pub struct Entry {
    file: File,
    data_start: u64,
    data_len: usize,
}

impl Entry {
    /// What was stored besides the compiled code, from disk: of a thousand entries, few are ever asked.
    pub fn data(&self) -> io::Result<Vec<u8>> {
        let mut data = vec![0; self.data_len];
        self.file.read_exact_at(&mut data, self.data_start)?;
        Ok(data)
    }

    /// The same without reading it: as long as this lives, the file's pages are the process's memory.
    pub fn map(&self) -> io::Result<memmap2::Mmap> {
        // SAFETY: files in this folder are replaced, never written to once they bear their name.
        unsafe { memmap2::MmapOptions::new().offset(self.data_start).len(self.data_len).map(&self.file) }
    }

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
        let cache = Cache { folder, key };
        cache.trim();
        Ok(cache)
    }

    /// The entry of this name, if there is one that passes the check.
    pub fn get(&self, name: &str) -> Option<Entry> {
        let file = self.folder.open(name).ok()?.into_std();
        match self.verify(name, file) {
            Ok(entry) => {
                keep(&entry.file);
                Some(entry)
            }
            Err(reason) => {
                tracing::warn!(entry = name, %reason, "ignoring a damaged cache file; it will be made anew");
                None
            }
        }
    }

    /// Waits until no other process is making such a thing (`engine`), and keeps them waiting while the answer lives: what takes a
    /// minute and gigabytes to make is made once, and no two at a time. A process that dies holds nothing up.
    pub async fn turn(&self, of: &str) -> Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let file = self.folder.open_with(format!("turn-{of}"), &options).context("cannot write to the cache folder")?.into_std();
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await?;
        locked.context("cannot lock a file of the cache folder")
    }

    /// Notes that the entry of this name is in use, without reading it.
    pub fn keep(&self, name: &str) {
        if let Ok(file) = self.folder.open(name) {
            keep(&file.into_std());
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
            }
            write_sparse(&file, code)?;
            file.write_all(data)?;
            file.write_all(&data_len)?;
            file.write_all(hash.finalize().as_bytes())?;
            file.write_all(MAGIC)?;
            self.folder.rename(&temporary, &self.folder, name)?;
            Ok(file)
        };
        let file = write().inspect_err(|_| drop(self.folder.remove_file(&temporary))).context("cannot write to the cache folder")?;
        Ok(Entry { file, data_start: code.len() as u64, data_len: data.len() })
    }

    /// An archive that ships with mirra, compressed with zstd, as an entry where it lies unpacked: it is read in place.
    pub fn library(&self, of: &str, compressed: &[u8]) -> Result<Entry> {
        let name = format!("library-{of}-{}", blake3::hash(compressed).to_hex());
        match self.get(&name) {
            Some(entry) => Ok(entry),
            None => self.put(&name, &[], &zstd::decode_all(compressed).with_context(|| format!("the library {name} is damaged"))?),
        }
    }

    /// Removes what nobody has asked for in a long time, once a day. Processes that have it open keep it.
    fn trim(&self) {
        let trimmed = self.folder.metadata(TRIMMED_FILE).and_then(|metadata| metadata.modified());
        let is_due = trimmed.map_or(true, |trimmed| trimmed.into_std().elapsed().is_ok_and(|age| age > NOTED_EVERY));
        // Where that cannot be noted, it is not done.
        if !is_due || self.folder.write(TRIMMED_FILE, []).is_err() {
            return;
        }
        let Ok(files) = self.folder.entries() else { return };
        // The folder may be one that others use as well.
        let is_entry = |name: &std::ffi::OsStr| ENTRY_PREFIXES.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
        for file in files.flatten().filter(|file| is_entry(&file.file_name())) {
            let modified = file.metadata().and_then(|metadata| metadata.modified()).map(|modified| modified.into_std());
            let unused = modified.ok().and_then(|modified| modified.elapsed().ok());
            let is_image = file.file_name().as_encoded_bytes().starts_with(IMAGE_PREFIX.as_bytes());
            let unused_max = if is_image { IMAGE_UNUSED_MAX } else { UNUSED_MAX };
            if unused.is_some_and(|unused| unused > unused_max) {
                // Another process may have been faster.
                let _ = file.remove_file();
            }
        }
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
        let data_start = content.len().checked_sub(data_len).ok_or("its lengths disagree")? as u64;
        drop(mapped);
        Ok(Entry { file, data_start, data_len })
    }

    fn hasher(&self, name: &str) -> blake3::Hasher {
        let mut hash = blake3::Hasher::new_keyed(&self.key);
        hash.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hash
    }
}

/// Notes that a file is in use.
fn keep(file: &File) {
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    if modified.ok().and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age > NOTED_EVERY) {
        // Where it cannot be noted, the entry will have to be made again one day.
        let _ = file.set_modified(SystemTime::now());
    }
}

/// Leaves holes where there are zeros, as most of an image is: they take no room on disk and no time to write.
fn write_sparse(file: &File, bytes: &[u8]) -> io::Result<()> {
    const BLOCK_BYTES: usize = 4096;
    let mut writer = BufWriter::with_capacity(256 * BLOCK_BYTES, file);
    for block in bytes.chunks(BLOCK_BYTES) {
        if block.iter().all(|byte| *byte == 0) {
            writer.seek(SeekFrom::Current(block.len() as i64))?;
        } else {
            writer.write_all(block)?;
        }
    }
    writer.flush()
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
