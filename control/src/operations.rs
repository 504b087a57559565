//! Every operation, by name: what clients, handlers and the documentation mean by `memory.create`.

use std::{future::Future, pin::Pin, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Answer, ApiError, Caller, Control, Means, account, memory, params::read, store::Store};

/// The adapters of this server itself, which are also what a key can be limited to.
pub const ADAPTERS: [&str; 4] = ["accounts", "keys", "memory", "teams"];

/// What an operation works with.
pub struct Scene<'a> {
    pub control: &'a Arc<Control>,
    pub store: &'a Store,
    pub caller: &'a Caller,
    /// Milliseconds since 1970.
    pub now: i64,
    pub means: Means,
}

type Run = for<'a> fn(Scene<'a>, &'a RawValue) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send + 'a>>;

pub struct Operation {
    /// `adapter.operation`
    pub name: &'static str,
    /// What it does, in a sentence, for people and for models.
    pub summary: &'static str,
    /// The JSON Schema of its parameters.
    pub params: fn(&mut SchemaGenerator) -> Schema,
    pub run: Run,
}

/// Of operations without parameters.
#[derive(JsonSchema)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Id {
    id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TeamId {
    team_id: String,
}

macro_rules! operation {
    ($name:literal, $summary:literal, $of:ty, |$scene:ident, $params:ident| $work:expr) => {
        Operation {
            name: $name,
            summary: $summary,
            params: |generator| generator.subschema_for::<$of>(),
            run: |$scene, $params| Box::pin(async move { $work.await }),
        }
    };
}

pub const OPERATIONS: &[Operation] =
    &[
        operation!(
            "accounts.createSubAccount",
            "Makes an account with data of its own, and its first key.",
            account::SubAccountParams,
            |s, p| account::create_sub_account(s.store, s.caller, read(p)?, s.now)
        ),
        operation!("accounts.listSubAccounts", "Lists the accounts that this account has made.", Nothing, |s, _p| {
            account::list_sub_accounts(s.store, s.caller)
        }),
        operation!("keys.create", "Makes a key, which is shown this once.", account::KeyParams, |s, p| account::create_key(
            s.store,
            s.caller,
            read(p)?,
            s.now
        )),
        operation!("keys.list", "Lists the keys of this account that count.", Nothing, |s, _p| account::list_keys(s.store, s.caller)),
        operation!("keys.revoke", "Revokes a key.", Id, |s, p| account::revoke_key(s.store, s.caller, &read::<Id>(p)?.id, s.now)),
        operation!("memory.create", "Keeps something in the memory.", memory::CreateParams, |s, p| memory::create(
            s.store,
            s.caller,
            read(p)?,
            s.now
        )),
        operation!("memory.createTask", "Keeps a task in the memory.", memory::CreateTaskParams, |s, p| memory::create_task(
            s.store,
            s.caller,
            read(p)?,
            s.now
        )),
        operation!("memory.delete", "Deletes an entity of the memory.", memory::DeleteParams, |s, p| memory::delete(
            s.store,
            s.caller,
            read(p)?,
            s.now
        )),
        operation!(
            "memory.findOne",
            "Finds an entity of the memory by its id or name, and gives it whole.",
            memory::FindOneParams,
            |s, p| memory::find_one(s.store, s.caller, read(p)?)
        ),
        operation!("memory.listGraphs", "Lists where an entity of the memory is seen.", memory::ListGraphsParams, |s, p| {
            memory::list_graphs(s.store, s.caller, read(p)?)
        }),
        operation!("memory.query", "Lists what is in the memory, the newest first.", memory::QueryParams, |s, p| memory::query(
            s.store,
            s.caller,
            read(p)?
        )),
        operation!("memory.search", "Searches the memory by words, the best first.", memory::SearchParams, |s, p| memory::search(
            s.store,
            s.caller,
            read(p)?
        )),
        operation!("memory.share", "Lets an entity of the memory be seen by a team or an account.", memory::ShareParams, |s, p| {
            memory::share(s.store, s.caller, read(p)?, s.now)
        }),
        operation!("memory.unshare", "Takes an entity of the memory out of where it was shared.", memory::UnshareParams, |s, p| {
            memory::unshare(s.store, s.caller, read(p)?)
        }),
        operation!("memory.update", "Changes an entity of the memory.", memory::UpdateParams, |s, p| memory::update(
            s.store,
            s.caller,
            read(p)?,
            s.now
        )),
        operation!("teams.addMember", "Adds an account to a team.", account::MemberParams, |s, p| account::add_member(
            s.store,
            s.caller,
            read(p)?
        )),
        operation!("teams.create", "Makes a team, whose memory its members share.", account::TeamParams, |s, p| account::create_team(
            s.store,
            s.caller,
            read(p)?,
            s.now
        )),
        operation!("teams.list", "Lists the teams that this account is in.", Nothing, |s, _p| account::list_teams(s.store, s.caller)),
        operation!("teams.listMembers", "Lists who is in a team.", TeamId, |s, p| account::list_members(
            s.store,
            s.caller,
            &read::<TeamId>(p)?.team_id
        )),
        operation!("teams.removeMember", "Removes somebody from a team, or leaves it.", account::MemberParams, |s, p| {
            account::remove_member(s.store, s.caller, read(p)?)
        }),
    ];

pub fn find(adapter: &str, operation: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|candidate| candidate.name.split_once('.') == Some((adapter, operation)))
}

/// What there is besides, for whoever has asked for something else.
pub fn names_of(adapter: &str) -> Vec<&'static str> {
    OPERATIONS
        .iter()
        .filter_map(|operation| operation.name.split_once('.'))
        .filter(|(of, _)| *of == adapter)
        .map(|(_, name)| name)
        .collect()
}
