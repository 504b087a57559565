//! Why the store cannot be opened, for whoever runs it: what failed, and what to do.

use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use sqlx::migrate::MigrateError;

/// How long another process may take to open the same store. It makes tables, or changes those that there are.
const TURN_TIME_MAX: Duration = Duration::from_secs(10);
const TURN_INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
#[error("{}: {}", path.display(), reason(error))]
pub struct OpenError {
    path: PathBuf,
    error: sqlx::Error,
}

impl OpenError {
    pub(super) fn at(path: &Path, error: impl Into<sqlx::Error>) -> OpenError {
        OpenError { path: path.to_owned(), error: error.into() }
    }

    /// What the operator can do about it.
    pub fn next_step(&self) -> &'static str {
        of(&self.error)
    }
}

/// A file's error is none of a database, whatever sqlx makes of it.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

fn of(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Io(error) => of_file(error.kind()),
        sqlx::Error::Database(error) => {
            // What stands above the first byte tells more than is needed here.
            of_sqlite(error.code().and_then(|code| code.parse::<u32>().ok()).map_or(0, |code| code & 0xff))
        }
        sqlx::Error::Migrate(error) => match &**error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => of(error),
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                "It was written by a newer mirra: start that one, or go back to a backup that was made before."
            }
            MigrateError::VersionMismatch(_) => {
                "It was written by another build of mirra: start that one, or choose another folder with --data DIR."
            }
            _ => "If this goes on, go back to a backup.",
        },
        _ => FOLDER,
    }
}

const RIGHTS: &str = "Give the user who runs mirra the right to write there, or choose another folder with --data DIR.";
const ROOM: &str = "Make room on that disk, or choose a folder on another with --data DIR.";
const FOLDER: &str = "If it is the folder, choose another with --data DIR.";
const BUSY: &str = "End the other process that has it open, or wait until it has done its work, and start again.";
const DAMAGED: &str =
    "It is damaged, or none of mirra's: go back to a backup (mirra backup --help), or choose another folder with --data DIR.";

fn of_file(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => RIGHTS,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => ROOM,
        ErrorKind::TimedOut => BUSY,
        _ => FOLDER,
    }
}

/// The codes of SQLite, as its documentation has them.
fn of_sqlite(code: u32) -> &'static str {
    match code {
        // SQLITE_PERM, READONLY, CANTOPEN.
        3 | 8 | 14 => RIGHTS,
        // SQLITE_BUSY, LOCKED.
        5 | 6 => BUSY,
        // SQLITE_CORRUPT, NOTADB.
        11 | 26 => DAMAGED,
        // SQLITE_FULL.
        13 => ROOM,
        _ => FOLDER,
    }
}

/// Waits until no other process is opening the store, and keeps them waiting while the answer lives.
///
/// # Errors
/// `TimedOut`: another one does not end.
pub async fn turn(path: PathBuf) -> io::Result<File> {
    let lock = move || -> io::Result<File> {
        let file = super::private().create(true).truncate(false).open(path)?;
        let deadline = Instant::now() + TURN_TIME_MAX;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(TURN_INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    let message = format!("another process has been opening the store for {} s", TURN_TIME_MAX.as_secs());
                    return Err(io::Error::new(ErrorKind::TimedOut, message));
                }
            }
        }
    };
    tokio::task::spawn_blocking(lock).await.map_err(io::Error::other)?
}
