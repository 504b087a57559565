//! A provider of models on this machine: it speaks the Messages API and transcriptions, checks what it is sent, and fails as it is told.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::support::PATIENCE;

pub const KEY: &str = "sk-test-0123456789abcdef";

/// What is answered to the next request.
pub enum Play {
    /// Content blocks.
    Say(Value),
    Status(u16, &'static str, Value),
    /// Begins a stream, says this, and breaks the connection off.
    Half(&'static str),
    /// Begins a stream, says this, and fails within it.
    ErrorEvent(&'static str, &'static str),
    /// What is no JSON.
    Garbage,
    /// Begins a stream, says this, and then nothing, until the other end goes away.
    Hang(&'static str),
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Play>>,
    seen: Mutex<Vec<Value>>,
    /// Connections that the other end has closed while it was waiting.
    left: Mutex<usize>,
    more_left: Condvar,
}

pub struct Provider {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Provider {
    pub fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let served = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = served.clone();
                thread::spawn(move || while serve_one(&stream, &shared).is_some() {});
            }
        });
        Provider { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// In this order; what is asked besides is answered with what was said.
    pub fn plays(&self, plays: impl IntoIterator<Item = Play>) {
        self.shared.script.lock().unwrap().extend(plays);
    }

    /// The requests since the last time that they were asked for.
    pub fn seen(&self) -> Vec<Value> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    #[track_caller]
    pub fn wait_until_left(&self) {
        let left = self.shared.left.lock().unwrap();
        let (left, _) = self.shared.more_left.wait_timeout_while(left, PATIENCE, |left| *left == 0).unwrap();
        assert!(*left > 0, "nobody has left");
    }
}

/// A request, as far as it matters.
struct Asked {
    path: String,
    head: String,
    body: Vec<u8>,
}

impl Asked {
    fn read(stream: &TcpStream) -> Option<Asked> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            (reader.read_line(&mut head).ok()? > 0).then_some(())?;
        }
        let path = head.split(' ').nth(1)?.to_owned();
        let mut asked = Asked { path, head, body: Vec::new() };
        asked.body = vec![0; asked.header("content-length").map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut asked.body).ok()?;
        Some(asked)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn serve_one(stream: &TcpStream, shared: &Shared) -> Option<()> {
    let asked = Asked::read(stream)?;
    match asked.path.as_str() {
        "/v1/messages" => messages(stream, shared, &asked),
        "/audio/transcriptions" => transcription(stream, shared, &asked),
        "/voice" => reply(stream, 200, "", "OggS from afar"),
        _ => reply(stream, 404, "", "{}"),
    }
}

fn reply(mut stream: &TcpStream, status: u16, headers: &str, body: &str) -> Option<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n");
    stream.write_all((head + body).as_bytes()).ok()
}

fn error(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}

fn messages(stream: &TcpStream, shared: &Shared, asked: &Asked) -> Option<()> {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let mut seen = body.clone();
    seen["beta"] = json!(asked.header("anthropic-beta"));
    shared.seen.lock().unwrap().push(seen);
    if let Err(fault) = check(asked, &body) {
        let (status, kind) = if fault == "x-api-key" { (401, "authentication_error") } else { (400, "invalid_request_error") };
        return reply(stream, status, "", &error(kind, &format!("{fault} of {KEY}")).to_string());
    }
    let play = shared.script.lock().unwrap().pop_front();
    let is_stream = body["stream"] == true;
    match play.unwrap_or_else(|| Play::Say(json!([{ "type": "text", "text": format!("Said: {}", last_text(&body)) }]))) {
        Play::Say(content) if is_stream => says(stream, &body, &content).and_then(|()| chunk(stream, b"")),
        Play::Say(content) => {
            let (model, stop_reason) = (&body["model"], stop_reason(&content));
            let usage = json!({ "input_tokens": 10, "output_tokens": 5 });
            let said = json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": content,
                "stop_reason": stop_reason, "usage": usage,
            });
            reply(stream, 200, "", &said.to_string())
        }
        Play::Status(status, headers, body) => reply(stream, status, headers, &body.to_string()),
        Play::Garbage => reply(stream, 200, "", "{\"content\": <html>"),
        Play::Half(text) => {
            begins(stream, &body, text)?;
            None
        }
        Play::ErrorEvent(text, kind) => {
            begins(stream, &body, text)?;
            event(stream, &error(kind, "it happens"))?;
            chunk(stream, b"")
        }
        Play::Hang(text) => {
            begins(stream, &body, text)?;
            // Ends when the other end has closed.
            let _ = (&mut &*stream).read(&mut [0]);
            *shared.left.lock().unwrap() += 1;
            shared.more_left.notify_all();
            None
        }
    }
}

/// What the API requires.
fn check(asked: &Asked, body: &Value) -> Result<(), &'static str> {
    let holds = |condition: bool, what: &'static str| if condition { Ok(()) } else { Err(what) };
    holds(asked.header("x-api-key") == Some(KEY), "x-api-key")?;
    holds(asked.header("anthropic-version") == Some("2023-06-01"), "anthropic-version")?;
    holds(asked.header("content-type") == Some("application/json"), "content-type")?;
    holds(body["model"].is_string() && body["max_tokens"].is_u64(), "model or max_tokens")?;
    let messages = body["messages"].as_array().ok_or("messages")?;
    holds(messages.first().is_some_and(|first| first["role"] == "user"), "the first message")?;
    holds(messages.iter().all(|message| message["role"] == "user" || message["role"] == "assistant"), "roles")?;
    for pair in messages.windows(2) {
        let wanted = ids(&pair[0], "tool_use", "id");
        holds(wanted.is_empty() || wanted == ids(&pair[1], "tool_result", "tool_use_id"), "tool_result")?;
    }
    let tools = body["tools"].as_array().cloned().unwrap_or_default();
    holds(tools.iter().all(|tool| tool["type"].is_string() || tool["input_schema"]["type"] == "object"), "input_schema")
}

fn ids(message: &Value, kind: &str, field: &str) -> Vec<Value> {
    let blocks = message["content"].as_array().into_iter().flatten();
    blocks.filter(|block| block["type"] == kind).map(|block| block[field].clone()).collect()
}

fn last_text(body: &Value) -> String {
    let content = body["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    content.as_str().map_or_else(|| content.to_string(), str::to_owned)
}

fn stop_reason(content: &Value) -> &'static str {
    let has_tool = content.as_array().unwrap().iter().any(|block| block["type"] == "tool_use");
    if has_tool { "tool_use" } else { "end_turn" }
}

fn chunk(mut stream: &TcpStream, bytes: &[u8]) -> Option<()> {
    stream.write_all(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()).ok()
}

fn event(stream: &TcpStream, data: &Value) -> Option<()> {
    chunk(stream, format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()).as_bytes())
}

/// The head and the start of a message.
fn starts(mut stream: &TcpStream, body: &Value) -> Option<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
    let usage = json!({ "input_tokens": 10, "output_tokens": 1 });
    event(
        stream,
        &json!({ "type": "message_start", "message": { "id": "msg_1", "model": body["model"], "content": [], "usage": usage } }),
    )?;
    event(stream, &json!({ "type": "ping" }))
}

fn begins(stream: &TcpStream, body: &Value, text: &str) -> Option<()> {
    starts(stream, body)?;
    event(stream, &json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }))?;
    event(stream, &json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } }))
}

/// A whole message: texts in two halves, inputs of tools too.
fn says(stream: &TcpStream, body: &Value, content: &Value) -> Option<()> {
    starts(stream, body)?;
    for (index, block) in content.as_array().unwrap().iter().enumerate() {
        let (text, delta) = match block["type"].as_str().unwrap() {
            "text" => (block["text"].as_str().unwrap().to_owned(), ("text_delta", "text")),
            _ => (block["input"].to_string(), ("input_json_delta", "partial_json")),
        };
        let mut empty = block.clone();
        empty[if delta.0 == "text_delta" { "text" } else { "input" }] = if delta.0 == "text_delta" { json!("") } else { json!({}) };
        event(stream, &json!({ "type": "content_block_start", "index": index, "content_block": empty }))?;
        let half = text.floor_char_boundary(text.len() / 2);
        for part in [&text[..half], &text[half..]] {
            let delta = json!({ "type": delta.0, delta.1: part });
            event(stream, &json!({ "type": "content_block_delta", "index": index, "delta": delta }))?;
        }
        event(stream, &json!({ "type": "content_block_stop", "index": index }))?;
    }
    let delta = json!({ "stop_reason": stop_reason(content), "stop_sequence": null });
    event(stream, &json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 5 } }))?;
    event(stream, &json!({ "type": "message_stop" }))
}

/// A minute of English, whatever it is.
fn transcription(stream: &TcpStream, shared: &Shared, asked: &Asked) -> Option<()> {
    let boundary = asked.header("content-type").and_then(|value| value.strip_prefix("multipart/form-data; boundary="));
    if asked.header("authorization") != Some(&format!("Bearer {KEY}")) {
        return reply(stream, 401, "", &json!({ "error": { "type": "x", "message": format!("Incorrect API key: {KEY}") } }).to_string());
    }
    let form = String::from_utf8_lossy(&asked.body).into_owned();
    let parts: Vec<&str> = form.split(&format!("--{}", boundary.unwrap())).collect();
    let field = |name: &str| {
        let part = parts.iter().find(|part| part.contains(&format!("name=\"{name}\"")))?;
        part.split_once("\r\n\r\n").map(|(_, value)| value.trim_end_matches("\r\n").to_owned())
    };
    let file = parts.iter().find_map(|part| part.split("filename=\"").nth(1)?.split('"').next());
    shared.seen.lock().unwrap().push(json!({
        "model": field("model"), "response_format": field("response_format"), "language": field("language"),
        "file": field("file"), "file_name": file,
    }));
    assert_eq!(parts.last(), Some(&"--\r\n"));
    reply(stream, 200, "", &json!({ "task": "transcribe", "text": "Hello.", "language": "english", "duration": 60.0 }).to_string())
}
