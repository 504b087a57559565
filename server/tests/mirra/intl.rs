//! Intl against that of Node: the same handlers on both, in the common locales and every style. Where the two differ on purpose is
//! said in docs/node.md.

use serde_json::{Value, json};

use crate::support::{Server, fixtures, in_node};

const LOCALES: [&str; 47] = [
    "ar", "bn", "cs", "da", "de", "de-AT", "de-CH", "el", "en", "en-AU", "en-CA", "en-GB", "en-IN", "en-US", "es", "es-419", "es-ES",
    "es-MX", "fa", "fi", "fr", "fr-CA", "fr-CH", "he", "hi", "hu", "id", "it", "ja", "ko", "nb", "nl", "pl", "pt-BR", "pt-PT", "ro", "ru",
    "sk", "sv", "th", "tr", "uk", "vi", "zh-CN", "zh-HK", "zh-Hant", "zh-TW",
];

/// So many at a time: an answer is a megabyte at most.
const LOCALES_OF_A_CALL: usize = 2;

const HANDLERS: [&str; 4] = ["numbers", "dates", "texts", "locales"];

/// Where two values differ: the path, what is there, and what should be.
fn differences(path: &str, actual: &Value, expected: &Value, found: &mut Vec<String>) {
    match (actual, expected) {
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                let name = theirs.get("locale").or(theirs.get(0)).and_then(Value::as_str).map_or_else(|| at.to_string(), str::to_owned);
                differences(&format!("{path}/{name}"), ours, theirs, found);
            }
        }
        (Value::Object(ours), Value::Object(theirs)) if ours.len() == theirs.len() => {
            for (name, theirs) in theirs {
                differences(&format!("{path}/{name}"), ours.get(name).unwrap_or(&Value::Null), theirs, found);
            }
        }
        _ if actual == expected => {}
        _ => found.push(format!("{path}\n    {actual}\n    {expected}")),
    }
}

#[test]
fn what_is_formatted_is_what_node_formats() {
    let folder = fixtures("intl");
    let files: Vec<_> = HANDLERS.iter().map(|name| folder.join(format!("{name}.mjs"))).collect();
    let server = Server::start(&files.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    let mut found = Vec::new();
    for locales in LOCALES.chunks(LOCALES_OF_A_CALL) {
        let event = json!({ "locales": locales });
        let expected = in_node("intl", &event);
        for handler in HANDLERS {
            let reply = server.call(handler, &event.to_string());
            assert_eq!(reply.status, 200, "{handler} for {locales:?}: {}", reply.json());
            differences(handler, &reply.json(), &expected[handler], &mut found);
        }
    }
    assert!(found.is_empty(), "{} answers are others than Node's:\n{}", found.len(), found.join("\n"));
}
