//! The host's side of `wit/`: one file per interface, each an implementation for the state of a call.

mod ai;
mod clocks;
mod files;
mod hashing;
mod logging;
mod memory;
mod metering;
mod operations;
mod random;
mod resources;
mod typed;
mod wasi;

use std::{sync::Arc, task::Poll};

use mirra_host_sdk::{Capabilities, Invocation};
use wasmtime::component::{HasSelf, Linker};

use crate::{engine::pages::Pages, files::Files, handler::Handler, limits::Guard};
pub use logging::Logs;
pub use metering::add_finish;
pub use operations::Operations;
pub use wasi::Wasi;

pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "function",
        imports: {
            "mirra:function/clocks.sleep-us": async | trappable,
            "mirra:function/files.find": async | trappable,
            "mirra:function/files.read": async | trappable,
            "mirra:function/files.names": async | trappable,
            "mirra:function/hashing.compress": async | trappable,
            "mirra:function/logging.log": async | trappable,
            "mirra:function/metering.tick": async | trappable,
            "mirra:function/operations.start": store | trappable,
            "mirra:function/operations.wait": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        require_store_data_send: true,
    });
}

/// What the world `typed` has besides.
pub mod typed_bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "typed",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "mirra:function/clocks": super::bindings::mirra::function::clocks,
            "mirra:function/files": super::bindings::mirra::function::files,
            "mirra:function/hashing": super::bindings::mirra::function::hashing,
            "mirra:function/logging": super::bindings::mirra::function::logging,
            "mirra:function/metering": super::bindings::mirra::function::metering,
            "mirra:function/operations": super::bindings::mirra::function::operations,
            "mirra:function/random": super::bindings::mirra::function::random,
        },
        require_store_data_send: true,
    });
}

/// Everything that one call has in the host; gone with its store.
pub struct Call {
    pub guard: Guard,
    pub logs: Logs,
    pub operations: Operations,
    /// What the handler sees of files.
    pub files: Files,
    /// Which pages calls of the handler write to.
    pub pages: Arc<Pages>,
    /// Only for components of other origin, which may import WASI.
    pub wasi: Option<Box<Wasi>>,
}

impl Call {
    pub fn new(guard: Guard, capabilities: Arc<Capabilities>, handler: &Handler, invocation: &Invocation) -> Call {
        let logs = Logs::new(guard.meter().started, guard.limits().log_bytes_max, invocation.log_sink.clone());
        let operations = Operations::new(capabilities, invocation, handler);
        Call { guard, logs, operations, files: handler.files().clone(), pages: handler.pages().clone(), wasi: None }
    }
}

impl Call {
    /// To be called by what works for the guest on so many bytes.
    async fn work(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if self.guard.work(bytes as u64)? {
            yield_once().await;
        }
        Ok(())
    }
}

/// Lets whoever polls this call decide what runs next.
async fn yield_once() {
    let mut has_yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// The imports that every handler gets.
pub fn add_to_linker(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    bindings::mirra::function::clocks::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    bindings::mirra::function::files::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    bindings::mirra::function::hashing::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    bindings::mirra::function::logging::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    bindings::mirra::function::metering::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    bindings::mirra::function::operations::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    bindings::mirra::function::random::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)
}

/// What is typed besides, for components of other origin: the engines that ship with mirra ask by names.
pub fn add_typed_to_linker(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    typed_bindings::mirra::function::ai::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    typed_bindings::mirra::function::memory::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    typed_bindings::mirra::function::resources::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)
}

/// WASI 0.2 besides, for components of other origin: clocks, randomness and output, neither files nor sockets.
pub fn add_wasi_to_linker(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}
