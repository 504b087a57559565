//! Requests a second of `mirra serve` on one core, each in a fresh instance, and what a busy handler does to its neighbours.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::{Figure, Lang, Report, http::Connection, report::percentile, serve::Server, subject::SMALL_EVENT};

const CONNECTIONS: usize = 8;

const BUSY_CALLS: usize = 4;

/// `program` is the `mirra` binary.
pub async fn throughput(program: &Path, lang: Lang, seconds: u64) -> Result<Report> {
    let subject = lang.subject();
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join(subject.file("small")), subject.small)?;
    std::fs::write(folder.path().join(subject.file("busy")), subject.busy)?;
    let cores = pin_apart()?;
    // A child inherits the affinity of the thread that starts it.
    sched_setaffinity(None, &cores.server)?;
    let server = Server::start(program, folder.path(), |command| _ = command.args(["--timeout-s", "2"])).await?;
    sched_setaffinity(None, &cores.client)?;
    let window = Duration::from_secs(seconds);
    load(&server.address, window / 4).await?;
    let (rate, mut latencies) = load(&server.address, window).await?;

    let mut alone = paced(&server.address, window).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..BUSY_CALLS).map(|_| tokio::spawn(keep_busy(server.address.clone(), is_over.clone()))).collect();
    let mut beside_busy = paced(&server.address, window).await?;
    is_over.store(true, Relaxed);
    busy.into_iter().for_each(|task| task.abort());

    let (alone, beside_busy) = (percentile(&mut alone, 0.5), percentile(&mut beside_busy, 0.5));
    Ok(Report {
        bench: "throughput",
        figures: vec![
            Figure::high("POST /run, fresh instance each, server on one core", rate, "req/s").promised(subject.requests_per_s),
            Figure::low(format!("latency at that load, {CONNECTIONS} connections, p50"), percentile(&mut latencies, 0.5), "us"),
            Figure::low(format!("latency at that load, {CONNECTIONS} connections, p99"), percentile(&mut latencies, 0.99), "us"),
            Figure::low("latency of a lone caller, p50", alone, "us"),
            Figure::low(format!("the same beside {BUSY_CALLS} calls that compute without end, p50"), beside_busy, "us"),
        ],
    })
}

/// The core for the server and the one for this process, if there are two.
struct Cores {
    server: CpuSet,
    client: CpuSet,
}

fn pin_apart() -> Result<Cores> {
    let all = sched_getaffinity(None)?;
    let mut usable = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
    let first = usable.next().context("no core to run on")?;
    let second = usable.next().unwrap_or(first);
    let only = |core| {
        let mut set = CpuSet::new();
        set.set(core);
        set
    };
    Ok(Cores { server: only(first), client: only(second) })
}

/// As many calls as the server answers: how many a second, and how long each took, in microseconds.
async fn load(address: &str, window: Duration) -> Result<(f64, Vec<f64>)> {
    let until = Instant::now() + window;
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let address = address.to_owned();
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let mut latencies = Vec::new();
                while Instant::now() < until {
                    let began = Instant::now();
                    ensure!(connection.post("/run/small", SMALL_EVENT).await? == 200, "a call of the bench failed");
                    latencies.push(began.elapsed().as_nanos() as f64 / 1000.0);
                }
                Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await??);
    }
    Ok((latencies.len() as f64 / window.as_secs_f64(), latencies))
}

/// One caller that pauses between calls.
async fn paced(address: &str, window: Duration) -> Result<Vec<f64>> {
    let until = Instant::now() + window;
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        ensure!(connection.post("/run/small", SMALL_EVENT).await? == 200, "a call of the bench failed");
        latencies.push(began.elapsed().as_nanos() as f64 / 1000.0);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(latencies)
}

async fn keep_busy(address: String, is_over: Arc<AtomicBool>) -> Result<()> {
    let mut connection = Connection::open(&address).await?;
    while !is_over.load(Relaxed) {
        connection.post("/run/busy", "{}").await?;
    }
    Ok(())
}
