//! Conversations, as they are sent here and as they are sent on.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::price::{IMAGE_TOKENS, tokens_at_most};
use crate::{ApiError, params};

const MESSAGES_MAX: usize = 100;
pub const CONVERSATION_BYTES_MAX: usize = 4 << 20;
const MODEL_CHARACTERS_MAX: usize = 100;
const TOKENS_MAX: u64 = 200_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

/// Something said in a conversation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    pub role: Role,
    /// A text, or a list of content blocks: {"type":"text","text":…}, {"type":"image","source":{"type":"base64","media_type":…,"data":…}}
    pub content: Value,
}

impl Message {
    pub fn user(content: impl Into<Value>) -> Message {
        Message { role: Role::User, content: content.into() }
    }
}

/// A conversation as a provider takes it: what the system says stands apart.
#[derive(Debug)]
pub struct Conversation {
    pub system: Option<String>,
    pub messages: Vec<Message>,
}

impl Conversation {
    pub fn of(messages: Vec<Message>) -> Result<Conversation, ApiError> {
        if messages.len() > MESSAGES_MAX {
            return Err(ApiError::invalid("messages", format!("a conversation has at most {MESSAGES_MAX} messages")));
        }
        check_bytes(&messages)?;
        let mut system = Vec::new();
        let mut others = Vec::with_capacity(messages.len());
        for (index, message) in messages.into_iter().enumerate() {
            let field = format!("messages[{index}].content");
            check_content(&field, &message.content)?;
            match message.role {
                Role::System => system.push(text_of(&field, message.content)?),
                _ => others.push(message),
            }
        }
        if others.is_empty() {
            return Err(ApiError::invalid("messages", "messages must have one of a user"));
        }
        Ok(Conversation { system: (!system.is_empty()).then(|| system.join("\n\n")), messages: others })
    }
}

fn check_bytes(messages: &[Message]) -> Result<(), ApiError> {
    let bytes = serde_json::to_vec(messages).map_or(usize::MAX, |json| json.len());
    if bytes <= CONVERSATION_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the messages have more than {CONVERSATION_BYTES_MAX} bytes together");
    Err(ApiError { details: Some(Box::new(json!({ "field": "messages" }))), ..ApiError::new(ErrorCode::PayloadTooLarge, message) })
}

/// Whose size is known from what is sent.
const BLOCKS: [&str; 6] = ["text", "image", "tool_use", "tool_result", "thinking", "redacted_thinking"];

fn check_content(field: &str, content: &Value) -> Result<(), ApiError> {
    match content {
        Value::String(text) if !text.trim().is_empty() => Ok(()),
        Value::Array(blocks) if !blocks.is_empty() && blocks.iter().all(Value::is_object) => {
            let kind = |block: &Value| block["type"].as_str().unwrap_or_default().to_owned();
            match blocks.iter().map(kind).find(|kind| !BLOCKS.contains(&kind.as_str())) {
                None => Ok(()),
                // A document of a few bytes may lead to a book: what it costs would be known too late.
                Some(kind) => Err(ApiError::invalid(
                    field,
                    format!("{field}: there are content blocks of the types {}, not '{kind}'", BLOCKS.join(", ")),
                )),
            }
        }
        _ => Err(ApiError::invalid(field, format!("{field} must be a text that is not empty, or a list of content blocks"))),
    }
}

/// Of what the system says, which has no images.
fn text_of(field: &str, content: Value) -> Result<String, ApiError> {
    let blocks = match content {
        Value::String(text) => return Ok(text),
        content => content,
    };
    let texts: Option<Vec<&str>> = blocks.as_array().into_iter().flatten().map(|block| block.get("text")?.as_str()).collect();
    texts.map(|texts| texts.join("\n\n")).ok_or_else(|| ApiError::invalid(field, format!("{field}: the system says texts only")))
}

/// More tokens than a request of so many bytes has. Images are counted each as one, however many bytes they have.
pub fn input_tokens_at_most<'a>(request_bytes: usize, contents: impl Iterator<Item = &'a Value>) -> u64 {
    let (images, image_bytes) = contents.map(images).fold((0, 0), |all, some| (all.0 + some.0, all.1 + some.1));
    tokens_at_most(request_bytes.saturating_sub(image_bytes)) + images * IMAGE_TOKENS
}

/// How many there are among content blocks, and the bytes of those that are sent along.
fn images(content: &Value) -> (u64, usize) {
    let mut all = (0, 0);
    for block in content.as_array().into_iter().flatten() {
        let some = match block.get("type").and_then(Value::as_str) {
            Some("image") => (1, block["source"]["data"].as_str().map_or(0, str::len)),
            Some("tool_result") => images(&block["content"]),
            _ => (0, 0),
        };
        all = (all.0 + some.0, all.1 + some.1);
    }
    all
}

/// A model's name.
pub fn model(model: Option<String>, default: &str) -> Result<String, ApiError> {
    let model = model.unwrap_or_else(|| default.to_owned());
    params::text("model", &model, MODEL_CHARACTERS_MAX)?;
    Ok(model)
}

pub fn temperature(temperature: Option<f64>, default: f64) -> Result<f64, ApiError> {
    match temperature.unwrap_or(default) {
        temperature @ 0.0..=1.0 => Ok(temperature),
        _ => Err(ApiError::invalid("temperature", "temperature must be between 0 and 1")),
    }
}

pub fn max_tokens(max_tokens: Option<u64>, default: u64) -> Result<u64, ApiError> {
    match max_tokens.unwrap_or(default) {
        tokens @ 1..=TOKENS_MAX => Ok(tokens),
        _ => Err(ApiError::invalid("maxTokens", format!("maxTokens must be between 1 and {TOKENS_MAX}"))),
    }
}
