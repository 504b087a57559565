use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Caller;
use crate::{
    ADAPTERS, Answer, ApiError, id,
    params::{self, Part},
    store::{KeyRow, Store},
    time,
};

/// By which a person, and a scanner for secrets, knows what it is.
const PREFIX: &str = "mirra_sk_";
const HINT_CHARACTERS: usize = 4;
pub(super) const NAME_CHARACTERS_MAX: usize = 100;
/// Of one account. More are made by a program that has gone wrong.
const KEYS_MAX: usize = 1_000;

/// A key that was made just now: the only time that it is known.
pub struct NewKey {
    pub key: String,
    pub(crate) row: KeyRow,
    pub(crate) hash: String,
}

impl NewKey {
    pub(crate) fn make(account_id: &str, name: &str, scopes: &[String], script_id: Option<String>, now: i64) -> Result<NewKey, ApiError> {
        let key = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(id::random::<32>()?));
        let row = KeyRow {
            id: id::new("key")?,
            account_id: account_id.to_owned(),
            name: name.to_owned(),
            hint: format!("…{}", &key[key.len() - HINT_CHARACTERS..]),
            scopes: serde_json::to_string(scopes).map_err(|error| ApiError::internal("a key's scopes cannot be written", error))?,
            script_id,
            created_at: now,
        };
        Ok(NewKey { hash: hash(key.as_bytes()), key, row })
    }
}

pub fn hash(key: &[u8]) -> String {
    blake3::hash(key).to_hex().to_string()
}

#[derive(Deserialize, JsonSchema)]
pub struct KeyParams {
    /// What it is for.
    #[schemars(length(min = 1, max = NAME_CHARACTERS_MAX))]
    pub name: String,
    /// The adapters that it may use; all that the account may if none is named.
    #[serde(default, deserialize_with = "params::some")]
    pub scopes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    hint: &'a str,
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_id: Option<&'a str>,
    created_at: String,
    /// Once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

fn shown<'a>(row: &'a KeyRow, key: Option<&'a str>) -> Shown<'a> {
    let scopes = serde_json::from_str(&row.scopes).unwrap_or_default();
    let script_id = row.script_id.as_deref();
    Shown { id: &row.id, name: &row.name, hint: &row.hint, scopes, script_id, created_at: time::iso(row.created_at), key }
}

/// A key that may do what the one may by which it is asked for, or less.
pub async fn create_key(store: &Store, caller: &Caller, params: KeyParams, now: i64) -> Result<Answer, ApiError> {
    params::text("name", &params.name, NAME_CHARACTERS_MAX)?;
    if let Some(unknown) = params.scopes.iter().find(|scope| !ADAPTERS.contains(&&***scope)) {
        return Err(ApiError::invalid("scopes", format!("there is no scope '{unknown}': there are {}", ADAPTERS.join(", "))));
    }
    let scopes = if params.scopes.is_empty() { &caller.scopes } else { &params.scopes };
    scopes.iter().try_for_each(|scope| caller.may_use(scope))?;
    if store.keys_of(caller.id()).await?.len() >= KEYS_MAX {
        return Err(ApiError::invalid("name", format!("an account has at most {KEYS_MAX} keys: revoke those that are not used")));
    }
    let new = NewKey::make(caller.id(), &params.name, scopes, None, now)?;
    store.insert_key(&new.row, &new.hash).await?;
    Answer::of(&shown(&new.row, Some(&new.key)))
}

pub async fn list_keys(store: &Store, caller: &Caller, part: &Part) -> Result<Answer, ApiError> {
    part.of(store.keys_of(caller.id()).await?.iter().map(|row| shown(row, None)))
}

pub async fn revoke_key(store: &Store, caller: &Caller, key_id: &str, now: i64) -> Result<Answer, ApiError> {
    if !store.revoke_key(key_id, caller.id(), now).await? {
        return Err(ApiError::not_found("such key"));
    }
    Answer::of(&serde_json::json!({ "id": key_id, "revoked": true }))
}
