//! The Messages API of Anthropic.

use std::sync::Arc;

use bytes::Bytes;
use mirra_egress::Fetched;
use mirra_host_sdk::Usd;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    message::{Message, input_tokens_at_most},
    price::{Charge, TokenPrice, Usage},
    provider::{Asked, Failure, persistently},
    sse::Streaming,
    tools::Tool,
};
use crate::{ApiError, Caller, Control, Means, ai::config::Provider};

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

/// A request as it is sent, with what it can cost.
struct Prepared {
    body: Bytes,
    price: TokenPrice,
    input_at_most: Usd,
    at_most: Usd,
}

/// Asks within somebody's means.
#[derive(Clone)]
pub struct Anthropic {
    control: Arc<Control>,
    account_id: Arc<str>,
    means: Means,
    /// What the price is multiplied by.
    factor: u64,
    /// Features that are named in a header.
    beta: Option<String>,
}

impl Anthropic {
    pub fn new(control: &Arc<Control>, caller: &Caller, means: &Means) -> Anthropic {
        Anthropic { control: control.clone(), account_id: caller.id().into(), means: means.clone(), factor: 1, beta: None }
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
        let prepared = self.prepare(ask, false)?;
        persistently(&self.means, || async {
            let mut charge = self.charge(ask, &prepared)?;
            // The model has said everything before anything of it comes, so all of it may be billed, whether or not it arrives.
            charge.owe(prepared.at_most);
            let mut fetched = match self.send(prepared.body.clone()).await {
                Ok(fetched) => fetched,
                Err(failure) => return Err(charge.unanswered(failure)),
            };
            let body = fetched.whole().await.map_err(|error| self.provider().unreached(error))?;
            let said = serde_json::from_slice::<T>(&body).map_err(|error| self.provider().unreadable(error))?;
            charge.owe(prepared.price.of(&usage(&said)));
            Ok(said)
        })
        .await
    }

    /// An answer as it comes.
    pub async fn stream(&self, ask: &Ask) -> Result<Streaming, ApiError> {
        let prepared = self.prepare(ask, true)?;
        persistently(&self.means, || async {
            let mut charge = self.charge(ask, &prepared)?;
            // Until it says something, the model has read and no more.
            charge.owe(prepared.input_at_most);
            match self.send(prepared.body.clone()).await {
                Ok(fetched) => Streaming::begin(self.provider().clone(), fetched, charge, prepared.price).await,
                Err(failure) => Err(charge.unanswered(failure)),
            }
        })
        .await
    }

    /// Each time that it is sent: a provider bills an answer that broke off as well as the one after it.
    fn charge(&self, ask: &Ask, prepared: &Prepared) -> Result<Charge, ApiError> {
        Charge::new(&self.means, &format!("a request to {}", ask.model), prepared.at_most)
    }

    /// What is sent, and what it can cost.
    fn prepare(&self, ask: &Ask, stream: bool) -> Result<Prepared, ApiError> {
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
        let price = TokenPrice { model: self.control.config().ai.models.of(&ask.model), factor: self.factor };
        let (input_at_most, at_most) = (price.at_most(input_tokens, 0), price.at_most(input_tokens, ask.max_tokens));
        Ok(Prepared { body: body.into(), price, input_at_most, at_most })
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
        Asked { provider, account_id: &self.account_id, path: PATH, headers, body }
            .send(self.control.egress(), self.means.time_left())
            .await
    }
}
