use super::{Call, bindings::mirra::function::random::Host};

impl Host for Call {
    fn next_u64(&mut self) -> wasmtime::Result<u64> {
        getrandom::u64().map_err(|error| wasmtime::Error::msg(format!("the system gives no randomness: {error}")))
    }
}
