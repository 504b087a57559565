use sqlx::{Connection, FromRow, QueryBuilder, Sqlite};

use super::Store;

#[derive(Clone, Debug, FromRow)]
pub struct InstallationRow {
    pub id: String,
    pub resource_id: String,
    pub account_id: String,
    pub slug: String,
    pub tier: Option<String>,
    pub agreed: String,
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
    pub resource_owner_id: String,
    pub resource_revision: i64,
}

/// A call that is made now.
#[derive(Clone, Debug)]
pub struct Begun {
    pub id: String,
    pub installation_id: String,
    pub method: String,
    pub at: i64,
    pub cost_picodollars: i64,
    /// When the month began that it is in, and what each costs that has begun since the last call.
    pub period_started_at: i64,
    pub monthly_picodollars: i64,
}

/// How a call came to its end.
#[derive(Clone, Debug)]
pub struct Ended {
    pub id: String,
    pub installation_id: String,
    pub at: i64,
    pub duration_ms: i64,
    pub is_success: bool,
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

const INSTALLED: &str = "SELECT i.*, r.name AS resource_name, r.owner_id AS resource_owner_id, r.revision AS resource_revision
    FROM installation i JOIN resource r ON r.id = i.resource_id WHERE i.removed_at IS NULL AND ";

impl Store {
    /// An account's installation of a resource, by the resource's id or its name as handlers write it.
    pub async fn installed(&self, account_id: &str, id: &str, slug: &str) -> Result<Option<InstalledRow>, sqlx::Error> {
        let query =
            [INSTALLED, "i.account_id = $1 AND (i.slug = $2 OR i.resource_id = $3) ORDER BY i.resource_id = $3 DESC LIMIT 1"].concat();
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
            (id, resource_id, account_id, slug, tier, base_url, is_authenticated, period_started_at, cost_picodollars, installed_at, agreed)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 WHERE EXISTS
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
            .bind(row.installed_at)
            .bind(&row.agreed);
        let is_inserted = query.execute(&mut *self.writer.lock().await).await?.rows_affected() > 0;
        self.changed();
        Ok(is_inserted)
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
        self.changed();
        Ok(removed)
    }

    /// In one statement: calls that begin at the same time wait for the same commit.
    pub async fn insert_calls(&self, calls: &[Begun]) -> Result<(), sqlx::Error> {
        let columns =
            "INSERT INTO resource_call (id, installation_id, method, at, cost_picodollars, period_started_at, monthly_picodollars) ";
        let mut query = QueryBuilder::<Sqlite>::new(columns);
        query.push_values(calls, |mut values, call| {
            values.push_bind(&call.id).push_bind(&call.installation_id).push_bind(&call.method).push_bind(call.at);
            values.push_bind(call.cost_picodollars).push_bind(call.period_started_at).push_bind(call.monthly_picodollars);
        });
        query.build().execute(&mut *self.writer.lock().await).await.map(drop)
    }

    pub async fn end_calls(&self, calls: &[Ended]) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        for Ended { id, installation_id, at, duration_ms, is_success } in calls {
            let query = "UPDATE resource_call SET duration_ms = $1, is_success = $2 WHERE installation_id = $3 AND at = $4 AND id = $5";
            let query = sqlx::query(query).bind(duration_ms).bind(is_success).bind(installation_id).bind(at).bind(id);
            query.execute(&mut *change).await?;
        }
        change.commit().await
    }

    /// Of an account, whichever installation it has or had of the resource.
    pub async fn calls_of(&self, account_id: &str, resource_id: &str, since: i64) -> Result<u64, sqlx::Error> {
        let query = "SELECT COUNT(*) FROM resource_call c JOIN installation i ON i.id = c.installation_id
            WHERE i.account_id = $1 AND i.resource_id = $2 AND c.at >= $3";
        let query = sqlx::query_scalar::<_, i64>(query).bind(account_id).bind(resource_id).bind(since);
        Ok(query.fetch_one(&mut *self.reader().await).await?.unsigned_abs())
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
        let query = "DELETE FROM resource_call WHERE at < $1 AND seq IN (SELECT seq FROM resource_call ORDER BY seq LIMIT 1000)";
        while sqlx::query(query).bind(at).execute(&mut *self.writer.lock().await).await?.rows_affected() > 0 {}
        Ok(())
    }
}
