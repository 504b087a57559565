//! Models as handlers use them: with what they pay for it, and in the time that there is.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    ai::{question, uses},
    ai_provider::{KEY, Play, Provider},
    support::{mirra, run, write},
};

const HANDLER: &str = "
export async function handler({ method, params }, context, mirra) {
  try {
    if (!method.endsWith('Stream')) return await mirra.ai[method](params);
    const parts = [];
    for await (const part of mirra.ai[method](params)) parts.push(part);
    return parts;
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}";

/// Runs a handler that asks a model; nothing else costs.
fn handled(folder: &Path, provider: &Provider, event: &Value, flags: &[&str]) -> Value {
    let (handler, prices) = (folder.join("asks.js"), folder.join("prices.json"));
    write(&handler, HANDLER);
    let free = json!({ "callUsd": 0, "memoryGbSecondUsd": 0, "fuelBillionUsd": 0, "memoryOperationUsd": 0, "transcriptionMinuteUsd": 0.5, "aiModels": {
        "mine": { "inputUsdPerMillionTokens": 1000, "outputUsdPerMillionTokens": 2000 },
    } });
    write(&prices, free.to_string());
    let event = event.to_string();
    let arguments = ["run", handler.to_str().unwrap(), "--json", "--event", &event, "--prices", prices.to_str().unwrap()];
    let mut command = mirra(&[&arguments, flags].concat());
    command.env("MIRRA_ANTHROPIC_URL", provider.url()).env("MIRRA_OPENAI_URL", provider.url());
    run(command.env("ANTHROPIC_API_KEY", KEY).env("OPENAI_API_KEY", KEY), "").json()
}

#[test]
fn a_handler_pays_for_what_was_used() {
    let (folder, provider) = (tempdir().unwrap(), Provider::start());
    let chat = json!({ "method": "chat", "params": { "message": "Hi", "model": "mine", "maxTokens": 100 } });
    let outcome = handled(folder.path(), &provider, &chat, &[]);
    assert_eq!((&outcome["result"]["content"], outcome["usage"]["costUsd"].as_f64()), (&json!("Said: Hi"), Some(0.02)), "{outcome}");
    provider.seen();
    // A budget that does not hold the most that it can cost is not touched.
    let outcome = handled(folder.path(), &provider, &chat, &["--max-cost-usd", "0.2"]);
    assert_eq!((&outcome["result"]["code"], outcome["usage"]["costUsd"].as_f64()), (&json!("COST_LIMIT"), Some(0.0)), "{outcome}");
    assert!(provider.seen().is_empty());
    // What was refused costs nothing; every round of an agent is paid for; a transcription by its length.
    provider.plays([Play::Status(400, "", json!({})), uses(&[("memory__query", json!({}))])]);
    let cost = |event: &Value| handled(folder.path(), &provider, event, &["--max-cost-usd", "20"])["usage"]["costUsd"].as_f64();
    assert_eq!(cost(&chat), Some(0.0));
    let agent =
        json!({ "method": "agent", "params": { "messages": [{ "role": "user", "content": "x" }], "model": "mine", "maxTokens": 100 } });
    assert_eq!(cost(&agent), Some(0.04));
    assert_eq!(cost(&json!({ "method": "transcribeAudio", "params": { "base64": "T2dnUw==" } })), Some(0.5));
}

/// Each request of a batch is charged the most that it can cost when it begins, and most of that comes back.
#[test]
fn a_batch_needs_no_more_than_its_requests_one_after_another() {
    let (folder, provider) = (tempdir().unwrap(), Provider::start());
    let request = |text: &str| json!({ "message": text, "model": "mine", "maxTokens": 100 });
    let batch = json!({ "method": "batchChat", "params": { "requests": [request("one"), request("two"), request("three"), {}] } });
    // One of them can cost 0.28.
    let outcome = handled(folder.path(), &provider, &batch, &["--max-cost-usd", "0.5"]);
    let answers: Vec<&str> = outcome["result"].as_array().unwrap().iter().map(|answer| answer["content"].as_str().unwrap()).collect();
    assert_eq!(
        (answers, outcome["usage"]["costUsd"].as_f64()),
        (vec!["Said: one", "Said: two", "Said: three", ""], Some(0.06)),
        "{outcome}"
    );
    assert_eq!(outcome["result"][3]["error"]["code"], "VALIDATION_ERROR");
    // Where none of them fits, it is said so.
    let batch = json!({ "method": "batchChat", "params": { "requests": [request("one"), request("two")] } });
    let outcome = handled(folder.path(), &provider, &batch, &["--max-cost-usd", "0.2"]);
    assert_eq!((&outcome["result"]["code"], outcome["usage"]["costUsd"].as_f64()), (&json!("COST_LIMIT"), Some(0.0)), "{outcome}");
}

/// A provider bills what it has said, whether or not it arrives.
#[test]
fn an_answer_that_broke_off_is_paid_like_the_one_after_it() {
    let (folder, provider) = (tempdir().unwrap(), Provider::start());
    let chat = json!({ "method": "chat", "params": { "message": "Hi", "model": "mine", "maxTokens": 100 } });
    let cost = |flags: &[&str]| {
        let outcome = handled(folder.path(), &provider, &chat, flags);
        (outcome["result"].clone(), outcome["usage"]["costUsd"].as_f64().unwrap())
    };
    provider.plays([Play::Half("Sai")]);
    let (said, twice) = cost(&["--max-cost-usd", "1"]);
    assert_eq!((&said["content"], provider.seen().len()), (&json!("Said: Hi"), 2));
    // 100 tokens of output at most, some 70 of input; and what the second one has used.
    assert!((0.24..0.35).contains(&twice), "{twice}");
    // The second has to fit as well.
    provider.plays([Play::Half("Sai")]);
    let (said, once) = cost(&["--max-cost-usd", "0.4"]);
    assert!(said["code"] == "COST_LIMIT" && (once - (twice - 0.02)).abs() < 1e-9, "{said} {once}");
    // One that refuses bills nothing.
    provider.plays([Play::Status(529, "", json!({}))]);
    assert_eq!(cost(&["--max-cost-usd", "0.4"]).1, 0.02);
}

#[test]
fn a_handler_reads_along() {
    let (folder, provider) = (tempdir().unwrap(), Provider::start());
    let stream = json!({ "method": "chatStream", "params": { "message": "Hi", "model": "mine", "maxTokens": 100 } });
    let outcome = handled(folder.path(), &provider, &stream, &[]);
    let deltas: Vec<&str> = outcome["result"].as_array().unwrap().iter().map(|part| part["delta"].as_str().unwrap()).collect();
    assert_eq!((deltas.concat().as_str(), outcome["usage"]["costUsd"].as_f64()), ("Said: Hi", Some(0.02)), "{outcome}");
    provider.plays([Play::ErrorEvent("Hel", "overloaded_error")]);
    let outcome = handled(folder.path(), &provider, &stream, &[]);
    assert_eq!(outcome["result"]["code"], "INTERNAL_ERROR", "{outcome}");
}

#[test]
fn a_slow_model_is_not_waited_for_longer_than_there_is_time() {
    let (folder, provider) = (tempdir().unwrap(), Provider::start());
    provider.plays([Play::Hang("Hel")]);
    let agent = json!({ "method": "agent", "params": question("x") });
    let outcome = handled(folder.path(), &provider, &agent, &["--timeout-s", "2"]);
    let code = if outcome["success"] == true { &outcome["result"]["code"] } else { &outcome["error"]["code"] };
    assert_eq!(code, "TIMEOUT", "{outcome}");
    provider.wait_until_left();
}
