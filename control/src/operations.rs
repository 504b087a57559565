//! Every operation, by name: what clients, handlers and the documentation mean by `memory.create`.

use std::{future::Future, pin::Pin, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Answer, ApiError, Caller, Control, Means, account, ai, event, flow, marketplace, memory, notification, params::Part, resource, script,
    store::Store,
};

/// The adapters of this server itself, which are also what a key can be limited to.
pub const ADAPTERS: [&str; 11] =
    ["accounts", "ai", "events", "flows", "keys", "marketplace", "memory", "notifications", "resources", "scripts", "teams"];

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

#[derive(Deserialize, JsonSchema)]
pub struct Id {
    pub id: String,
}

/// `"adapter.operation", "What it does.", Params, (scene, params) => future of the answer`
macro_rules! operation {
    ($name:literal, $summary:literal, $of:ty, ($scene:ident, $params:ident) => $work:expr) => {
        Operation {
            name: $name,
            summary: $summary,
            params: |generator| generator.subschema_for::<$of>(),
            run: |$scene, params| {
                Box::pin(async move {
                    let $params: $of = $crate::params::read(params)?;
                    $work.await
                })
            },
        }
    };
}
pub(crate) use operation;

/// Of the accounts and of the memory; other adapters keep theirs in their own folders.
const OPERATIONS: &[Operation] = &[
    operation! {
        "accounts.createSubAccount", "Makes an account with data of its own, and its first key.", account::SubAccountParams,
        (scene, params) => account::create_sub_account(scene.store, scene.caller, params, scene.now)
    },
    operation! {
        "accounts.listSubAccounts", "Lists the accounts that this account has made.", Part,
        (scene, params) => account::list_sub_accounts(scene.store, scene.caller, &params)
    },
    operation! {
        "keys.create", "Makes a key, which is shown this once.", account::KeyParams,
        (scene, params) => account::create_key(scene.store, scene.caller, params, scene.now)
    },
    operation! {
        "keys.list", "Lists the keys of this account that count.", Part,
        (scene, params) => account::list_keys(scene.store, scene.caller, &params)
    },
    operation! {
        "keys.revoke", "Revokes a key.", Id,
        (scene, params) => account::revoke_key(scene.store, scene.caller, &params.id, scene.now)
    },
    operation! {
        "memory.create", "Keeps something in the memory.", memory::CreateParams,
        (scene, params) => memory::create(&scene, params)
    },
    operation! {
        "memory.createTask", "Keeps a task in the memory.", memory::CreateTaskParams,
        (scene, params) => memory::create_task(&scene, params)
    },
    operation! {
        "memory.delete", "Deletes an entity of the memory.", memory::DeleteParams,
        (scene, params) => memory::delete(scene.store, scene.caller, params, scene.now)
    },
    operation! {
        "memory.findOne", "Finds an entity of the memory by its id or name, and gives it whole.", memory::FindOneParams,
        (scene, params) => memory::find_one(scene.store, scene.caller, params)
    },
    operation! {
        "memory.listGraphs", "Lists where an entity of the memory is seen.", memory::ListGraphsParams,
        (scene, params) => memory::list_graphs(scene.store, scene.caller, params)
    },
    operation! {
        "memory.query", "Lists what is in the memory, the newest first.", memory::QueryParams,
        (scene, params) => memory::query(scene.store, scene.caller, params)
    },
    operation! {
        "memory.search", "Searches the memory by words, the best first.", memory::SearchParams,
        (scene, params) => memory::search(scene.store, scene.caller, params)
    },
    operation! {
        "memory.share", "Lets an entity of the memory be seen by a team or an account.", memory::ShareParams,
        (scene, params) => memory::share(scene.store, scene.caller, params, scene.now)
    },
    operation! {
        "memory.unshare", "Takes an entity of the memory out of where it was shared.", memory::UnshareParams,
        (scene, params) => memory::unshare(scene.store, scene.caller, params)
    },
    operation! {
        "memory.update", "Changes an entity of the memory.", memory::UpdateParams,
        (scene, params) => memory::update(&scene, params)
    },
    operation! {
        "teams.addMember", "Adds an account to a team.", account::MemberParams,
        (scene, params) => account::add_member(scene.store, scene.caller, params)
    },
    operation! {
        "teams.create", "Makes a team, whose memory its members share.", account::TeamParams,
        (scene, params) => account::create_team(scene.store, scene.caller, params, scene.now)
    },
    operation! {
        "teams.list", "Lists the teams that this account is in.", Part,
        (scene, params) => account::list_teams(scene.store, scene.caller, &params)
    },
    operation! {
        "teams.listMembers", "Lists who is in a team.", account::MembersParams,
        (scene, params) => account::list_members(scene.store, scene.caller, params)
    },
    operation! {
        "teams.removeMember", "Removes somebody from a team, or leaves it.", account::MemberParams,
        (scene, params) => account::remove_member(scene.store, scene.caller, params)
    },
];

/// Every operation.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    let adapters = [
        ai::OPERATIONS,
        event::OPERATIONS,
        flow::OPERATIONS,
        marketplace::OPERATIONS,
        notification::OPERATIONS,
        resource::OPERATIONS,
        script::OPERATIONS,
    ];
    OPERATIONS.iter().chain(adapters.into_iter().flatten())
}

/// By `adapter.operation`.
pub fn by_name(name: &str) -> Option<&'static Operation> {
    all().find(|operation| operation.name == name)
}

pub fn find(adapter: &str, operation: &str) -> Option<&'static Operation> {
    all().find(|candidate| candidate.name.split_once('.') == Some((adapter, operation)))
}

/// What there is besides, for whoever has asked for something else.
pub fn names_of(adapter: &str) -> Vec<&'static str> {
    all().filter_map(|operation| operation.name.split_once('.')).filter(|(of, _)| *of == adapter).map(|(_, name)| name).collect()
}
