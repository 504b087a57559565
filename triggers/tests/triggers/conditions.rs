//! What trees say of events.

use serde_json::{Value, json};

use crate::{conditions, event, leaf, refused};

fn holds(tree: Value, fields: Value) -> bool {
    let mut members = fields.as_object().unwrap().clone();
    members.insert("type".into(), "telegram.message".into());
    conditions(&tree).matches(&event(members.into()))
}

fn is(operator: &str, value: impl Into<Value>, actual: impl Into<Value>) -> bool {
    holds(leaf("x", operator, value), json!({ "x": actual.into() }))
}

#[test]
fn the_documents_trees() {
    let simple = json!({
        "operator": "AND",
        "conditions": [
            { "field": "text", "operator": "contains", "value": "urgent" },
            { "field": "sender", "operator": "equals", "value": "john_doe" }
        ]
    });
    assert_eq!(conditions(&simple).to_json(), simple);
    let message = json!({ "content": { "text": "This is URGENT!" }, "telegram": { "username": "john_doe" } });
    assert!(holds(simple.clone(), message));
    assert!(holds(simple.clone(), json!({ "text": "so urgent", "sender": "john_doe" })));
    assert!(!holds(simple, json!({ "text": "so urgent", "sender": "John_Doe" })));

    let nested = json!({
        "operator": "AND",
        "conditions": [
            {
                "operator": "OR",
                "conditions": [
                    { "field": "text", "operator": "contains", "value": "urgent" },
                    { "field": "text", "operator": "contains", "value": "asap" }
                ]
            },
            { "field": "isGroupChat", "operator": "equals", "value": false }
        ]
    });
    assert_eq!(conditions(&nested).to_json(), nested);
    assert!(holds(nested.clone(), json!({ "content": { "text": "ASAP please" }, "telegram": { "isGroupChat": false } })));
    assert!(!holds(nested.clone(), json!({ "content": { "text": "ASAP please" }, "telegram": { "isGroupChat": true } })));
    assert!(!holds(nested, json!({ "content": { "text": "later" }, "telegram": { "isGroupChat": false } })));
}

#[test]
fn equality() {
    assert!(is("equals", "a", "a"));
    assert!(!is("equals", "a", "A"));
    assert!(is("equals", 1, 1.0));
    assert!(is("equals", "123", 123) && is("equals", 123, "123") && is("equals", -5, "-5.0"));
    assert!(!is("equals", 7, "007") && !is("equals", 7, "+7") && !is("equals", 7, " 7") && !is("equals", "1", "1.0"));
    assert!(!is("equals", 9_007_199_254_740_993_i64, 9_007_199_254_740_992_i64));
    assert!(is("equals", true, true) && !is("equals", true, "true"));
    assert!(is("equals", json!([1, { "a": 2 }]), json!([1.0, { "a": 2 }])));
    assert!(!is("equals", "a", json!(["a"])));
    assert!(is("notEquals", "a", "b") && !is("not_equals", "a", "a"));
    assert!(is("in", json!(["a", 2]), 2) && is("in", json!(["a", 2]), "2") && !is("in", json!(["a"]), "b"));
    assert!(is("notIn", json!(["a"]), "b") && !is("not_in", json!(["a"]), "a"));
}

#[test]
fn texts() {
    assert!(is("contains", "urgent", "So URGENT") && !is("contains", "urgent", "urgen"));
    assert!(is("contains", "STRASSE", "Hauptstrasse") && is("contains", "ÄRGER", "viel ärger"));
    assert!(is("contains", "ΟΔΟΣ", "η οδος εδώ") && is("contains", "οδος", "ΟΔΟΣ"));
    assert!(is("contains", "", "anything") && !is("contains", "true", true));
    assert!(is("contains", "Ann@example.com", json!(["bob@example.com", "ann@example.com"])));
    assert!(!is("contains", "example.com", json!(["bob@example.com"])));
    assert!(is("contains", 5, json!([5.0])) && is("contains", true, json!([true])) && is("contains", 45, 1456));
    assert!(is("notContains", "spam", "ham") && !is("not_contains", "spam", "SPAM"));
    assert!(is("startsWith", "Re:", "Re: you") && !is("starts_with", "re:", "Re: you"));
    assert!(is("startsWith", "-100", -100_123_456) && is("starts_with", -100, "-100123"));
    assert!(is("endsWith", ".pdf", "a.pdf") && !is("ends_with", ".pdf", "a.PDF") && !is("endsWith", "a", json!(["a"])));
    assert!(
        is("regex", "^a.c$", "abc") && is("matchesRegex", "b", "abc") && is("matches_regex", "(?i)B", "abc") && !is("regex", "B", "abc")
    );
}

#[test]
fn order() {
    assert!(is("greaterThan", 5, 6) && is("greater_than", 5, 5.5) && !is("greaterThan", 5, 5) && !is("greaterThan", 5, "text"));
    assert!(is("lessThan", "100", 99) && is("less_than", 100, "99.5") && !is("lessThan", 100, "9a"));
    assert!(is("greaterThan", 9_007_199_254_740_992_i64, 9_007_199_254_740_993_i64));
    assert!(is("greaterThan", "2026-01-15T10:00:00Z", "2026-01-15T12:00:00.001+02:00"));
    assert!(!is("greaterThan", "2026-01-15T10:00:00Z", "2026-01-15T12:00:00+02:00"));
    assert!(is("lessThan", "2026-01-15", "2026-01-14T23:59:59.999Z") && is("greaterThan", "2026-01-15", "2026-01-15T00:00:01"));
    assert!(!is("lessThan", "2026-01-15", 5) && !is("greaterThan", 5, true));
}

#[test]
fn presence() {
    assert!(is("exists", true, "") && !is("exists", false, "") && !is("exists", true, Value::Null));
    assert!(is("notExists", true, Value::Null) && !is("not_exists", true, 0) && is("notExists", false, 0));
    let exists = json!({ "field": "x", "operator": "exists" });
    assert!(holds(exists.clone(), json!({ "x": 1 })) && !holds(exists.clone(), json!({})));
    assert_eq!(conditions(&exists).to_json(), exists);
    assert!(holds(json!({ "field": "x", "operator": "not_exists" }), json!({})));
}

#[test]
fn a_field_that_is_missing_passes_only_what_is_negated() {
    for operator in ["notEquals", "notContains"] {
        assert!(holds(leaf("x", operator, "a"), json!({})), "{operator}");
    }
    assert!(holds(leaf("x", "notIn", json!(["a"])), json!({})) && holds(leaf("x", "exists", false), json!({})));
    for operator in ["equals", "contains", "startsWith", "endsWith", "regex"] {
        assert!(!holds(leaf("x", operator, ""), json!({})), "{operator}");
    }
    assert!(!holds(leaf("x", "lessThan", 1), json!({})) && !holds(leaf("x", "in", json!([1])), json!({})));
}

#[test]
fn groups_in_any_case() {
    let both = |operator: &str, a: bool, b: bool| {
        holds(
            json!({ "operator": operator, "conditions": [leaf("a", "equals", a), leaf("b", "equals", b)] }),
            json!({ "a": true, "b": true }),
        )
    };
    assert!(both("and", true, true) && !both("And", true, false));
    assert!(both("or", true, false) && !both("OR", false, false));
    assert!(both("not", false, false) && !both("NOT", false, true) && !both("Not", true, true));
    let tree = |or: &str, not: &str, not_equals: &str, regex: &str| {
        let none = json!({ "operator": not, "conditions": [leaf("b", regex, "x")] });
        json!({ "operator": or, "conditions": [leaf("a", not_equals, 1), none] })
    };
    let canonical = tree("OR", "NOT", "notEquals", "regex");
    assert_eq!(conditions(&tree("or", "Not", "not_equals", "matchesRegex")).to_json(), canonical);
}

#[test]
fn other_roots() {
    assert!(holds(leaf("text", "equals", "a"), json!({ "text": "a" })));
    let bare = json!([leaf("text", "equals", "a"), leaf("y", "equals", "b")]);
    assert!(holds(bare.clone(), json!({ "text": "a", "y": "b" })) && !holds(bare.clone(), json!({ "text": "a" })));
    assert_eq!(conditions(&bare).to_json(), json!({ "operator": "AND", "conditions": bare }));
    assert!(holds(Value::Null, json!({})));
    assert_eq!(conditions(&Value::Null).to_json(), Value::Null);
}

#[test]
fn what_is_no_tree() {
    let refused = |json: Value| {
        let (field, message) = refused(&json);
        assert!(message.starts_with(&field), "{message}");
        (field.clone(), message[field.len()..].to_owned())
    };
    let at = |field: &str, problem: &str| (field.to_owned(), problem.to_owned());
    assert_eq!(refused(json!("x")), at("conditions", " must be an object"));
    assert_eq!(refused(json!({})), at("conditions.operator", " is required"));
    assert_eq!(refused(json!({ "operator": 1 })), at("conditions.operator", " must be a text"));
    assert_eq!(refused(json!([])), at("conditions", " is empty"));
    assert_eq!(refused(json!({ "operator": "AND" })), at("conditions.conditions", " is required"));
    assert_eq!(refused(json!({ "operator": "OR", "conditions": [] })), at("conditions.conditions", " is empty"));
    assert_eq!(refused(json!({ "operator": "OR", "conditions": {} })), at("conditions.conditions", " must be an array"));
    assert_eq!(refused(json!({ "operator": "equals", "value": 1 })), at("conditions.field", " is required"));
    assert_eq!(refused(json!({ "operator": "equals", "field": 1 })), at("conditions.field", " must be a text"));
    assert_eq!(refused(json!({ "operator": "equals", "field": "", "value": 1 })), at("conditions.field", " is empty"));
    let member = |member: Value| json!({ "operator": "AND", "conditions": [leaf("a", "equals", 1), member] });
    assert_eq!(refused(member(leaf("a", "equals", Value::Null))), at("conditions.conditions[1].value", " is required"));
    let unknown = " is none of AND, OR, NOT, equals, notEquals, contains, notContains, startsWith, endsWith, greaterThan, lessThan, \
                   in, notIn, exists, notExists, regex";
    assert_eq!(refused(member(leaf("a", "like", 1))), at("conditions.conditions[1].operator", unknown));
    assert_eq!(refused(json!([leaf("a", "Equals", 1)])), at("conditions[0].operator", unknown));
    let value = |operator, value: Value| refused(leaf("a", operator, value));
    assert_eq!(value("in", json!("a")), at("conditions.value", " must be an array of at least one value"));
    assert_eq!(value("notIn", json!([])), at("conditions.value", " must be an array of at least one value"));
    assert_eq!(value("exists", json!("yes")), at("conditions.value", " must be true or false"));
    assert_eq!(value("contains", json!({})), at("conditions.value", " must be a text, a number or a boolean"));
    assert_eq!(value("startsWith", json!(true)), at("conditions.value", " must be a text"));
    assert_eq!(value("regex", json!(5)), at("conditions.value", " must be a text"));
    assert_eq!(value("greaterThan", json!("x")), at("conditions.value", " must be a number, or a time such as 2026-01-15T10:00:00Z"));
    assert_eq!(value("regex", json!("(")), at("conditions.value", " is no regular expression: unclosed group"));
    let look_ahead = " is no regular expression: look-around, including look-ahead and look-behind, is not supported";
    assert_eq!(value("regex", json!("(?=a)")), at("conditions.value", look_ahead));
}

#[test]
fn explained() {
    let exists = json!({ "field": "x", "operator": "exists" });
    let leaves = [leaf("text", "contains", "urgent"), leaf("chatId", "not_equals", 5), exists];
    let tree = json!({ "operator": "OR", "conditions": leaves });
    let event = event(json!({ "type": "telegram.message", "content": { "text": "Urgent" }, "telegram": { "chatId": 5 } }));
    let results = serde_json::to_value(conditions(&tree).explain(&event)).unwrap();
    assert_eq!(
        results,
        json!([
            { "field": "text", "operator": "contains", "expected": "urgent", "actual": "Urgent", "passed": true },
            { "field": "chatId", "operator": "notEquals", "expected": 5, "actual": 5, "passed": false },
            { "field": "x", "operator": "exists", "expected": true, "actual": null, "passed": false },
        ])
    );
}
