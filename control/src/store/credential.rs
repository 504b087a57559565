use sqlx::{Connection, SqliteConnection};

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

/// Encrypts with the key of that id, or with one that is made where there is none.
pub type Seal<'a> = &'a (dyn Fn(Option<&str>) -> Result<Sealed, ApiError> + Send + Sync);

/// A browser that is about to be sent.
pub struct NewAuthorization<'a> {
    pub state_hash: &'a str,
    pub installation_id: &'a str,
    pub redirect_url: &'a str,
    pub expires_at: i64,
}

impl Store {
    /// Which key everything is encrypted with. None: nothing is.
    pub async fn secret_key(&self) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT id FROM secret_key").fetch_optional(&mut *self.reader().await).await
    }

    pub async fn credential(&self, holder_id: &str) -> Result<Option<Sealed>, sqlx::Error> {
        let query = "SELECT key_id, sealed FROM credential WHERE holder_id = $1";
        sqlx::query_as(query).bind(holder_id).fetch_optional(&mut *self.reader().await).await
    }

    /// An installation's credentials, from now on; None: none any more. `seen`: only if they are those of that revision.
    /// False: there is no such installation, or its credentials are others by now.
    pub async fn authenticate_installation(&self, id: &str, seal: Option<Seal<'_>>, seen: Option<i64>, now: i64) -> Result<bool, ApiError> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE installation SET is_authenticated = $1, credentials_revision = credentials_revision + 1
            WHERE id = $2 AND removed_at IS NULL AND ($3 IS NULL OR credentials_revision = $3)";
        let updated = sqlx::query(query).bind(i64::from(seal.is_some())).bind(id).bind(seen).execute(&mut *change).await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        match seal {
            Some(seal) => seal_into(&mut change, id, seal, now).await?,
            None => {
                sqlx::query("DELETE FROM credential WHERE holder_id = $1").bind(id).execute(&mut *change).await?;
            }
        }
        change.commit().await?;
        self.changed();
        Ok(true)
    }

    pub async fn insert_authorization(&self, row: NewAuthorization<'_>, seal: Seal<'_>, now: i64) -> Result<(), ApiError> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        // One at a time for an installation, and none that nobody came back from.
        let query = "DELETE FROM authorization_request WHERE installation_id = $1 OR expires_at < $2";
        sqlx::query(query).bind(row.installation_id).bind(now).execute(&mut *change).await?;
        let sealed = sealed(&mut change, seal, now).await?;
        let query = "INSERT INTO authorization_request (state_hash, installation_id, redirect_url, key_id, sealed, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let query = sqlx::query(query).bind(row.state_hash).bind(row.installation_id).bind(row.redirect_url);
        query.bind(&sealed.key_id).bind(&sealed.sealed).bind(row.expires_at).execute(&mut *change).await?;
        Ok(change.commit().await?)
    }

    /// One that has not come back yet.
    pub async fn authorization(&self, state_hash: &str, now: i64) -> Result<Option<AuthorizationRow>, sqlx::Error> {
        let query = "SELECT * FROM authorization_request WHERE state_hash = $1 AND expires_at >= $2";
        sqlx::query_as(query).bind(state_hash).bind(now).fetch_optional(&mut *self.reader().await).await
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

/// Encrypts with the key that is in use, or takes the one into use that it was made with.
pub(super) async fn sealed(connection: &mut SqliteConnection, seal: Seal<'_>, now: i64) -> Result<Sealed, ApiError> {
    let in_use: Option<String> = sqlx::query_scalar("SELECT id FROM secret_key").fetch_optional(&mut *connection).await?;
    let sealed = seal(in_use.as_deref())?;
    if in_use.is_none() {
        let query = "INSERT INTO secret_key (id, used_since) VALUES ($1, $2)";
        sqlx::query(query).bind(&sealed.key_id).bind(now).execute(connection).await?;
    }
    Ok(sealed)
}

/// What a holder keeps from now on.
pub(super) async fn seal_into(connection: &mut SqliteConnection, holder_id: &str, seal: Seal<'_>, now: i64) -> Result<(), ApiError> {
    let sealed = sealed(&mut *connection, seal, now).await?;
    Ok(upsert(connection, holder_id, &sealed, now).await?)
}

async fn upsert(connection: &mut SqliteConnection, holder_id: &str, sealed: &Sealed, now: i64) -> Result<(), sqlx::Error> {
    let query = "INSERT INTO credential (holder_id, key_id, sealed, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (holder_id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at";
    sqlx::query(query).bind(holder_id).bind(&sealed.key_id).bind(&sealed.sealed).bind(now).execute(connection).await.map(drop)
}
