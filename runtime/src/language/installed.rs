//! The table of languages, and what it takes to have one: a wasmtime that compiles its components, and its engine.
//!
//! A language is installed when its first handler comes: whoever runs JavaScript never waits for Python.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mirra_bundler::{Bundler, ChildCommand};
use mirra_host_sdk::BoxFuture;
use tokio::sync::OnceCell;
use wasmtime::{Engine, Result, component::Linker, error::Context};

use super::{Language, component, node, python};
use crate::{
    LongWork, Metering,
    engine::{
        cache::{Cache, Entry},
        config::{Fuel, wasmtime_config},
        shared::{Prebuilt, SharedEngine},
    },
    files::Files,
    handler::{self, Handler},
    host::{self, Call},
};

/// A row of the table. The first that accepts a source has it.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub accepts: fn(&Path) -> bool,
    pub install: for<'a> fn(&'a Setup) -> BoxFuture<'a, Result<Installed>>,
}

/// JavaScript comes last, as it takes any folder.
pub const LANGUAGES: [Row; 3] = [
    Row { name: "component", accepts: component::accepts, install: |setup| Box::pin(async { install_components(setup) }) },
    Row { name: "python", accepts: python::accepts, install: |setup| Box::pin(install_python(setup)) },
    Row { name: "node", accepts: node::accepts, install: |setup| Box::pin(install_node(setup)) },
];

/// A row, and what became of it.
pub struct Slot {
    pub language: Row,
    pub installed: OnceCell<Arc<Installed>>,
}

/// What of an executor's configuration concerns languages.
pub struct Setup {
    pub cache: Arc<Cache>,
    pub cache_folder: PathBuf,
    pub concurrency_max: u32,
    pub bundler: ChildCommand,
    pub bundler_spare: bool,
    pub metering: Metering,
    pub long_work: LongWork,
}

/// A language, how its components are compiled, and what they import.
pub struct Installed {
    pub language: Box<dyn Language>,
    pub wasmtime: Engine,
    fuel: Fuel,
    linker: Linker<Call>,
}

impl Installed {
    pub fn load(&self, cache: &Cache, entry: &Arc<Entry>) -> Result<Handler> {
        let files = match self.language.files() {
            Some(common) => handler::files(cache, entry, common)?,
            None => Files::default(),
        };
        Handler::load(&self.wasmtime, &self.linker, entry.clone(), self.fuel, files)
    }
}

fn install_components(setup: &Setup) -> Result<Installed> {
    let fuel = Fuel::CountedByWasmtime;
    let (wasmtime, mut linker) = wasmtime(setup, fuel)?;
    host::add_wasi_to_linker(&mut linker)?;
    Ok(Installed { language: Box::new(component::Component::new(&wasmtime)), wasmtime, fuel, linker })
}

async fn install_node(setup: &Setup) -> Result<Installed> {
    let fuel = Fuel::CountedByGuest;
    let (wasmtime, mut linker) = wasmtime(setup, fuel)?;
    let _told = (setup.long_work)("compiling the JavaScript engine, once on this machine");
    let engine = open_engine(setup, &wasmtime, &mut linker, &node::PREBUILT, Files::default()).await?;
    let bundler = Bundler::new(setup.bundler.clone());
    let bundler = if setup.bundler_spare { bundler.with_spare() } else { bundler };
    let language = Box::new(node::Node { wasmtime: wasmtime.clone(), engine, bundler });
    Ok(Installed { language, wasmtime, fuel, linker })
}

async fn install_python(setup: &Setup) -> Result<Installed> {
    let fuel = Fuel::CountedByGuest;
    let (wasmtime, mut linker) = wasmtime(setup, fuel)?;
    let _told = (setup.long_work)("compiling the Python engine, once on this machine");
    let library = python::library(&setup.cache)?;
    let engine = open_engine(setup, &wasmtime, &mut linker, &python::PREBUILT, library.clone()).await?;
    let packages = python::Packages::open(&setup.cache_folder, setup.long_work.clone()).context("cannot open the cache of packages")?;
    let language = Box::new(python::Python { wasmtime: wasmtime.clone(), engine, library, packages });
    Ok(Installed { language, wasmtime, fuel, linker })
}

fn wasmtime(setup: &Setup, fuel: Fuel) -> Result<(Engine, Linker<Call>)> {
    let wasmtime = Engine::new(&wasmtime_config(setup.concurrency_max, fuel)).context("cannot set up wasmtime")?;
    let mut linker = Linker::new(&wasmtime);
    host::add_to_linker(&mut linker)?;
    Ok((wasmtime, linker))
}

async fn open_engine(
    setup: &Setup,
    wasmtime: &Engine,
    linker: &mut Linker<Call>,
    prebuilt: &'static Prebuilt,
    files: Files,
) -> Result<Arc<SharedEngine>> {
    let engine = SharedEngine::open(wasmtime, &setup.cache, prebuilt, setup.metering, files).await?;
    linker.root().module("engine", &engine.module)?;
    Ok(Arc::new(engine))
}
