//! Puts an executor together from options.

use std::{future::Future, sync::Arc};

use mirra_control::Control;
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{Capabilities, HostError};
use mirra_runtime::{ChildCommand, Config, LocalExecutor};

use crate::{
    config::{HostFlags, secret_key},
    failure::Failure,
    terminal::Spinner,
};

/// How big the host is.
pub struct Size {
    pub concurrency_max: u32,
    pub concurrency_per_handler_max: u32,
    pub queue_max: u32,
    pub threads: usize,
    pub is_server: bool,
}

impl Size {
    /// For a process that makes one call: it must start at once, and needs next to nothing.
    pub const ONE_CALL: Size = Size { concurrency_max: 4, concurrency_per_handler_max: 4, queue_max: 0, threads: 1, is_server: false };
}

/// Opens nothing: that happens when somebody wants something of it.
pub fn control(flags: &HostFlags, has_owner_key: bool, public_url: Option<String>) -> Result<Arc<Control>, Failure> {
    let prices = flags.price_table()?;
    let egress = EgressConfig { request_usd: prices.http_request_usd, ..EgressConfig::new(flags.allowed_hosts()) };
    let egress = Egress::new(egress).map_err(cannot_start)?;
    let defaults = mirra_control::Config::new(flags.data_folder(), egress);
    let config = mirra_control::Config {
        has_owner_key,
        public_url: public_url.map_or(defaults.public_url, |url| url.trim_end_matches('/').to_owned()),
        secret_key: secret_key()?.unwrap_or(defaults.secret_key),
        memory_operation_usd: prices.memory_operation_usd,
        http_request_usd: prices.http_request_usd,
        ai: flags.ai(&prices)?,
        limits: flags.platform_limits()?,
        ..defaults
    };
    Ok(Arc::new(Control::new(config)))
}

/// Opens the cache. The first time on a machine that a language is needed, its engine is compiled for a few seconds.
pub async fn executor(flags: &HostFlags, bundler: ChildCommand, size: Size, control: &Arc<Control>) -> Result<LocalExecutor, Failure> {
    let prices = flags.price_table()?;
    let config = Config {
        capabilities: Capabilities::default()
            .with("http", control.egress().clone())
            .with("ai", control.ai())
            .with("memory", control.memory())
            .with("resources", control.installed()),
        prices,
        concurrency_max: size.concurrency_max,
        concurrency_per_handler_max: size.concurrency_per_handler_max,
        queue_max: size.queue_max,
        threads: size.threads,
        bundler_spare: size.is_server,
        long_work: Arc::new(|what| Box::new(Spinner::start(what))),
        ..Config::new(flags.cache_folder(), bundler)
    };
    LocalExecutor::new(config).await.map_err(cannot_start)
}

fn cannot_start(error: HostError) -> Failure {
    Failure::host(error).next_step("If it is the folder, choose another with --data DIR.")
}

/// Runs a command that makes one call or one build. One thread is enough, and starts sooner than several.
pub fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::host)?;
    let result = runtime.block_on(command);
    // What still runs in the background is of no more interest to anybody.
    runtime.shutdown_background();
    result
}
