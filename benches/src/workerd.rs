//! The same small handler in Cloudflare's workerd, a new isolate for every request, by its worker loader. workerd is npm's
//! package of that name.

use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::{Child, Command};

use crate::{http::Connection, report::percentile, subject::SMALL_EVENT};

/// It keeps every isolate that it loaded.
const ISOLATES: usize = 100;
const START_TIME_MAX: Duration = Duration::from_secs(10);

const HANDLER: &str = "async function handler(event) { return { success: true, hello: event.name, n: event.items.length }; }
export default { async fetch(request) { return Response.json(await handler(await request.json())); } };";

const LOADER: &str = r#"import source from "handler";
let count = 0;
export default { fetch(request, { LOADER }) {
  const load = async () => ({ compatibilityDate: "2025-11-01", mainModule: "m.js", modules: { "m.js": source } });
  return LOADER.get(`w${count++}`, load).getEntrypoint().fetch(request);
} };"#;

const CONFIG: &str = r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "warm", worker = .warm), (name = "new", worker = .new) ],
  sockets = [ (name = "warm", address = "WARM", http = (), service = "warm"),
              (name = "new", address = "NEW", http = (), service = "new") ]
);
const warm :Workerd.Worker = ( modules = [ (name = "worker", esModule = embed "handler.js") ], compatibilityDate = "2025-11-01" );
const new :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "loader.js"), (name = "handler", text = embed "handler.js") ],
  compatibilityDate = "2025-11-01",
  compatibilityFlags = ["experimental"],
  bindings = [ (name = "LOADER", workerLoader = (id = "loader")) ],
);
"#;

/// Microseconds that a request with a new isolate takes longer than one to a warm one, p50.
pub async fn new_isolate_us(program: &Path) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let addresses = [free_address()?, free_address()?];
    std::fs::write(folder.path().join("handler.js"), HANDLER)?;
    std::fs::write(folder.path().join("loader.js"), LOADER)?;
    std::fs::write(folder.path().join("config.capnp"), CONFIG.replace("WARM", &addresses[0]).replace("NEW", &addresses[1]))?;
    let mut workerd = Command::new(program)
        .args(["serve", "--experimental", "config.capnp"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let warm_us = request_us(&mut workerd, &addresses[0]).await?;
    let new_us = request_us(&mut workerd, &addresses[1]).await?;
    Ok(new_us - warm_us)
}

async fn request_us(workerd: &mut Child, address: &str) -> Result<f64> {
    let mut connection = connect(workerd, address).await?;
    let mut took_us = Vec::new();
    for _ in 0..ISOLATES {
        let began = Instant::now();
        ensure!(connection.post("/", SMALL_EVENT).await? == 200, "workerd does not answer as the bench expects");
        took_us.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(percentile(&mut took_us, 0.5))
}

async fn connect(workerd: &mut Child, address: &str) -> Result<Connection> {
    let began = Instant::now();
    loop {
        match Connection::open(address).await {
            Ok(connection) => return Ok(connection),
            Err(error) if began.elapsed() > START_TIME_MAX => return Err(error.context("workerd does not listen")),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        if let Some(status) = workerd.try_wait()? {
            bail!("workerd ended before it listened ({status})");
        }
    }
}

/// An address that was free a moment ago: workerd does not tell which it took.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
