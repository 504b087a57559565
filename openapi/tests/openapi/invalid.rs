//! What is refused: each document of `documents/invalid` says in its first lines which problems it has.

use std::{fs, path::Path, time::Instant};

use mirra_openapi::{Document, Problems};
use serde_json::{Value, json};

fn refused(text: &str) -> Problems {
    Document::read(text).unwrap_err()
}

#[test]
fn every_problem_is_told_at_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/invalid");
    let mut wrong = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let Err(problems) = Document::read(&text) else { panic!("{path:?} is accepted") };
        let expected: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
        let fits = |line: &&str| {
            let (pointer, message) = line.split_once(": ").unwrap();
            problems.0.iter().any(|problem| problem.pointer == pointer && problem.message.contains(message))
        };
        if expected.is_empty() || !expected.iter().all(fits) || problems.0.len() != expected.len() {
            wrong += &format!("{path:?} expects\n{}\nand has\n{problems}\n\n", expected.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn at_most_fifty_problems_are_kept() {
    let paths: serde_json::Map<String, Value> = (0..200).map(|number| (format!("/a{number}"), json!({"get": {}}))).collect();
    let document = json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": paths});
    assert_eq!(Document::from_json(document).unwrap_err().0.len(), 50);
}

#[test]
fn json_with_a_key_twice_is_refused() {
    let problems = refused(r#"{"openapi": "3.0.0", "openapi": "3.0.1"}"#);
    assert!(problems.to_string().contains("the key \"openapi\" stands there twice"), "{problems}");
}

#[test]
fn nesting_is_bounded() {
    let deep = |open: &str, close: &str| format!("{{\"openapi\": {}{}}}", open.repeat(100_000), close.repeat(100_000));
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        refused(&deep(open, close));
        refused(&format!("openapi: {}", &deep(open, close)));
    }
    let mut value = json!({});
    for _ in 0..70 {
        value = json!([value]);
    }
    let problems = Document::from_json(value).unwrap_err();
    assert!(problems.to_string().contains("nested more than 64 deep"), "{problems}");
}

#[test]
fn a_long_text_is_refused() {
    assert!(refused(&"a".repeat((4 << 20) + 1)).to_string().contains("at most 4194304"));
}

#[test]
fn a_bomb_of_aliases_is_refused_at_once() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let item = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", vec![item; 10].join(", "));
    }
    let start = Instant::now();
    refused(&text);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn operations_are_bounded() {
    let get = json!({"responses": {"200": {"description": "ok"}}});
    let document = |count: usize| {
        let paths: serde_json::Map<String, Value> = (0..count).map(|number| (format!("/a{number}"), json!({"get": get}))).collect();
        Document::from_json(json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": paths}))
    };
    assert_eq!(document(2_000).map(|document| document.operations().len()).ok(), Some(2_000));
    assert!(document(2_001).unwrap_err().to_string().contains("more than 2000 operations"));
}

#[test]
fn schemas_that_all_apply_to_one_value_are_bounded() {
    let any: Vec<Value> = (0..2_000).map(|_| json!({"type": "string"})).collect();
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {},
        "components": {"schemas": {"A": {"anyOf": any}}},
    });
    assert!(Document::from_json(document).unwrap_err().to_string().contains("schemas apply to one value"));
}

#[test]
fn a_long_chain_of_references_is_no_danger() {
    let mut schemas = serde_json::Map::new();
    for number in 0..20_000 {
        schemas.insert(format!("A{number}"), json!({"allOf": [{"$ref": format!("#/components/schemas/A{}", number + 1)}]}));
    }
    schemas.insert("A20000".into(), json!({"type": "string"}));
    let get = json!({
        "parameters": [{"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/A0"}}],
        "responses": {"200": {"description": "ok"}},
    });
    let document = Document::from_json(json!({
        "openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"get": get}}, "components": {"schemas": schemas},
    }));
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    let params = json!({"q": "x"});
    let error = document.operations()[0].request(params.as_object().unwrap()).unwrap_err();
    assert!(error.message.contains("nested too deeply"), "{error}");
}
