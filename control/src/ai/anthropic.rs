//! The Messages API of Anthropic.

use std::sync::Arc;

use bytes::Bytes;
use mirra_egress::Fetched;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    message::{Message, input_tokens_at_most},
    price::{Charge, Usage},
    provider::{Asked, Failure, persistently},
    sse::Streaming,
    tools::Tool,
};
use crate::{ApiError, Control, Means, ai::config::Provider};

const PATH: &str = "/v1/messages";
const VERSION: &str = "2023-06-01";

/// A request.
#[derive(Debug, Serialize)]
pub struct Ask {
    pub model: String,
    pub max_tokens: u64,
    pub temperature: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    pub messages: Vec<Message>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Value>,
}

/// What a provider adds to a request with tools.
const TOOLS_TOKENS: u64 = 1_000;

/// What a model says.
#[derive(Debug, Default, Deserialize)]
pub struct Said {
    pub model: String,
    #[serde(default)]
    pub content: Vec<Block>,
    #[serde(default)]
    pub usage: Usage,
    /// Why it says no more: `end_turn`, `tool_use`, `max_tokens`, `refusal` and others.
    #[serde(default)]
    pub stop_reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    Text {
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
    /// What nothing here asks for, such as thoughts.
    #[serde(other)]
    Other,
}

impl Said {
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| if let Block::Text { text } = block { Some(text.as_str()) } else { None });
        texts.collect()
    }
}

/// Asks within somebody's means.
#[derive(Clone)]
pub struct Anthropic {
    control: Arc<Control>,
    means: Means,
    /// What the price is multiplied by.
    factor: u64,
    /// Features that are named in a header.
    beta: Option<String>,
}

impl Anthropic {
    pub fn new(control: &Arc<Control>, means: &Means) -> Anthropic {
        Anthropic { control: control.clone(), means: means.clone(), factor: 1, beta: None }
    }

    pub fn with_factor(self, factor: u64) -> Anthropic {
        Anthropic { factor, ..self }
    }

    pub fn with_beta(self, beta: String) -> Anthropic {
        Anthropic { beta: Some(beta), ..self }
    }

    fn provider(&self) -> &Provider {
        &self.control.config().ai.anthropic
    }

    /// All of an answer.
    pub async fn ask(&self, ask: &Ask) -> Result<Said, ApiError> {
        self.whole(ask, |said: &Said| said.usage.clone()).await
    }

    /// All of an answer, as it came.
    pub async fn ask_raw(&self, ask: &Ask) -> Result<(Value, Usage), ApiError> {
        let usage = |said: &Value| said.get("usage").and_then(|usage| Usage::deserialize(usage).ok()).unwrap_or_default();
        let said = self.whole(ask, usage).await?;
        let usage = usage(&said);
        Ok((said, usage))
    }

    async fn whole<T: DeserializeOwned>(&self, ask: &Ask, usage: impl Fn(&T) -> Usage) -> Result<T, ApiError> {
        let (body, charge) = self.prepare(ask, false)?;
        let answered = persistently(&self.means, || async {
            let mut fetched = self.send(body.clone()).await?;
            let body = fetched.whole().await.map_err(|error| self.provider().unreached(error))?;
            serde_json::from_slice::<T>(&body).map_err(|error| self.provider().unreadable(error).into())
        });
        match answered.await {
            Ok(said) => {
                charge.settle(&usage(&said));
                Ok(said)
            }
            Err(error) => Err(charge.failed(error)),
        }
    }

    /// An answer as it comes.
    pub async fn stream(&self, ask: &Ask) -> Result<Streaming, ApiError> {
        let (body, charge) = self.prepare(ask, true)?;
        let begun = persistently(&self.means, || async { Streaming::begin(self.provider().clone(), self.send(body.clone()).await?).await });
        match begun.await {
            Ok(streaming) => Ok(streaming.charged(charge)),
            Err(error) => Err(charge.failed(error)),
        }
    }

    /// What is sent, paid for.
    fn prepare(&self, ask: &Ask, stream: bool) -> Result<(Bytes, Charge), ApiError> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(flatten)]
            ask: &'a Ask,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            stream: bool,
        }
        // Before anything is paid.
        self.provider().key()?;
        let body = serde_json::to_vec(&Body { ask, stream }).map_err(|error| ApiError::internal("the request cannot be written", error))?;
        let tools_tokens = if ask.tools.is_empty() { 0 } else { TOOLS_TOKENS };
        let input_tokens = tools_tokens + input_tokens_at_most(body.len(), ask.messages.iter().map(|message| &message.content));
        let price = self.control.config().ai.models.of(&ask.model);
        let charge = Charge::new(&self.means, &ask.model, price, input_tokens, ask.max_tokens, self.factor)?;
        Ok((body.into(), charge))
    }

    async fn send(&self, body: Bytes) -> Result<Fetched, Failure> {
        let provider = self.provider();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![
            header("x-api-key", provider.key()?.reveal()),
            header("anthropic-version", VERSION),
            header("content-type", "application/json"),
        ];
        headers.extend(self.beta.as_ref().map(|beta| header("anthropic-beta", beta)));
        Asked { provider, path: PATH, headers, body }.send(self.control.egress(), self.means.time_left()).await
    }
}
