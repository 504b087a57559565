//! The table of languages, and what it takes to have one: a wasmtime that compiles its components, and its engine.
//!
//! A language is installed when its first handler comes: whoever runs JavaScript never waits for Python.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mirra_bundler::{Bundler, ChildCommand};
use mirra_host_sdk::BoxFuture;
use tokio::sync::OnceCell;
use wasmtime::{Engine, Result, component::Linker, error::Context};

use super::{Language, component, node, python};
use crate::{
    LongWork, Metering,
    engine::{
        cache::Cache,
        config::{Fuel, Needs, wasmtime_config},
        shared::{Guest, Plan, SharedEngine},
        snapshot::LoadLimits,
    },
    files::Files,
    handler::{Handler, Stored},
    host::{self, Call},
};

/// Components of other origin let go at least as often. Fuel alone is no measure of that: little of it passes while the host works for them.
const EPOCH: Duration = Duration::from_millis(5);

/// A row of the table. The first that accepts a source has it.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub accepts: fn(&Path) -> bool,
    pub install: for<'a> fn(&'a Setup) -> BoxFuture<'a, Result<Installed>>,
}

/// JavaScript comes last, as it takes any folder; and of the two engines of Python, the one that is asked for by name first.
pub const LANGUAGES: [Row; 4] = [
    Row { name: "component", accepts: component::accepts, install: |setup| Box::pin(async { install_components(setup) }) },
    Row { name: python::SCIENTIFIC, accepts: python::wants_scientific, install: |setup| Box::pin(install_scientific(setup)) },
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
    pub fn load(&self, stored: &Arc<Stored>) -> Result<Handler> {
        Handler::load(&self.wasmtime, &self.linker, stored.clone(), self.fuel, self.language.files())
    }
}

fn install_components(setup: &Setup) -> Result<Installed> {
    let fuel = Fuel::CountedByWasmtime;
    let (wasmtime, mut linker) = wasmtime(setup, fuel, Needs::Little)?;
    host::add_wasi_to_linker(&mut linker)?;
    host::add_typed_to_linker(&mut linker)?;
    let engine = wasmtime.weak();
    // As long as there are handlers that it could interrupt.
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH);
        }
    };
    std::thread::Builder::new().name("epoch".to_owned()).spawn(tick).context("cannot start a thread")?;
    Ok(Installed { language: Box::new(component::Component::new(&wasmtime)), wasmtime, fuel, linker })
}

async fn install_node(setup: &Setup) -> Result<Installed> {
    let fuel = Fuel::CountedByGuest;
    let (wasmtime, mut linker) = wasmtime(setup, fuel, Needs::Little)?;
    let _told = (setup.long_work)("compiling the JavaScript engine, once on this machine");
    let plan = plan(setup, Arc::new(node::GUEST), node::GLUE);
    let engine = open_engine(setup, &wasmtime, &mut linker, plan).await?;
    let files = node::files(setup.cache.clone());
    let bundler = Bundler::new(setup.bundler.clone());
    let bundler = if setup.bundler_spare { bundler.with_spare() } else { bundler };
    let packages = node::Packages::new(&setup.cache_folder, setup.long_work.clone());
    Ok(Installed { language: Box::new(node::Node { engine, bundler, packages, files }), wasmtime, fuel, linker })
}

async fn install_python(setup: &Setup) -> Result<Installed> {
    let _told = (setup.long_work)("compiling the Python engine, once on this machine");
    let library = python::library(&setup.cache)?;
    let plan = Plan { files: library.clone(), ..plan(setup, Arc::new(python::GUEST), python::GLUE) };
    let packages = python::Packages::open(&setup.cache_folder, setup.long_work.clone(), python::packages_of_engine())?;
    install_cpython(setup, "python", Needs::Little, plan, library, packages).await
}

async fn install_scientific(setup: &Setup) -> Result<Installed> {
    let origin = python::Origin::open(setup.cache.clone(), setup.long_work.clone());
    let library = origin.library().await?;
    let limits = python::SCIENTIFIC_LIMITS;
    let packages = python::Packages::open(&setup.cache_folder, setup.long_work.clone(), python::packages_of_library(&library))?;
    let plan = Plan { files: library.clone(), limits, ..plan(setup, Arc::new(origin), python::GLUE) };
    let _told = (setup.long_work)("compiling the scientific Python engine, once on this machine; that takes a minute or two");
    install_cpython(setup, python::SCIENTIFIC, Needs::Exceptions, plan, library, packages).await
}

async fn install_cpython(
    setup: &Setup,
    name: &'static str,
    needs: Needs,
    plan: Plan,
    library: Files,
    packages: python::Packages,
) -> Result<Installed> {
    let fuel = Fuel::CountedByGuest;
    let (wasmtime, mut linker) = wasmtime(setup, fuel, needs)?;
    let engine = open_engine(setup, &wasmtime, &mut linker, plan).await?;
    Ok(Installed { language: Box::new(python::Python { name, engine, library, packages }), wasmtime, fuel, linker })
}

fn wasmtime(setup: &Setup, fuel: Fuel, needs: Needs) -> Result<(Engine, Linker<Call>)> {
    let wasmtime = Engine::new(&wasmtime_config(setup.concurrency_max, fuel, needs)).context("cannot set up wasmtime")?;
    let mut linker = Linker::new(&wasmtime);
    host::add_to_linker(&mut linker)?;
    if fuel == Fuel::CountedByGuest {
        host::add_finish(&mut linker)?;
    }
    Ok((wasmtime, linker))
}

fn plan(setup: &Setup, guest: Arc<dyn Guest>, glue: &'static [u8]) -> Plan {
    Plan { guest, glue, metering: setup.metering, limits: LoadLimits::USUAL, files: Files::default() }
}

async fn open_engine(setup: &Setup, wasmtime: &Engine, linker: &mut Linker<Call>, plan: Plan) -> Result<Arc<SharedEngine>> {
    let engine = SharedEngine::open(wasmtime, &setup.cache, plan).await?;
    linker.root().module("engine", &engine.module)?;
    Ok(Arc::new(engine))
}
