//! What holds for all trees and all events, next to an evaluator that reads the JSON as it is.

use std::sync::Arc;

use mirra_triggers::{Conditions, Event, Index, Webhook, read_filter};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{NOW, conditions, event, leaf};

/// Few values, so that they meet.
fn any_scalar() -> impl Strategy<Value = Value> {
    let texts = select(vec![
        "",
        "a",
        "A",
        "ab",
        "aB",
        "urgent",
        "xURGENTx",
        "ä",
        "Ä",
        "σ",
        "ΑΣ",
        "ας",
        "\u{212a}",
        "k",
        "İ",
        "1",
        "1.0",
        "-0",
        "01",
        "5",
        "true",
        "2026-01-15T10:00:00Z",
        "2026-01-16",
    ]);
    prop_oneof![
        4 => texts.prop_map(Value::from),
        2 => (-2..6_i64).prop_map(Value::from),
        1 => select(vec![1.0, -0.0, 0.5, 5.0]).prop_map(Value::from),
        1 => select(vec![i64::MAX, 9_007_199_254_740_993, 9_007_199_254_740_992]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => any_scalar(),
        1 => Just(Value::Null),
        2 => vec(any_scalar(), 0..3).prop_map(Value::from),
        1 => any_scalar().prop_map(|value| json!({ "y": value })),
    ]
}

const FIELDS: [&str; 6] = ["x", "y", "text", "x.y", "x.0", "content.text"];

fn any_leaf() -> impl Strategy<Value = Value> {
    let any_of = |operators: &[&'static str], value: BoxedStrategy<Value>| (select(operators.to_vec()), value);
    let parts = any_scalar().prop_filter("a text or a number", |value| !value.is_boolean()).boxed();
    let bounds = select(vec![json!(0), json!(1.0), json!("5"), json!("2026-01-15T12:00:00Z"), json!("2026-01-16")]).boxed();
    let patterns = select(vec!["^a", "(?i)urgent", "[0-9]+$", "", "a|ä", "urgent|ab", "(?i:k)x?"]).prop_map(Value::from).boxed();
    let test = prop_oneof![
        3 => any_of(&["equals", "notEquals", "not_equals"], any_value().prop_filter("not null", |value| !value.is_null()).boxed()),
        4 => any_of(&["contains", "notContains", "not_contains"], any_scalar().boxed()),
        3 => any_of(&["startsWith", "starts_with", "endsWith", "ends_with"], parts),
        1 => any_of(&["greaterThan", "greater_than", "lessThan", "less_than"], bounds),
        3 => any_of(&["in", "notIn", "not_in"], vec(any_value(), 1..4).prop_map(Value::from).boxed()),
        1 => any_of(&["exists", "notExists", "not_exists"], any::<bool>().prop_map(Value::from).boxed()),
        2 => any_of(&["regex", "matchesRegex", "matches_regex"], patterns),
    ];
    (select(FIELDS.to_vec()), test).prop_map(|(field, (operator, value))| json!({ "field": field, "operator": operator, "value": value }))
}

fn any_tree() -> impl Strategy<Value = Value> {
    any_leaf().prop_recursive(3, 12, 4, |tree| {
        let logic = select(vec!["AND", "AND", "OR", "or", "NOT", "Not"]);
        (logic, vec(tree, 1..4)).prop_map(|(operator, conditions)| json!({ "operator": operator, "conditions": conditions }))
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let section = (any_value(), any_value()).prop_map(|(x, y)| json!({ "x": x, "y": y }));
    let content = proptest::option::of(select(vec!["urgent", "so aB", "İK", "ΟΔΟΣ ΑΣ", "5"]));
    (any_value(), section, content).prop_map(|(x, section, text)| {
        let content = text.map(|text| json!({ "text": text }));
        event(json!({ "type": "t.e", "x": x, "t": section, "content": content }))
    })
}

/// Of the few fields that there are here.
fn naive_field(event: &Value, field: &str) -> Value {
    let at = |pointer: String| event.pointer(&pointer).filter(|value| !value.is_null()).cloned();
    let pointer = format!("/{}", field.replace('.', "/"));
    let found = at(pointer.clone()).or_else(|| at(format!("/t{pointer}")));
    found.or_else(|| if field == "text" { at("/content/text".into()) } else { None }).unwrap_or_default()
}

fn naive_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.is_number().then(|| value.to_string()))
}

fn naive_number(value: &Value) -> Option<Value> {
    let number = match value {
        Value::String(text) if text.trim() == text => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    number.is_number().then_some(number)
}

fn naive_equal(a: &Value, b: &Value) -> bool {
    if let (Value::Array(a), Value::Array(b)) = (a, b) {
        return a.len() == b.len() && (0..a.len()).all(|index| naive_equal(&a[index], &b[index]));
    }
    if let (Value::Object(a), Value::Object(b)) = (a, b) {
        return naive_equal(&json!(a.keys().collect::<Vec<_>>()), &json!(b.keys().collect::<Vec<_>>()))
            && a.keys().all(|key| naive_equal(&a[key], &b[key]));
    }
    match (naive_number(a), naive_number(b)) {
        (Some(x), Some(y)) if a.is_number() || b.is_number() => {
            if x.is_i64() && y.is_i64() {
                x.as_i64() == y.as_i64()
            } else {
                x.as_f64() == y.as_f64()
            }
        }
        _ => a == b,
    }
}

fn naive_fold(text: &str) -> String {
    text.chars().map(|letter| letter.to_lowercase().to_string().replace('ς', "σ")).collect()
}

fn naive_contains(actual: &Value, expected: &Value) -> bool {
    let part = naive_fold(&expected.as_str().map_or_else(|| expected.to_string(), str::to_owned));
    match actual {
        Value::Array(items) => {
            items.iter().any(|item| naive_equal(item, expected) || item.as_str().is_some_and(|item| naive_fold(item) == part))
        }
        actual => naive_text(actual).is_some_and(|text| naive_fold(&text).contains(&part)),
    }
}

fn naive_order(actual: &Value, expected: &Value) -> Option<std::cmp::Ordering> {
    match naive_number(expected) {
        Some(expected) => naive_number(actual)?.as_f64()?.partial_cmp(&expected.as_f64()?),
        // Whole days and instants, as they are written here.
        None => {
            let time = |value: &Value| match value.as_str()? {
                "2026-01-15T10:00:00Z" => Some(10),
                "2026-01-15T12:00:00Z" => Some(12),
                "2026-01-16" => Some(24),
                _ => None,
            };
            Some(time(actual)?.cmp(&time(expected)?))
        }
    }
}

fn naive_holds(tree: &Value, event: &Value) -> bool {
    let operator = tree["operator"].as_str().unwrap();
    if let Some(members) = tree["conditions"].as_array() {
        let held = members.iter().filter(|member| naive_holds(member, event)).count();
        return match &*operator.to_uppercase() {
            "AND" => held == members.len(),
            "OR" => held > 0,
            _ => held == 0,
        };
    }
    let (actual, expected) = (naive_field(event, tree["field"].as_str().unwrap()), &tree["value"]);
    let text = |holds: &dyn Fn(&str, &str) -> bool| naive_text(&actual).is_some_and(|text| holds(&text, &naive_text(expected).unwrap()));
    match (&*operator.replace('_', "").to_lowercase(), actual.is_null()) {
        ("exists", missing) => expected == &json!(!missing),
        ("notexists", missing) => expected == &json!(missing),
        (name, true) => name.starts_with("not"),
        ("equals", _) => naive_equal(&actual, expected),
        ("notequals", _) => !naive_equal(&actual, expected),
        ("in", _) => expected.as_array().unwrap().iter().any(|item| naive_equal(&actual, item)),
        ("notin", _) => !expected.as_array().unwrap().iter().any(|item| naive_equal(&actual, item)),
        ("contains", _) => naive_contains(&actual, expected),
        ("notcontains", _) => !naive_contains(&actual, expected),
        ("startswith", _) => text(&|text, part| text.starts_with(part)),
        ("endswith", _) => text(&|text, part| text.ends_with(part)),
        ("greaterthan", _) => naive_order(&actual, expected) == Some(std::cmp::Ordering::Greater),
        ("lessthan", _) => naive_order(&actual, expected) == Some(std::cmp::Ordering::Less),
        _ => text(&|text, pattern| regex::Regex::new(pattern).unwrap().is_match(text)),
    }
}

/// Of regular expressions.
const PATTERN_PARTS: [&str; 24] = [
    "a",
    "ab",
    "ä",
    "Σ",
    "(?i:ς)",
    "(?i:k)",
    "(?i:s)",
    "(?i:urgent)",
    "urgent",
    ".*",
    ".+?",
    "x?",
    "[ab]+",
    "[^a]",
    "(a|urgent|)",
    "(urgent|Ä)",
    "(?:ab){2}",
    "(?i:ä)*",
    "\\b",
    "^",
    "$",
    "\\s",
    "\\d{1,2}",
    "(?s:.)",
];

const TEXT_PARTS: [&str; 17] =
    ["a", "A", "ab", "ä", "Ä", "Σ", "ς", "k", "K", "\u{212a}", "s", "\u{17f}", "urgent", "URGENT", " ", "7", "\n"];

/// JSON with the words of trees, filters and events in it.
fn any_json() -> impl Strategy<Value = Value> {
    let words = vec![
        "AND",
        "not",
        "equals",
        "regex",
        "in",
        "exists",
        "contains",
        "text",
        "(a+)+$",
        "telegram.message",
        "1.0",
        "2026-01-15T10:00:00Z",
        "x",
    ];
    let scalar = prop_oneof![
        3 => select(words).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any_value(),
    ];
    let names = vec![
        "operator",
        "conditions",
        "field",
        "value",
        "type",
        "id",
        "source",
        "timestamp",
        "actor",
        "content",
        "specversion",
        "data",
        "time",
        "when",
        "a_in",
        "a_gt",
        "text_matches",
        "update_id",
        "message",
        "chat",
        "date",
        "from",
        "telegram",
    ];
    scalar.prop_recursive(6, 40, 5, move |json| {
        let names = prop_oneof![9 => select(names.clone()).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            1 => vec(json.clone(), 0..5).prop_map(Value::from),
            3 => vec((names, json), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn trees_hold_as_they_say(tree in any_tree(), event in any_event()) {
        let read = conditions(&tree);
        let members = serde_json::to_value(&event).unwrap();
        let holds = naive_holds(&tree, &members);
        prop_assert_eq!(read.matches(&event), holds);
        prop_assert_eq!(conditions(&read.to_json()).matches(&event), holds);
        prop_assert_eq!(conditions(&read.to_json()).to_json(), read.to_json());
        for result in read.explain(&event) {
            let leaf = json!({ "field": result.field, "operator": result.operator, "value": result.expected });
            prop_assert_eq!(result.passed, naive_holds(&leaf, &members));
        }
    }

    #[test]
    fn the_index_finds_what_trying_all_finds(
        trees in vec(any_tree(), 1..40),
        events in vec(any_event(), 1..6),
        changes in vec((0..40_usize, proptest::option::of(any_tree())), 0..10),
    ) {
        let mut flows: Vec<Option<Arc<Conditions>>> = trees.iter().map(|tree| Some(Arc::new(conditions(tree)))).collect();
        let mut index = Index::new();
        flows.iter().enumerate().for_each(|(key, flow)| index.insert(key, "ann", "t.e", flow.clone().unwrap()));
        let mut changes = changes.into_iter();
        loop {
            for event in &events {
                let mut found = index.matching("ann", event);
                found.sort_unstable();
                let starts = |key: &usize| flows[*key].as_ref().is_some_and(|flow| flow.matches(event));
                let tried: Vec<usize> = (0..flows.len()).filter(starts).collect();
                prop_assert_eq!(found, tried);
            }
            let Some((key, tree)) = changes.next() else { break };
            if key >= flows.len() {
                continue;
            }
            flows[key] = tree.map(|tree| Arc::new(conditions(&tree)));
            match &flows[key] {
                Some(flow) => index.insert(key, "ann", "t.e", flow.clone()),
                None => drop(index.remove(&key)),
            }
        }
    }

    #[test]
    fn the_index_finds_what_expressions_match(
        patterns in vec(vec(select(PATTERN_PARTS.to_vec()), 0..6), 1..10),
        texts in vec(vec(select(TEXT_PARTS.to_vec()), 0..8), 1..6),
    ) {
        let flow = |parts: &Vec<&str>| Arc::new(conditions(&leaf("x", "regex", parts.concat())));
        let flows: Vec<_> = patterns.iter().map(flow).collect();
        let mut index = Index::new();
        flows.iter().enumerate().for_each(|(key, flow)| index.insert(key, "ann", "t.e", flow.clone()));
        for text in texts {
            let event = event(json!({ "type": "t.e", "x": text.concat() }));
            let tried: Vec<usize> = (0..flows.len()).filter(|key| flows[*key].matches(&event)).collect();
            prop_assert_eq!(index.matching("ann", &event), tried);
        }
    }

    #[test]
    fn no_json_panics(json in any_json(), other in any_json(), now in any::<i64>()) {
        let read = Event::read(json.clone(), now, || "new".into());
        let _ = Event::from_telegram(&json);
        if let Some(filter) = json.as_object() {
            let _ = read_filter(filter);
        }
        if let (Ok(tree), Ok(event)) = (Conditions::read(&json), Event::read(other, now, String::new)) {
            tree.matches(&event);
            tree.explain(&event);
        }
        if let Ok(event) = read {
            event.fields();
            prop_assert_eq!(&Event::read(json!(event), now, String::new).unwrap(), &event);
        }
    }

    #[test]
    fn no_text_panics(name in any::<String>(), pattern in any::<String>(), body in any::<Vec<u8>>(), now in any::<i64>()) {
        let _ = Conditions::read(&json!({ "field": "x", "operator": "regex", "value": pattern }));
        let (query, content_type) = (Some(&*pattern), Some(&*name));
        let webhook = Webhook { webhook_id: &name, method: &name, headers: &[], query, content_type, body: &body };
        Event::from_webhook(&webhook, now, name.clone()).field(&pattern);
        let _ = Event::read(json!({ "type": name, "timestamp": pattern }), NOW, String::new);
    }
}
