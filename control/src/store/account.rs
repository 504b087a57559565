use sqlx::{Connection, FromRow, Sqlite, Transaction};

use super::Store;
use crate::account::{Account, Team};

/// A key without what it opens.
#[derive(Clone, Debug, FromRow)]
pub struct KeyRow {
    pub id: String,
    pub account_id: String,
    pub name: String,
    pub hint: String,
    pub scopes: String,
    pub script_id: Option<String>,
    pub created_at: i64,
}

const INSERT_ACCOUNT: &str = "INSERT INTO account (id, parent_id, username, display_name, created_at) VALUES ($1, $2, $3, $4, $5) \
                              ON CONFLICT (username) DO NOTHING";

impl Store {
    /// Whether a key has not been revoked.
    pub async fn key_counts(&self, id: &str) -> Result<bool, sqlx::Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM api_key WHERE id = $1 AND revoked_at IS NULL)";
        sqlx::query_scalar(query).bind(id).fetch_one(&mut *self.reader().await).await
    }

    pub async fn owner(&self) -> Result<Option<Account>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM account WHERE parent_id IS NULL").fetch_optional(&mut *self.reader().await).await
    }

    pub async fn account_by_name(&self, username: &str) -> Result<Option<Account>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM account WHERE username = $1").bind(username).fetch_optional(&mut *self.reader().await).await
    }

    pub async fn account(&self, id: &str) -> Result<Option<Account>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM account WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    pub async fn accounts_of(&self, parent_id: &str) -> Result<Vec<Account>, sqlx::Error> {
        let query = "SELECT * FROM account WHERE parent_id = $1 ORDER BY created_at, id";
        sqlx::query_as(query).bind(parent_id).fetch_all(&mut *self.reader().await).await
    }

    /// Unless there is one.
    pub async fn make_owner(&self, owner: &Account) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO account (id, username, display_name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
            .bind(&owner.id)
            .bind(&owner.username)
            .bind(&owner.display_name)
            .bind(owner.created_at)
            .execute(&mut *self.writer.lock().await)
            .await
            .map(drop)
    }

    /// Unless the account has or had one: then false.
    pub async fn insert_first_key(&self, key: &KeyRow, hash: &str) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "SELECT EXISTS (SELECT 1 FROM api_key WHERE account_id = $1)";
        if sqlx::query_scalar(query).bind(&key.account_id).fetch_one(&mut *change).await? {
            return Ok(false);
        }
        insert_key(&mut change, key, hash).await?;
        change.commit().await?;
        Ok(true)
    }

    /// An account with its first key. False: another has that username.
    pub async fn insert_account(&self, account: &Account, key: &KeyRow, hash: &str) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let inserted = sqlx::query(INSERT_ACCOUNT)
            .bind(&account.id)
            .bind(&account.parent_id)
            .bind(&account.username)
            .bind(&account.display_name)
            .bind(account.created_at)
            .execute(&mut *change)
            .await?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        insert_key(&mut change, key, hash).await?;
        change.commit().await?;
        Ok(true)
    }

    /// Whose key this is, if it counts.
    pub async fn key_by_hash(&self, hash: &str) -> Result<Option<(KeyRow, Account)>, sqlx::Error> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            key: KeyRow,
            parent_id: Option<String>,
            username: String,
            display_name: String,
            account_created_at: i64,
        }
        let query = "SELECT k.*, a.parent_id, a.username, a.display_name, a.created_at AS account_created_at \
                     FROM api_key k JOIN account a ON a.id = k.account_id WHERE k.hash = $1 AND k.revoked_at IS NULL";
        let row: Option<Row> = sqlx::query_as(query).bind(hash).fetch_optional(&mut *self.reader().await).await?;
        Ok(row.map(|Row { key, parent_id, username, display_name, account_created_at }| {
            let id = key.account_id.clone();
            (key, Account { id, parent_id, username, display_name, created_at: account_created_at })
        }))
    }

    pub async fn insert_key(&self, key: &KeyRow, hash: &str) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        insert_key(&mut change, key, hash).await?;
        change.commit().await
    }

    pub async fn keys_of(&self, account_id: &str) -> Result<Vec<KeyRow>, sqlx::Error> {
        let query = "SELECT * FROM api_key WHERE account_id = $1 AND revoked_at IS NULL ORDER BY created_at, id";
        sqlx::query_as(query).bind(account_id).fetch_all(&mut *self.reader().await).await
    }

    /// Whether there was such a key.
    pub async fn revoke_key(&self, id: &str, account_id: &str, now: i64) -> Result<bool, sqlx::Error> {
        let query = "UPDATE api_key SET revoked_at = $3 WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL";
        let revoked = sqlx::query(query).bind(id).bind(account_id).bind(now).execute(&mut *self.writer.lock().await).await?;
        Ok(revoked.rows_affected() > 0)
    }

    /// A team, whose owner is its first member.
    pub async fn insert_team(&self, team: &Team) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO team (id, name, owner_id, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&team.id)
            .bind(&team.name)
            .bind(&team.owner_id)
            .bind(team.created_at)
            .execute(&mut *change)
            .await?;
        sqlx::query(JOIN_TEAM).bind(&team.id).bind(&team.owner_id).execute(&mut *change).await?;
        change.commit().await
    }

    pub async fn team(&self, id: &str) -> Result<Option<Team>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM team WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    pub async fn teams_of(&self, account_id: &str) -> Result<Vec<Team>, sqlx::Error> {
        let query = "SELECT t.* FROM team_member m JOIN team t ON t.id = m.team_id WHERE m.account_id = $1 ORDER BY t.created_at, t.id";
        sqlx::query_as(query).bind(account_id).fetch_all(&mut *self.reader().await).await
    }

    pub async fn members_of(&self, team_id: &str) -> Result<Vec<Account>, sqlx::Error> {
        let query = "SELECT a.* FROM team_member m JOIN account a ON a.id = m.account_id WHERE m.team_id = $1 ORDER BY a.username";
        sqlx::query_as(query).bind(team_id).fetch_all(&mut *self.reader().await).await
    }

    pub async fn join_team(&self, team_id: &str, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query(JOIN_TEAM).bind(team_id).bind(account_id).execute(&mut *self.writer.lock().await).await.map(drop)
    }

    /// Whether it was a member.
    pub async fn leave_team(&self, team_id: &str, account_id: &str) -> Result<bool, sqlx::Error> {
        let query = "DELETE FROM team_member WHERE team_id = $1 AND account_id = $2";
        let left = sqlx::query(query).bind(team_id).bind(account_id).execute(&mut *self.writer.lock().await).await?;
        Ok(left.rows_affected() > 0)
    }
}

const JOIN_TEAM: &str = "INSERT INTO team_member (team_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

pub(super) async fn insert_key(change: &mut Transaction<'_, Sqlite>, key: &KeyRow, hash: &str) -> Result<(), sqlx::Error> {
    let query =
        "INSERT INTO api_key (id, account_id, name, hash, hint, scopes, script_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(query)
        .bind(&key.id)
        .bind(&key.account_id)
        .bind(&key.name)
        .bind(hash)
        .bind(&key.hint)
        .bind(&key.scopes)
        .bind(&key.script_id)
        .bind(key.created_at)
        .execute(&mut **change)
        .await
        .map(drop)
}
