use base64::{Engine as _, prelude::BASE64_STANDARD};
use mirra_host_sdk::{ErrorCode, OperationError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call,
    typed::{Answered, failure, object},
    typed_bindings::mirra::function::ai::{
        Audio, ChatAnswer, ChatParams, Choice, Decision, Host, Message, Role, Transcription, TranscriptionParams,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadChat {
    content: String,
    model: String,
    input_tokens: u32,
    output_tokens: u32,
    total_tokens: u32,
}

#[derive(Deserialize)]
struct ReadError {
    message: String,
}

/// One of a batch: an answer, or why there is none.
#[derive(Deserialize)]
struct ReadItem {
    #[serde(default)]
    error: Option<ReadError>,
    #[serde(flatten)]
    answer: ReadChat,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadDecision {
    selected_option: String,
    reasoning: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadTranscription {
    text: String,
    language: Option<String>,
    duration_seconds: Option<f64>,
    model: String,
}

impl From<ReadChat> for ChatAnswer {
    fn from(read: ReadChat) -> ChatAnswer {
        let ReadChat { content, model, input_tokens, output_tokens, total_tokens } = read;
        ChatAnswer { content, model, input_tokens, output_tokens, total_tokens }
    }
}

fn chat(params: ChatParams) -> Value {
    let ChatParams { messages, model, temperature, max_tokens } = params;
    let messages: Vec<Value> = messages
        .into_iter()
        .map(|Message { role, content }| {
            let role = match role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            json!({ "role": role, "content": content })
        })
        .collect();
    object([
        ("messages", Some(messages.into())),
        ("model", model.map(Value::from)),
        ("temperature", temperature.map(Value::from)),
        ("maxTokens", max_tokens.map(Value::from)),
    ])
}

impl Host for Call {
    async fn chat(&mut self, params: ChatParams) -> Answered<ChatAnswer> {
        Ok(self.perform::<ReadChat>("ai.chat", chat(params)).await?.map(ChatAnswer::from))
    }

    async fn batch_chat(&mut self, requests: Vec<ChatParams>) -> Answered<Vec<ChatAnswer>> {
        let requests: Vec<Value> = requests.into_iter().map(chat).collect();
        let items = self.perform::<Vec<ReadItem>>("ai.batchChat", json!({ "requests": requests })).await?;
        // A list of answers has no place for a failure.
        let answer = |ReadItem { error, answer }: ReadItem| match error {
            Some(ReadError { message }) => Err(failure(OperationError::new(ErrorCode::InternalError, message))),
            None => Ok(ChatAnswer::from(answer)),
        };
        Ok(items.and_then(|items| items.into_iter().map(answer).collect()))
    }

    async fn decide(&mut self, prompt: String, options: Vec<Choice>, context: Option<String>) -> Answered<Decision> {
        let options: Vec<Value> = options.into_iter().map(|Choice { id, label }| json!({ "id": id, "label": label })).collect();
        let params = object([("prompt", Some(prompt.into())), ("options", Some(options.into())), ("context", context.map(Value::from))]);
        let decided = self.perform::<ReadDecision>("ai.decide", params).await?;
        Ok(decided.map(|ReadDecision { selected_option, reasoning }| Decision { selected_option, reasoning }))
    }

    async fn transcribe_audio(&mut self, params: TranscriptionParams) -> Answered<Transcription> {
        let TranscriptionParams { audio, mime_type, language, prompt } = params;
        let audio = match audio {
            Audio::Url(url) => ("url", Some(Value::from(url))),
            Audio::Bytes(bytes) => ("base64", Some(Value::from(BASE64_STANDARD.encode(bytes)))),
        };
        let text = |name, text: Option<String>| (name, text.map(Value::from));
        let params = object([audio, text("mimeType", mime_type), text("language", language), text("prompt", prompt)]);
        let read = self.perform::<ReadTranscription>("ai.transcribeAudio", params).await?;
        Ok(read.map(|ReadTranscription { text, language, duration_seconds, model }| Transcription {
            text,
            language,
            duration_seconds,
            model,
        }))
    }

    async fn agent(&mut self, params: String) -> Answered<String> {
        self.performed("ai.agent", params).await
    }

    async fn computer_use(&mut self, params: String) -> Answered<String> {
        self.performed("ai.computerUse", params).await
    }
}
