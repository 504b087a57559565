//! Where everything is kept: SQLite in one file. Nothing outside of this folder knows that.
//!
//! The queries are written so that PostgreSQL understands them, but for full text. One connection writes, as SQLite has one writer at a time
//! anyway and waiting in a queue is fairer than trying again; others read meanwhile (WAL).

mod account;
mod claim;
mod credential;
mod execution;
mod filling;
mod flow;
mod flow_market;
mod group_commit;
mod hook;
mod installation;
mod invocation;
mod memory;
mod opening;
mod queue;
mod resource;
mod runnable;
mod script;
mod script_market;
mod writer;

use std::{
    fs::{DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

use group_commit::Group;
use opening::turn;
use runnable::Runnables;
use writer::Writer;

pub use account::KeyRow;
pub use claim::{Claim, ClaimedRun};
pub use credential::{AuthorizationRow, NewAuthorization};
pub use execution::{ExecutionEnd, ExecutionRow, Executions, Used};
pub use flow::{FlowRefused, FlowRow, Flows, StarterRow};
pub use hook::HookRow;
pub use installation::{Begun, CallRow, Ended, InstallationRow, InstalledRow};
pub use invocation::InvocationRow;
pub use memory::{EntityRow, MemoryUse, Period, Place, Times};
pub use opening::OpenError;
pub use queue::{NewEvent, NewRun, NoticeRow, RunEnd, Tick, Verdict};
pub use resource::{ResourceRow, Standing, Wanted};
pub use runnable::Runnable;
pub use script::{ScriptRow, VersionRow};
pub use script_market::{ScriptStanding, ScriptsWanted, Sort};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Reads at the same time. Each connection is a thread and a cache of its own.
const READERS: usize = 4;

/// Another process may be writing: a backup, or a handler that is run from the command line.
const BUSY_TIME_MAX: Duration = Duration::from_secs(10);

/// Connections for as long as the store is open. sqlx's pools hand each back by a task of its own, which takes longer than most queries.
pub struct Store {
    readers: Vec<Mutex<SqliteConnection>>,
    next_reader: AtomicUsize,
    /// Searches wait for each other, and nobody who only wants to know whose key this is waits for them.
    searcher: Mutex<SqliteConnection>,
    writer: Writer,
    /// What waits to be written with others.
    group: Group,
    runnables: Runnables,
    /// Rises whenever this process changes what is installed.
    changes: AtomicU64,
}

/// What only this user may read: all that users keep is in there.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

impl Store {
    /// Opens the file, makes it and its folder if they are not there, and brings it to the newest form.
    pub async fn open(path: &Path) -> Result<Store, OpenError> {
        let folder = path.parent().unwrap_or(path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| OpenError::at(folder, error))?;
        // SQLite does not wait for whoever is making the same file, nor do migrations.
        let lock = path.with_extension("lock");
        let turn = turn(lock.clone()).await.map_err(|error| OpenError::at(&lock, error))?;
        // What SQLite makes beside it takes its rights from it.
        private().create(true).truncate(false).open(path).map_err(|error| OpenError::at(path, error))?;
        let opened = Store::connected(path).await.map_err(|error| OpenError::at(path, error));
        drop(turn);
        opened
    }

    async fn connected(path: &Path) -> Result<Store, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What is committed survives the process in any case; to survive the machine's power, too, would be a hundred times slower.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIME_MAX)
            // 32 MB instead of 4: what is written again and again is copied back once.
            .pragma("wal_autocheckpoint", "8000")
            .pragma("cache_size", "-16000")
            .pragma("mmap_size", "1073741824")
            // What a statement might have to undo is kept in memory: it is little, and a file of its own each time.
            .pragma("temp_store", "memory")
            // Answers of so many rows come without SQLite's thread waiting for whoever reads them.
            .row_buffer_size(1_024)
            .disable_statement_logging();
        let mut writer = options.connect().await?;
        // `run` asks for more of a connection than an async block can promise to be Send with.
        MIGRATIONS.run_direct(None, &mut writer, false).await?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(Mutex::new(options.clone().read_only(true).connect().await?));
        }
        let searcher = Mutex::new(options.clone().read_only(true).connect().await?);
        Ok(Store {
            readers,
            searcher,
            next_reader: AtomicUsize::new(0),
            writer: Writer::new(writer, options),
            group: Group::default(),
            runnables: Runnables::default(),
            changes: AtomicU64::new(0),
        })
    }

    /// What was read of installations while this was the same is still so, as far as this process has changed anything.
    pub fn changes(&self) -> u64 {
        self.changes.load(Relaxed)
    }

    /// To be called when a change is committed.
    fn changed(&self) {
        self.changes.fetch_add(1, Relaxed);
    }

    /// One that is free, or whichever will be the next one's turn.
    async fn reader(&self) -> MutexGuard<'_, SqliteConnection> {
        let next = self.next_reader.fetch_add(1, Relaxed);
        let from_next = (0..READERS).map(|index| &self.readers[(next + index) % READERS]);
        match from_next.clone().find_map(|reader| reader.try_lock().ok()) {
            Some(free) => free,
            None => self.readers[next % READERS].lock().await,
        }
    }

    /// Writes all that is committed to another file, while others go on reading and writing.
    pub async fn backup(path: &Path, to: &Path) -> Result<(), sqlx::Error> {
        let mut connection = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIME_MAX).connect().await?;
        // Under another name until it is whole.
        let unfinished = to.with_extension("unfinished");
        let copied = async {
            let file = private().create_new(true).open(&unfinished)?;
            let name = unfinished.to_string_lossy().replace('\'', "''");
            // A name cannot be bound here.
            sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{name}'"))).execute(&mut connection).await?;
            file.sync_all()?;
            std::fs::rename(&unfinished, to)?;
            Ok::<_, sqlx::Error>(())
        };
        copied.await.inspect_err(|_| _ = std::fs::remove_file(&unfinished))?;
        Ok(())
    }
}
