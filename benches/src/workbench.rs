use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Result;
use mirra_host_sdk::{Executor, HandlerId, Invocation, Json, Limits, Outcome, Source};
use mirra_runtime::{ChildCommand, Config, LocalExecutor, Metering};

/// Where benches run: a cache folder and the way to start bundlers.
pub struct Workbench {
    pub cache_folder: PathBuf,
    pub bundler: ChildCommand,
}

impl Workbench {
    pub async fn executor(&self, metering: Metering) -> Result<LocalExecutor> {
        let config = Config { metering, concurrency_per_handler_max: 1000, ..Config::new(&self.cache_folder, self.bundler.clone()) };
        Ok(LocalExecutor::new(config).await?)
    }
}

/// A handler that was written to a folder of its own and prepared.
pub async fn prepare(executor: &LocalExecutor, folder: &Path, file: &str, code: &str) -> Result<HandlerId> {
    let path = folder.join(file);
    std::fs::write(&path, code)?;
    Ok(executor.prepare(Source::path(path)).await?.id)
}

pub async fn invoke(executor: &LocalExecutor, handler: &HandlerId, event: &Json, limits: Limits) -> Result<Outcome> {
    let outcome = executor.invoke(Invocation::new(handler.clone(), event.clone(), limits)).await?;
    if let Err(error) = &outcome.result {
        anyhow::bail!("a call of the bench failed: {error}");
    }
    Ok(outcome)
}

/// How long each of so many calls takes, in microseconds, after as many others as it takes to be warm.
pub async fn sample(executor: &LocalExecutor, handler: &HandlerId, event: &Json, warm_up: usize, calls: usize) -> Result<Vec<f64>> {
    let mut samples = Vec::with_capacity(calls);
    for call in 0..warm_up + calls {
        let began = Instant::now();
        invoke(executor, handler, event, Limits::default()).await?;
        if call >= warm_up {
            samples.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(samples)
}

pub fn json(text: &str) -> Result<Json> {
    Ok(serde_json::from_str(text)?)
}
