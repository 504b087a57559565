//! The index: changes, and how fast it is.

use std::{sync::Arc, time::Instant};

use mirra_triggers::Index;
use serde_json::{Value, json};

use crate::{conditions, event, leaf};

fn insert(index: &mut Index<usize>, key: usize, event_type: &str, tree: &Value) {
    index.insert(key, "ann", event_type, Arc::new(conditions(tree)));
}

#[test]
fn flows_come_and_go() {
    let mut index = Index::new();
    insert(&mut index, 1, "telegram.message", &leaf("text", "contains", "urgent"));
    insert(&mut index, 2, "telegram.message", &leaf("chatId", "equals", 5));
    insert(&mut index, 3, "telegram.message", &Value::Null);
    insert(&mut index, 4, "call.ended", &Value::Null);
    let message = event(json!({ "type": "telegram.message", "text": "Urgent", "chatId": "5" }));
    assert_eq!(index.matching("ann", &message), [1, 2, 3]);
    assert_eq!(index.matching("bob", &message), [0; 0]);
    assert_eq!(index.matching("ann", &event(json!({ "type": "voice.call_ended" }))), [4]);
    assert_eq!(index.matching("ann", &event(json!({ "type": "telegram.messages" }))), [0; 0]);
    assert!(index.remove(&1) && !index.remove(&1));
    assert_eq!(index.matching("ann", &message), [2, 3]);
    // Takes the slot of the one that went.
    insert(&mut index, 5, "telegram.message", &leaf("text", "equals", "urgent"));
    assert_eq!(index.matching("ann", &message), [2, 3]);
    // Instead of what was there.
    insert(&mut index, 2, "telegram.message", &leaf("text", "startsWith", "Urg"));
    assert_eq!(index.matching("ann", &message).len(), 2);
    assert_eq!(index.len(), 4);
    assert_eq!((0..6).filter(|key| index.remove(key)).count(), 4);
    assert!(index.is_empty() && index.matching("ann", &message).is_empty());
}

/// Of many kinds, as flows might be.
fn tree(number: usize) -> Value {
    let text = |operator: &str| leaf("text", operator, format!("word{number}"));
    let no_spam = json!({ "operator": "NOT", "conditions": [leaf("text", "contains", "spam")] });
    match number % 10 {
        0 | 1 => text("contains"),
        2 => leaf("chatId", "equals", number),
        3 => json!({ "operator": "AND", "conditions": [text("contains"), leaf("isGroupChat", "equals", false)] }),
        4 => json!({ "operator": "OR", "conditions": [text("contains"), leaf("sender", "equals", format!("user{number}"))] }),
        5 => text("startsWith"),
        6 => leaf("sender", "in", json!([format!("user{number}"), format!("user{}", number + 1)])),
        7 => json!({ "operator": "AND", "conditions": [leaf("text", "regex", r"\bdeploy\b"), leaf("chatId", "equals", number)] }),
        8 => leaf("text", "regex", format!(r"(?i)\bcode-{number}\b")),
        _ => {
            json!({ "operator": "AND", "conditions": [text("endsWith"), no_spam] })
        }
    }
}

/// Its figures are for people: `cargo test --release -- --nocapture ten_thousand`.
#[test]
fn ten_thousand_flows() {
    let trees: Vec<_> = (0..10_000).map(|number| Arc::new(conditions(&tree(number)))).collect();
    let mut index = Index::new();
    let started = Instant::now();
    trees.iter().enumerate().for_each(|(key, tree)| index.insert(key, "ann", "telegram.message", tree.clone()));
    let inserted = started.elapsed();
    let message = |number: usize| {
        let text = format!(
            "Hello, this is about word{number} and code-{}: we meet at ten and look at the numbers of the last quarter",
            number + 5
        );
        event(json!({
            "type": "telegram.message", "content": { "text": text }, "actor": { "id": 5, "name": "Ann" },
            "telegram": { "chatId": number, "isGroupChat": false, "username": "ann" }
        }))
    };
    let events: Vec<_> = (0..1_000).map(|number| message(number * 10 + 3)).collect();
    let started = Instant::now();
    index.matching("ann", &events[0]);
    let first = started.elapsed();
    let pass = || {
        let started = Instant::now();
        let found: usize = events.iter().map(|event| index.matching("ann", event).len()).sum();
        (started.elapsed() / 1_000, found)
    };
    let ((cold, _), (warm, found)) = (pass(), pass());
    println!("10,000 flows: inserted in {inserted:?}, first event {first:?}, then {cold:?} each, {warm:?} once warm; {found} matches");
    for event in events.iter().step_by(100) {
        let naive: Vec<usize> = (0..trees.len()).filter(|key| trees[*key].matches(event)).collect();
        assert_eq!(index.matching("ann", event), naive);
        assert!(!naive.is_empty());
    }
}
/// Of a literal only the beginning is looked for, which ends between letters.
#[test]
fn long_literals_in_other_letters() {
    for filler in 0..4 {
        let word = format!("{}{}", "x".repeat(filler), "ÄΣ".repeat(40));
        for (operator, text) in [
            ("contains", format!("so {} it", word.to_lowercase())),
            ("startsWith", format!("{word} it")),
            ("endsWith", format!("so {word}")),
        ] {
            let mut index = Index::new();
            insert(&mut index, 1, "x", &leaf("text", operator, word.clone()));
            assert_eq!(index.matching("ann", &event(json!({ "type": "x", "text": text }))), [1], "{operator} {filler}");
            assert_eq!(index.matching("ann", &event(json!({ "type": "x", "text": word.chars().take(20).collect::<String>() }))), [0; 0]);
        }
    }
}
