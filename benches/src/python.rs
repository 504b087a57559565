//! Python beside what else runs it: `python3` as a new process, and componentize-py's own component of the same handler.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use mirra_host_sdk::{Executor, HandlerId, Limits, Source};
use mirra_runtime::{LocalExecutor, Metering};

use crate::{
    Figure, Lang, Report, Workbench,
    report::percentile,
    subject::{KINDS, SMALL_EVENT},
    workbench::{invoke, json, prepare, sample},
};

/// The world that componentize-py's component is made for.
const WIT: [(&str, &str); 9] = [
    ("clocks.wit", include_str!("../../wit/clocks.wit")),
    ("files.wit", include_str!("../../wit/files.wit")),
    ("handler.wit", include_str!("../../wit/handler.wit")),
    ("hashing.wit", include_str!("../../wit/hashing.wit")),
    ("logging.wit", include_str!("../../wit/logging.wit")),
    ("metering.wit", include_str!("../../wit/metering.wit")),
    ("operations.wit", include_str!("../../wit/operations.wit")),
    ("random.wit", include_str!("../../wit/random.wit")),
    ("world.wit", include_str!("../../wit/world.wit")),
];

/// The small handler as componentize-py wants it.
const COMPONENT_APP: &str = r#"import json
from wit_world import exports


class Handler(exports.Handler):
    def handle(self, event: str, context: str) -> str:
        event = json.loads(event)
        return json.dumps({"success": True, "hello": event["name"], "n": len(event["items"])})
"#;

const ROUNDS: usize = 11;
const CALLS: usize = 500;

/// `componentize_py`: the program to compare with, if there is one.
pub async fn python(workbench: &Workbench, componentize_py: Option<&Path>) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut figures = vec![engine_ready(workbench, folder.path()).await?];
    let executor = workbench.executor(Metering::On).await?;
    let subject = Lang::Py.subject();
    let small = prepare(&executor, folder.path(), &subject.file("small"), subject.small).await?;
    let artifact_bytes = executor.artifact_bytes(&small).context("a handler without an artifact")?;
    figures.push(Figure::low("stored artifact of a small handler", artifact_bytes as f64 / 1e6, "MB").promised((0.5, 0.1)));
    figures.extend(cpu(&executor, folder.path()).await?);
    let cold_us = calls(&executor, &small).await?;
    figures.push(Figure::low("cold call of a small handler, p50", cold_us / 1e3, "ms").promised((0.6, 0.15)));
    figures.push(Figure::low("the same by python3, a new process, p50", process_ms(folder.path())?, "ms"));
    if let Some(program) = componentize_py {
        figures.extend(componentized(&executor, folder.path(), program).await?);
    }
    Ok(Report { bench: "python", figures })
}

/// With a cache that nobody has used: what the first handler on a machine waits for.
async fn engine_ready(workbench: &Workbench, folder: &Path) -> Result<Figure> {
    let fresh = Workbench { cache_folder: folder.join("cache"), bundler: workbench.bundler.clone() };
    let handler = folder.join("first.py");
    std::fs::write(&handler, Lang::Py.subject().small)?;
    let began = Instant::now();
    fresh.executor(Metering::On).await?.open_engine(&handler).await?;
    Ok(Figure::low("engine made ready, once per machine", began.elapsed().as_secs_f64(), "s").promised((60.0, 10.0)))
}

/// CPU-bound work with all limits on, each kind beside `python3` in turn, so that the machine's moods hit both alike.
async fn cpu(executor: &LocalExecutor, folder: &Path) -> Result<Vec<Figure>> {
    let subject = Lang::Py.subject();
    let handler = prepare(executor, folder, &subject.file("cpu"), subject.cpu).await?;
    let script = folder.join(subject.file("cpu"));
    let (mut figures, mut ratios) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let event = json(&format!(r#"{{"work":"{kind}"}}"#))?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let outcome = invoke(executor, &handler, &event, Limits::default()).await?;
            ours.push(outcome.result.map_err(anyhow::Error::from)?.get().parse::<f64>()?);
            theirs.push(python3(&[script.as_os_str(), kind.as_ref(), "1".as_ref()])?.trim().parse::<f64>()?);
        }
        let (ours, theirs) = (percentile(&mut ours, 0.5), percentile(&mut theirs, 0.5));
        ratios.push(ours / theirs);
        figures.push(Figure::low(format!("{kind}, p50"), ours, "ms"));
        figures.push(Figure::low(format!("{kind} by python3, p50"), theirs, "ms"));
    }
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    figures.push(Figure::low("slower than python3, mean of the kinds", mean, "times").promised((3.0, 1.5)));
    Ok(figures)
}

fn python3(arguments: &[&std::ffi::OsStr]) -> Result<String> {
    let output = Command::new("python3").args(arguments).stdin(Stdio::null()).output().context("python3 cannot be run")?;
    ensure!(output.status.success(), "python3 failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What a scheduler without mirra would do for each call.
fn process_ms(folder: &Path) -> Result<f64> {
    let script = folder.join("process.py");
    let call = format!("\nimport asyncio, json\nprint(json.dumps(asyncio.run(handler(json.loads({SMALL_EVENT:?}), None))))\n");
    std::fs::write(&script, [Lang::Py.subject().small, &call].concat())?;
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        python3(&[script.as_os_str()])?;
        samples.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(percentile(&mut samples, 0.5))
}

async fn calls(executor: &LocalExecutor, handler: &HandlerId) -> Result<f64> {
    let mut samples = sample(executor, handler, &json(SMALL_EVENT)?, CALLS / 5, CALLS).await?;
    Ok(percentile(&mut samples, 0.5))
}

/// The ordinary way: the whole interpreter in every component, and compiled for each.
async fn componentized(executor: &LocalExecutor, folder: &Path, program: &Path) -> Result<Vec<Figure>> {
    let (wit, component) = (folder.join("wit"), folder.join("componentized.wasm"));
    std::fs::create_dir_all(&wit)?;
    for (name, text) in WIT {
        std::fs::write(wit.join(name), text)?;
    }
    std::fs::write(folder.join("componentized_app.py"), COMPONENT_APP)?;
    let began = Instant::now();
    let mut componentize = Command::new(program);
    componentize.arg("--quiet").arg("--wit-path").arg(&wit).args(["--world", "function", "componentize", "--python-path"]);
    let status = componentize.arg(folder).arg("componentized_app").arg("--output").arg(&component).status()?;
    ensure!(status.success(), "componentize-py failed");
    let handler = executor.prepare(Source::path(&component)).await?.id;
    let deployed_s = began.elapsed().as_secs_f64();
    let cold_ms = calls(executor, &handler).await? / 1e3;
    let megabytes = std::fs::metadata(&component)?.len() as f64 / 1e6;
    Ok(vec![
        Figure::low("componentize-py's component: deploy", deployed_s, "s"),
        Figure::low("componentize-py's component: cold call, p50", cold_ms, "ms"),
        Figure::low("componentize-py's component: size", megabytes, "MB"),
    ])
}
