use super::{
    batch, code, finding,
    making::{self, Kind},
    market, subscription, trying,
};
use crate::{
    operations::{Operation, operation},
    params::Given,
};

/// The adapter `flows`.
pub const OPERATIONS: &[Operation] = &[
    operation! {
        "flows.createBatchOperation", "Carries out many operations, some at a time.", batch::BatchParams,
        (scene, params) => batch::create(&scene, params)
    },
    operation! {
        "flows.createEventFlow", "Makes a flow that events start.", Given<making::CreateParams>,
        (scene, params) => making::create(&scene, params, Kind::Event)
    },
    operation! {
        "flows.createFlow", "Makes a flow that the clock, events or a webhook start.", Given<making::CreateParams>,
        (scene, params) => making::create(&scene, params, Kind::Any)
    },
    operation! {
        "flows.createTimeFlow", "Makes a flow with a schedule.", Given<making::CreateParams>,
        (scene, params) => making::create(&scene, params, Kind::Time)
    },
    operation! {
        "flows.deleteFlow", "Deletes a flow with its history.", finding::FlowId,
        (scene, params) => making::delete(&scene, params)
    },
    operation! {
        "flows.editFlowScript", "Replaces texts in the code of a flow's script, which runs so at once.", code::OfFlow,
        (scene, params) => code::edit(&scene, params)
    },
    operation! {
        "flows.executeFlow", "Runs a flow now, and answers its result.", trying::ExecuteParams,
        (scene, params) => trying::execute(&scene, params)
    },
    operation! {
        "flows.getFlow", "Tells all of a flow, with its newest runs.", finding::GetParams,
        (scene, params) => finding::get(&scene, params)
    },
    operation! {
        "flows.getFlowsByEventType", "Lists the active flows that events of a type start.", finding::ByEventTypeParams,
        (scene, params) => finding::by_event_type(&scene, params)
    },
    operation! {
        "flows.installFlow", "Installs a flow of the marketplace: a copy of it and of its script, in the name of this account.", finding::FlowId,
        (scene, params) => market::install(&scene, params)
    },
    operation! {
        "scripts.getFlowScript", "Gives the code of a flow's script.", finding::FlowId,
        (scene, params) => code::get(&scene, params)
    },
    operation! {
        "flows.listEventTypes", "Lists the types of events that are described, with their fields.", finding::EventTypesParams,
        (_scene, params) => async { finding::event_types(&params) }
    },
    operation! {
        "flows.listFlows", "Lists the flows of this account, the newest first.", finding::SearchParams,
        (scene, params) => finding::search(&scene, params)
    },
    operation! {
        "flows.modifyFlowScript", "Gives a flow's script another code, which runs at once.", code::ModifyParams,
        (scene, params) => code::modify(&scene, params)
    },
    operation! {
        "flows.pauseFlow", "Pauses a flow.", finding::FlowId,
        (scene, params) => making::pause(&scene, params)
    },
    operation! {
        "flows.publishFlow", "Puts a flow into the marketplace.", market::PublishParams,
        (scene, params) => market::publish(&scene, params)
    },
    operation! {
        "flows.readFlowScript", "Reads lines of the code of a flow's script.", code::OfFlow,
        (scene, params) => code::read(&scene, params)
    },
    operation! {
        "flows.resumeFlow", "Makes a paused flow active again.", finding::FlowId,
        (scene, params) => making::resume(&scene, params)
    },
    operation! {
        "flows.searchFlows", "Searches the flows of this account by words, status and trigger.", finding::SearchParams,
        (scene, params) => finding::search(&scene, params)
    },
    operation! {
        "scripts.createSubscription", "Has a script run whenever an event comes that meets conditions.", subscription::SubscribeParams,
        (scene, params) => subscription::create(&scene, params)
    },
    operation! {
        "scripts.deleteSubscription", "Takes a subscription of a script away.", subscription::SubscriptionId,
        (scene, params) => subscription::delete(&scene, params)
    },
    operation! {
        "scripts.listSubscriptions", "Lists the subscriptions of a script.", subscription::OfScript,
        (scene, params) => subscription::list(&scene, params)
    },
    operation! {
        "scripts.modifyFlowScript", "The same as flows.modifyFlowScript.", code::ModifyParams,
        (scene, params) => code::modify(&scene, params)
    },
    operation! {
        "scripts.updateSubscription", "Changes a subscription of a script.", subscription::ChangeParams,
        (scene, params) => subscription::change(&scene, params)
    },
    operation! {
        "flows.testFlow", "Tries a flow with an event as it might come.", trying::TestParams,
        (scene, params) => trying::test(&scene, params)
    },
    operation! {
        "flows.unpublishFlow", "Takes a flow out of the marketplace. Who has installed it keeps it.", finding::FlowId,
        (scene, params) => market::unpublish(&scene, params)
    },
    operation! {
        "flows.updateFlow", "Changes a flow.", Given<making::UpdateParams>,
        (scene, params) => making::update(&scene, params)
    },
    operation! {
        "flows.validateTrigger", "Tells whether an event would start a flow, condition by condition.", trying::ValidateParams,
        (scene, params) => trying::validate(&scene, params)
    },
];
