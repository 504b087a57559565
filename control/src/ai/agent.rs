//! `agent`: a model that uses the operations of this server until it has done what it was asked for; `agentStream`, the same as it happens.

use std::sync::Arc;

use futures_util::{StreamExt, stream::FuturesUnordered};
use mirra_host_sdk::{ErrorCode, Json, OperationError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    anthropic::{Anthropic, Ask, Block, Said},
    chat::Tokens,
    message::{self, CONVERSATION_BYTES_MAX, Conversation, Message, Role},
    parts::{self, Parts},
    price::Usage,
    tools,
};
use crate::{Answer, ApiError, Caller, Control, Means, params};

const MODEL: &str = "claude-sonnet-4-20250514";
const TEMPERATURE: f64 = 0.5;
const TOKENS: u64 = 4_096;
const ROUNDS: u64 = 10;
const ROUNDS_MAX: u64 = 25;
/// Of one round; what a model wants beyond is refused to it.
const CALLS_MAX: usize = 32;
/// Of a tool's answer, as the model sees it and as it is told.
const RESULT_BYTES_MAX: usize = 50_000;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentParams {
    pub messages: Vec<Message>,
    /// The adapters and installed resources that it may use, such as `memory` or `telegram`; all that the key may if not given.
    pub tools: Option<Vec<String>>,
    /// What guides the agent.
    pub system_prompt: Option<String>,
    /// claude-sonnet-4-20250514 if not given.
    pub model: Option<String>,
    /// From 0 to 1; 0.5 if not given.
    #[schemars(range(min = 0, max = 1))]
    pub temperature: Option<f64>,
    /// That the model says at most each time; 4,096 if not given.
    #[serde(default, deserialize_with = "params::count")]
    pub max_tokens: Option<u64>,
    /// How often it is asked; 10 if not given, and at most 25.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(range(min = 1, max = ROUNDS_MAX))]
    pub max_rounds: Option<u64>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum StopReason {
    EndTurn,
    MaxRounds,
    Error,
    /// Its time was over.
    Abort,
}

/// What came of it, so far.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    content: String,
    model: String,
    #[serde(flatten)]
    tokens: Tokens,
    rounds: u64,
    tool_calls: Vec<ToolCall>,
    stop_reason: StopReason,
    /// Why it stopped, where that was no choice of the model's.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Clone, Serialize)]
struct Called {
    name: String,
    arguments: Value,
}

#[derive(Serialize)]
struct ToolCall {
    #[serde(flatten)]
    called: Called,
    /// JSON, or a text where it was cut.
    result: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    Text { delta: &'a str },
    ToolStart { round: u64, tool: &'a Called },
    ToolComplete { round: u64, tool: &'a Called, result: &'a Value, error: Option<&'a str> },
    Done { result: &'a Outcome },
}

struct Run {
    control: Arc<Control>,
    caller: Caller,
    means: Means,
    ask: Ask,
    rounds_max: u64,
    /// Of what was said since the beginning.
    bytes: usize,
    usage: Usage,
    outcome: Outcome,
}

/// Where it fails after it has done something, what it did is told with why it stopped.
pub async fn agent(control: &Arc<Control>, caller: &Caller, means: &Means, params: AgentParams) -> Result<Answer, ApiError> {
    let mut run = Run::new(control, caller, means, params).await?;
    match run.rounds(&Parts::nobody()).await {
        Ok(stop_reason) => run.outcome.stop_reason = stop_reason,
        Err(error) if run.outcome.tool_calls.is_empty() => return Err(error),
        Err(error) => {
            run.outcome.stop_reason = if error.code == ErrorCode::Timeout { StopReason::Abort } else { StopReason::Error };
            run.outcome.error = Some(OperationError::from(error).message);
        }
    }
    Answer::of(&run.ended())
}

/// Parts are `{type: text | tool_start | tool_complete | done, …}`; the last one is `done`, with what `agent` answers.
pub async fn agent_stream(control: &Arc<Control>, caller: &Caller, means: &Means, params: AgentParams) -> Result<Answer, ApiError> {
    let mut run = Run::new(control, caller, means, params).await?;
    parts::answer(|parts| async move {
        run.outcome.stop_reason = run.rounds(&parts).await?;
        parts::json(&Event::Done { result: &run.ended() })
    })
    .await
}

impl Run {
    async fn new(control: &Arc<Control>, caller: &Caller, means: &Means, params: AgentParams) -> Result<Run, ApiError> {
        let rounds_max = params.max_rounds.unwrap_or(ROUNDS);
        if !(1..=ROUNDS_MAX).contains(&rounds_max) {
            return Err(ApiError::invalid("maxRounds", format!("maxRounds must be between 1 and {ROUNDS_MAX}")));
        }
        let system = params.system_prompt.map(|prompt| Message { role: Role::System, content: prompt.into() });
        let Conversation { system, messages } = Conversation::of(system.into_iter().chain(params.messages).collect())?;
        let ask = Ask {
            model: message::model(params.model, MODEL)?,
            max_tokens: message::max_tokens(params.max_tokens, TOKENS)?,
            temperature: message::temperature(params.temperature, TEMPERATURE)?,
            system,
            messages,
            tools: tools::list(control, caller, means, params.tools.as_deref()).await?,
            tool_choice: None,
        };
        Ok(Run {
            control: control.clone(),
            caller: caller.clone(),
            means: means.clone(),
            bytes: serde_json::to_vec(&ask.messages).map_or(0, |json| json.len()),
            rounds_max,
            usage: Usage::default(),
            outcome: Outcome {
                content: String::new(),
                model: ask.model.clone(),
                tokens: Tokens::default(),
                rounds: 0,
                tool_calls: Vec::new(),
                stop_reason: StopReason::EndTurn,
                error: None,
            },
            ask,
        })
    }

    fn ended(self) -> Outcome {
        Outcome { tokens: Tokens::from(&self.usage), ..self.outcome }
    }

    async fn rounds(&mut self, parts: &Parts) -> Result<StopReason, ApiError> {
        let anthropic = Anthropic::new(&self.control, &self.caller, &self.means);
        while self.outcome.rounds < self.rounds_max {
            self.check_key().await?;
            let said = self.say(&anthropic, parts).await?;
            let calls: Vec<(String, Called)> = said.content.iter().filter_map(call).collect();
            let unfinished = match said.stop_reason.as_deref() {
                Some("refusal") => Some("the model refused to go on"),
                // What it wanted last may have come in half.
                Some("max_tokens") if !calls.is_empty() => Some("the model was cut off while it used a tool: raise maxTokens"),
                _ => None,
            };
            if let Some(reason) = unfinished {
                self.outcome.error = Some(reason.to_owned());
                return Ok(StopReason::Error);
            }
            if calls.is_empty() {
                return Ok(StopReason::EndTurn);
            }
            let results = self.carry_out(calls, parts).await?;
            let said: Vec<Block> = said.content.into_iter().filter_map(repeatable).collect();
            self.remember(Role::Assistant, json!(said))?;
            self.remember(Role::User, Value::Array(results))?;
        }
        Ok(StopReason::MaxRounds)
    }

    /// A key that was revoked while an agent works ends its work.
    async fn check_key(&self) -> Result<(), ApiError> {
        match self.control.still_counts(&self.caller).await? {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::Unauthorized, "the key was revoked")),
        }
    }

    /// What the model says next.
    async fn say(&mut self, anthropic: &Anthropic, parts: &Parts) -> Result<Said, ApiError> {
        let mut streaming = anthropic.stream(&self.ask).await?;
        self.outcome.rounds += 1;
        if self.outcome.rounds == 1 {
            // Whoever waits knows by it that there will be an answer.
            parts.hand_on(&Event::Text { delta: "" }).await?;
        }
        while let Some(text) = streaming.text().await? {
            parts.hand_on(&Event::Text { delta: &text }).await?;
        }
        let said = streaming.end();
        self.usage.add(&said.usage);
        self.outcome.content = said.text();
        if !said.model.is_empty() {
            self.outcome.model.clone_from(&said.model);
        }
        Ok(said)
    }

    /// All that the model wants, at once. What fails is told to it, so that it can try something else.
    async fn carry_out(&mut self, calls: Vec<(String, Called)>, parts: &Parts) -> Result<Vec<Value>, ApiError> {
        let round = self.outcome.rounds;
        for (_, tool) in &calls {
            parts.hand_on(&Event::ToolStart { round, tool }).await?;
        }
        let mut results: Vec<Option<(Value, ToolCall)>> = calls.iter().map(|_| None).collect();
        let mut underway: FuturesUnordered<_> =
            calls.into_iter().enumerate().map(|(index, (id, called))| self.called(index, id, called)).collect();
        while let Some((index, result, call)) = underway.next().await {
            let (result_told, error) = (&call.result, call.error.as_deref());
            parts.hand_on(&Event::ToolComplete { round, tool: &call.called, result: result_told, error }).await?;
            if let Some(place) = results.get_mut(index) {
                *place = Some((result, call));
            }
        }
        drop(underway);
        let (results, calls): (Vec<Value>, Vec<ToolCall>) = results.into_iter().flatten().unzip();
        self.outcome.tool_calls.extend(calls);
        Ok(results)
    }

    /// What one call answers: to the model, and for the history.
    async fn called(&self, index: usize, id: String, called: Called) -> (usize, Value, ToolCall) {
        let answered = match index < CALLS_MAX {
            true => self.answered(&called).await.map_err(|error| OperationError::from(error).to_string()),
            false => Err(format!("only {CALLS_MAX} tools can be used at once")),
        };
        let (text, error) = match &answered {
            Ok(json) => (cut(json.get()), None),
            Err(error) => (cut(error), Some(error.clone())),
        };
        let result = match &answered {
            Ok(_) => serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone())),
            Err(_) => Value::Null,
        };
        let told = json!({ "type": "tool_result", "tool_use_id": id, "content": text, "is_error": error.is_some() });
        (index, told, ToolCall { called, result, error })
    }

    async fn answered(&self, Called { name, arguments }: &Called) -> Result<Json, ApiError> {
        let is_offered = self.ask.tools.iter().any(|tool| tool.is(name));
        if !is_offered {
            return Err(ApiError::not_found(&format!("tool '{name}'")));
        }
        tools::carry_out(&self.control, &self.caller, &self.means, name, &parts::json(arguments)?).await
    }

    fn remember(&mut self, role: Role, content: Value) -> Result<(), ApiError> {
        self.bytes = self.bytes.saturating_add(content.to_string().len());
        if self.bytes > CONVERSATION_BYTES_MAX {
            let message = format!("what was said has grown beyond {CONVERSATION_BYTES_MAX} bytes");
            return Err(ApiError::new(ErrorCode::PayloadTooLarge, message));
        }
        self.ask.messages.push(Message { role, content });
        Ok(())
    }
}

fn call(block: &Block) -> Option<(String, Called)> {
    match block {
        Block::ToolUse { id, name, input } => Some((id.clone(), Called { name: name.clone(), arguments: input.clone() })),
        _ => None,
    }
}

/// What may be said back to a provider: it refuses a text of nothing, and an input that is none.
fn repeatable(block: Block) -> Option<Block> {
    match block {
        Block::Text { text } if text.trim().is_empty() => None,
        Block::ToolUse { id, name, input } if !input.is_object() => Some(Block::ToolUse { id, name, input: json!({}) }),
        Block::Other => None,
        block => Some(block),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= RESULT_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(RESULT_BYTES_MAX);
    format!("{}\n[cut here: {end} of {} bytes]", &text[..end], text.len())
}
