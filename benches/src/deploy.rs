//! How long a changed handler takes to be callable again, and a cached one in a process of its own.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Result, ensure};
use mirra_host_sdk::Limits;
use mirra_runtime::Metering;

use crate::{
    Figure, Lang, Report, Workbench,
    report::percentile,
    workbench::{invoke, json, prepare},
};

/// `program` is the `mirra` binary.
pub async fn deploy(workbench: &Workbench, program: &Path, lang: Lang, rounds: usize) -> Result<Report> {
    let subject = lang.subject();
    let executor = workbench.executor(Metering::On).await?;
    let folder = tempfile::tempdir()?;
    let event = json(r#"{"name":"Ada"}"#)?;
    let mut redeploys = Vec::new();
    for round in 0..rounds {
        // Another one than that of any earlier run.
        let code = format!(
            "{}
{}",
            comment(lang, folder.path()),
            (subject.numbered)(round)
        );
        let began = Instant::now();
        let handler = prepare(&executor, folder.path(), &subject.file("handler"), &code).await?;
        let callable = began.elapsed();
        let outcome = invoke(&executor, &handler, &event, Limits::default()).await?;
        ensure!(outcome.result.is_ok_and(|result| result.get() == format!("\"{round}: Ada\"")), "a redeploy answered the old code");
        redeploys.push(callable.as_secs_f64() * 1000.0);
    }

    let path = folder.path().join(subject.file("handler"));
    let mut runs = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let status = Command::new(program)
            .args(["run", "--event", r#"{"name":"Ada"}"#])
            .arg(&path)
            .env("MIRRA_DATA", folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(status.success(), "'mirra run' failed");
        runs.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    // The first run compiles the engine and the handler.
    runs.remove(0);
    Ok(Report {
        bench: "deploy",
        figures: vec![
            Figure::low("redeploy of a small handler, p50", percentile(&mut redeploys, 0.5), "ms").promised(subject.redeploy_ms),
            Figure::low("redeploy of a small handler, p99", percentile(&mut redeploys, 0.99), "ms"),
            Figure::low("'mirra run' of a cached handler, whole process, p50", percentile(&mut runs, 0.5), "ms").promised((60.0, 15.0)),
            Figure::low("'mirra run' of a cached handler, whole process, p99", percentile(&mut runs, 0.99), "ms"),
        ],
    })
}

fn comment(lang: Lang, text: &Path) -> String {
    let mark = if lang == Lang::Py { "#" } else { "//" };
    format!("{mark} {}", text.display())
}
