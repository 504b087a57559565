//! `chat`, one answer to a conversation; `chatStream`, the same as it is made; `batchChat`, many at once.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use mirra_host_sdk::OperationError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    anthropic::{Anthropic, Ask},
    message::{self, Conversation, Message},
    parts,
    price::Usage,
};
use crate::{Answer, ApiError, Control, Means, params};

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
}

async fn asked(anthropic: &Anthropic, params: ChatParams) -> Result<Chat, ApiError> {
    let said = anthropic.ask(&params.ask()?).await?;
    Ok(Chat { content: said.text(), tokens: Tokens::from(&said.usage), model: said.model })
}

pub async fn chat(control: &Arc<Control>, means: &Means, params: ChatParams) -> Result<Answer, ApiError> {
    Answer::of(&asked(&Anthropic::new(control, means), params).await?)
}

/// Parts are `{delta, done}`; the last one has `done: true` and what was used.
pub async fn chat_stream(control: &Arc<Control>, means: &Means, params: ChatParams) -> Result<Answer, ApiError> {
    let anthropic = Anthropic::new(control, means);
    let ask = params.ask()?;
    parts::answer(|parts| async move {
        let mut streaming = anthropic.stream(&ask).await?;
        // Whoever waits knows by it that there will be an answer.
        parts.hand_on(&json!({ "delta": "", "done": false, "model": streaming.model() })).await?;
        while let Some(text) = streaming.text().await? {
            parts.hand_on(&json!({ "delta": text, "done": false })).await?;
        }
        let said = streaming.end();
        let usage = json!({ "inputTokens": said.usage.input_tokens, "outputTokens": said.usage.output_tokens });
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
    /// As older clients have it.
    usage: serde_json::Value,
    /// Why there is no content.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<serde_json::Value>,
}

/// In the order of the requests. One that fails says so in its place; where all do, the batch does.
pub async fn batch_chat(control: &Arc<Control>, means: &Means, params: BatchChatParams) -> Result<Answer, ApiError> {
    if params.requests.is_empty() || params.requests.len() > BATCH_MAX {
        return Err(ApiError::invalid("requests", format!("requests must be 1 to {BATCH_MAX}")));
    }
    let anthropic = &Anthropic::new(control, means);
    let asking = stream::iter(params.requests).map(|request| async move { asked(anthropic, request).await });
    let mut answers: Vec<Result<Chat, ApiError>> = asking.buffered(CONCURRENCY).collect().await;
    if answers.iter().all(Result::is_err)
        && let Some(Err(error)) = answers.pop()
    {
        return Err(error);
    }
    Answer::of(&answers.into_iter().map(in_batch).collect::<Vec<_>>())
}

fn in_batch(answer: Result<Chat, ApiError>) -> InBatch {
    let (chat, error) = match answer {
        Ok(chat) => (chat, None),
        Err(error) => {
            let OperationError { code, message } = error.into();
            let chat = Chat { content: String::new(), model: String::new(), tokens: Tokens::default() };
            (chat, Some(json!({ "code": code, "message": message })))
        }
    };
    let usage = json!({ "inputTokens": chat.tokens.input_tokens, "outputTokens": chat.tokens.output_tokens });
    InBatch { chat, usage, error }
}
