use super::{
    finding,
    making::{self, Kind},
    trying,
};
use crate::{
    operations::{Operation, operation},
    params::Given,
};

/// The adapter `flows`.
pub const OPERATIONS: &[Operation] = &[
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
        "flows.listEventTypes", "Lists the types of events that are described, with their fields.", finding::EventTypesParams,
        (_scene, params) => async { finding::event_types(&params) }
    },
    operation! {
        "flows.listFlows", "Lists the flows of this account, the newest first.", finding::SearchParams,
        (scene, params) => finding::search(&scene, params)
    },
    operation! {
        "flows.pauseFlow", "Pauses a flow.", finding::FlowId,
        (scene, params) => making::pause(&scene, params)
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
        "flows.testFlow", "Tries a flow with an event as it might come.", trying::TestParams,
        (scene, params) => trying::test(&scene, params)
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
