use sqlx::FromRow;

use super::Store;

/// An address at which the world tells what has happened.
#[derive(Clone, Debug, FromRow)]
pub struct HookRow {
    pub id: String,
    pub account_id: String,
    pub kind: String,
    /// What it starts; none: what comes is an event.
    pub flow_id: Option<String>,
    pub created_at: i64,
}

impl Store {
    pub async fn hook(&self, id: &str) -> Result<Option<HookRow>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM hook WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    /// But for those of flows.
    pub async fn hooks_of(&self, account_id: &str) -> Result<Vec<HookRow>, sqlx::Error> {
        let query = "SELECT * FROM hook WHERE account_id = $1 AND flow_id IS NULL ORDER BY created_at, id";
        sqlx::query_as(query).bind(account_id).fetch_all(&mut *self.reader().await).await
    }

    pub async fn insert_hook(&self, row: &HookRow) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO hook (id, account_id, kind, flow_id, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&row.id)
            .bind(&row.account_id)
            .bind(&row.kind)
            .bind(&row.flow_id)
            .bind(row.created_at)
            .execute(&mut *self.writer.lock().await)
            .await
            .map(drop)
    }

    /// But for one of a flow's. Whether there was one.
    pub async fn delete_hook(&self, account_id: &str, id: &str) -> Result<bool, sqlx::Error> {
        let query = "DELETE FROM hook WHERE id = $1 AND account_id = $2 AND flow_id IS NULL";
        let deleted = sqlx::query(query).bind(id).bind(account_id).execute(&mut *self.writer.lock().await).await?;
        Ok(deleted.rows_affected() > 0)
    }
}
