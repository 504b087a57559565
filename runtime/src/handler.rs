//! A handler ready to be instantiated, and what is stored with it.

use std::sync::Arc;

use memmap2::Mmap;
use mirra_host_sdk::{AllowList, HandlerId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasmtime::{
    Engine,
    component::{Component, Linker},
};
use wasmtime::{Result, error::Context};

use crate::{
    engine::{
        cache::{Cache, Entry},
        config::Fuel,
        pages::Pages,
    },
    files::{Archive, Files},
    host::{Call, bindings::FunctionPre},
    stack,
};

/// Stored beside a handler's compiled code.
#[derive(Clone, Serialize, Deserialize)]
pub struct Metadata {
    pub language: String,
    pub warnings: Vec<String>,
    /// Files that the handler sees: the folder, and the cache's entry with the archive.
    pub mounts: Vec<(String, String)>,
    /// The hosts that it wants to reach, as its settings name them. None: they do not.
    pub allowed_hosts: Option<Vec<String>>,
    /// The installed resources that it wants to use. None: its settings name none.
    pub allowed_resources: Option<Arc<[String]>>,
}

/// What leads from a position in the deployed code to one in the source.
#[derive(Clone, Serialize, Deserialize)]
pub struct Traces {
    pub code: String,
    pub source_map: String,
}

/// A handler as the cache has it, all that it takes to run it: what is removed from the cache later is still here.
pub struct Stored {
    pub metadata: Metadata,
    /// Its compiled code.
    entry: Entry,
    /// What it sees of files: the folder, and an archive.
    archives: Vec<(String, Arc<Mmap>)>,
}

pub struct Handler {
    pre: FunctionPre<Call>,
    fuel: Fuel,
    stored: Arc<Stored>,
    files: Files,
    allowed_hosts: Option<Arc<AllowList>>,
    pages: Arc<Pages>,
}

impl Stored {
    /// None: something of it is damaged, or not in the cache any more.
    pub fn open(cache: &Cache, entry: Entry) -> Option<Arc<Stored>> {
        let metadata = Metadata::read(&entry).ok()?;
        let open = |(folder, name): &(String, String)| Some((folder.clone(), Arc::new(cache.get(name)?.map().ok()?)));
        let archives = metadata.mounts.iter().map(open).collect::<Option<_>>()?;
        Some(Arc::new(Stored { metadata, entry, archives }))
    }

    /// The handler's own files beside those of its language.
    fn files(&self, mut files: Files) -> Result<Files> {
        for (folder, archive) in &self.archives {
            files = files.with(folder, Arc::new(Archive::open(Box::new(Mapped(archive.clone())))?));
        }
        Ok(files)
    }
}

/// An archive is taken in anew when a handler awakes, as its names are what takes room; it stays mapped.
struct Mapped(Arc<Mmap>);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Handler {
    /// `linker` must have what the handler's language imports. `files` are those that the handler sees besides its own.
    pub fn load(engine: &Engine, linker: &Linker<Call>, stored: Arc<Stored>, fuel: Fuel, files: Files) -> Result<Handler> {
        let files = stored.files(files)?;
        let allowed_hosts = stored.metadata.allowed_hosts.as_ref();
        let allowed_hosts = allowed_hosts.map(|hosts| AllowList::parse(hosts.iter().map(String::as_str))).transpose()?;
        // SAFETY: the entry was checked to be what this cache's owner stored.
        let component = unsafe { Component::deserialize_file(engine, stored.entry.path()) }.context("cannot load the compiled handler")?;
        let pre = FunctionPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Handler { pre, fuel, stored, files, allowed_hosts: allowed_hosts.map(Arc::new), pages: Arc::default() })
    }

    pub fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub fn pre(&self) -> &FunctionPre<Call> {
        &self.pre
    }

    /// What its calls see of files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The hosts that it wants to reach, if it says which.
    pub fn allowed_hosts(&self) -> &Option<Arc<AllowList>> {
        &self.allowed_hosts
    }

    /// The installed resources that it wants to use, if it says which.
    pub fn allowed_resources(&self) -> &Option<Arc<[String]>> {
        &self.stored.metadata.allowed_resources
    }

    /// Which pages its calls write to.
    pub fn pages(&self) -> &Arc<Pages> {
        &self.pages
    }

    /// Who counts its work.
    pub fn fuel(&self) -> Fuel {
        self.fuel
    }

    /// A guest's stack trace in source lines. Traces are read from disk when one is needed: of a thousand handlers, few ever
    /// fail, and their maps would be most of what the host keeps in memory.
    pub fn source_stack(&self, stack: &str) -> String {
        let traces = || Traces::read(&self.stored.entry).ok()?;
        match traces() {
            Some(traces) if !stack.is_empty() => stack::map_stack(stack, &traces.code, &traces.source_map),
            // Of what runs as it was written, and of components of other origin.
            _ => stack.to_owned(),
        }
    }
}

impl Metadata {
    pub fn read(entry: &Entry) -> Result<Metadata> {
        Metadata::parse(&entry.map().context("cannot read a handler's metadata")?)
    }

    /// Of what `pack` has made.
    pub fn parse(packed: &[u8]) -> Result<Metadata> {
        unpack(split(packed)?.0)
    }

    /// With the handler's traces, which are far more and seldom wanted: nobody reads them who only wants the rest.
    pub fn pack(&self, traces: Option<&Traces>) -> Result<Vec<u8>> {
        let packed = pack(self)?;
        Ok([&(packed.len() as u32).to_le_bytes()[..], &packed, &pack(&traces)?].concat())
    }
}

impl Traces {
    fn read(entry: &Entry) -> Result<Option<Traces>> {
        unpack(split(&entry.map().context("cannot read a handler's traces")?)?.1)
    }
}

/// What `Metadata::pack` has put together.
fn split(packed: &[u8]) -> Result<(&[u8], &[u8])> {
    let parts = packed.split_first_chunk::<4>().and_then(|(len, rest)| rest.split_at_checked(u32::from_le_bytes(*len) as usize));
    parts.context("a handler's metadata is cut off")
}

fn pack(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(zstd::encode_all(&*serde_json::to_vec(value)?, 1)?)
}

fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T> {
    let json = zstd::decode_all(packed).context("cannot decompress a handler's metadata")?;
    serde_json::from_slice(&json).context("cannot read a handler's metadata")
}

/// Under which name the cache has a handler.
pub fn entry_name(id: &HandlerId) -> String {
    format!("handler-{id}")
}
