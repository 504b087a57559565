use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use mirra_egress::{Egress, Reach};
use mirra_host_sdk::{Clock, ErrorCode, Executor, Json, SystemClock, Usd};
use tokio::sync::{Notify, OnceCell};

use crate::{
    Answer, ApiError, Caller, Means, NewKey, PlatformLimits, RateLimit,
    account::{self, Account},
    ai::AiConfig,
    event::Matcher,
    invocation::Turns,
    operations::{self, Scene},
    resource::{self, Handlers, Resources},
    secret::{KeySource, Keyring},
    store::Store,
    worker::Worker,
};

/// How a control plane is set up.
pub struct Config {
    /// Where everything is kept. Several processes may share it.
    pub data_folder: PathBuf,
    pub clock: Arc<dyn Clock>,
    /// Whoever runs the server has a key of their own, so that none is made for the owner.
    pub has_owner_key: bool,
    /// How the world is reached: APIs of installed resources, models.
    pub egress: Egress,
    /// Where browsers reach this server: they come back to it from where they were sent to log in.
    pub public_url: String,
    /// Of the key that credentials are encrypted with.
    pub secret_key: KeySource,
    /// For each use of the memory by a handler.
    pub memory_operation_usd: Usd,
    /// For each request to an API, besides what the resource costs.
    pub http_request_usd: Usd,
    /// For each tick of a flow's schedule.
    pub flow_tick_usd: Usd,
    /// Whose models are asked, and what they cost.
    pub ai: AiConfig,
    /// What accounts, scripts and flows may use.
    pub limits: PlatformLimits,
}

impl Config {
    pub fn new(data_folder: impl Into<PathBuf>, egress: Egress) -> Config {
        let data_folder = data_folder.into();
        Config {
            secret_key: KeySource::File(data_folder.join("secret.key")),
            public_url: "http://127.0.0.1:3000".to_owned(),
            data_folder,
            clock: Arc::new(SystemClock),
            has_owner_key: false,
            egress,
            memory_operation_usd: Usd::ZERO,
            http_request_usd: Usd::ZERO,
            flow_tick_usd: Usd::ZERO,
            ai: AiConfig::default(),
            limits: PlatformLimits::default(),
        }
    }
}

/// The control plane. Opens its store when it is first asked for something: most handlers that are run from a command line never ask.
pub struct Control {
    config: Config,
    opened: OnceCell<Opened>,
    /// The handlers of this server, where it is one.
    handlers: OnceLock<Arc<dyn Handlers>>,
    /// What scripts run on, where they do.
    work: OnceLock<Work>,
    /// Of each script, by whoever asks for them.
    manual_executions: RateLimit,
    /// Of each hook.
    hook_requests: RateLimit,
    /// Which flows events start.
    matcher: Matcher,
    /// Who asks under which idempotency key.
    turns: Turns,
    /// Something is to be done, or may be.
    work_has_come: Notify,
    is_stopping: AtomicBool,
}

struct Work {
    /// Weak, as handlers reach the control plane, and nothing would ever end if it held them in turn.
    executor: Weak<dyn Executor>,
    worker: Worker,
}

pub(crate) struct Opened {
    pub store: Arc<Store>,
    pub owner: Caller,
    keyring: Keyring,
    resources: OnceCell<Resources>,
}

const FILE: &str = "mirra.db";
const RESOURCES: &str = "resources";
const MEMORY: &str = "memory";
const AI: &str = "ai";
const CANNOT_OPEN: &str = "the store cannot be opened";

impl Control {
    pub fn new(config: Config) -> Control {
        Control {
            manual_executions: RateLimit::per_minute(config.limits.manual_executions_per_minute),
            hook_requests: RateLimit::per_minute(config.limits.requests_per_minute),
            config,
            opened: OnceCell::new(),
            handlers: OnceLock::new(),
            work: OnceLock::new(),
            matcher: Matcher::default(),
            turns: Turns::default(),
            work_has_come: Notify::new(),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Opens the store. The owner's first key, where nobody has a key yet: it is never told again.
    pub async fn open(&self) -> Result<Option<NewKey>, ApiError> {
        let Opened { store, owner, .. } = self.opened().await?;
        // So that whoever looks for them finds those that come with the server.
        self.resources().await?;
        if self.config.has_owner_key { Ok(None) } else { account::first_key(store, &owner.account, self.now()).await }
    }

    pub(crate) async fn opened(&self) -> Result<&Opened, ApiError> {
        self.opened.get_or_try_init(|| self.opening()).await
    }

    async fn opening(&self) -> Result<Opened, ApiError> {
        // Where it lies is told to the operator: a handler may be the one that asks.
        let store = Store::open(&self.path()).await.map_err(|error| ApiError::internal(CANNOT_OPEN, error))?;
        let owner = account::owner(&store, self.now()).await?;
        let keyring = Keyring::open(self.config.secret_key.clone(), &store).await?;
        Ok(Opened { store: Arc::new(store), owner: Caller::account(owner), keyring, resources: OnceCell::new() })
    }

    fn path(&self) -> PathBuf {
        self.config.data_folder.join(FILE)
    }

    /// How the world is reached, for handlers too: the limits are for all together.
    pub fn egress(&self) -> &Egress {
        &self.config.egress
    }

    /// How far a request may go where this account has said where: nobody but the server's owner leads into a network that the owner has named.
    pub(crate) async fn reach_of(&self, account_id: &str) -> Result<Reach<'static>, ApiError> {
        Ok(if self.owner().await?.id() == account_id { Reach::PublicAndNamed } else { Reach::Public })
    }

    /// What accounts, scripts and flows may use here.
    pub fn limits(&self) -> &PlatformLimits {
        &self.config.limits
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// What resources may call of this server's own. To be told once, when there is something.
    pub fn offer_handlers(&self, handlers: Arc<dyn Handlers>) {
        let _ = self.handlers.set(handlers);
    }

    pub(crate) fn handlers(&self) -> Option<&Arc<dyn Handlers>> {
        self.handlers.get()
    }

    /// From now on scripts run here. To be told once.
    pub fn offer_executor(&self, executor: Weak<dyn Executor>) -> Result<(), ApiError> {
        let worker = Worker::new(&self.config.data_folder)?;
        let _ = self.work.set(Work { executor, worker });
        Ok(())
    }

    pub(crate) fn executor(&self) -> Result<Arc<dyn Executor>, ApiError> {
        let executor = self.work.get().and_then(|work| work.executor.upgrade());
        executor.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "nothing runs here: scripts run on a server (mirra serve)"))
    }

    /// This process among those that share the store.
    pub(crate) fn worker(&self) -> Option<&Worker> {
        self.work.get().map(|work| &work.worker)
    }

    pub(crate) fn manual_executions(&self) -> &RateLimit {
        &self.manual_executions
    }

    pub(crate) fn hook_requests(&self) -> &RateLimit {
        &self.hook_requests
    }

    pub(crate) fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// To be called when something is due, or may be, that was not before.
    pub(crate) fn work_has_come(&self) {
        self.matcher.is_stale();
        self.work_has_come.notify_one();
    }

    /// From now on nothing is begun that is not asked for.
    pub fn stop_working(&self) {
        self.is_stopping.store(true, Relaxed);
        self.work_has_come.notify_one();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }

    /// Until it does.
    pub(crate) async fn work_waits(&self) {
        self.work_has_come.notified().await;
    }

    pub(crate) async fn keyring(&self) -> Result<&Keyring, ApiError> {
        Ok(&self.opened().await?.keyring)
    }

    /// What is known of resources; with those that come with the server.
    pub(crate) async fn resources(&self) -> Result<&Resources, ApiError> {
        let Opened { store, owner, resources, .. } = self.opened().await?;
        let begin = async {
            resource::provide_catalog(store, owner.id(), self.now()).await?;
            Ok(Resources::new(store.clone()))
        };
        resources.get_or_try_init(|| begin).await
    }

    /// Encrypts all credentials with another key: the one given, or one that is made. How many there were.
    pub async fn rotate_secret_key(&self, given: Option<&str>) -> Result<usize, ApiError> {
        let Opened { store, keyring, .. } = self.opened().await?;
        keyring.rotate(store, given, self.now()).await
    }

    /// Writes a copy of everything while it is in use.
    pub async fn backup(&self, to: &std::path::Path) -> Result<(), ApiError> {
        let failed = |error| ApiError::internal(format!("cannot copy {} to {}", self.path().display(), to.display()), error);
        Store::backup(&self.path(), to).await.map_err(failed)
    }

    /// The owner, with all that they may.
    pub async fn owner(&self) -> Result<&Caller, ApiError> {
        Ok(&self.opened().await?.owner)
    }

    /// Whose key this is.
    pub async fn authenticate(&self, key: &[u8]) -> Result<Option<Caller>, ApiError> {
        account::authenticate(&self.opened().await?.store, key).await
    }

    /// Whether whoever asked may go on: their key has not been revoked since.
    pub async fn still_counts(&self, caller: &Caller) -> Result<bool, ApiError> {
        match &caller.key_id {
            Some(id) => Ok(self.opened().await?.store.key_counts(id).await?),
            None => Ok(true),
        }
    }

    /// An account with all that it may, for what runs in its name.
    pub(crate) async fn account(&self, id: &str) -> Result<Account, ApiError> {
        let account = self.opened().await?.store.account(id).await?;
        account.ok_or_else(|| ApiError::not_found("such account"))
    }

    /// Carries out an operation: of an adapter, or of a resource that the caller has installed.
    pub async fn call(
        self: &Arc<Control>,
        caller: &Caller,
        adapter: &str,
        operation: &str,
        params: &Json,
        means: Means,
    ) -> Result<Answer, ApiError> {
        let store = &*self.opened().await?.store;
        let mut scene = Scene { control: self, store, caller, now: self.now(), means };
        let known = operations::names_of(adapter);
        if known.is_empty() {
            caller.may_use(RESOURCES)?;
            return resource::call(&scene, adapter, operation, params).await;
        }
        caller.may_call(adapter, operation)?;
        if scene.means.is_of_nobody() && adapter == AI {
            scene.means.budget = account::spending::of_today(self, caller.id()).await?;
        }
        let found = operations::find(adapter, operation).ok_or_else(|| {
            ApiError::new(ErrorCode::NotFound, format!("{adapter} has no operation '{operation}': it has {}", known.join(", ")))
        })?;
        if scene.means.handler.is_some() && adapter == MEMORY {
            scene.means.charge(found.name, self.config.memory_operation_usd)?;
        }
        (found.run)(scene, params).await
    }

    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.config.clock.unix_time().as_millis()).unwrap_or(i64::MAX)
    }
}
