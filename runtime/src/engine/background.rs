//! Work of seconds and minutes, beside which calls go on.

use wasmtime::{Result, error::Context};

use crate::scheduler::POOL_NICENESS;

/// Runs `work`, and all that it does in parallel, on threads that the kernel ranks below the ones that serve. wasmtime compiles
/// on every core there is, and would do so on rayon's common threads, which are as important as any.
pub async fn background<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let is_less_important = |_| {
        // Where it is not possible, it only takes its share.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), POOL_NICENESS);
    };
    let threads = rayon::ThreadPoolBuilder::new().start_handler(is_less_important).build().context("no threads to compile with")?;
    tokio::task::spawn_blocking(move || threads.install(work)).await?
}
