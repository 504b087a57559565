//! Every operation, by name: what clients, handlers and the documentation mean by `memory.create`.

use std::{future::Future, pin::Pin, sync::Arc};

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
    pub run: Run,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TeamId {
    team_id: String,
}

macro_rules! operation {
    ($name:literal, |$scene:ident, $params:ident| $work:expr) => {
        Operation { name: $name, run: |$scene, $params| Box::pin(async move { $work.await }) }
    };
}

pub const OPERATIONS: &[Operation] = &[
    operation!("accounts.createSubAccount", |s, p| account::create_sub_account(s.store, s.caller, read(p)?, s.now)),
    operation!("accounts.listSubAccounts", |s, _p| account::list_sub_accounts(s.store, s.caller)),
    operation!("keys.create", |s, p| account::create_key(s.store, s.caller, read(p)?, s.now)),
    operation!("keys.list", |s, _p| account::list_keys(s.store, s.caller)),
    operation!("keys.revoke", |s, p| account::revoke_key(s.store, s.caller, &read::<Id>(p)?.id, s.now)),
    operation!("memory.create", |s, p| memory::create(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.createTask", |s, p| memory::create_task(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.delete", |s, p| memory::delete(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.findOne", |s, p| memory::find_one(s.store, s.caller, read(p)?)),
    operation!("memory.listGraphs", |s, p| memory::list_graphs(s.store, s.caller, read(p)?)),
    operation!("memory.query", |s, p| memory::query(s.store, s.caller, read(p)?)),
    operation!("memory.search", |s, p| memory::search(s.store, s.caller, read(p)?)),
    operation!("memory.share", |s, p| memory::share(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.unshare", |s, p| memory::unshare(s.store, s.caller, read(p)?)),
    operation!("memory.update", |s, p| memory::update(s.store, s.caller, read(p)?, s.now)),
    operation!("teams.addMember", |s, p| account::add_member(s.store, s.caller, read(p)?)),
    operation!("teams.create", |s, p| account::create_team(s.store, s.caller, read(p)?, s.now)),
    operation!("teams.list", |s, _p| account::list_teams(s.store, s.caller)),
    operation!("teams.listMembers", |s, p| account::list_members(s.store, s.caller, &read::<TeamId>(p)?.team_id)),
    operation!("teams.removeMember", |s, p| account::remove_member(s.store, s.caller, read(p)?)),
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
