use super::*;
use crate::operations::{Operation, operation};

/// The adapter `ai`.
pub const OPERATIONS: &[Operation] = &[
    operation! {
        "ai.agent", "Has a model do something with the operations of this server.", AgentParams,
        (scene, params) => agent(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.agentStream", "The same as agent, in parts as it happens.", AgentParams,
        (scene, params) => agent_stream(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.batchChat", "Has a model answer several conversations.", BatchChatParams,
        (scene, params) => batch_chat(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.chat", "Has a model answer a conversation.", ChatParams,
        (scene, params) => chat(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.chatStream", "The same as chat, in parts as the model says them.", ChatParams,
        (scene, params) => chat_stream(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.computerUse", "Asks a model what to do next on a computer of the caller's.", ComputerUseParams,
        (scene, params) => computer_use(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.decide", "Has a model choose one of some options.", DecideParams,
        (scene, params) => decide(scene.control, scene.caller, &scene.means, params)
    },
    operation! {
        "ai.transcribeAudio", "Writes down what is said in a recording.", TranscribeAudioParams,
        (scene, params) => transcribe_audio(scene.control, scene.caller, &scene.means, params)
    },
];
