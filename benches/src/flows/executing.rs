//! A script over the API: authenticated, recorded, and its history written.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::{Client, Home};
use crate::{Figure, report::percentile};

const CONNECTIONS: usize = 8;

pub async fn figures(home: &Home, window: Duration) -> Result<Vec<Figure>> {
    let server = home.serve().await?;
    let mut client = Client::of(&server).await?;
    let path = format!("scripts/{}/execute", client.script().await?);
    let mut took = Vec::new();
    for round in 0..2_200 {
        let began = Instant::now();
        client.call(&path, json!({ "data": { "name": "Ada" } })).await?;
        if round >= 200 {
            took.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    let until = Instant::now() + window;
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let (mut client, path) = (Client::of(&server).await?, path.clone());
        clients.push(tokio::spawn(async move {
            let mut count = 0_u32;
            while Instant::now() < until {
                client.call(&path, json!({ "data": { "name": "Ada" } })).await?;
                count += 1;
            }
            Ok::<_, anyhow::Error>(count)
        }));
    }
    let mut count = 0;
    for client in clients {
        count += client.await??;
    }
    Ok(vec![
        Figure::low("execute over the API, p50", percentile(&mut took, 0.5), "us").promised((1_000.0, 1_000.0)),
        Figure::low("execute over the API, p99", percentile(&mut took, 0.99), "us"),
        Figure::high("execute over the API, 8 clients", f64::from(count) / window.as_secs_f64(), "/s").promised((2_000.0, 2_000.0)),
    ])
}
