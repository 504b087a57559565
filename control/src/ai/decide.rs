//! `decide`: which of some options.

use std::{collections::BTreeSet, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    anthropic::{Anthropic, Ask, Block},
    chat::MODEL,
    message::{self, Conversation, Message},
    tools::Tool,
};
use crate::{Answer, ApiError, Caller, Control, Means, params};

const OPTIONS_MAX: usize = 100;
const ID_CHARACTERS_MAX: usize = 200;
const TOKENS: u64 = 1_000;
/// A model that names none of the options is asked once more.
const ATTEMPTS: usize = 2;
const TOOL: &str = "decide";

#[derive(Deserialize, JsonSchema)]
pub struct DecideParams {
    /// What is to be decided, and why.
    pub prompt: String,
    #[schemars(length(min = 1, max = OPTIONS_MAX))]
    pub options: Vec<DecisionOption>,
    /// What else helps to decide: a text or any JSON.
    pub context: Option<Value>,
    /// claude-3-haiku-20240307 if not given.
    pub model: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct DecisionOption {
    pub id: String,
    pub label: String,
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "params::some")]
    pub metadata: Map<String, Value>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    selected_option: String,
    #[serde(default)]
    reasoning: String,
}

pub async fn decide(control: &Arc<Control>, caller: &Caller, means: &Means, params: DecideParams) -> Result<Answer, ApiError> {
    let ids: BTreeSet<String> = params.options.iter().map(|option| option.id.clone()).collect();
    let anthropic = Anthropic::new(control, caller, means);
    let ask = asked(params, &ids)?;
    for _ in 0..ATTEMPTS {
        let said = anthropic.ask(&ask).await?;
        let inputs = said.content.into_iter().filter_map(|block| if let Block::ToolUse { input, .. } = block { Some(input) } else { None });
        let mut decisions = inputs.filter_map(|input| serde_json::from_value::<Decision>(input).ok());
        if let Some(decision) = decisions.find(|decision| ids.contains(&decision.selected_option)) {
            return Answer::of(&decision);
        }
    }
    Err(ApiError::internal("the model chose none of the options, twice", format!("{} options", ids.len())))
}

fn asked(params: DecideParams, ids: &BTreeSet<String>) -> Result<Ask, ApiError> {
    let DecideParams { prompt, options, context, model } = params;
    params::text("prompt", &prompt, message::CONVERSATION_BYTES_MAX)?;
    if options.is_empty() || options.len() > OPTIONS_MAX {
        return Err(ApiError::invalid("options", format!("options must be 1 to {OPTIONS_MAX}")));
    }
    options
        .iter()
        .enumerate()
        .try_for_each(|(index, option)| params::text(&format!("options[{index}].id"), &option.id, ID_CHARACTERS_MAX))?;
    if ids.len() < options.len() {
        return Err(ApiError::invalid("options", "options must have different ids"));
    }
    let options = serde_json::to_string(&options).map_err(|error| ApiError::internal("the options cannot be written", error))?;
    let context = match context {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => format!("\n\nContext:\n{text}"),
        Some(other) => format!("\n\nContext:\n{other}"),
    };
    let Conversation { system, messages } = Conversation::of(vec![
        Message {
            role: message::Role::System,
            content: format!("Decide which of the options fits best, and answer with the tool {TOOL}.").into(),
        },
        Message::user(format!("{prompt}{context}\n\nOptions:\n{options}")),
    ])?;
    Ok(Ask {
        model: message::model(model, MODEL)?,
        max_tokens: TOKENS,
        temperature: 0.0,
        system,
        messages,
        tools: vec![tool(ids)],
        tool_choice: Some(json!({ "type": "tool", "name": TOOL })),
    })
}

fn tool(ids: &BTreeSet<String>) -> Tool {
    Tool::Own {
        name: TOOL.to_owned(),
        description: "Tells the decision.".to_owned(),
        input_schema: json!({
            "type": "object",
            "properties": {
                "reasoning": { "type": "string", "description": "Why this option, in a few sentences." },
                "selectedOption": { "type": "string", "enum": ids, "description": "The id of the option." },
            },
            "required": ["reasoning", "selectedOption"],
        }),
    }
}
