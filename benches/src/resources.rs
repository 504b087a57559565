//! Resources: what a call adds to the HTTP request that it makes, and how many go on at the same time.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mirra_control::{Control, Means};
use mirra_egress::{Egress, EgressConfig, Fetch, Reach};
use mirra_host_sdk::{AllowList, Capabilities, Executor, Invocation, Limits, Usd};
use mirra_runtime::LocalExecutor;
use serde_json::{Value, json, value::to_raw_value};
use tokio::net::TcpListener;

use crate::{
    Figure, Report, Workbench,
    report::percentile,
    workbench::{json as parsed, prepare},
};

const ROUNDS: usize = 2_000;
const PARALLEL: usize = 20;
/// How long the API takes for each of the parallel ones.
const SLOW: Duration = Duration::from_millis(10);

const HANDLER: &str = "export async function handler({ count }) {
  const began = performance.now();
  const calls = Array.from({ length: count }, (_, i) => mirra.bench.slow({ id: `n${i}` }));
  await Promise.all(calls);
  return performance.now() - began;
}";

pub async fn resources(workbench: &Workbench) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let address = api().await?;
    let egress = Egress::new(EgressConfig::new(AllowList::parse([address.as_str()])?))?;
    let control = Arc::new(Control::new(mirra_control::Config::new(folder.path(), egress)));
    install(&control, &address).await?;
    let (mut plain, mut called) = side_by_side(&control, &address).await?;
    let mut parallel = in_parallel(workbench, &control, folder.path()).await?;
    let (plain_p50, called_p50) = (percentile(&mut plain, 0.5), percentile(&mut called, 0.5));
    Ok(Report {
        bench: "resources",
        figures: vec![
            Figure::low("the HTTP request alone, p50", plain_p50, "us"),
            Figure::low("the same as a call of a resource, p50", called_p50, "us"),
            Figure::low("what the call adds, p50", called_p50 - plain_p50, "us").promised((100.0, 100.0)),
            Figure::low("the HTTP request alone, p99", percentile(&mut plain, 0.99), "us"),
            Figure::low("the same as a call of a resource, p99", percentile(&mut called, 0.99), "us"),
            Figure::low(
                format!("{PARALLEL} calls at a time of an API that takes 10 ms, from a handler, p50"),
                percentile(&mut parallel, 0.5),
                "ms",
            )
            .promised((15.0, 15.0)),
            Figure::low("the same, p99", percentile(&mut parallel, 0.99), "ms"),
        ],
    })
}

/// An API on this machine: `/slow/…` takes its time.
async fn api() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    Ok(address)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    if request.uri().path().starts_with("/slow") {
        tokio::time::sleep(SLOW).await;
    }
    let body = Full::new(Bytes::from_static(br#"{"id":"n1","price":1.5,"tags":["a","b"]}"#));
    Ok(Response::builder().header("content-type", "application/json").body(body)?)
}

/// A document with parameters and an answer that are checked, and a key that is sent.
async fn install(control: &Arc<Control>, address: &str) -> Result<()> {
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 40 } });
    let currency = json!({ "name": "currency", "in": "query", "schema": { "type": "string", "enum": ["EUR", "USD"] } });
    let schema = json!({ "type": "object", "required": ["id", "price"], "properties": {
        "id": { "type": "string" }, "price": { "type": "number" }, "tags": { "type": "array", "items": { "type": "string" } },
    } });
    let operation = |name: &str| {
        json!({ "get": {
            "operationId": name,
            "parameters": [id, currency],
            "responses": { "200": { "description": "it", "content": { "application/json": { "schema": schema } } } },
        } })
    };
    let resource = json!({
        "name": "bench", "description": "what is measured", "resourceType": "api",
        "openApiSpec": {
            "openapi": "3.0.0", "info": { "title": "bench", "version": "1" },
            "paths": { "/slow/{id}": operation("slow"), "/fast/{id}": operation("fast") },
        },
        "endpoint": { "baseUrl": format!("http://{address}"), "authentication": "api_key" },
        "pricing": { "model": "pay-per-call", "basePrice": 0.001 },
    });
    let made = call(control, "resources", "create", resource).await?;
    let id = made["id"].as_str().context("a resource has an id")?;
    call(control, "resources", "install", json!({ "id": id })).await?;
    let credentials = json!({ "id": id, "type": "api_key", "credentials": { "apiKey": "the key of the bench" } });
    call(control, "resources", "authenticate", credentials).await.map(drop)
}

async fn call(control: &Arc<Control>, adapter: &str, operation: &str, params: Value) -> Result<Value> {
    let owner = control.owner().await?.clone();
    let answer = control.call(&owner, adapter, operation, &to_raw_value(&params)?, Means::default()).await?;
    Ok(serde_json::from_str(answer.data.get())?)
}

/// A request by the same client to the same server, and the call of the resource that makes it, in turn.
async fn side_by_side(control: &Arc<Control>, address: &str) -> Result<(Vec<f64>, Vec<f64>)> {
    let (tenant, url) = (Arc::<str>::from("bench"), format!("http://{address}/fast/n1?currency=EUR"));
    let headers = [("accept".to_owned(), "application/json".to_owned()), ("x-api-key".to_owned(), "the key of the bench".to_owned())];
    let (mut plain, mut called) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for round in 0..ROUNDS + ROUNDS / 10 {
        let began = Instant::now();
        let body = Bytes::new();
        let fetch = Fetch { method: "GET", url: &url, headers: &headers, body, timeout: None, response_bytes_max: 1 << 20 };
        control.egress().fetch(&tenant, Reach::PublicAndNamed, fetch, Duration::from_secs(10)).await?.whole().await?;
        let took_plain = began.elapsed();
        let began = Instant::now();
        call(control, "bench", "fast", json!({ "id": "n1", "currency": "EUR" })).await?;
        if round >= ROUNDS / 10 {
            plain.push(took_plain.as_secs_f64() * 1e6);
            called.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok((plain, called))
}

async fn in_parallel(workbench: &Workbench, control: &Arc<Control>, folder: &Path) -> Result<Vec<f64>> {
    let capabilities = Capabilities::default().with("resources", control.installed());
    let config = mirra_runtime::Config::new(&workbench.cache_folder, workbench.bundler.clone());
    let executor = LocalExecutor::new(mirra_runtime::Config { capabilities, ..config }).await?;
    let handler = prepare(&executor, folder, "calls.js", HANDLER).await?;
    let limits = Limits { cost_usd_max: Usd::from_picodollars(u64::MAX), ..Limits::default() };
    let mut took = Vec::new();
    for round in 0..60 {
        let event = parsed(&format!(r#"{{"count":{PARALLEL}}}"#))?;
        let outcome = executor.invoke(Invocation::new(handler.clone(), event, limits)).await?;
        let elapsed: f64 = serde_json::from_str(outcome.result?.get())?;
        // The first ones warm up.
        if round >= 10 {
            took.push(elapsed);
        }
    }
    Ok(took)
}
