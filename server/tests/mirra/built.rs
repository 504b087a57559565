//! What `mirra build` writes, and stock wasmtime to run it: set up as `wasmtime run` does it, and with nothing of mirra.

use std::path::PathBuf;

use tempfile::{TempDir, tempdir};
use wasmtime::{
    Engine, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    p2::{
        add_to_linker_sync,
        bindings::sync::Command,
        pipe::{MemoryInputPipe, MemoryOutputPipe},
    },
};

use crate::support::{Ended, mirra, run, write};

/// A handler as source and as built.
pub struct Handler {
    folder: TempDir,
    engine: Engine,
    component: Component,
}

impl Handler {
    /// Builds `source`, which is one of `files` or a folder with them, into `built`.
    pub fn build(files: &[(&str, &str)], source: &str, built: &str) -> Handler {
        Handler::build_for(Engine::default(), files, source, built)
    }

    pub fn build_for(engine: Engine, files: &[(&str, &str)], source: &str, built: &str) -> Handler {
        let folder = tempdir().unwrap();
        for (name, content) in files {
            write(folder.path().join(name), content);
        }
        let (source, built) = (folder.path().join(source), folder.path().join(built));
        let ended = run(&mut mirra(&["build", source.to_str().unwrap(), "-o", built.to_str().unwrap()]), "");
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let component = Component::from_file(&engine, built).unwrap();
        Handler { folder, engine, component }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `wasmtime run X.wasm ARGUMENTS < stdin`
    pub fn stock(&self, arguments: &[&str], stdin: &str) -> Ended {
        let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
        let mut context = WasiCtx::builder();
        context.arg("X.wasm").args(arguments);
        context.stdin(MemoryInputPipe::new(stdin.to_owned())).stdout(stdout.clone()).stderr(stderr.clone());
        let mut linker = Linker::new(&self.engine);
        add_to_linker_sync(&mut linker).unwrap();
        let mut store = Store::new(&self.engine, Host { context: context.build(), table: ResourceTable::new() });
        let command = Command::instantiate(&mut store, &self.component, &linker).unwrap();
        let ran = command.wasi_cli_run().call_run(&mut store).unwrap();
        let text = |pipe: MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        Ended { code: i32::from(ran.is_err()), stdout: text(stdout), stderr: text(stderr) }
    }
}

struct Host {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}
