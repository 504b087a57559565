//! Work of seconds and minutes, beside which calls go on.

use wasmtime::{Result, error::Context};

use crate::scheduler::rank_below;

/// Runs `work`, and all that it does in parallel, on threads that the kernel ranks below the ones that serve. wasmtime compiles
/// on every core there is, and would do so on rayon's common threads, which are as important as any.
pub async fn background<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let threads = rayon::ThreadPoolBuilder::new().start_handler(|_| rank_below()).build().context("no threads to compile with")?;
    tokio::task::spawn_blocking(move || threads.install(work)).await?
}
