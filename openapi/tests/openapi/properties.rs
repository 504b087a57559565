//! What holds for all documents and all values.

use mirra_openapi::{Document, Operation};
use proptest::{collection::vec, prelude::*, string::string_regex};
use serde_json::{Map, Value, json};

use crate::{document, operation, received};

/// Any text, with a taste for what means something in a URL or a header.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => string_regex("[a-z/.?#%&=+,;| \\[\\]{}~\"'\\\\0-9-]{0,8}").unwrap(),
        1 => any::<String>(),
        1 => prop_oneof![Just("..".to_owned()), Just(".".to_owned()), Just("%2e%2e".to_owned()), Just("true".to_owned()), Just("-1.5e3".to_owned())],
    ]
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![any_text().prop_map(Value::from), any::<i64>().prop_map(Value::from), any::<bool>().prop_map(Value::from)]
}

fn any_object() -> impl Strategy<Value = Value> {
    (any_text(), proptest::option::of(any::<i32>()), proptest::option::of(any::<bool>())).prop_map(|(a, b, c)| {
        let mut object = Map::new();
        object.insert("a".into(), a.into());
        object.extend(b.map(|b| ("b".to_owned(), Value::from(b))));
        object.extend(c.map(|c| ("c".to_owned(), Value::from(c))));
        Value::Object(object)
    })
}

/// A value of each parameter of the operation, or none of it.
fn any_params(operation: &Operation) -> impl Strategy<Value = Map<String, Value>> + use<> {
    let names: Vec<String> = operation.parameters().map(|parameter| parameter.name().to_owned()).collect();
    let values = names.into_iter().map(|name| {
        let value = match name.to_ascii_lowercase() {
            name if ["list", "space", "pipe", "tags"].iter().any(|part| name.contains(part)) => {
                vec(any_scalar(), 1..4).prop_map(Value::from).boxed()
            }
            name if ["object", "deep", "json", "exploded"].iter().any(|part| name.contains(part)) => any_object().boxed(),
            name if ["reserved", "name", "format"].contains(&&*name) => any_text().prop_map(Value::from).boxed(),
            _ => any_scalar().boxed(),
        };
        (Just(name), prop_oneof![4 => value.prop_map(Some), 1 => Just(None)])
    });
    values.collect::<Vec<_>>().prop_map(|values| values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// JSON with the words of OpenAPI in it.
fn any_json() -> impl Strategy<Value = Value> {
    let words = [
        "string",
        "object",
        "array",
        "integer",
        "query",
        "path",
        "header",
        "form",
        "deepObject",
        "3.0.3",
        "#/components/schemas/A",
        "#/components/parameters/A",
        "#/paths/~1a",
        "#",
        "a.yaml",
        "^a(b",
        "id",
        "application/json",
    ];
    let keys = [
        "$ref",
        "type",
        "items",
        "properties",
        "allOf",
        "oneOf",
        "not",
        "required",
        "nullable",
        "schema",
        "content",
        "in",
        "name",
        "style",
        "explode",
        "get",
        "post",
        "parameters",
        "responses",
        "requestBody",
        "200",
        "default",
        "description",
        "/a",
        "/a/{id}",
        "schemas",
        "A",
        "application/json",
        "enum",
        "pattern",
        "additionalProperties",
        "operationId",
        "encoding",
        "minLength",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((proptest::sample::select(keys.to_vec()), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

/// Puts a value into a document, somewhere.
fn replaced(document: &mut Value, steps: &[prop::sample::Index], value: Value) {
    let below = steps.split_first().and_then(|(step, rest)| match &mut *document {
        Value::Object(members) if !members.is_empty() => {
            let index = step.index(members.len());
            members.values_mut().nth(index).map(|below| (below, rest))
        }
        Value::Array(items) if !items.is_empty() => {
            let index = step.index(items.len());
            items.get_mut(index).map(|below| (below, rest))
        }
        _ => None,
    });
    match below {
        Some((below, rest)) => replaced(below, rest, value),
        None => *document = value,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_never_panic(steps in vec(any::<prop::sample::Index>(), 0..9), value in any_json(), paths in any_json(), params in any_json()) {
        let mut users = document("users.yaml").json().clone();
        replaced(&mut users, &steps, value.clone());
        let other = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": paths, "components": {"schemas": value}});
        let alone = json!({"paths": value});
        for candidate in [users, other, alone] {
            let Ok(document) = Document::from_json(candidate) else { continue };
            let params = params.as_object().cloned().unwrap_or_default();
            for operation in document.operations() {
                let _ = operation.request(&params);
                let _ = operation.response(200, Some("application/json"), params_text(&params).as_bytes());
                let _ = operation.check_request("/a/b", Some("a=b&c[d]=e"), &[], Some("application/json"), b"{}");
            }
            let methods: Vec<_> = document.operations().iter().map(|operation| ("m".to_owned(), operation)).collect();
            let _ = mirra_openapi::generate::typescript("x", &methods, &document);
            let _ = mirra_openapi::generate::python("x", &methods, &document);
            let _ = mirra_openapi::generate::page("x", &methods, &document);
        }
    }

    #[test]
    fn what_is_sent_is_what_is_taken(
        simple in any_params(operation(&document("styles.yaml"), "simple")),
        label in any_params(operation(&document("styles.yaml"), "label")),
        matrix in any_params(operation(&document("styles.yaml"), "matrix")),
        query in any_params(operation(&document("styles.yaml"), "query")),
        headers in any_params(operation(&document("styles.yaml"), "headers")),
        file in any_params(operation(&document("styles.yaml"), "file")),
    ) {
        let document = document("styles.yaml");
        let calls = [("simple", simple), ("label", label), ("matrix", matrix), ("query", query), ("headers", headers), ("file", file)];
        for (id, params) in calls {
            let operation = operation(&document, id);
            let Ok(request) = operation.request(&params) else { continue };
            prop_assert_eq!(received(operation, &request), Ok(()), "{:?}", request);
            let path = request.path_and_query.split('?').next().unwrap();
            // No value has made a segment more or less, or one that leads elsewhere.
            prop_assert_eq!(path.matches('/').count(), operation.path().matches('/').count());
            prop_assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\'), "{}", path);
            prop_assert!(path.split('/').skip(1).all(|segment| !["", ".", "..", "%2e", "%2E%2E"].contains(&segment)), "{}", path);
            prop_assert!(request.headers.iter().all(|(_, value)| !value.contains(['\r', '\n', '\0'])));
        }
    }

    #[test]
    fn bodies_are_taken_as_they_are_sent(name in any_text(), tags in vec(any_text(), 1..4), age in any::<i32>(), data in vec(any::<u8>(), 0..50)) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let document = document("users.yaml");
        let bytes = STANDARD.encode(&data);
        for (id, params) in [
            ("form", json!({"name": name, "tags": tags, "age": age, "filter": {"a": age}, "meta": {"list": [age]}})),
            ("upload", json!({"file": {"data": bytes, "filename": name}, "title": name, "tags": tags, "count": age, "meta": {"a": age}})),
            ("setPicture", json!({"id": age, "body": bytes})),
            ("createUser", json!({"name": format!("A{name}"), "secret": name})),
        ] {
            let operation = operation(&document, id);
            let request = operation.request(params.as_object().unwrap()).unwrap();
            prop_assert_eq!(received(operation, &request), Ok(()), "{:?}", request);
        }
    }
}

fn params_text(params: &Map<String, Value>) -> String {
    Value::Object(params.clone()).to_string()
}
