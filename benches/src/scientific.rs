//! Handlers with numpy and pandas in them.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};
use mirra_runtime::{LocalExecutor, Metering};

use crate::{
    Figure, Report, Workbench,
    report::percentile,
    workbench::{json, prepare, sample},
};

const FFT: (&str, &str) =
    (include_str!("../../fixtures/scientific/numpy-fft/handler.py"), include_str!("../../fixtures/scientific/numpy-fft/event.json"));

/// The plainest of group-bys, so that it is the cold call that counts and not what is asked of pandas.
const GROUP_BY: (&str, &str) = (
    "import pandas as pd


def handler(event, context):
    return pd.DataFrame(event[\"rows\"]).groupby(\"city\")[\"amount\"].sum().to_dict()
",
    r#"{"rows":[{"city":"Lyon","amount":12.5},{"city":"Oslo","amount":7},{"city":"Lyon","amount":2.5}]}"#,
);

const CALLS: usize = 300;
const WARM_UP: usize = 30;

pub async fn scientific(workbench: &Workbench) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut figures = vec![engine_ready(workbench, folder.path()).await?];
    let executor = workbench.executor(Metering::On).await?;
    // The engine is opened before anything is timed.
    prepare(&executor, folder.path(), "first.py", "import numpy\n\ndef handler(event, context):\n    pass\n").await?;
    figures.extend(handler(&executor, folder.path(), "numpy FFT", FFT).await?);
    let [deployed, artifact, p99, p50] = handler(&executor, folder.path(), "pandas group-by", GROUP_BY).await?;
    figures.extend([deployed, artifact, p99, p50.promised((20.0, 2.0))]);
    Ok(Report { bench: "scientific", figures })
}

/// With a cache that nobody has used: what the first such handler on a machine waits for, fetching included.
async fn engine_ready(workbench: &Workbench, folder: &Path) -> Result<Figure> {
    let fresh = Workbench { cache_folder: folder.join("cache"), bundler: workbench.bundler.clone() };
    let handler = folder.join("ready.py");
    std::fs::write(&handler, GROUP_BY.0)?;
    let began = Instant::now();
    fresh.executor(Metering::On).await?.open_engine(&handler).await?;
    let took_s = began.elapsed().as_secs_f64();
    std::fs::remove_dir_all(fresh.cache_folder)?;
    Ok(Figure::low("scientific engine fetched and made ready, once per machine", took_s, "s"))
}

async fn handler(executor: &LocalExecutor, folder: &Path, name: &str, (source, event): (&str, &str)) -> Result<[Figure; 4]> {
    let file = format!("{}.py", name.replace(' ', "_"));
    let began = Instant::now();
    // Other bytes each time, or it would be found in the cache.
    let unique = format!("{source}\n# {:?}\n", std::time::SystemTime::now());
    let handler = prepare(executor, folder, &file, &unique).await?;
    let deployed_s = began.elapsed().as_secs_f64();
    let artifact_bytes = executor.artifact_bytes(&handler).context("a handler without an artifact")?;
    let mut samples = sample(executor, &handler, &json(event)?, WARM_UP, CALLS).await?;
    Ok([
        Figure::low(format!("{name}: deploy, top level included"), deployed_s, "s"),
        Figure::low(format!("{name}: stored artifact"), artifact_bytes as f64 / 1e6, "MB"),
        Figure::low(format!("{name}: cold call, p99"), percentile(&mut samples, 0.99) / 1e3, "ms"),
        Figure::low(format!("{name}: cold call, p50"), percentile(&mut samples, 0.5) / 1e3, "ms"),
    ])
}
