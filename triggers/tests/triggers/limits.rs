//! Each limit of a tree at its edge and one past it.

use std::time::{Duration, Instant};

use mirra_triggers::Conditions;
use serde_json::{Value, json};

use crate::{conditions, event, leaf, nested, refused};

fn is_good(json: &Value) -> bool {
    Conditions::read(json).is_ok()
}

fn problem(json: &Value) -> (String, String) {
    let (field, message) = refused(json);
    (field.clone(), message[field.len()..].to_owned())
}

fn at(field: &str, problem: &str) -> (String, String) {
    (field.to_owned(), problem.to_owned())
}

#[test]
fn levels() {
    assert!(is_good(&nested(4)));
    let place = format!("conditions{}", ".conditions[0]".repeat(5));
    assert_eq!(problem(&nested(5)), at(&place, " is deeper than 5 levels"));
    assert!(is_good(&json!([nested(3)])));
    assert!(!is_good(&json!([nested(4)])));
    assert!(!is_good(&nested(100)));
}

#[test]
fn conditions_of_a_tree() {
    let tree = |count| json!({ "operator": "OR", "conditions": vec![leaf("text", "contains", "a"); count] });
    assert!(is_good(&tree(50)));
    assert_eq!(problem(&tree(51)), at("conditions", " has more than 50 conditions"));
    let groups = |first, second| json!({ "operator": "AND", "conditions": [tree(first), tree(second)] });
    assert!(is_good(&groups(25, 25)) && !is_good(&groups(25, 26)));
}

#[test]
fn names_of_fields() {
    assert!(is_good(&leaf(&"é".repeat(100), "equals", 1)));
    assert_eq!(problem(&leaf(&"é".repeat(101), "equals", 1)), at("conditions.field", " has more than 100 characters"));
}

#[test]
fn values() {
    let too_long = at("conditions.value", " has more than 1000 characters");
    assert!(is_good(&leaf("a", "contains", "é".repeat(1_000))));
    assert_eq!(problem(&leaf("a", "contains", "é".repeat(1_001))), too_long);
    assert!(is_good(&leaf("a", "in", vec!["é".repeat(500); 2])));
    assert_eq!(problem(&leaf("a", "in", vec!["é".repeat(500), "é".repeat(500), "e".into()])), too_long);
    assert!(is_good(&leaf("a", "in", vec![""; 1_000])));
    assert_eq!(problem(&leaf("a", "in", vec![""; 1_001])), too_long);
    assert_eq!(problem(&leaf("a", "in", vec![json!([]); 501])), too_long);
    assert!(is_good(&leaf("a", "equals", json!({ "a": "é".repeat(992) }))));
    assert_eq!(problem(&leaf("a", "equals", json!({ "a": "é".repeat(993) }))), too_long);
}

#[test]
fn regular_expressions() {
    let started = Instant::now();
    for pattern in ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        assert!(
            !conditions(&leaf("text", "regex", pattern)).matches(&event(json!({ "type": "x", "text": "a".repeat(30_000) + "!" }))),
            "{pattern}"
        );
    }
    for pattern in [
        r"\b[A-Z]{2,5}\b",
        r"(?i)\b(urgent|asap|important)\b",
        r"[\w.+-]+@[\w-]+\.[\w.-]+",
        r"\d{1,3}(\.\d{1,3}){3}",
        ".*complex.*pattern.*",
    ] {
        assert!(is_good(&leaf("text", "regex", pattern)), "{pattern}");
    }
    for pattern in [r"((a{100}){100}){100}", r"\w{1000}", r"(\pL{50}){50}"] {
        assert_eq!(
            problem(&leaf("text", "regex", pattern)),
            at("conditions.value", " is a regular expression too large: all of a tree take at most 512 KiB")
        );
    }
    let many = |pattern: &str| json!({ "operator": "OR", "conditions": vec![leaf("text", "regex", pattern); 50] });
    assert!(is_good(&many(r"\bexample\b")));
    assert_eq!(problem(&many(r"\w+@\w+")).0, "conditions.conditions[4].value");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
