//! A handler ready to be instantiated, and what is stored with it.

use std::sync::Arc;

use mirra_host_sdk::HandlerId;
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
    /// For stack traces; a component of other origin has none. Stored behind the rest, which is a hundredth of it and read
    /// whenever a handler is loaded.
    #[serde(skip)]
    pub traces: Option<Traces>,
}

/// What leads from a position in the deployed code to one in the source.
#[derive(Clone, Serialize, Deserialize)]
pub struct Traces {
    pub code: String,
    pub source_map: String,
}

pub struct Handler {
    pre: FunctionPre<Call>,
    fuel: Fuel,
    entry: Arc<Entry>,
    files: Files,
    pages: Arc<Pages>,
}

impl Handler {
    /// `linker` must have what the handler's language imports. `files` are those that the handler sees.
    pub fn load(engine: &Engine, linker: &Linker<Call>, entry: Arc<Entry>, fuel: Fuel, files: Files) -> Result<Handler> {
        // SAFETY: the entry was checked to be what this cache's owner stored.
        let component = unsafe { Component::deserialize_file(engine, entry.path()) }.context("cannot load the compiled handler")?;
        let pre = FunctionPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Handler { pre, fuel, entry, files, pages: Arc::default() })
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
        let traces = || Metadata::read(&self.entry).ok()?.traces;
        match traces() {
            Some(traces) if !stack.is_empty() => stack::map_stack(stack, &traces.code, &traces.source_map),
            // Of what runs as it was written, and of components of other origin.
            _ => stack.to_owned(),
        }
    }
}

/// A handler's own files, from the cache, beside those of its language.
pub fn files(cache: &Cache, entry: &Entry, mut files: Files) -> Result<Files> {
    for (folder, name) in Metadata::read_head(entry)?.mounts {
        let archive = cache.get(&name).with_context(|| format!("the cache has lost {name}"))?;
        files = files.with(folder, Arc::new(Archive::open(Box::new(archive.map()?))?));
    }
    Ok(files)
}

impl Metadata {
    pub fn read(entry: &Entry) -> Result<Metadata> {
        Self::parse(&entry.data().context(UNREADABLE)?)
    }

    /// All but the traces.
    pub fn read_head(entry: &Entry) -> Result<Metadata> {
        Ok(Self::parse_head(&entry.map().context(UNREADABLE)?)?.0)
    }

    pub fn parse(stored: &[u8]) -> Result<Metadata> {
        let (head, traces) = Self::parse_head(stored)?;
        Ok(Metadata { traces: decompressed(traces)?, ..head })
    }

    /// What is in front, and the bytes behind it.
    fn parse_head(stored: &[u8]) -> Result<(Metadata, &[u8])> {
        let (len, rest) = stored.split_first_chunk::<4>().context(UNREADABLE)?;
        let (head, traces) = rest.split_at_checked(u32::from_le_bytes(*len) as usize).context(UNREADABLE)?;
        Ok((decompressed(head)?, traces))
    }

    pub fn write(&self) -> Result<Vec<u8>> {
        let (head, traces) = (compressed(self)?, compressed(&self.traces)?);
        Ok([&(head.len() as u32).to_le_bytes()[..], &head, &traces].concat())
    }
}

const UNREADABLE: &str = "cannot read a handler's metadata";

fn compressed(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(zstd::encode_all(&*serde_json::to_vec(value)?, 1)?)
}

fn decompressed<T: DeserializeOwned>(compressed: &[u8]) -> Result<T> {
    let json = zstd::decode_all(compressed).context(UNREADABLE)?;
    serde_json::from_slice(&json).context(UNREADABLE)
}

/// Under which name the cache has a handler.
pub fn entry_name(id: &HandlerId) -> String {
    format!("handler-{id}")
}
