//! `computerUse`: a model that uses a computer of the caller's. It is asked, and what it wants done is the caller's to do.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    anthropic::{Anthropic, Ask},
    chat::Tokens,
    message::{self, Conversation, Message, Role},
    tools::Tool,
};
use crate::{Answer, ApiError, Caller, Control, Means, params};

const MODEL: &str = "claude-sonnet-4-6";
const TEMPERATURE: f64 = 1.0;
const TOKENS: u64 = 4_096;
const TOOLS_MAX: usize = 20;
const COMPUTER: &str = "computer_20251124";
/// Tokens cost so many times what they do elsewhere.
const MULTIPLIER: u64 = 6;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComputerUseParams {
    /// As Anthropic has them, with tool_result blocks that hold screenshots.
    pub messages: Vec<Message>,
    /// As Anthropic has them; a computer with a screen of 1024x768 if not given.
    pub tools: Option<Vec<Value>>,
    /// claude-sonnet-4-6 if not given; Sonnet only.
    pub model: Option<String>,
    /// That the answer has at most; 4,096 if not given.
    #[serde(default, deserialize_with = "params::count")]
    pub max_tokens: Option<u64>,
    /// What guides the model.
    pub system: Option<String>,
    /// 1 if not given.
    #[schemars(range(min = 0, max = 1))]
    pub temperature: Option<f64>,
}

/// The provider's answer as it is, with its numbers as the rest of this API has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ComputerUse {
    #[serde(flatten)]
    raw: Value,
    stop_reason: Option<String>,
    #[serde(flatten)]
    tokens: Tokens,
    tokens_charged: u64,
}

pub async fn computer_use(control: &Arc<Control>, caller: &Caller, means: &Means, params: ComputerUseParams) -> Result<Answer, ApiError> {
    let model = message::model(params.model, MODEL)?;
    if !model.contains("sonnet") {
        return Err(ApiError::invalid("model", "model must be one of Sonnet, such as claude-sonnet-4-6"));
    }
    let tools = params.tools.unwrap_or_else(|| vec![screen()]);
    if tools.is_empty() || tools.len() > TOOLS_MAX || !tools.iter().all(is_callers) {
        let message = format!(
            "tools must be 1 to {TOOLS_MAX} definitions of tools that you carry out: {}, or custom ones",
            CALLERS.map(|kind| format!("{kind}*")).join(", ")
        );
        return Err(ApiError::invalid("tools", message));
    }
    let beta = beta(&tools);
    let system = params.system.map(|system| Message { role: Role::System, content: system.into() });
    let Conversation { system, messages } = Conversation::of(system.into_iter().chain(params.messages).collect())?;
    let ask = Ask {
        model,
        max_tokens: message::max_tokens(params.max_tokens, TOKENS)?,
        temperature: message::temperature(params.temperature, TEMPERATURE)?,
        system,
        messages,
        tools: tools.into_iter().map(Tool::Foreign).collect(),
        tool_choice: None,
    };
    let (raw, usage) = Anthropic::new(control, caller, means).with_factor(MULTIPLIER).with_beta(beta).ask_raw(&ask).await?;
    let stop_reason = raw.get("stop_reason").and_then(Value::as_str).map(str::to_owned);
    let tokens_charged = usage.total().saturating_mul(MULTIPLIER);
    Answer::of(&ComputerUse { raw, stop_reason, tokens: Tokens::from(&usage), tokens_charged })
}

/// What a provider carries out itself costs besides tokens.
const CALLERS: [&str; 3] = ["computer_", "bash_", "text_editor_"];

fn is_callers(tool: &Value) -> bool {
    match tool["type"].as_str() {
        Some(kind) => kind == "custom" || CALLERS.iter().any(|prefix| kind.starts_with(prefix)),
        None => tool.is_object() && tool["type"].is_null(),
    }
}

fn screen() -> Value {
    json!({ "type": COMPUTER, "name": "computer", "display_width_px": 1024, "display_height_px": 768 })
}

/// Each version of the tool has its own: `computer-use-2025-11-24` is that of `computer_20251124`.
fn beta(tools: &[Value]) -> String {
    let date = |tool: &Value| {
        let date = tool.get("type")?.as_str()?.strip_prefix("computer_")?;
        (date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())).then(|| date.to_owned())
    };
    let date = tools.iter().find_map(date).unwrap_or_else(|| COMPUTER.trim_start_matches("computer_").to_owned());
    format!("computer-use-{}-{}-{}", &date[..4], &date[4..6], &date[6..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beta_is_that_of_the_tool() {
        assert_eq!(beta(&[screen()]), "computer-use-2025-11-24");
        let bash = json!({ "type": "bash_20250124", "name": "bash" });
        assert_eq!(beta(&[bash.clone(), json!({ "type": "computer_20250124" })]), "computer-use-2025-01-24");
        assert_eq!(beta(&[bash, json!({ "type": "computer_é" })]), "computer-use-2025-11-24");
    }
}
