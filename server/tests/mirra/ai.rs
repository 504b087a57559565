//! Models over the API, with a provider on this machine.

use std::{io::Read, net::TcpStream};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    ai_provider::{KEY, Play, Provider},
    control::{OWNER_KEY, User, data, refusal},
    resources::{crypto, prices},
    support::{Reply, Server, fixtures, write},
};

pub struct Bed {
    pub provider: Provider,
    pub server: Server,
    _data: TempDir,
}

impl Bed {
    pub fn start() -> Bed {
        Bed::start_with(KEY, "")
    }

    /// `beside`: another server that it may reach.
    fn start_with(key: &str, beside: &str) -> Bed {
        let (provider, data) = (Provider::start(), tempdir().unwrap());
        let address = [&provider.address.to_string(), beside].join(",");
        let address = address.trim_end_matches(',');
        let echo = data.path().join("echo.wasm");
        write(&echo, wat::parse_file(fixtures("components/echo.wat")).unwrap());
        let server = Server::start_with(&[&echo], &["--data", data.path().to_str().unwrap(), "--allow-net", address], |command| {
            command.env("MIRRA_OWNER_KEY", OWNER_KEY).env("MIRRA_ANTHROPIC_URL", provider.url()).env("MIRRA_OPENAI_URL", provider.url());
            command.env("MIRRA_AI_ANTHROPIC_KEY", key).env("MIRRA_AI_OPENAI_KEY", key).env("RUST_LOG", "debug");
        });
        Bed { provider, server, _data: data }
    }

    pub fn owner(&self) -> User<'_> {
        User { server: &self.server, key: OWNER_KEY.to_owned() }
    }

    fn ai(&self, method: &str, params: Value) -> Reply {
        self.owner().dispatch("ai", method, params)
    }

    /// A stream that has begun, and what was read of it.
    fn begin(&self, key: &str, method: &str, params: &Value) -> TcpStream {
        use std::io::Write;
        let body = params.to_string();
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        let head = format!("POST /api/sdk/v1/ai/{method} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-API-Key: {key}\r\n");
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        stream
    }

    /// All parts of a stream, as its clients read them.
    pub fn stream(&self, method: &str, params: &Value) -> Vec<Value> {
        let mut text = String::new();
        self.begin(OWNER_KEY, method, params).read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("content-type: text/event-stream"), "{text}");
        parts(&text)
    }
}

fn parts(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| line.strip_prefix("data: ")).map(|part| serde_json::from_str(part).unwrap()).collect()
}

pub fn uses(tools: &[(&str, Value)]) -> Play {
    let blocks = tools
        .iter()
        .enumerate()
        .map(|(index, (name, input))| json!({ "type": "tool_use", "id": format!("tu_{index}"), "name": name, "input": input }));
    Play::Say([json!({ "type": "text", "text": "Let me see." })].into_iter().chain(blocks).collect())
}

pub fn question(text: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": text }] })
}

#[test]
fn a_chat_is_answered_alike_by_every_form() {
    let bed = Bed::start();
    let params = json!({
        "messages": [{ "role": "system", "content": "Be short." }, { "role": "user", "content": "Hi" }],
        "model": "claude-sonnet-4-6", "temperature": 0.2, "maxTokens": 50, "streamTo": {},
    });
    let expected = json!({
        "content": "Said: Hi", "model": "claude-sonnet-4-6", "inputTokens": 10, "outputTokens": 5,
        "cacheCreationTokens": 0, "cacheReadTokens": 0, "totalTokens": 15, "usage": { "inputTokens": 10, "outputTokens": 5 },
    });
    for reply in [bed.ai("chat", params.clone()), bed.owner().request("POST", "/v1/ai/chat", params)] {
        assert_eq!(data(reply), expected);
    }
    let seen = &bed.provider.seen()[0];
    assert_eq!((&seen["system"], &seen["max_tokens"], &seen["temperature"]), (&json!("Be short."), &json!(50), &json!(0.2)));
    assert_eq!(data(bed.ai("chat", json!({ "message": "Hi" })))["content"], "Said: Hi");
    let seen = &bed.provider.seen()[0];
    assert_eq!((&seen["model"], &seen["max_tokens"], &seen["temperature"]), (&json!("claude-3-haiku-20240307"), &json!(1000), &json!(0.7)));
    let batch = data(bed.ai("batchChat", json!({ "requests": (0..20).map(|n| json!({ "message": n.to_string() })).collect::<Vec<_>>() })));
    let answers: Vec<&str> = batch.as_array().unwrap().iter().map(|answer| answer["content"].as_str().unwrap()).collect();
    assert_eq!(answers, (0..20).map(|n| format!("Said: {n}")).collect::<Vec<_>>());
    assert_eq!(batch[0]["usage"], json!({ "inputTokens": 10, "outputTokens": 5 }));
}

#[test]
fn a_decision_is_one_of_the_options() {
    let bed = Bed::start();
    let chooses = |id: &str| {
        Play::Say(json!([{ "type": "tool_use", "id": "tu", "name": "decide", "input": { "selectedOption": id, "reasoning": "so" } }]))
    };
    let params = json!({ "prompt": "Which?", "context": { "a": 1 }, "options": [{ "id": "x", "label": "X", "metadata": { "n": 1 } }, { "id": "y", "label": "Y" }] });
    bed.provider.plays([chooses("z"), chooses("y")]);
    assert_eq!(data(bed.ai("decide", params.clone())), json!({ "selectedOption": "y", "reasoning": "so" }));
    let seen = bed.provider.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["tools"][0]["input_schema"]["properties"]["selectedOption"]["enum"], json!(["x", "y"]));
    assert_eq!(seen[0]["tool_choice"], json!({ "type": "tool", "name": "decide" }));
    bed.provider.plays([chooses("z"), chooses("z")]);
    assert_eq!(bed.owner().request("POST", "/v1/ai/decide", params).code(), "INTERNAL_ERROR");
}

#[test]
fn a_computer_is_the_callers_and_the_answer_the_providers() {
    let bed = Bed::start();
    bed.provider.plays([Play::Say(json!([{ "type": "tool_use", "id": "tu", "name": "computer", "input": { "action": "screenshot" } }]))]);
    let answer = data(bed.ai("computerUse", question("Open it")));
    assert_eq!((&answer["stop_reason"], &answer["content"][0]["input"]["action"]), (&json!("tool_use"), &json!("screenshot")));
    assert_eq!((&answer["tokensCharged"], &answer["totalTokens"], &answer["usage"]["input_tokens"]), (&json!(90), &json!(15), &json!(10)));
    let seen = &bed.provider.seen()[0];
    let screen = json!({ "type": "computer_20251124", "name": "computer", "display_width_px": 1024, "display_height_px": 768 });
    assert_eq!(
        (&seen["beta"], &seen["tools"], &seen["model"]),
        (&json!("computer-use-2025-11-24"), &json!([screen]), &json!("claude-sonnet-4-6"))
    );
    let opus = json!({ "messages": [{ "role": "user", "content": "x" }], "model": "claude-opus-4-6" });
    assert_eq!(refusal(&bed.ai("computerUse", opus)).2, "model");
}

#[test]
fn a_recording_is_written_down() {
    let bed = Bed::start();
    let expected = json!({ "text": "Hello.", "language": "en", "durationSeconds": 60.0, "model": "whisper-1" });
    assert_eq!(data(bed.ai("transcribeAudio", json!({ "base64": "data:audio/ogg;base64,T2dnUw==" }))), expected);
    let seen = &bed.provider.seen()[0];
    let fields = ["model", "response_format", "file", "file_name"].map(|field| seen[field].as_str().unwrap());
    assert_eq!(fields, ["whisper-1", "verbose_json", "OggS", "audio.ogg"]);
    let given = json!({ "base64": "T2dnUw==", "mimeType": "audio/wav", "language": "fr" });
    assert_eq!(data(bed.owner().request("POST", "/v1/ai/transcribeAudio", given))["language"], "fr");
    assert_eq!(bed.provider.seen()[0]["file_name"], "audio.wav");
    assert_eq!(data(bed.ai("transcribeAudio", json!({ "url": format!("{}/voice", bed.provider.url()) }))), expected);
    assert_eq!((&bed.provider.seen()[0]["file"], bed.provider.seen().len()), (&json!("OggS from afar"), 0));
    // A tenant's address is on the public internet, or named by the operator.
    for (params, field) in [
        (json!({ "base64": "?" }), "base64"),
        (json!({}), "url"),
        (json!({ "base64": "T2dnUw==", "mimeType": "text/plain" }), "mimeType"),
        (json!({ "base64": "A".repeat(35 << 20) }), ""),
        (json!({ "url": "http://127.0.0.1:1/voice" }), ""),
        (json!({ "url": format!("{}/nothing", bed.provider.url()) }), "url"),
    ] {
        let refusal = refusal(&bed.ai("transcribeAudio", params));
        assert_eq!(refusal.2, field, "{refusal:?}");
    }
    assert!(bed.provider.seen().is_empty());
}

#[test]
fn what_a_model_says_comes_as_it_says_it() {
    let bed = Bed::start();
    let chat = bed.stream("chatStream", &question("Hi"));
    assert!(chat.iter().rev().skip(1).all(|part| part["done"] == false), "{chat:?}");
    let said: String = chat.iter().map(|part| part["delta"].as_str().unwrap()).collect();
    assert_eq!(said, "Said: Hi");
    let last = json!({ "delta": "", "done": true, "model": "claude-3-haiku-20240307", "usage": { "inputTokens": 10, "outputTokens": 5 } });
    assert_eq!((chat.len(), chat.last()), (4, Some(&last)));

    bed.provider.plays([uses(&[("memory__query", json!({}))])]);
    let agent = bed.stream("agentStream", &question("What is there?"));
    let kinds: Vec<&str> = agent.iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "text", "text", "tool_start", "tool_complete", "text", "text", "done"]);
    assert_eq!(agent[3], json!({ "type": "tool_start", "round": 1, "tool": { "name": "memory__query", "arguments": {} } }));
    assert_eq!((&agent[4]["result"]["totalCount"], &agent[4]["error"]), (&json!(0), &Value::Null));
    let result = &agent[7]["result"];
    assert_eq!((&result["rounds"], &result["stopReason"], &result["totalTokens"]), (&json!(2), &json!("end_turn"), &json!(30)));
}

#[test]
fn an_agent_does_what_the_model_asks_for() {
    let bed = Bed::start();
    bed.provider.plays([
        uses(&[("memory__create", json!({ "type": "note", "content": "Milk" })), ("memory__create", json!({ "type": "empty" }))]),
        uses(&[("memory__search", json!({ "query": "milk" })), ("keys__list", json!({})), ("ai__chat", json!({ "message": "x" }))]),
        Play::Say(json!([{ "type": "text", "text": "Kept." }])),
    ]);
    let params = json!({ "messages": [{ "role": "user", "content": "Keep milk" }], "tools": ["memory"], "systemPrompt": "Keep things." });
    let answer = data(bed.ai("agent", params));
    assert_eq!(bed.owner().memory("query", json!({}))["results"][0]["content"], "Milk");
    assert_eq!((&answer["content"], &answer["rounds"], &answer["stopReason"]), (&json!("Kept."), &json!(3), &json!("end_turn")));
    assert_eq!(
        (&answer["inputTokens"], &answer["outputTokens"], &answer["model"]),
        (&json!(30), &json!(15), &json!("claude-sonnet-4-20250514"))
    );
    let calls = answer["toolCalls"].as_array().unwrap();
    assert_eq!(
        (&calls[0]["name"], &calls[0]["arguments"]["content"], &calls[0]["result"]["content"]),
        (&json!("memory__create"), &json!("Milk"), &json!("Milk"))
    );
    assert_eq!(calls[2]["result"]["results"][0]["content"], "Milk");
    let failed: Vec<bool> = calls.iter().map(|call| call["error"].is_string()).collect();
    assert_eq!(failed, [false, true, false, true, true], "{calls:?}");
    let seen = bed.provider.seen();
    let tools: Vec<&str> = seen[0]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(tools.contains(&"memory__create") && tools.iter().all(|name| name.starts_with("memory__")), "{tools:?}");
    assert_eq!(seen[0]["system"], "Keep things.");
    let results = &seen[1]["messages"][2]["content"];
    assert_eq!((&results[0]["is_error"], &results[1]["is_error"]), (&json!(false), &json!(true)));
    assert!(results[1]["content"].as_str().unwrap().contains("content is required"), "{results}");
}

#[test]
fn an_agent_calls_what_is_installed() {
    let api = prices();
    let bed = Bed::start_with(KEY, &api.address.to_string());
    bed.owner().ready(&crypto(&api));
    bed.provider.plays([uses(&[("cryptopriceapi__getPrice", json!({ "symbol": "BTC" })), ("cryptopriceapi__getPrice", json!({}))])]);
    let params = json!({ "messages": [{ "role": "user", "content": "What is a bitcoin?" }], "tools": ["cryptoPriceApi"] });
    let answer = data(bed.ai("agent", params));
    let calls = &answer["toolCalls"];
    assert_eq!(calls[0]["result"], json!({ "price": 1.5, "symbol": "BTC" }), "{answer}");
    assert!(calls[1]["error"].as_str().unwrap().contains("symbol is required"), "{answer}");
    let tools = &bed.provider.seen()[0]["tools"];
    let place = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "cryptopriceapi__placeOrder").unwrap();
    assert_eq!(place["input_schema"]["required"], json!(["symbol", "amount"]));
    assert_eq!(place["input_schema"]["properties"]["amount"], json!({ "type": "number", "minimum": 0 }));
    // Where none are named, all there are.
    bed.ai("agent", question("x"));
    let all = bed.provider.seen().pop().unwrap()["tools"].to_string();
    assert!(all.contains("cryptopriceapi__getPrice") && all.contains("memory__search"), "{all}");
}

#[test]
fn an_agent_ends() {
    let bed = Bed::start();
    let again = || uses(&[("memory__query", json!({}))]);
    bed.provider.plays((0..3).map(|_| again()));
    let params = json!({ "messages": [{ "role": "user", "content": "x" }], "maxRounds": 3 });
    let answer = data(bed.ai("agent", params));
    assert_eq!((&answer["stopReason"], &answer["rounds"]), (&json!("max_rounds"), &json!(3)));
    // What was done is told, though the rest fails: each time that it is asked, as what came together with the end may be lost with it.
    bed.provider.plays([again(), Play::Half("I wil"), Play::Half("I wil"), Play::Half("I wil")]);
    let answer = data(bed.ai("agent", question("x")));
    assert_eq!((&answer["stopReason"], answer["toolCalls"].as_array().unwrap().len()), (&json!("error"), 1));
    assert!(answer["error"].as_str().unwrap().contains("Anthropic"), "{answer}");
}

#[test]
fn an_agent_may_what_its_key_may() {
    let bed = Bed::start();
    let key = data(bed.owner().request("POST", "/v1/keys", json!({ "name": "models", "scopes": ["ai"] })));
    let scoped = User { server: &bed.server, key: key["key"].as_str().unwrap().to_owned() };
    bed.provider.plays([uses(&[("memory__create", json!({ "type": "note", "content": "x" }))])]);
    let answer = data(scoped.dispatch("ai", "agent", question("x")));
    assert!(answer["toolCalls"][0]["error"].is_string(), "{answer}");
    assert_eq!(bed.provider.seen()[0]["tools"], Value::Null);
    assert_eq!(bed.owner().memory("query", json!({}))["totalCount"], 0);
    let with = |tools: Value| json!({ "messages": [{ "role": "user", "content": "x" }], "tools": tools });
    assert_eq!(scoped.dispatch("ai", "agent", with(json!(["memory"]))).code(), "RESOURCE_DENIED");
    for tools in [json!(["keys"]), json!(["ai"]), json!(["nothing"])] {
        assert_eq!(refusal(&bed.ai("agent", with(tools))), (400, "VALIDATION_ERROR".to_owned(), "tools".to_owned()));
    }
}

#[test]
fn what_a_provider_refuses_is_told_as_what_it_means() {
    let bed = Bed::start();
    let overloaded = || Play::Status(529, "", json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }));
    let invalid = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "max_tokens: too many" } });
    bed.provider.plays([overloaded(), overloaded()]);
    assert_eq!(data(bed.ai("chat", json!({ "message": "Hi" })))["content"], "Said: Hi");
    assert_eq!(bed.provider.seen().len(), 3);
    bed.provider.plays([overloaded(), overloaded()]);
    assert_eq!(bed.stream("chatStream", &question("Hi")).len(), 4);
    bed.provider.plays((0..3).map(|_| overloaded()));
    let reply = bed.ai("chat", json!({ "message": "Hi" }));
    assert_eq!((reply.code().as_str(), reply.text().contains("overloaded")), ("INTERNAL_ERROR", true));
    bed.provider.plays([Play::Status(429, "retry-after: 7\r\n", json!({}))]);
    let reply = bed.ai("chat", json!({ "message": "Hi" }));
    assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (429, "RATE_LIMITED", Some("7")));
    bed.provider.plays([Play::Status(400, "", invalid)]);
    let reply = bed.ai("chat", json!({ "message": "Hi" }));
    assert_eq!((reply.code().as_str(), reply.text().contains("max_tokens: too many")), ("VALIDATION_ERROR", true));
    bed.provider.plays([Play::Garbage]);
    assert_eq!(bed.ai("chat", json!({ "message": "Hi" })).code(), "INTERNAL_ERROR");
}

#[test]
fn a_stream_that_breaks_off_says_so() {
    let bed = Bed::start();
    for play in [Play::Half("Hel"), Play::ErrorEvent("Hel", "overloaded_error"), Play::Half("Hel")] {
        bed.provider.plays([play]);
        let parts = bed.stream("chatStream", &question("Hi"));
        // What came together with the end may be lost with it.
        let last = parts.last().unwrap();
        assert!(parts.len() >= 2, "{parts:?}");
        assert_eq!((&last["done"], &last["type"], &last["error"]["code"]), (&json!(true), &json!("error"), &json!("INTERNAL_ERROR")));
    }
    bed.provider.plays([Play::Half("Hel")]);
    let parts = bed.stream("agentStream", &question("Hi"));
    let last = parts.last().unwrap();
    assert_eq!((&last["type"], last["message"].is_string()), (&json!("error"), true), "{parts:?}");
}

#[test]
fn who_goes_away_is_not_waited_for() {
    let bed = Bed::start();
    for method in ["chatStream", "agentStream"] {
        bed.provider.plays([Play::Hang("Hel")]);
        let mut client = bed.begin(OWNER_KEY, method, &question("Hi"));
        read_until(&mut client, "Hel");
        drop(client);
        bed.provider.wait_until_left();
    }
}

/// As many as an account may have under way: its next one waits, and nobody else's.
#[test]
fn who_waits_for_slow_models_keeps_nobody_else_waiting() {
    const AT_A_TIME: usize = 128;
    let bed = Bed::start();
    bed.provider.plays((0..AT_A_TIME).map(|_| Play::Hang("Hel")));
    let mut slow: Vec<TcpStream> = (0..AT_A_TIME).map(|_| bed.begin(OWNER_KEY, "chatStream", &question("Hi"))).collect();
    slow.iter_mut().for_each(|stream| read_until(stream, "Hel"));
    let (ada, _) = bed.owner().sub_account("Ada");
    assert_eq!(data(ada.dispatch("ai", "chat", json!({ "message": "Hi" })))["content"], "Said: Hi");
}

#[test]
fn a_key_that_is_revoked_ends_its_streams() {
    let bed = Bed::start();
    let key = data(bed.owner().request("POST", "/v1/keys", json!({ "name": "short-lived" })));
    bed.provider.plays([Play::Hang("Hel")]);
    let mut client = bed.begin(key["key"].as_str().unwrap(), "chatStream", &question("Hi"));
    read_until(&mut client, "Hel");
    data(bed.owner().request("DELETE", &format!("/v1/keys/{}", key["id"].as_str().unwrap()), Value::Null));
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert_eq!(parts(&rest).last().unwrap()["error"]["code"], "UNAUTHORIZED", "{rest}");
    bed.provider.wait_until_left();
}

fn read_until(client: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut byte = [0];
        assert_eq!(client.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&read));
        read.push(byte[0]);
    }
}

#[test]
fn what_is_wrong_is_told_before_anybody_is_asked() {
    let bed = Bed::start();
    let message = |content: Value| json!({ "messages": [{ "role": "user", "content": content }] });
    let many: Vec<Value> = (0..101).map(|_| json!({ "role": "user", "content": "x" })).collect();
    let cases = [
        ("chat", json!({}), "VALIDATION_ERROR", "messages"),
        ("chat", json!({ "messages": [] }), "VALIDATION_ERROR", "messages"),
        ("chat", json!({ "messages": many }), "VALIDATION_ERROR", "messages"),
        ("chat", message(json!("x".repeat(5 << 20))), "PAYLOAD_TOO_LARGE", "messages"),
        ("chat", message(json!("")), "VALIDATION_ERROR", "messages[0].content"),
        ("chat", message(json!(1)), "VALIDATION_ERROR", "messages[0].content"),
        ("chat", json!({ "messages": [{ "role": "robot", "content": "x" }] }), "VALIDATION_ERROR", "messages[0].role"),
        ("chat", json!({ "message": "x", "temperature": 2 }), "VALIDATION_ERROR", "temperature"),
        ("chatStream", json!({ "message": "x", "maxTokens": 0 }), "VALIDATION_ERROR", "maxTokens"),
        ("batchChat", json!({ "requests": vec![json!({ "message": "x" }); 51] }), "VALIDATION_ERROR", "requests"),
        ("decide", json!({ "prompt": "x", "options": [] }), "VALIDATION_ERROR", "options"),
        (
            "decide",
            json!({ "prompt": "x", "options": [{ "id": "a", "label": "" }, { "id": "a", "label": "" }] }),
            "VALIDATION_ERROR",
            "options",
        ),
        ("agent", json!({ "messages": [{ "role": "user", "content": "x" }], "maxRounds": 26 }), "VALIDATION_ERROR", "maxRounds"),
        ("agentStream", json!({}), "VALIDATION_ERROR", "messages"),
    ];
    for (method, params, code, field) in cases {
        let reply = bed.ai(method, params);
        let (_, told, at) = refusal(&reply);
        assert_eq!((&*told, &*at), (code, field), "{method}: {}", reply.text());
    }
    assert!(bed.provider.seen().is_empty());
}

#[test]
fn keys_of_the_operator_show_nowhere() {
    let bed = Bed::start_with("sk-wrong-9876543210", "");
    let replies = [bed.ai("chat", json!({ "message": "Hi" })), bed.ai("transcribeAudio", json!({ "base64": "T2dnUw==" }))];
    for reply in replies {
        assert_eq!(reply.code(), "INTERNAL_ERROR");
        assert!(reply.text().contains("the operator's key was refused") && !reply.text().contains("sk-"), "{}", reply.text());
    }
    let logged = bed.server.wait_for_stderr("OpenAI answered 401");
    assert!(!logged.contains("sk-wrong") && !logged.contains(KEY), "{logged}");
    let without = Bed::start_with("", "");
    for (method, variable) in [("chat", "MIRRA_AI_ANTHROPIC_KEY"), ("transcribeAudio", "MIRRA_AI_OPENAI_KEY")] {
        let reply = without.ai(method, json!({ "message": "Hi", "base64": "T2dnUw==" }));
        assert_eq!((reply.code().as_str(), reply.text().contains(variable)), ("VALIDATION_ERROR", true), "{}", reply.text());
    }
}
