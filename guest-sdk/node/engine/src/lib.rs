//! The JavaScript engine of mirra: QuickJS as one core module that every JavaScript handler shares.
//!
//! It lives two lives. While a handler is prepared, the host calls `boot` once for the base image and `load` once for the
//! handler's code, and keeps the memory that results. While calls are served, each gets a copy of that memory and one call
//! of `handle`. Nothing in between: an instance that served a call is thrown away.

mod alloc;
mod builtins;
mod call;
mod files;
mod heap;
mod number;
mod reactions;
mod realm;
mod rejections;

use bindings::exports::mirra::function::handler::{Failure, Guest};

mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "function" });
}

struct Engine;

impl Guest for Engine {
    fn handle(event: String, context: String) -> Result<String, Failure> {
        alloc::serving();
        call::handle(&event, &context)
    }
}

bindings::export!(Engine with_types_in bindings);

/// Starts QuickJS and evaluates the layer (`guest-sdk/node/layer`). Answers how many bytes of the memory are of use from
/// then on: those are the base image.
#[unsafe(no_mangle)]
pub extern "C" fn boot() -> usize {
    realm::boot()
}

/// Room for `len` bytes of source, to be filled by the host before `load`.
#[unsafe(no_mangle)]
pub extern "C" fn source_buffer(len: usize) -> *mut u8 {
    realm::source_buffer(len)
}

/// Evaluates the source in the buffer as the handler's module. Answers null, or where a `realm::LoadError` lies.
#[unsafe(no_mangle)]
pub extern "C" fn load() -> *const realm::LoadError {
    realm::load()
}

/// The clock that QuickJS's libc asks for: `Date` and the seed of `Math.random`.
#[unsafe(no_mangle)]
extern "C" fn __rquickjs_host_now_us() -> f64 {
    bindings::mirra::function::clocks::unix_time_us() as f64
}
