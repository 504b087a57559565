use sqlx::{FromRow, SqliteConnection};

use super::Store;

/// A call under an idempotency key.
#[derive(Clone, Debug, FromRow)]
pub struct InvocationRow {
    pub account_id: String,
    pub key: String,
    pub hash: String,
    pub worker_id: String,
    pub execution_id: String,
    pub begun_at: i64,
    /// JSON. None: it runs.
    pub outcome: Option<String>,
}

impl Store {
    /// Takes the key, unless it was taken after `known_since`: then what is under it. One statement, so that of two who ask at once, in
    /// whichever processes, one gets it.
    pub async fn begin_invocation(&self, row: &InvocationRow, known_since: i64) -> Result<Option<InvocationRow>, sqlx::Error> {
        let query = "INSERT INTO invocation (account_id, key, hash, worker_id, execution_id, begun_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (account_id, key) DO UPDATE
            SET hash = excluded.hash, worker_id = excluded.worker_id, execution_id = excluded.execution_id, begun_at = excluded.begun_at,
                outcome = NULL
            WHERE invocation.begun_at < $7";
        let mut writer = self.writer.lock().await;
        loop {
            let query = sqlx::query(query).bind(&row.account_id).bind(&row.key).bind(&row.hash).bind(&row.worker_id);
            let taken = query.bind(&row.execution_id).bind(row.begun_at).bind(known_since).execute(&mut *writer).await?;
            if taken.rows_affected() > 0 {
                return Ok(None);
            }
            // Another process may have given it back between the two statements.
            if let Some(found) = find(&mut writer, &row.account_id, &row.key).await? {
                return Ok(Some(found));
            }
        }
    }

    /// What became of a call that this worker had begun. False: it has ended before.
    pub async fn end_invocation(&self, account_id: &str, key: &str, worker_id: &str, outcome: &str) -> Result<bool, sqlx::Error> {
        let query = "UPDATE invocation SET outcome = $4 WHERE account_id = $1 AND key = $2 AND worker_id = $3 AND outcome IS NULL";
        let query = sqlx::query(query).bind(account_id).bind(key).bind(worker_id).bind(outcome);
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected() > 0)
    }

    /// The call was not made: the key is as good as new.
    pub async fn release_invocation(&self, account_id: &str, key: &str, worker_id: &str) -> Result<(), sqlx::Error> {
        let query = "DELETE FROM invocation WHERE account_id = $1 AND key = $2 AND worker_id = $3 AND outcome IS NULL";
        let query = sqlx::query(query).bind(account_id).bind(key).bind(worker_id);
        query.execute(&mut *self.writer.lock().await).await.map(drop)
    }

    /// That began before a time, at most so many. How many it were.
    pub async fn forget_invocations(&self, before: i64, max: u64) -> Result<u64, sqlx::Error> {
        let query = "DELETE FROM invocation WHERE (account_id, key) IN
            (SELECT account_id, key FROM invocation WHERE begun_at < $1 ORDER BY begun_at LIMIT $2)";
        let query = sqlx::query(query).bind(before).bind(i64::try_from(max).unwrap_or(i64::MAX));
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected())
    }
}

async fn find(connection: &mut SqliteConnection, account_id: &str, key: &str) -> Result<Option<InvocationRow>, sqlx::Error> {
    let query = "SELECT * FROM invocation WHERE account_id = $1 AND key = $2";
    sqlx::query_as(query).bind(account_id).bind(key).fetch_optional(connection).await
}
