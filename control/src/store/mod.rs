//! Where everything is kept: SQLite in one file. Nothing outside of this folder knows that.
//!
//! The queries are written so that PostgreSQL understands them, but for full text. One connection writes, as SQLite has one writer at a time
//! anyway and waiting in a queue is fairer than trying again; others read meanwhile (WAL).

mod account;
mod credential;
mod execution;
mod flow;
mod hook;
mod installation;
mod invocation;
mod memory;
mod queue;
mod resource;
mod script;

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

pub use account::KeyRow;
pub use credential::{AuthorizationRow, NewAuthorization};
pub use execution::{ExecutionEnd, ExecutionRow, Executions, Used};
pub use flow::{FlowRefused, FlowRow, Flows};
pub use hook::HookRow;
pub use installation::{Begun, CallRow, Ended, InstallationRow, InstalledRow};
pub use invocation::InvocationRow;
pub use memory::{EntityRow, Period, Place};
pub use queue::{Claim, NewEvent, NewRun, NoticeRow, Tick, Verdict};
pub use resource::{ResourceRow, Standing, Wanted};
pub use script::{Runnable, ScriptRow, VersionRow};

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
    writer: Mutex<SqliteConnection>,
    /// Rises whenever this process changes what is installed.
    changes: AtomicU64,
}

/// What only this user may read: all that users keep is in there.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Waits until no other process is opening the store, and keeps them waiting while the answer lives.
async fn turn(path: PathBuf) -> Result<File, sqlx::Error> {
    let lock = move || -> io::Result<File> {
        let file = private().create(true).truncate(false).open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock).await.map_err(|error| sqlx::Error::Io(io::Error::other(error)))?.map_err(sqlx::Error::Io)
}

impl Store {
    /// Opens the file, makes it if it is not there, and brings it to the newest form.
    pub async fn open(path: &Path) -> Result<Store, sqlx::Error> {
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
            .disable_statement_logging();
        // SQLite does not wait for whoever is making the same file, nor do migrations.
        let turn = turn(path.with_extension("lock")).await?;
        // What SQLite makes beside it takes its rights from it.
        private().create(true).truncate(false).open(path).map_err(sqlx::Error::Io)?;
        let mut writer = options.connect().await?;
        // `run` asks for more of a connection than an async block can promise to be Send with.
        MIGRATIONS.run_direct(None, &mut writer, false).await?;
        drop(turn);
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(Mutex::new(options.clone().read_only(true).connect().await?));
        }
        let searcher = Mutex::new(options.read_only(true).connect().await?);
        Ok(Store { readers, searcher, next_reader: AtomicUsize::new(0), writer: Mutex::new(writer), changes: AtomicU64::new(0) })
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
