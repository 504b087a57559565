//! Events: what has happened, told by clients, by the world through hooks, and by flows. Each is taken with the runs that it starts in one
//! transaction; one that comes again starts nothing.

mod handed;
mod hook;
mod matching;
mod taking;

use crate::operations::{Operation, operation};

pub use handed::{Handed, handed};
pub use hook::HookRequest;
pub use matching::Matcher;
pub use taking::{runs_of, take};

/// The adapter `events`.
pub const OPERATIONS: &[Operation] = &[
    operation! {
        "events.createHook", "Makes an address at which a service of others tells what has happened, such as Telegram.", hook::CreateHookParams,
        (scene, params) => hook::create(&scene, params)
    },
    operation! {
        "events.deleteHook", "Takes such an address away.", hook::HookId,
        (scene, params) => hook::delete(&scene, params)
    },
    operation! {
        "events.listHooks", "Lists the addresses of this account at which others tell what has happened.", crate::params::Part,
        (scene, params) => hook::list(&scene, &params)
    },
    operation! {
        "events.send", "Tells what has happened: an event, or an array of them.", taking::SendParams,
        (scene, params) => taking::send(&scene, params)
    },
];
