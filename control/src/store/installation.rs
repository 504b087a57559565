use sqlx::{Connection, FromRow};

use super::Store;

#[derive(Clone, Debug, FromRow)]
pub struct InstallationRow {
    pub id: String,
    pub resource_id: String,
    pub account_id: String,
    pub slug: String,
    pub tier: Option<String>,
    pub base_url: Option<String>,
    pub credentials_revision: i64,
    pub is_authenticated: bool,
    pub period_started_at: i64,
    pub period_calls: i64,
    pub calls: i64,
    pub cost_picodollars: i64,
    pub last_used_at: Option<i64>,
    pub installed_at: i64,
    pub removed_at: Option<i64>,
}

/// An installation with what tells whether what is known of its resource is still true.
#[derive(Clone, Debug, FromRow)]
pub struct InstalledRow {
    #[sqlx(flatten)]
    pub installation: InstallationRow,
    pub resource_name: String,
    pub resource_revision: i64,
}

/// What is written of calls, in the order in which it happens.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A call is about to be made, and is paid.
    Begun {
        call: CallRow,
        period_started_at: i64,
    },
    Ended {
        id: String,
        duration_ms: i64,
        is_success: bool,
    },
}

#[derive(Clone, Debug, FromRow)]
pub struct CallRow {
    pub id: String,
    pub installation_id: String,
    pub method: String,
    pub at: i64,
    pub cost_picodollars: i64,
    pub duration_ms: Option<i64>,
    pub is_success: Option<bool>,
}

const INSTALLED: &str = "SELECT i.*, r.name AS resource_name, r.revision AS resource_revision
    FROM installation i JOIN resource r ON r.id = i.resource_id WHERE i.removed_at IS NULL AND ";

impl Store {
    /// An account's installation of a resource, by the resource's id or its name as handlers write it.
    pub async fn installed(&self, account_id: &str, id: &str, slug: &str) -> Result<Option<InstalledRow>, sqlx::Error> {
        let query = [INSTALLED, "i.account_id = $1 AND (i.slug = $2 OR i.resource_id = $3)"].concat();
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(account_id).bind(slug).bind(id);
        query.fetch_optional(&mut *self.reader().await).await
    }

    pub async fn installations_of(&self, account_id: &str) -> Result<Vec<InstalledRow>, sqlx::Error> {
        let query = [INSTALLED, "i.account_id = $1 ORDER BY i.installed_at, i.id"].concat();
        sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(account_id).fetch_all(&mut *self.reader().await).await
    }

    /// One that is there or was.
    pub async fn installation(&self, id: &str) -> Result<Option<InstallationRow>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM installation WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    /// Unless the account has that resource, or another of that name, or the resource is published no more (or its creator's own): then false.
    pub async fn insert_installation(&self, row: &InstallationRow) -> Result<bool, sqlx::Error> {
        let query = "INSERT INTO installation
            (id, resource_id, account_id, slug, tier, base_url, is_authenticated, period_started_at, cost_picodollars, installed_at)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE EXISTS
            (SELECT 1 FROM resource WHERE id = $2 AND (status = 'published' OR (owner_id = $3 AND status <> 'deleted')))
            ON CONFLICT DO NOTHING";
        let query = sqlx::query(query)
            .bind(&row.id)
            .bind(&row.resource_id)
            .bind(&row.account_id)
            .bind(&row.slug)
            .bind(&row.tier)
            .bind(&row.base_url)
            .bind(row.is_authenticated)
            .bind(row.period_started_at)
            .bind(row.cost_picodollars)
            .bind(row.installed_at);
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected() > 0)
    }

    /// With its credentials.
    pub async fn remove_installation(&self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE installation SET removed_at = $1, is_authenticated = 0, credentials_revision = credentials_revision + 1
            WHERE id = $2 AND removed_at IS NULL";
        let removed = sqlx::query(query).bind(now).bind(id).execute(&mut *change).await?.rows_affected() > 0;
        sqlx::query("DELETE FROM credential WHERE holder_id = $1").bind(id).execute(&mut *change).await?;
        sqlx::query("DELETE FROM authorization_request WHERE installation_id = $1").bind(id).execute(&mut *change).await?;
        change.commit().await?;
        Ok(removed)
    }

    /// All of it in one transaction: calls that begin at the same time wait for the same disk.
    pub async fn write_calls(&self, entries: &[Entry]) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        for entry in entries {
            match entry {
                Entry::Begun { call, period_started_at } => {
                    let query = "INSERT INTO resource_call (id, installation_id, method, at, cost_picodollars) VALUES ($1, $2, $3, $4, $5)";
                    let query = sqlx::query(query).bind(&call.id).bind(&call.installation_id).bind(&call.method).bind(call.at);
                    query.bind(call.cost_picodollars).execute(&mut *change).await?;
                    let query = "UPDATE installation SET calls = calls + 1, cost_picodollars = cost_picodollars + $1, last_used_at = $2,
                        period_calls = CASE WHEN period_started_at = $3 THEN period_calls + 1 ELSE 1 END, period_started_at = $3 WHERE id = $4";
                    let query = sqlx::query(query).bind(call.cost_picodollars).bind(call.at).bind(period_started_at);
                    query.bind(&call.installation_id).execute(&mut *change).await?;
                }
                Entry::Ended { id, duration_ms, is_success } => {
                    let query = "UPDATE resource_call SET duration_ms = $1, is_success = $2 WHERE id = $3";
                    sqlx::query(query).bind(duration_ms).bind(is_success).bind(id).execute(&mut *change).await?;
                }
            }
        }
        change.commit().await
    }

    pub async fn calls_since(&self, installation_id: &str, since: i64) -> Result<u64, sqlx::Error> {
        let query = "SELECT COUNT(*) FROM resource_call WHERE installation_id = $1 AND at >= $2";
        let query = sqlx::query_scalar::<_, i64>(query).bind(installation_id).bind(since);
        Ok(query.fetch_one(&mut *self.reader().await).await?.unsigned_abs())
    }

    /// The newest first.
    pub async fn recent_calls(&self, installation_id: &str, limit: i64) -> Result<Vec<CallRow>, sqlx::Error> {
        let query = "SELECT id, installation_id, method, at, cost_picodollars, duration_ms, is_success FROM resource_call
            WHERE installation_id = $1 ORDER BY at DESC, seq DESC LIMIT $2";
        sqlx::query_as(query).bind(installation_id).bind(limit).fetch_all(&mut *self.reader().await).await
    }

    /// Single calls are forgotten; what they have cost is not.
    pub async fn forget_calls_before(&self, at: i64) -> Result<(), sqlx::Error> {
        // In portions, so that nobody waits for long.
        let query = "DELETE FROM resource_call WHERE seq IN (SELECT seq FROM resource_call WHERE at < $1 LIMIT 1000)";
        while sqlx::query(query).bind(at).execute(&mut *self.writer.lock().await).await?.rows_affected() > 0 {}
        Ok(())
    }
}
