//! `chat`, one answer to a conversation; `chatStream`, the same as it is made; `batchChat`, many at once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use mirra_host_sdk::{ErrorCode, OperationError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    anthropic::{Anthropic, Ask},
    message::{self, Conversation, Message},
    parts,
    price::Usage,
};
use crate::{Answer, ApiError, Caller, Control, Means, params};

pub(super) const MODEL: &str = "claude-3-haiku-20240307";
const TEMPERATURE: f64 = 0.7;
const TOKENS: u64 = 1_000;

const BATCH_MAX: usize = 50;
/// Of a batch, at a time.
const CONCURRENCY: usize = 8;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatParams {
    /// What a user says, in place of `messages`.
    pub message: Option<String>,
    /// A conversation, whose next message is asked for.
    pub messages: Option<Vec<Message>>,
    /// claude-3-haiku-20240307 if not given.
    pub model: Option<String>,
    /// From 0, factual, to 1, creative; 0.7 if not given.
    #[schemars(range(min = 0, max = 1))]
    pub temperature: Option<f64>,
    /// That the answer has at most; 1,000 if not given.
    #[serde(default, deserialize_with = "params::count")]
    pub max_tokens: Option<u64>,
}

impl ChatParams {
    fn ask(self) -> Result<Ask, ApiError> {
        let messages = match (self.message, self.messages) {
            (_, Some(messages)) => messages,
            (Some(message), None) => vec![Message::user(message)],
            (None, None) => return Err(ApiError::invalid("messages", "message or messages is required")),
        };
        let Conversation { system, messages } = Conversation::of(messages)?;
        Ok(Ask {
            model: message::model(self.model, MODEL)?,
            max_tokens: message::max_tokens(self.max_tokens, TOKENS)?,
            temperature: message::temperature(self.temperature, TEMPERATURE)?,
            system,
            messages,
            tools: Vec::new(),
            tool_choice: None,
        })
    }
}

/// Tokens, flat.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_tokens: u64,
    cache_read_tokens: u64,
    total_tokens: u64,
}

impl From<&Usage> for Tokens {
    fn from(usage: &Usage) -> Tokens {
        Tokens {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_creation_tokens: usage.cache_creation(),
            cache_read_tokens: usage.cache_read(),
            total_tokens: usage.total(),
        }
    }
}

#[derive(Serialize)]
struct Chat {
    content: String,
    model: String,
    #[serde(flatten)]
    tokens: Tokens,
    /// The same, as clients of the first version have it.
    usage: Used,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Used {
    input_tokens: u64,
    output_tokens: u64,
}

impl From<&Usage> for Used {
    fn from(usage: &Usage) -> Used {
        Used { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens }
    }
}

impl Chat {
    fn new(content: String, model: String, usage: &Usage) -> Chat {
        Chat { content, model, tokens: usage.into(), usage: usage.into() }
    }
}

async fn asked(anthropic: &Anthropic, ask: &Ask) -> Result<Chat, ApiError> {
    let said = anthropic.ask(ask).await?;
    Ok(Chat::new(said.text(), said.model, &said.usage))
}

pub async fn chat(control: &Arc<Control>, caller: &Caller, means: &Means, params: ChatParams) -> Result<Answer, ApiError> {
    Answer::of(&asked(&Anthropic::new(control, caller, means), &params.ask()?).await?)
}

/// Parts are `{delta, done}`; the last one has `done: true` and what was used.
pub async fn chat_stream(control: &Arc<Control>, caller: &Caller, means: &Means, params: ChatParams) -> Result<Answer, ApiError> {
    let anthropic = Anthropic::new(control, caller, means);
    let ask = params.ask()?;
    parts::answer(|parts| async move {
        let mut streaming = anthropic.stream(&ask).await?;
        // Whoever waits knows by it that there will be an answer.
        parts.hand_on(&json!({ "delta": "", "done": false, "model": streaming.model() })).await?;
        while let Some(text) = streaming.text().await? {
            parts.hand_on(&json!({ "delta": text, "done": false })).await?;
        }
        let said = streaming.end();
        let usage = Used::from(&said.usage);
        parts::json(&json!({ "delta": "", "done": true, "model": said.model, "usage": usage }))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
pub struct BatchChatParams {
    /// At most 50, each with the parameters of `chat`.
    #[schemars(length(min = 1, max = BATCH_MAX))]
    pub requests: Vec<ChatParams>,
}

/// An answer of a batch.
#[derive(Serialize)]
struct InBatch {
    #[serde(flatten)]
    chat: Chat,
    /// Why there is no content.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<serde_json::Value>,
}

/// In the order of the requests. One that fails says so in its place; where all do, the batch does.
pub async fn batch_chat(control: &Arc<Control>, caller: &Caller, means: &Means, params: BatchChatParams) -> Result<Answer, ApiError> {
    if params.requests.is_empty() || params.requests.len() > BATCH_MAX {
        return Err(ApiError::invalid("requests", format!("requests must be 1 to {BATCH_MAX}")));
    }
    let mut answers = all_asked(&Anthropic::new(control, caller, means), params.requests).await;
    if answers.iter().all(Result::is_err)
        && let Some(Err(error)) = answers.pop()
    {
        return Err(error);
    }
    Answer::of(&answers.into_iter().map(in_batch).collect::<Vec<_>>())
}

/// Each is charged the most that it can cost when it begins, so as many are under way as the budget holds that of: most of it comes back.
async fn all_asked(anthropic: &Anthropic, requests: Vec<ChatParams>) -> Vec<Result<Chat, ApiError>> {
    let (mut waiting, mut answers) = (VecDeque::new(), BTreeMap::new());
    for (index, request) in requests.into_iter().enumerate() {
        match request.ask() {
            Ok(ask) => waiting.push_back((index, ask)),
            Err(error) => drop(answers.insert(index, Err(error))),
        }
    }
    let (mut underway, mut at_a_time) = (FuturesUnordered::new(), CONCURRENCY);
    loop {
        while underway.len() < at_a_time
            && let Some((index, ask)) = waiting.pop_front()
        {
            underway.push(async move {
                let answer = asked(anthropic, &ask).await;
                (index, ask, answer)
            });
        }
        match underway.next().await {
            None => break,
            // Those that are under way have what it needs.
            Some((index, ask, Err(error))) if error.code == ErrorCode::CostLimit && !underway.is_empty() => {
                at_a_time = underway.len();
                waiting.push_front((index, ask));
            }
            Some((index, _, answer)) => drop(answers.insert(index, answer)),
        }
    }
    answers.into_values().collect()
}

fn in_batch(answer: Result<Chat, ApiError>) -> InBatch {
    let (chat, error) = match answer {
        Ok(chat) => (chat, None),
        Err(error) => {
            let OperationError { code, message } = error.into();
            (Chat::new(String::new(), String::new(), &Usage::default()), Some(json!({ "code": code, "message": message })))
        }
    };
    InBatch { chat, error }
}
