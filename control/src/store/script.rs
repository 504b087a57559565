use sqlx::{Connection, FromRow, Sqlite, Transaction};

use super::{Store, Used};

#[derive(Clone, Debug, Default, FromRow)]
pub struct ScriptRow {
    pub id: String,
    pub owner_id: String,
    pub name: String,
    pub description: String,
    pub runtime: String,
    pub config: String,
    pub category: String,
    pub tags: String,
    pub is_private: bool,
    pub status: String,
    pub version_id: Option<String>,
    pub published_at: Option<i64>,
    pub pricing: Option<String>,
    pub staff_pick_at: Option<i64>,
    pub installed_from: Option<String>,
    pub paid_until: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Debug, FromRow)]
pub struct VersionRow {
    pub id: String,
    pub script_id: String,
    pub number: i64,
    pub label: String,
    pub source_hash: String,
    pub changelog: String,
    pub status: String,
    pub handler_id: Option<String>,
    pub created_at: i64,
    pub deployed_at: Option<i64>,
}

/// With what runs of it, and what it has used.
pub type ListedScript = (ScriptRow, Option<VersionRow>, Used);

const INSERT_SCRIPT: &str = "INSERT INTO script
    (id, owner_id, name, description, runtime, config, category, tags, is_private, status, version_id, created_at, updated_at,
    pricing, installed_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

const INSERT_VERSION: &str = "INSERT INTO script_version
    (id, script_id, number, label, source_hash, changelog, status, handler_id, created_at, deployed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";

impl Store {
    pub async fn script(&self, id: &str) -> Result<Option<ScriptRow>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM script WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    /// Of an account, the newest first, each with what runs of it and what it has used; how many there are.
    pub async fn scripts_of(&self, owner_id: &str, limit: u64, offset: u64) -> Result<(Vec<ListedScript>, u64), sqlx::Error> {
        let mut reader = self.reader().await;
        let query = "SELECT * FROM script WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";
        let scripts: Vec<ScriptRow> =
            sqlx::query_as(query).bind(owner_id).bind(limit as i64).bind(offset as i64).fetch_all(&mut *reader).await?;
        let mut rows = Vec::with_capacity(scripts.len());
        for script in scripts {
            let version = match &script.version_id {
                Some(id) => sqlx::query_as("SELECT * FROM script_version WHERE id = $1").bind(id).fetch_optional(&mut *reader).await?,
                None => None,
            };
            let used = sqlx::query_as(super::execution::USED).bind(&script.id).fetch_one(&mut *reader).await?;
            rows.push((script, version, used));
        }
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM script WHERE owner_id = $1").bind(owner_id).fetch_one(&mut *reader).await?;
        Ok((rows, count.unsigned_abs()))
    }

    /// A script with its first version and what that is made of; and the key that runs it. False: the account has as many as it may.
    pub async fn insert_script(
        &self,
        script: &ScriptRow,
        version: &VersionRow,
        files: &str,
        (key, key_hash): (&super::KeyRow, &str),
        scripts_max: u64,
    ) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM script WHERE owner_id = $1").bind(&script.owner_id).fetch_one(&mut *change).await?;
        if count.unsigned_abs() >= scripts_max {
            return Ok(false);
        }
        sqlx::query(INSERT_SCRIPT)
            .bind(&script.id)
            .bind(&script.owner_id)
            .bind(&script.name)
            .bind(&script.description)
            .bind(&script.runtime)
            .bind(&script.config)
            .bind(&script.category)
            .bind(&script.tags)
            .bind(script.is_private)
            .bind(&script.status)
            .bind(&script.version_id)
            .bind(script.created_at)
            .bind(script.updated_at)
            .bind(&script.pricing)
            .bind(&script.installed_from)
            .execute(&mut *change)
            .await?;
        insert_version(&mut change, version, files).await?;
        super::account::insert_key(&mut change, key, key_hash).await?;
        change.commit().await?;
        Ok(true)
    }

    /// What an account may say of its script, as it is now. False: there is no such script any more.
    pub async fn update_script(&self, script: &ScriptRow) -> Result<bool, sqlx::Error> {
        let query = "UPDATE script SET name = $2, description = $3, config = $4, category = $5, tags = $6, is_private = $7, updated_at = $8
            WHERE id = $1";
        let query = sqlx::query(query)
            .bind(&script.id)
            .bind(&script.name)
            .bind(&script.description)
            .bind(&script.config)
            .bind(&script.category)
            .bind(&script.tags)
            .bind(script.is_private)
            .bind(script.updated_at);
        let updated = query.execute(&mut *self.writer.lock().await).await?;
        self.runnables.changed();
        Ok(updated.rows_affected() > 0)
    }

    /// With its versions, its keys, what it is made of alone, and the history of its own runs.
    pub async fn delete_script(&self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE api_key SET revoked_at = $2 WHERE script_id = $1 AND revoked_at IS NULL")
            .bind(id)
            .bind(now)
            .execute(&mut *change)
            .await?;
        sqlx::query("DELETE FROM execution WHERE script_id = $1 AND flow_id IS NULL").bind(id).execute(&mut *change).await?;
        let hashes: Vec<String> = sqlx::query_scalar("SELECT DISTINCT source_hash FROM script_version WHERE script_id = $1")
            .bind(id)
            .fetch_all(&mut *change)
            .await?;
        // Versions go with it, and refer to what they are made of.
        let deleted = sqlx::query("DELETE FROM script WHERE id = $1").bind(id).execute(&mut *change).await?.rows_affected();
        for hash in &hashes {
            let query = "DELETE FROM source WHERE hash = $1 AND NOT EXISTS (SELECT 1 FROM script_version WHERE source_hash = $1)";
            sqlx::query(query).bind(hash).execute(&mut *change).await?;
        }
        change.commit().await?;
        self.runnables.changed();
        Ok(deleted > 0)
    }

    pub async fn version(&self, script_id: &str, id: &str) -> Result<Option<VersionRow>, sqlx::Error> {
        let query = "SELECT * FROM script_version WHERE script_id = $1 AND (id = $2 OR label = $2)";
        sqlx::query_as(query).bind(script_id).bind(id).fetch_optional(&mut *self.reader().await).await
    }

    pub async fn newest_version(&self, script_id: &str) -> Result<Option<VersionRow>, sqlx::Error> {
        let query = "SELECT * FROM script_version WHERE script_id = $1 ORDER BY number DESC LIMIT 1";
        sqlx::query_as(query).bind(script_id).fetch_optional(&mut *self.reader().await).await
    }

    /// The newest first.
    pub async fn versions_of(&self, script_id: &str) -> Result<Vec<VersionRow>, sqlx::Error> {
        let query = "SELECT * FROM script_version WHERE script_id = $1 ORDER BY number DESC";
        sqlx::query_as(query).bind(script_id).fetch_all(&mut *self.reader().await).await
    }

    /// JSON: the text of each file.
    pub async fn source(&self, hash: &str) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT files FROM source WHERE hash = $1").bind(hash).fetch_optional(&mut *self.reader().await).await
    }

    /// Unless there is one of that number or name: then false, as somebody was faster.
    pub async fn insert_version(&self, version: &VersionRow, files: &str) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let is_inserted = insert_version(&mut change, version, files).await?;
        if is_inserted {
            change.commit().await?;
        }
        Ok(is_inserted)
    }

    /// From now on this version runs. Of two deploys at once, the one that gets here last counts, and each is whole. False: the script is gone.
    pub async fn deploy_version(&self, version: &VersionRow, handler_id: &str, now: i64) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE script_version SET status = 'deployed', handler_id = $2, deployed_at = $3 WHERE id = $1")
            .bind(&version.id)
            .bind(handler_id)
            .bind(now)
            .execute(&mut *change)
            .await?;
        let query = "UPDATE script SET status = 'deployed', version_id = $2, updated_at = $3 WHERE id = $1";
        let updated = sqlx::query(query).bind(&version.script_id).bind(&version.id).bind(now).execute(&mut *change).await?;
        change.commit().await?;
        self.runnables.changed();
        Ok(updated.rows_affected() > 0)
    }

    /// It cannot run. The script is failed only if nothing else of it runs.
    pub async fn fail_version(&self, version: &VersionRow) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE script_version SET status = 'failed' WHERE id = $1 AND deployed_at IS NULL")
            .bind(&version.id)
            .execute(&mut *change)
            .await?;
        sqlx::query("UPDATE script SET status = 'failed' WHERE id = $1 AND version_id IS NULL")
            .bind(&version.script_id)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        self.runnables.changed();
        Ok(())
    }

    /// What the executor makes of it now, such as after its engine has changed.
    pub async fn set_handler(&self, version_id: &str, handler_id: &str) -> Result<(), sqlx::Error> {
        let query = "UPDATE script_version SET handler_id = $2 WHERE id = $1";
        sqlx::query(query).bind(version_id).bind(handler_id).execute(&mut *self.writer.lock().await).await?;
        self.runnables.changed();
        Ok(())
    }
}

async fn insert_version(change: &mut Transaction<'_, Sqlite>, version: &VersionRow, files: &str) -> Result<bool, sqlx::Error> {
    sqlx::query("INSERT INTO source (hash, files) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&version.source_hash)
        .bind(files)
        .execute(&mut **change)
        .await?;
    let inserted = sqlx::query(INSERT_VERSION)
        .bind(&version.id)
        .bind(&version.script_id)
        .bind(version.number)
        .bind(&version.label)
        .bind(&version.source_hash)
        .bind(&version.changelog)
        .bind(&version.status)
        .bind(&version.handler_id)
        .bind(version.created_at)
        .bind(version.deployed_at)
        .execute(&mut **change)
        .await?;
    Ok(inserted.rows_affected() > 0)
}
