//! Scripts and flows: a script executed over the API, events until their flows have run, ticks at their minute, and lists when there is much.
//! All of it by a client of a server that is a process of its own.

mod events;
mod executing;
mod much;
mod ticks;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use mirra_control::PlatformLimits;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{Report, http::Connection, serve::Server};

const OWNER_KEY: &str = "bench";
const SMALL: &str = "export const handler = (event) => ({ success: true, at: Date.now(), sent: event.timestamp });";

/// How much there is.
#[derive(Clone, Copy)]
pub struct Amounts {
    /// Flows that events start, and as many that the clock does.
    pub flows: usize,
    /// Flows that are stored when they are listed and searched.
    pub stored_flows: usize,
    pub history_rows: usize,
    pub seconds: u64,
}

pub async fn flows(program: &Path, amounts: Amounts) -> Result<Report> {
    let mut figures = executing::figures(&Home::new(program)?, Duration::from_secs(amounts.seconds)).await?;
    figures.extend(events::figures(&Home::new(program)?, amounts.flows).await?);
    figures.extend(ticks::figures(&Home::new(program)?, amounts.flows).await?);
    figures.extend(much::figures(&Home::new(program)?, amounts).await?);
    Ok(Report { bench: "flows", figures })
}

/// Where a server has its data, and what it may be asked.
struct Home {
    program: PathBuf,
    folder: TempDir,
}

impl Home {
    fn new(program: &Path) -> Result<Home> {
        let home = Home { program: program.to_owned(), folder: tempfile::tempdir()? };
        std::fs::write(home.folder.path().join("small.js"), "export const handler = () => 1;")?;
        std::fs::write(home.limits_file(), serde_json::to_vec(&limits()?)?)?;
        Ok(home)
    }

    fn limits_file(&self) -> PathBuf {
        self.folder.path().join("limits.txt")
    }

    fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn serve(&self) -> Result<Server> {
        let configure = |command: &mut tokio::process::Command| {
            command.env("MIRRA_OWNER_KEY", OWNER_KEY).env("MIRRA_LIMITS", self.limits_file());
        };
        Server::start(&self.program, self.folder.path(), configure).await
    }
}

/// What the machine gives is to be seen, and not what an account may have.
fn limits() -> Result<PlatformLimits> {
    Ok(serde_json::from_value(json!({
        "requestsPerMinute": 1_000_000_000, "manualExecutionsPerMinute": 1_000_000_000, "flowsPerUser": 1_000_000,
        "flowsCreatedPerDay": 1_000_000, "executionsPerFlowPerDay": 1_000_000,
    }))?)
}

/// The owner, at a server.
struct Client(Connection);

impl Client {
    async fn of(server: &Server) -> Result<Client> {
        Ok(Client(Connection::open(&server.address).await?))
    }

    /// Such as `flows/createFlow`.
    async fn call(&mut self, operation: &str, params: Value) -> Result<Value> {
        let (status, answer) = self.0.operate(&format!("/api/sdk/v1/{operation}"), OWNER_KEY, params.to_string()).await?;
        ensure!(status == 200, "a request of the bench failed: {}", String::from_utf8_lossy(&answer));
        let mut answer: Value = serde_json::from_slice(&answer)?;
        Ok(answer["data"].take())
    }

    /// One that is deployed: its id.
    async fn script(&mut self) -> Result<String> {
        let config = json!({ "maxExecutionsPerDay": 10_000_000 });
        let made = self.call("scripts/createScript", json!({ "name": "small", "code": SMALL, "config": config })).await?;
        let id = made["id"].as_str().context("no id")?.to_owned();
        self.call("scripts/deployScript", json!({ "scriptId": id })).await?;
        Ok(id)
    }

    async fn until_executed(&mut self, script_id: &str, count: u64) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(300);
        loop {
            let metrics = self.call("scripts/getMetrics", json!({ "scriptId": script_id })).await?;
            if metrics["totalExecutions"].as_u64().ok_or_else(|| anyhow!("no metrics"))? >= count {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "runs are missing after five minutes");
            sleep(Duration::from_millis(5)).await;
        }
    }
}
