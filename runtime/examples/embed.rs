//! The runtime inside somebody else's scheduler: `cargo run --release --example embed -- fixtures/handlers/hello '{"name":"Ada"}'`

use mirra_host_sdk::{Executor, Invocation, Limits, Source};
use mirra_runtime::{Config, LocalExecutor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bundler = mirra_runtime::init()?;
    let mut arguments = std::env::args().skip(1);
    let (path, event) = (arguments.next().ok_or("which handler?")?, arguments.next().unwrap_or("{}".into()));
    tokio::runtime::Runtime::new()?.block_on(async {
        let executor = LocalExecutor::new(Config::new(std::env::temp_dir().join("mirra-embed"), bundler)).await?;
        let prepared = executor.prepare(Source::path(path)).await?;
        let invocation = Invocation::new(prepared.id, serde_json::from_str(&event)?, Limits::default());
        let outcome = executor.invoke(invocation).await?;
        println!("{}", serde_json::to_string_pretty(&outcome)?);
        Ok(())
    })
}
