//! Every operation, by name: what clients, handlers and the documentation mean by `memory.create`.

use std::{future::Future, pin::Pin};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Answer, ApiError, Caller, account, memory, params::read, store::Store};

/// The adapters of this server itself, which are also what a key can be limited to.
pub const ADAPTERS: [&str; 4] = ["accounts", "keys", "memory", "teams"];

/// What an operation works with.
pub struct Scene<'a> {
    pub store: &'a Store,
    pub caller: &'a Caller,
    /// Milliseconds since 1970.
    pub now: i64,
}

type Run = for<'a> fn(Scene<'a>, &'a RawValue) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send + 'a>>;

pub struct Operation {
    /// `adapter.operation`
    pub name: &'static str,
    pub run: Run,
    /// Whether a handler may ask for it: what opens accounts is for people.
    pub is_for_handlers: bool,
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
    ($name:literal, $is_for_handlers:literal, |$scene:ident, $params:ident| $work:expr) => {
        Operation { name: $name, run: |$scene, $params| Box::pin(async move { $work.await }), is_for_handlers: $is_for_handlers }
    };
}

pub const OPERATIONS: &[Operation] = &[
    operation!("accounts.createSubAccount", false, |s, p| account::create_sub_account(s.store, s.caller, read(p)?, s.now)),
    operation!("accounts.listSubAccounts", false, |s, _p| account::list_sub_accounts(s.store, s.caller)),
    operation!("keys.create", false, |s, p| account::create_key(s.store, s.caller, read(p)?, s.now)),
    operation!("keys.list", false, |s, _p| account::list_keys(s.store, s.caller)),
    operation!("keys.revoke", false, |s, p| account::revoke_key(s.store, s.caller, &read::<Id>(p)?.id, s.now)),
    operation!("memory.create", true, |s, p| memory::create(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.createTask", true, |s, p| memory::create_task(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.delete", true, |s, p| memory::delete(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.findOne", true, |s, p| memory::find_one(s.store, s.caller, read(p)?)),
    operation!("memory.listGraphs", true, |s, p| memory::list_graphs(s.store, s.caller, read(p)?)),
    operation!("memory.query", true, |s, p| memory::query(s.store, s.caller, read(p)?)),
    operation!("memory.search", true, |s, p| memory::search(s.store, s.caller, read(p)?)),
    operation!("memory.share", true, |s, p| memory::share(s.store, s.caller, read(p)?, s.now)),
    operation!("memory.unshare", true, |s, p| memory::unshare(s.store, s.caller, read(p)?)),
    operation!("memory.update", true, |s, p| memory::update(s.store, s.caller, read(p)?, s.now)),
    operation!("teams.addMember", false, |s, p| account::add_member(s.store, s.caller, read(p)?)),
    operation!("teams.create", false, |s, p| account::create_team(s.store, s.caller, read(p)?, s.now)),
    operation!("teams.list", false, |s, _p| account::list_teams(s.store, s.caller)),
    operation!("teams.listMembers", false, |s, p| account::list_members(s.store, s.caller, &read::<TeamId>(p)?.team_id)),
    operation!("teams.removeMember", false, |s, p| account::remove_member(s.store, s.caller, read(p)?)),
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
