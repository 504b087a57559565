use sqlx::Connection;

use super::Store;
use crate::{ApiError, secret::Sealed};

/// A browser that was sent to log in.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuthorizationRow {
    pub state_hash: String,
    pub installation_id: String,
    pub redirect_url: String,
    #[sqlx(flatten)]
    pub verifier: Sealed,
    pub expires_at: i64,
}

impl Store {
    /// Which key everything is encrypted with. None: nothing is.
    pub async fn secret_key(&self) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT id FROM secret_key").fetch_optional(&mut *self.reader().await).await
    }

    /// Takes a key into use unless another one is. The one that is in use.
    pub async fn use_secret_key(&self, id: &str, now: i64) -> Result<String, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "INSERT INTO secret_key (id, used_since) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM secret_key)";
        sqlx::query(query).bind(id).bind(now).execute(&mut *change).await?;
        let in_use = sqlx::query_scalar("SELECT id FROM secret_key").fetch_one(&mut *change).await?;
        change.commit().await?;
        Ok(in_use)
    }

    pub async fn credential(&self, holder_id: &str) -> Result<Option<Sealed>, sqlx::Error> {
        let query = "SELECT key_id, sealed FROM credential WHERE holder_id = $1";
        sqlx::query_as(query).bind(holder_id).fetch_optional(&mut *self.reader().await).await
    }

    /// What a holder that is no installation keeps, or no longer.
    pub async fn put_credential(&self, holder_id: &str, sealed: Option<&Sealed>, now: i64) -> Result<(), sqlx::Error> {
        let writer = &mut *self.writer.lock().await;
        match sealed {
            Some(sealed) => upsert(writer, holder_id, sealed, now).await,
            None => sqlx::query("DELETE FROM credential WHERE holder_id = $1").bind(holder_id).execute(writer).await.map(drop),
        }
    }

    /// An installation's credentials, from now on. False: there is no such installation.
    pub async fn authenticate_installation(&self, id: &str, sealed: Option<&Sealed>, now: i64) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE installation SET is_authenticated = $1, credentials_revision = credentials_revision + 1
            WHERE id = $2 AND removed_at IS NULL";
        let updated = sqlx::query(query).bind(i64::from(sealed.is_some())).bind(id).execute(&mut *change).await?;
        match sealed {
            Some(sealed) if updated.rows_affected() > 0 => upsert(&mut change, id, sealed, now).await?,
            _ => drop(sqlx::query("DELETE FROM credential WHERE holder_id = $1").bind(id).execute(&mut *change).await?),
        }
        change.commit().await?;
        Ok(updated.rows_affected() > 0)
    }

    pub async fn insert_authorization(&self, row: &AuthorizationRow, now: i64) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        // One at a time for an installation, and none that nobody came back from.
        let query = "DELETE FROM authorization_request WHERE installation_id = $1 OR expires_at < $2";
        sqlx::query(query).bind(&row.installation_id).bind(now).execute(&mut *change).await?;
        let query = "INSERT INTO authorization_request (state_hash, installation_id, redirect_url, key_id, sealed, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(query)
            .bind(&row.state_hash)
            .bind(&row.installation_id)
            .bind(&row.redirect_url)
            .bind(&row.verifier.key_id)
            .bind(&row.verifier.sealed)
            .bind(row.expires_at)
            .execute(&mut *change)
            .await?;
        change.commit().await
    }

    /// It comes back once.
    pub async fn take_authorization(&self, state_hash: &str, now: i64) -> Result<Option<AuthorizationRow>, sqlx::Error> {
        let query = "DELETE FROM authorization_request WHERE state_hash = $1 AND expires_at >= $2 RETURNING *";
        sqlx::query_as(query).bind(state_hash).bind(now).fetch_optional(&mut *self.writer.lock().await).await
    }

    /// Encrypts everything anew in one transaction. How many there were.
    pub async fn reseal(
        &self,
        key_id: &str,
        now: i64,
        anew: impl Fn(&str, &Sealed) -> Result<Sealed, ApiError>,
    ) -> Result<usize, ApiError> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "SELECT holder_id, key_id, sealed FROM credential";
        let all: Vec<(String, String, Vec<u8>)> = sqlx::query_as(query).fetch_all(&mut *change).await?;
        for (holder_id, key_id, sealed) in &all {
            let sealed = anew(holder_id, &Sealed { key_id: key_id.clone(), sealed: sealed.clone() })?;
            upsert(&mut change, holder_id, &sealed, now).await?;
        }
        // Whoever is logging in right now begins again.
        sqlx::query("DELETE FROM authorization_request").execute(&mut *change).await?;
        sqlx::query("DELETE FROM secret_key").execute(&mut *change).await?;
        let query = "INSERT INTO secret_key (id, used_since) VALUES ($1, $2)";
        sqlx::query(query).bind(key_id).bind(now).execute(&mut *change).await?;
        change.commit().await?;
        Ok(all.len())
    }
}

async fn upsert(connection: &mut sqlx::SqliteConnection, holder_id: &str, sealed: &Sealed, now: i64) -> Result<(), sqlx::Error> {
    let query = "INSERT INTO credential (holder_id, key_id, sealed, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (holder_id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at";
    sqlx::query(query).bind(holder_id).bind(&sealed.key_id).bind(&sealed.sealed).bind(now).execute(connection).await.map(drop)
}
