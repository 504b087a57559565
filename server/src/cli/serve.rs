use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Weak, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::Args;
use futures_util::FutureExt;
use mirra_control::{ApiError, NewKey, RateLimit};
use mirra_host_sdk::Executor;
use mirra_runtime::{ChildCommand, LocalExecutor};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};
use tracing_subscriber::EnvFilter;

use super::once;
use crate::{
    compose::{self, Size},
    config::{HostFlags, LimitFlags, OwnerKey, WallFlags, listen_address},
    deploy,
    failure::{Exit, Failure},
    http::{self, Admission, Api, Endpoint, Served, Strangers},
    logs::LogWriter,
    metrics::Metrics,
    routes::Routes,
    signals::StopSignals,
    survey::{Survey, Surveyor},
    terminal::say,
    watch::Watch,
};

/// A handler that is not called for one to two of these is idle.
const IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// That 'mirra dev' tries when its port is taken.
const OTHER_PORTS: u16 = 10;

/// Serve handlers over HTTP, and redeploy them when their files change
///
/// POST /run/NAME calls the handler NAME with the body as its event (none: {}) and answers its result. The headers
/// X-Mirra-Cold-Start-Us, -Duration-Us, -Cost-Usd and -Execution-Id tell more. A failure is answered as
/// {"success":false,"error":{"code","message","details"}}. GET / lists the handlers; there are /healthz, /readyz and /metrics.
///
/// Saving a handler redeploys it within milliseconds; calls in flight end on the version they began with. A version that is
/// rejected is told about here, and the one before goes on serving. SIGTERM and SIGINT let calls in flight end; a second one
/// does not.
///
/// POST /v1/invocations does the same for schedulers: the whole outcome or a stream of log lines, and once under an idempotency key.
///
/// The API of the control plane is at /api/sdk/v1: every request needs a key. The first start makes one for the owner and shows it once,
/// unless MIRRA_OWNER_KEY is set.
///
/// Models are asked with the keys in MIRRA_AI_ANTHROPIC_KEY (or ANTHROPIC_API_KEY) and MIRRA_AI_OPENAI_KEY (or OPENAI_API_KEY).
///
/// When MIRRA_OWNER_KEY is set, callers of handlers must give it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY' (not for /healthz and
/// /readyz). Without it, only this machine's own programs are listened to.
#[derive(Args)]
pub struct Serve {
    /// Handlers (a file, or a folder with a package.json) and folders of handlers
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Address to listen on; port 0 takes any that is free
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    listen: String,

    /// Where browsers reach this server, such as https://mirra.example.com: they come back to it from where they log in for resources
    #[arg(long, value_name = "URL", env = "MIRRA_PUBLIC_URL")]
    public_url: Option<String>,

    /// Seconds that calls in flight are given to end when the server stops
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_s: u64,

    /// Calls that run at the same time, in all
    #[arg(long, value_name = "CALLS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Limits")]
    concurrency: u32,

    /// Calls of one handler that run at the same time
    #[arg(long, value_name = "CALLS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    concurrency_per_handler: u32,

    /// Calls that wait for a place, in all and for each handler; one more is answered with 429
    #[arg(long, value_name = "CALLS", default_value_t = 1000, help_heading = "Limits")]
    queue: u32,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    wall: WallFlags,

    #[command(flatten)]
    host: HostFlags,

    /// 'mirra dev': somebody watches.
    #[arg(skip)]
    is_dev: bool,
}

impl Serve {
    pub fn for_development(self) -> Serve {
        Serve { is_dev: true, ..self }
    }

    pub fn run(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
        raise_descriptor_limit();
        // Before there are other threads, and until the end.
        let _enclosed = self.wall.enclose();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::host)?;
        let result = runtime.block_on(self.serve(bundler));
        runtime.shutdown_background();
        result
    }

    async fn serve(self, bundler: ChildCommand) -> Result<Exit, Failure> {
        let key = OwnerKey::from_environment()?;
        let address = listen_address(&self.listen, key.as_ref())?;
        let limits = self.limits.limits()?;
        let mut surveyor = Surveyor::new(self.paths.clone());
        let survey = self.survey(&mut surveyor)?;
        let listener = self.listener(address).await.with_context(|| format!("cannot listen on {address}")).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(Failure::host)?;

        let public_url = self.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let control = compose::control(&self.host, key.is_some(), Some(public_url))?;
        if let Some(NewKey { key, .. }) = control.open().await? {
            say(format_args!("the owner's key, which is shown this once: {key}"));
        }
        let executor = Arc::new(compose::executor(&self.host, bundler, self.size(), &control).await?);
        // Not before: until then nothing is served, and the default of ending at once is right.
        let mut signals = StopSignals::listen().map_err(Failure::host)?;
        let metrics = Arc::new(Metrics::new().map_err(Failure::host)?);
        let logs = LogWriter::start().map_err(Failure::host)?;
        let routes = Arc::new(Routes::new(executor.clone(), metrics.clone(), logs, self.is_dev));
        routes.announce(survey.handlers.iter().map(|(name, found)| (name.as_str(), found.path.as_path())));
        control.offer_handlers(Arc::new(Served { executor: Arc::downgrade(&executor), routes: Arc::downgrade(&routes), limits }));
        let executor_of_scripts: Weak<dyn Executor> = Arc::<LocalExecutor>::downgrade(&executor);
        control.offer_executor(executor_of_scripts).map_err(cannot_open)?;
        let admission = key.map_or(Admission::Local, Admission::Key);
        let per_minute = self.host.platform_limits()?.requests_per_minute;
        let (rate, strangers) = (RateLimit::per_minute(per_minute), Strangers::new(per_minute));
        let api = Api { control, routes: mirra_control::Routes::new().map_err(Failure::host)?, rate };
        let is_draining = AtomicBool::new(false);
        let staying = Arc::default();
        let endpoint =
            Endpoint { executor, routes: routes.clone(), metrics, admission, strangers, api, limits, address, is_draining, staying };

        tokio::spawn(release_idle(endpoint.executor.clone()));
        let (control, working) = (endpoint.api.control.clone(), endpoint.api.control.clone());
        let work = tokio::spawn(async move { working.work().await });
        tokio::spawn(deploy_and_watch(surveyor, survey, routes, address, self.is_dev));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = stopped.map(|_| ());
        let drain_max = Duration::from_secs(self.drain_s);
        let serving = async {
            let is_drained = http::serve(listener, Arc::new(endpoint), stopped, drain_max).await;
            // Runs of flows that have begun may end, too; those that do not are taken over by the next process.
            timeout(drain_max, work).await.is_ok() && is_drained
        };
        let stopping = async {
            signals.next().await;
            say(format_args!("stopping: calls in flight may end; press Ctrl-C again to stop at once"));
            control.stop_working();
            // Received as long as the server serves.
            let _ = stop.send(());
            signals.next().await;
        };
        tokio::select! {
            is_drained = serving => {
                if !is_drained {
                    say(format_args!("calls that had not ended within {} s were cut off", self.drain_s));
                }
                Ok(Exit::Success)
            }
            () = stopping => Ok(Exit::HostFailed),
        }
    }

    /// Where nobody waits for a certain port, the next ones do as well.
    async fn listener(&self, address: SocketAddr) -> std::io::Result<TcpListener> {
        let mut bound = TcpListener::bind(address).await;
        let others = if self.is_dev && address.port() != 0 { OTHER_PORTS } else { 0 };
        for port in (1..=others).filter_map(|more| address.port().checked_add(more)) {
            match bound {
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    bound = TcpListener::bind(SocketAddr::new(address.ip(), port)).await;
                }
                other => return other,
            }
        }
        bound
    }

    fn survey(&self, surveyor: &mut Surveyor) -> Result<Survey, Failure> {
        if !self.paths.iter().any(|path| path.exists()) {
            let paths: Vec<_> = self.paths.iter().map(|path| path.display().to_string()).collect();
            return Err(Failure::wrong_use(anyhow!("there is no file or folder {}", paths.join(", "))));
        }
        let survey = surveyor.survey();
        if survey.has_duplicates {
            return Err(Failure::wrong_use(anyhow!("{}", survey.complaints.join("\n"))));
        }
        survey.complaints.iter().for_each(|complaint| say(format_args!("{complaint}")));
        Ok(survey)
    }

    fn size(&self) -> Size {
        Size {
            concurrency_max: self.concurrency,
            concurrency_per_handler_max: self.concurrency_per_handler,
            queue_max: self.queue,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            is_server: true,
        }
    }
}

/// Keeps the memory of a server with many handlers to that of the ones in use.
async fn release_idle(executor: Arc<LocalExecutor>) {
    let mut interval = tokio::time::interval(IDLE_CHECK_INTERVAL);
    loop {
        interval.tick().await;
        executor.release_idle();
    }
}

async fn deploy_and_watch(surveyor: Surveyor, survey: Survey, routes: Arc<Routes>, address: SocketAddr, is_dev: bool) {
    let handlers = survey.handlers.iter().map(|(name, found)| (name.clone(), found.path.clone())).collect();
    // Before anything is read, so that no change is missed.
    let watch = Watch::start(surveyor, survey, routes.clone());
    deploy::first(&routes, handlers).await;
    if is_dev {
        deploy::tell_addresses(&routes, address);
    }
    // The one line on stdout: whoever started the server with port 0 reads the address from it.
    if let Err(failure) = once::print(format!("listening on http://{address}").as_bytes()) {
        failure.report();
    }
    match watch {
        Ok(watch) => watch.run().await,
        Err(error) => tracing::warn!(%error, "files cannot be watched: handlers are not redeployed when they change"),
    }
}

fn cannot_open(error: ApiError) -> Failure {
    Failure::host(error).next_step("If it is the folder, choose another with --data DIR.")
}

fn cannot_listen(error: anyhow::Error) -> Failure {
    Failure::host(error).next_step("If another program has that port, choose another with --listen 127.0.0.1:PORT, or 0 for any free one.")
}

/// Connections and handlers are file descriptors, and the usual soft limit of 1,024 is for programs that cannot count higher.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, connections wait for others to end.
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
}
