//! The one connection that writes.

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, MutexGuard};

/// Whoever has it writes; the others wait in a queue.
pub struct Writer {
    connection: Mutex<SqliteConnection>,
    options: SqliteConnectOptions,
}

impl Writer {
    pub fn new(connection: SqliteConnection, options: SqliteConnectOptions) -> Writer {
        Writer { connection: Mutex::new(connection), options }
    }

    /// In no transaction.
    ///
    /// One that could not be written (the disk is full) is rolled back by SQLite itself. sqlx then fails to do so, too, takes it for open
    /// from there on, and begins no other on that connection: another connection takes its place.
    pub async fn lock(&self) -> MutexGuard<'_, SqliteConnection> {
        let mut connection = self.connection.lock().await;
        if connection.is_in_transaction() {
            // Behind the rollback of one that was only given up.
            let _ = connection.ping().await;
        }
        if connection.is_in_transaction() {
            match self.options.connect().await {
                Ok(other) => *connection = other,
                // Whoever writes now is told what is wrong, and the next one comes by here again.
                Err(error) => tracing::error!(%error, "there is no connection that writes"),
            }
        }
        connection
    }
}
