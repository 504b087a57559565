//! Accounts, the keys that open them, and teams.
//!
//! The owner's account is made with the store. An account makes sub-accounts, each with data of its own that nobody else sees, the
//! parent included.

mod key;
mod limits;
mod sub_account;
mod team;

use std::sync::Arc;

use mirra_host_sdk::ErrorCode;
use sqlx::FromRow;

use crate::{ApiError, id, script, store::Store};

pub use key::{KeyParams, NewKey, create_key, list_keys, revoke_key};
pub use limits::AccountLimits;
pub use sub_account::{SubAccountParams, create_sub_account, list_sub_accounts};
pub use team::{MemberParams, MembersParams, TeamParams, add_member, create_team, list_members, list_teams, remove_member};

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Account {
    pub id: String,
    /// None: the owner of this server.
    pub parent_id: Option<String>,
    pub username: String,
    pub display_name: String,
    pub created_at: i64,
}

impl Account {
    /// One has made the other, or both were made by the same: those may put something before each other.
    pub fn is_related_to(&self, other: &Account) -> bool {
        let made = |parent: &Account, child: &Account| child.parent_id.as_ref() == Some(&parent.id);
        made(self, other) || made(other, self) || (self.parent_id.is_some() && self.parent_id == other.parent_id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Team {
    pub id: String,
    pub name: String,
    pub owner_id: String,
    pub created_at: i64,
}

/// Who asks for an operation.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: Arc<Account>,
    /// By which key. None: a handler of the account's, or the server's own owner.
    pub key_id: Option<String>,
    /// The adapters that the key may use; all if it is empty.
    pub scopes: Vec<String>,
    /// The one script that the key may run; it may do nothing else.
    pub script_id: Option<String>,
}

impl Caller {
    /// With all that the account may.
    pub fn account(account: Account) -> Caller {
        Caller { account: Arc::new(account), key_id: None, scopes: Vec::new(), script_id: None }
    }

    pub fn id(&self) -> &str {
        &self.account.id
    }

    /// The same for one operation: a script's own key runs it, in either form.
    pub fn may_call(&self, adapter: &str, operation: &str) -> Result<(), ApiError> {
        let runs = adapter == "scripts" && script::RUNS.contains(&operation);
        if self.script_id.is_some() && runs { Ok(()) } else { self.may_use(adapter) }
    }

    /// Refuses what the key was not made for.
    pub fn may_use(&self, adapter: &str) -> Result<(), ApiError> {
        let refuse = |message| Err(ApiError::new(ErrorCode::ResourceDenied, message));
        if let Some(script) = &self.script_id {
            return refuse(format!("this key runs the script {script} and does nothing else"));
        }
        if self.scopes.is_empty() || self.scopes.iter().any(|scope| scope == adapter) {
            return Ok(());
        }
        refuse(format!("this key is for {} and not for {adapter}", self.scopes.join(", ")))
    }
}

/// The owner of this server, whose account is made with the store.
pub async fn owner(store: &Store, now: i64) -> Result<Account, ApiError> {
    if let Some(owner) = store.owner().await? {
        return Ok(owner);
    }
    let owner =
        Account { id: id::new("user")?, parent_id: None, username: "owner".to_owned(), display_name: "Owner".to_owned(), created_at: now };
    store.make_owner(&owner).await?;
    // Another process may have been faster.
    store.owner().await?.ok_or_else(|| ApiError::not_found("owner"))
}

/// A key for an account that has never had one. None: it has.
pub async fn first_key(store: &Store, account: &Account, now: i64) -> Result<Option<NewKey>, ApiError> {
    let key = NewKey::make(&account.id, "owner", &[], None, now)?;
    Ok(store.insert_first_key(&key.row, &key.hash).await?.then_some(key))
}

/// Whose key this is. None: nobody's, or it was revoked.
pub async fn authenticate(store: &Store, key: &[u8]) -> Result<Option<Caller>, ApiError> {
    let Some((key, account)) = store.key_by_hash(&key::hash(key)).await? else { return Ok(None) };
    let scopes = serde_json::from_str(&key.scopes).map_err(|error| ApiError::internal("a key's scopes cannot be read", error))?;
    Ok(Some(Caller { account: Arc::new(account), key_id: Some(key.id), scopes, script_id: key.script_id }))
}
