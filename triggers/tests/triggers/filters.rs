//! The simple filter.

use mirra_triggers::{Conditions, read_filter};
use serde_json::{Value, json};

use crate::{event, leaf};

fn filter(json: Value) -> (String, Conditions) {
    read_filter(json.as_object().unwrap()).unwrap_or_else(|invalid| panic!("{invalid:?}"))
}

fn refused(json: Value) -> (String, String) {
    let invalid = read_filter(json.as_object().unwrap()).unwrap_err();
    (invalid.field, invalid.message)
}

#[test]
fn the_contracts_filter() {
    let (event_type, conditions) = filter(json!({ "when": "telegram.message", "message_text_contains": "urgent" }));
    assert_eq!(event_type, "telegram.message");
    assert_eq!(conditions.to_json(), leaf("message_text", "contains", "urgent"));
    assert!(conditions.matches(&event(json!({ "type": "telegram.message", "content": { "text": "URGENT" } }))));
    assert!(conditions.matches(&event(json!({ "type": "telegram.message", "text": "URGENT" }))));
}

#[test]
fn every_suffix() {
    let tree = |name: &str, value: Value| filter(json!({ "when": "x", name: value })).1.to_json();
    assert_eq!(tree("a", json!(1)), leaf("a", "equals", 1));
    assert_eq!(tree("a_not", json!(1)), leaf("a", "notEquals", 1));
    assert_eq!(tree("a_gt", json!(1)), leaf("a", "greaterThan", 1));
    assert_eq!(tree("a_lt", json!(1)), leaf("a", "lessThan", 1));
    assert_eq!(tree("a_starts_with", json!("x")), leaf("a", "startsWith", "x"));
    assert_eq!(tree("a_ends_with", json!("x")), leaf("a", "endsWith", "x"));
    assert_eq!(tree("a_matches", json!("x")), leaf("a", "regex", "x"));
    assert_eq!(tree("a_in", json!([1])), leaf("a", "in", json!([1])));
    assert_eq!(tree("a", json!([1, 2])), leaf("a", "in", json!([1, 2])));
    assert_eq!(tree("a_not", json!([1, 2])), leaf("a", "notIn", json!([1, 2])));
    let one_of = json!({ "operator": "OR", "conditions": [leaf("a", "contains", "x"), leaf("a", "contains", "y")] });
    assert_eq!(tree("a_contains", json!(["x", "y"])), one_of);
    let both = filter(json!({ "when": "call.ended", "duration_seconds_gt": 60, "was_recorded": true }));
    assert_eq!(both.0, "voice.call_ended");
    assert_eq!(
        both.1.to_json(),
        json!({ "operator": "AND", "conditions": [leaf("duration_seconds", "greaterThan", 60), leaf("was_recorded", "equals", true)] })
    );
    let every = filter(json!({ "when": "x" })).1;
    assert!(every.to_json().is_null() && every.matches(&event(json!({ "type": "x" }))));
}

#[test]
fn what_is_no_filter() {
    assert_eq!(refused(json!({ "a": 1 })), ("when".into(), "when is required".into()));
    assert_eq!(refused(json!({ "when": 5 })), ("when".into(), "when must be a text".into()));
    assert_eq!(refused(json!({ "when": "a b" })).0, "when");
    assert_eq!(refused(json!({ "when": "x", "a_in": 1 })), ("a_in".into(), "a_in must be an array of at least one value".into()));
    assert_eq!(refused(json!({ "when": "x", "a": {} })), ("a".into(), "a must not be an object".into()));
    assert_eq!(refused(json!({ "when": "x", "a": null })), ("a".into(), "a is required".into()));
    assert_eq!(refused(json!({ "when": "x", "a_gt": [1] })).0, "a_gt");
    assert_eq!(refused(json!({ "when": "x", "_gt": 1 })), ("_gt".into(), "_gt is empty".into()));
    assert_eq!(refused(json!({ "when": "x", "a_contains": [] })).0, "a_contains");
    let many = |count: usize| json!({ "when": "x", "a": 1, "b_matches": vec!["a"; count] });
    assert_eq!(filter(many(49)).1.explain(&event(json!({ "type": "x" }))).len(), 50);
    assert_eq!(refused(many(50)).1, "the filter has more than 50 conditions");
    let long = "f".repeat(100);
    filter(json!({ "when": "x", format!("{long}_contains"): "x" }));
    assert_eq!(refused(json!({ "when": "x", format!("{long}f"): "x" })).1, format!("{long}f has more than 100 characters"));
}
