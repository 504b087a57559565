//! `mirra serve` as a process of its own.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::http::Connection;

pub struct Server {
    pub address: String,
    /// Killed when dropped.
    _process: Child,
}

impl Server {
    /// Serves the handlers in `folder`, where it has its data, too.
    pub async fn start(program: &Path, folder: &Path, configure: impl FnOnce(&mut Command)) -> Result<Server> {
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(folder)
            .env("MIRRA_DATA", folder.join("data"))
            .env_remove("MIRRA_OWNER_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        configure(&mut command);
        let mut process = command.spawn().context("cannot start the server")?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let address = loop {
            let line = lines.next_line().await?.context("the server ended before it listened")?;
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split(['/', ' ']).next().unwrap_or_default().to_owned();
            }
        };
        // Whoever stops reading stops the writer.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let server = Server { address, _process: process };
        let mut connection = Connection::open(&server.address).await?;
        while connection.get("/readyz").await? != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }
}
