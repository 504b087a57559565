//! `ai`: models of others, asked in an account's name and with the operator's keys.
//!
//! Whatever a request can cost at most is charged before it is made, and what the provider then counts is what stays charged.

mod agent;
mod anthropic;
mod chat;
mod computer;
mod config;
mod decide;
mod message;
mod operations;
mod parts;
mod price;
mod provider;
mod sse;
mod tools;
mod transcribe;

use agent::{AgentParams, agent, agent_stream};
use chat::{BatchChatParams, ChatParams, batch_chat, chat, chat_stream};
use computer::{ComputerUseParams, computer_use};
use decide::{DecideParams, decide};
use transcribe::{TranscribeAudioParams, transcribe_audio};

pub use config::{AiConfig, ApiKey, Provider};
pub use operations::OPERATIONS;
