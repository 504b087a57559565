//! A handler ready to be instantiated, and what is stored with it.

use std::sync::Arc;

use mirra_host_sdk::HandlerId;
use serde::{Deserialize, Serialize};
use wasmtime::{
    Engine,
    component::{Component, Linker},
};
use wasmtime::{Result, error::Context};

use crate::{
    engine::{cache::Entry, config::Fuel},
    host::{Call, bindings::FunctionPre},
    stack,
};

/// Stored beside a handler's compiled code.
#[derive(Serialize, Deserialize)]
pub struct Metadata {
    pub language: String,
    pub warnings: Vec<String>,
    /// For stack traces; a component of other origin has none.
    pub traces: Option<Traces>,
}

/// What leads from a position in the deployed code to one in the source.
#[derive(Serialize, Deserialize)]
pub struct Traces {
    pub code: String,
    pub source_map: String,
}

pub struct Handler {
    pre: FunctionPre<Call>,
    fuel: Fuel,
    entry: Arc<Entry>,
}

impl Handler {
    /// `linker` must have what the handler's language imports.
    pub fn load(engine: &Engine, linker: &Linker<Call>, entry: Arc<Entry>, fuel: Fuel) -> Result<Handler> {
        // SAFETY: the entry was checked to be what this cache's owner stored.
        let component = unsafe { Component::deserialize_file(engine, entry.path()) }.context("cannot load the compiled handler")?;
        let pre = FunctionPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Handler { pre, fuel, entry })
    }

    pub fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub fn pre(&self) -> &FunctionPre<Call> {
        &self.pre
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
            _ => String::new(),
        }
    }
}

impl Metadata {
    pub fn read(entry: &Entry) -> Result<Metadata> {
        let compressed = entry.data().context("cannot read a handler's metadata")?;
        let json = zstd::decode_all(&*compressed).context("cannot decompress a handler's metadata")?;
        serde_json::from_slice(&json).context("cannot read a handler's metadata")
    }

    pub fn write(&self) -> Result<Vec<u8>> {
        Ok(zstd::encode_all(&*serde_json::to_vec(self)?, 1)?)
    }
}

/// Under which name the cache has a handler.
pub fn entry_name(id: &HandlerId) -> String {
    format!("handler-{id}")
}
