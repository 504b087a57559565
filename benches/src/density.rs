//! Memory: of a host with many handlers, and of an instance that is alive.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mirra_host_sdk::{Executor, Invocation, Limits, Source};
use mirra_runtime::Metering;

use crate::{
    Figure, Lang, Report, Workbench,
    report::percentile,
    workbench::{invoke, json, prepare},
};

/// Of the idle handlers, so many are called again.
const AWAKENED_MAX: usize = 200;

/// `handlers` different ones are deployed and called once each; then `instances` of one wait at the same time.
pub async fn density(workbench: &Workbench, lang: Lang, handlers: usize, instances: usize) -> Result<Report> {
    let subject = lang.subject();
    let executor = Arc::new(workbench.executor(Metering::On).await?);
    let folder = tempfile::tempdir()?;
    let bare_mb = memory_mb("Rss")?;
    let mut deployed = Vec::new();
    for index in 0..handlers {
        let code = (subject.numbered)(index);
        let handler = prepare(&executor, folder.path(), &subject.file(&format!("handler{index}")), &code).await?;
        invoke(&executor, &handler, &json(r#"{"name":"Ada"}"#)?, Limits::default()).await?;
        deployed.push(handler);
    }
    let called_mb = memory_mb("Rss")?;
    // Twice: the first time finds all of them used.
    executor.release_idle();
    executor.release_idle();
    let idle_mb = memory_mb("Rss")?;
    let mut awakening_us = Vec::new();
    for handler in deployed.iter().take(AWAKENED_MAX) {
        let began = Instant::now();
        invoke(&executor, handler, &json(r#"{"name":"Ada"}"#)?, Limits::default()).await?;
        awakening_us.push(began.elapsed().as_secs_f64() * 1e6);
    }

    let path = folder.path().join(subject.file("waiting"));
    std::fs::write(&path, subject.waiting)?;
    let waiting = executor.prepare(Source::path(path)).await?.id;
    invoke(&executor, &waiting, &json(r#"{"ms":1}"#)?, Limits::default()).await?;
    let before_mb = memory_mb("Pss")?;
    let calls: Vec<_> = (0..instances)
        .map(|_| {
            let (executor, waiting) = (executor.clone(), waiting.clone());
            tokio::spawn(async move {
                let event = serde_json::from_str(r#"{"ms":2000}"#)?;
                executor.invoke(Invocation::new(waiting, event, Limits::default())).await?.result?;
                anyhow::Ok(())
            })
        })
        .collect();
    while executor.load().running < instances {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Running means started; let the last of them come to its waiting.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let alive_mb = memory_mb("Pss")?;
    for call in calls {
        call.await??;
    }
    let instance_kb = (alive_mb - before_mb) * 1024.0 / instances as f64;
    Ok(Report {
        bench: "density",
        figures: vec![
            Figure::low("host without handlers, resident", bare_mb, "MB"),
            Figure::low(format!("host with {handlers} handlers, each just called, resident"), called_mb, "MB"),
            Figure::low(format!("host with {handlers} handlers, idle, resident"), idle_mb, "MB").promised((300.0, 100.0)),
            Figure::low("first call of an idle handler, p50", percentile(&mut awakening_us, 0.5), "us"),
            Figure::low(format!("live instance, mean of {instances}"), instance_kb, "kB").promised(subject.instance_kb),
        ],
    })
}

/// This process's resident (`Rss`) or proportional (`Pss`) memory.
fn memory_mb(kind: &str) -> Result<f64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").context("this system does not tell a process's memory")?;
    let line = rollup.lines().find(|line| line.starts_with(kind)).context("no such kind of memory")?;
    let kb: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kb / 1024.0)
}
