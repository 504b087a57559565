use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Account, Caller, NewKey, key};
use crate::{
    Answer, ApiError, id,
    params::{self, Part},
    store::Store,
    time,
};

const DISPLAY_NAME_CHARACTERS_MAX: usize = 40;
const SUB_ACCOUNTS_MAX: usize = 10_000;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubAccountParams {
    #[schemars(length(min = 1, max = DISPLAY_NAME_CHARACTERS_MAX))]
    pub display_name: String,
    /// Of its first key.
    pub key_name: Option<String>,
}

/// `actorId` is the new account; `apiKey` is shown this once.
pub async fn create_sub_account(store: &Store, caller: &Caller, params: SubAccountParams, now: i64) -> Result<Answer, ApiError> {
    let SubAccountParams { display_name, key_name } = params;
    params::text("displayName", &display_name, DISPLAY_NAME_CHARACTERS_MAX)?;
    let key_name = key_name.as_deref().unwrap_or("first key");
    params::text("keyName", key_name, key::NAME_CHARACTERS_MAX)?;
    if store.accounts_of(caller.id()).await?.len() >= SUB_ACCOUNTS_MAX {
        return Err(ApiError::invalid("displayName", format!("an account has at most {SUB_ACCOUNTS_MAX} sub-accounts")));
    }
    let mut account = Account {
        id: id::new("user")?,
        parent_id: Some(caller.id().to_owned()),
        username: username(&display_name)?,
        display_name,
        created_at: now,
    };
    let new = NewKey::make(&account.id, key_name, &[], None, now)?;
    while !store.insert_account(&account, &new.row, &new.hash).await? {
        // Somebody has the same digits: of four thousand millions, that is one in how many are called so.
        account.username = username(&account.display_name)?;
    }
    Answer::of(&json!({
        "actorId": account.id,
        "apiKey": new.key,
        "keyId": new.row.id,
        "username": account.username,
        "displayTag": format!("@{}", account.username),
        "displayName": account.display_name,
    }))
}

/// `Ada Lovelace` is `ada-lovelace-` and eight digits that make it the only one.
fn username(display_name: &str) -> Result<String, ApiError> {
    let letters = display_name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let letters: String = letters.collect();
    let words: Vec<&str> = letters.split('-').filter(|word| !word.is_empty()).collect();
    Ok(format!("{}-{}", if words.is_empty() { "user".to_owned() } else { words.join("-") }, id::hex(&id::random::<4>()?)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    actor_id: &'a str,
    username: &'a str,
    display_name: &'a str,
    created_at: String,
}

pub async fn list_sub_accounts(store: &Store, caller: &Caller, part: &Part) -> Result<Answer, ApiError> {
    let accounts = store.accounts_of(caller.id()).await?;
    part.of(accounts.iter().map(|account| Shown {
        actor_id: &account.id,
        username: &account.username,
        display_name: &account.display_name,
        created_at: time::iso(account.created_at),
    }))
}
