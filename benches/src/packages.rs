//! Handlers with packages of npm in them.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};
use mirra_host_sdk::{Executor, Source};
use mirra_runtime::LocalExecutor;

use crate::{
    Figure,
    report::percentile,
    workbench::{json, sample},
};

/// lodash, date-fns and axios, each used in every call.
const THREE: &str = include_str!("../../fixtures/npm/three-packages.mjs");
const CALLS: usize = 2_000;
const WARM_UP: usize = 200;
const DEPLOYS: usize = 11;

/// `packages`: a folder with `node_modules` in it, of which lodash, date-fns and axios are among.
pub async fn packages(executor: &LocalExecutor, packages: &Path) -> Result<Vec<Figure>> {
    // Beside the packages, since nothing outside of a handler's folder is read.
    let file = tempfile::Builder::new().prefix("bench-").suffix(".mjs").tempfile_in(packages)?;
    let mut deploys = Vec::new();
    let mut handler = None;
    for number in 0..DEPLOYS {
        // Other bytes each time, or it would be found in the cache.
        std::fs::write(file.path(), format!("{THREE}\n// {number} {:?}\nexport const made = {number};\n", Instant::now()))?;
        let began = Instant::now();
        handler = Some(executor.prepare(Source::path(file.path())).await?.id);
        deploys.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let handler = handler.context("nothing was deployed")?;
    let artifact_bytes = executor.artifact_bytes(&handler).context("a handler without an artifact")?;
    let mut samples = sample(executor, &handler, &json("{}")?, WARM_UP, CALLS).await?;
    let three = "lodash, date-fns and axios";
    Ok(vec![
        Figure::low(format!("{three}: cold call, p50"), percentile(&mut samples, 0.5), "us").promised((150.0, 150.0)),
        Figure::low(format!("{three}: cold call, p99"), percentile(&mut samples, 0.99), "us").promised((500.0, 500.0)),
        Figure::low(format!("{three}: deploy, p50"), percentile(&mut deploys, 0.5), "ms").promised((250.0, 250.0)),
        Figure::low(format!("{three}: stored artifact"), artifact_bytes as f64 / 1e6, "MB").promised((1.5, 1.5)),
    ])
}
