//! An answer of the Messages API as it comes: server-sent events.

use std::collections::BTreeMap;

use eventsource_stream::{EventStream, EventStreamError, Eventsource};
use futures_util::{
    StreamExt,
    stream::{BoxStream, try_unfold},
};
use mirra_egress::Fetched;
use mirra_host_sdk::OperationError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    anthropic::{Block, Said},
    config::Provider,
    price::{Charge, TokenPrice, Usage, tokens_at_most},
    provider::{Failure, SaidError},
};
use crate::ApiError;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Said,
    },
    ContentBlockStart {
        index: u32,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u32,
        delta: Delta,
    },
    MessageDelta {
        usage: Option<Counted>,
        #[serde(default)]
        delta: Stopped,
    },
    MessageStop,
    Error {
        error: SaidError,
    },
    /// `ping` and the ends of blocks, and whatever is new.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Default, Deserialize)]
struct Stopped {
    stop_reason: Option<String>,
}

/// At the end of an answer: all of it.
#[derive(Default, Deserialize)]
struct Counted {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

type Events = EventStream<BoxStream<'static, Result<Vec<u8>, OperationError>>>;

/// An answer that has begun.
pub struct Streaming {
    provider: Provider,
    events: Events,
    said: Said,
    blocks: BTreeMap<u32, Block>,
    /// Of tools, as far as it came.
    inputs: BTreeMap<u32, String>,
    /// Of text and inputs.
    bytes: usize,
    is_whole: bool,
    /// Settled when this is dropped, however far it has come.
    charge: Option<Charge>,
    price: TokenPrice,
}

impl Streaming {
    /// Waits until the model says something.
    pub async fn begin(provider: Provider, fetched: Fetched, charge: Charge, price: TokenPrice) -> Result<Streaming, Failure> {
        let parts =
            try_unfold(fetched, |mut fetched| async move { Ok::<_, OperationError>(fetched.part().await?.map(|part| (part, fetched))) });
        let mut streaming = Streaming {
            provider,
            events: parts.boxed().eventsource(),
            said: Said::default(),
            blocks: BTreeMap::new(),
            inputs: BTreeMap::new(),
            bytes: 0,
            is_whole: false,
            charge: None,
            price,
        };
        loop {
            if let Event::MessageStart { message } = streaming.event().await? {
                streaming.said = message;
                // From here on it is known what was used.
                streaming.charge = Some(charge);
                return Ok(streaming);
            }
        }
    }

    pub fn model(&self) -> &str {
        &self.said.model
    }

    /// More of the text. None: that was all.
    pub async fn text(&mut self) -> Result<Option<String>, ApiError> {
        loop {
            match self.event().await.map_err(|failure| failure.error)? {
                Event::ContentBlockStart { index, content_block } => drop(self.blocks.insert(index, content_block)),
                Event::ContentBlockDelta { index, delta: Delta::Text { text } } => {
                    self.bytes += text.len();
                    if let Some(Block::Text { text: before }) = self.blocks.get_mut(&index) {
                        before.push_str(&text);
                    }
                    return Ok(Some(text));
                }
                Event::ContentBlockDelta { index, delta: Delta::InputJson { partial_json } } => {
                    self.bytes += partial_json.len();
                    self.inputs.entry(index).or_default().push_str(&partial_json);
                }
                Event::MessageDelta { usage: counted, delta } => {
                    self.said.stop_reason = delta.stop_reason.or(self.said.stop_reason.take());
                    let (usage, counted) = (&mut self.said.usage, counted.unwrap_or_default());
                    usage.input_tokens = counted.input_tokens.unwrap_or(usage.input_tokens);
                    usage.output_tokens = counted.output_tokens.unwrap_or(usage.output_tokens);
                }
                Event::MessageStop => {
                    self.is_whole = true;
                    return Ok(None);
                }
                _ => {}
            }
        }
    }

    /// What was said, all of it.
    pub fn end(mut self) -> Said {
        let blocks = std::mem::take(&mut self.blocks);
        let mut inputs = std::mem::take(&mut self.inputs);
        let with_input = |(index, block)| match (block, inputs.remove(&index)) {
            (Block::ToolUse { id, name, .. }, Some(input)) => Block::ToolUse { id, name, input: read(&input) },
            (block, _) => block,
        };
        let content = blocks.into_iter().map(with_input).collect();
        let Said { model, usage, stop_reason, .. } = std::mem::take(&mut self.said);
        self.settle(&usage);
        Said { model, content, usage, stop_reason }
    }

    async fn event(&mut self) -> Result<Event, Failure> {
        let event = match self.events.next().await {
            Some(Ok(event)) => event,
            Some(Err(EventStreamError::Transport(error))) => return Err(self.provider.unreached(error)),
            Some(Err(_)) => return Err(self.broken("what came are no server-sent events")),
            None => return Err(self.broken("the stream ended before the message did")),
        };
        match serde_json::from_str(&event.data).map_err(|error| self.provider.unreadable(error))? {
            Event::Error { error } => Err(self.provider.refused(error.status(), error, None)),
            event => Ok(event),
        }
    }

    fn broken(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        let message = format!("the answer of {} broke off; try again in a moment", self.provider.name);
        Failure { error: ApiError::internal(message, cause), is_transient: true }
    }

    fn settle(&mut self, usage: &Usage) {
        let Some(mut charge) = self.charge.take() else { return };
        let output_tokens = match self.is_whole {
            true => usage.output_tokens,
            // How much was said after the last word that came is known to the provider alone.
            false => usage.output_tokens.max(tokens_at_most(self.bytes)),
        };
        charge.owe(self.price.of(&Usage { output_tokens, ..usage.clone() }));
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let usage = std::mem::take(&mut self.said.usage);
        self.settle(&usage);
    }
}

/// What is no JSON, or was cut off, is an input that no tool takes.
fn read(input: &str) -> Value {
    if input.trim().is_empty() { Value::Object(Map::new()) } else { serde_json::from_str(input).unwrap_or_default() }
}
