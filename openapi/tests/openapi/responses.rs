//! Answers become values, and those that break the document errors that say where.

use crate::{document, operation};
use serde_json::{Value, json};

const JSON: Option<&str> = Some("application/json; charset=utf-8");

#[test]
fn the_status_chooses_what_an_answer_must_be() {
    let document = document("users.yaml");
    let list = operation(&document, "listUsers");
    let answer = |status: u16, content_type: Option<&str>, body: &str| {
        list.response(status, content_type, body.as_bytes()).map_err(|error| (error.pointer, error.message))
    };
    assert_eq!(answer(200, JSON, r#"[{"id": 1, "name": "Ada"}]"#), Ok(json!([{"id": 1, "name": "Ada"}])));
    assert_eq!(
        answer(200, JSON, r#"[{"id": 1, "name": "Ada"}, {"id": "2", "name": "B"}]"#).unwrap_err(),
        ("/1/id".into(), "must be an integer".into())
    );
    // `id` is there in answers, `secret` in requests only.
    assert_eq!(answer(200, JSON, r#"[{"name": "Ada"}]"#).unwrap_err(), ("/0/id".into(), "is required".into()));
    assert_eq!(answer(422, JSON, "{}").unwrap_err().0, "/error");
    assert_eq!(answer(422, JSON, r#"{"error": "x"}"#), Ok(json!({"error": "x"})));
    assert_eq!(answer(404, Some("text/plain"), "nobody"), Ok(json!("nobody")));
    assert_eq!(answer(404, Some("text/plain"), &"nobody".repeat(9)).unwrap_err().0, "");
    assert_eq!(answer(500, JSON, "{}").unwrap_err().0, "/fatal");
    assert_eq!(answer(500, Some("text/html"), "<p>"), Ok(json!("<p>")));
    assert_eq!(answer(200, JSON, "{").unwrap_err().1.split(" and is not").next(), Some("the body says that it is JSON"));
    assert_eq!(answer(200, JSON, ""), Ok(Value::Null));
    assert_eq!(answer(200, None, "[]"), Ok(json!([])));
    assert!(answer(200, JSON, "{}").unwrap_err().1.starts_with("the body must be an array"));
}

#[test]
fn what_the_document_says_nothing_of_is_taken_as_it_comes() {
    let document = document("users.yaml");
    let replace = operation(&document, "replaceUser");
    assert_eq!(replace.response(500, JSON, b"{\"a\": 1}"), Ok(json!({"a": 1})));
    assert_eq!(replace.response(500, Some("application/pdf"), b"hi"), Ok(json!("aGk=")));
    assert_eq!(replace.response(500, None, b"hi"), Ok(json!("hi")));
    assert!(replace.response(500, JSON, b"hi").is_err());
    assert_eq!(operation(&document, "getPicture").response(200, Some("image/gif"), b"\xff\x00"), Ok(json!("/wA=")));
    let user = operation(&document, "getUser").response(200, Some("application/vnd.users+json"), b"{}");
    assert_eq!(user.unwrap_err().message, "is required");
}

#[test]
fn a_large_body_is_refused() {
    let document = document("users.yaml");
    let body = vec![b'a'; (10 << 20) + 1];
    assert!(operation(&document, "nothing").response(200, Some("text/plain"), &body).is_err());
    assert!(operation(&document, "nothing").response(200, Some("text/plain"), &body[1..]).is_ok());
}

#[test]
fn alternatives_without_end_are_cut_short() {
    let part = json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}});
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "T", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {
            "description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}},
        }}}}},
        "components": {"schemas": {"A": {"anyOf": [part, part, {"type": "integer"}]}}},
    });
    let document = mirra_openapi::Document::from_json(document).unwrap_or_else(|problems| panic!("{problems}"));
    let body = format!("{}\"x\"{}", "{\"a\": ".repeat(100), "}".repeat(100));
    let error = document.operations()[0].response(200, JSON, body.as_bytes()).unwrap_err();
    assert!(error.message.contains("too many readings"), "{error}");
    let body = format!("{}5{}", "{\"a\": ".repeat(100), "}".repeat(100));
    assert!(document.operations()[0].response(200, JSON, body.as_bytes()).is_ok());
}
