//! Clients and pages: what comes out is valid, whatever a document names its things.

use std::{fs, process::Command};

use mirra_openapi::{
    Document,
    generate::{Method, page, python, typescript},
};
use serde_json::json;

use crate::document;

fn methods(document: &Document) -> Vec<Method<'_>> {
    document.operations().iter().map(|operation| (operation.operation_id().unwrap_or("x").to_owned(), operation)).collect()
}

/// A document that tries to get out of whatever its texts are put into.
fn hostile() -> Document {
    let evil = "*/ } \"\"\" \\ </style><script>alert('1')</script> ${x} `\n# x\r\n'''\u{2028}\\";
    let value = json!({
        "openapi": "3.0.0", "info": {"title": evil, "version": evil, "description": evil},
        "paths": {"/a": {"post": {
            "operationId": "class", "summary": evil, "description": evil,
            "parameters": [{"name": evil, "in": "query", "description": evil, "schema": {"type": "string", "enum": [evil, null, 1, true]}}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/1-a.b"}}}},
            "responses": {"200": {"description": evil, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/1_a.b"}}}}},
        }}},
        "components": {"schemas": {
            "1-a.b": {"type": "object", "required": ["class", "b"], "description": evil, "properties": {
                "class": {"type": "integer"}, "b": {"type": "number"}, "a-b": {"type": "boolean"}, "List": {"type": "array", "items": {}},
                "__x": {"type": "object", "properties": {evil: {"type": "string", "default": evil}}},
            }},
            "1_a.b": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/1-a.b"}, {"properties": {"again": {"$ref": "#/components/schemas/1_a.b"}}}]},
        }},
    });
    Document::from_json(value).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn typescript_says_what_goes_in_and_what_comes_out() {
    let document = document("users.yaml");
    let text = typescript("people api", &methods(&document), &document);
    for part in [
        "export interface PeopleApi {",
        "  /** All users */\n  listUsers(params?: ListUsersParams): Promise<ListUsersResult>;",
        "getUser(params: GetUserParams): Promise<GetUserResult>;",
        "  /** How many */\n  limit?: number;",
        "export type ListUsersResult = Array<User>;",
        "nick?: \"a\" | \"b\" | null;",
        "pet?: (Cat | Dog) | null;",
        "friends?: Array<User>;",
        "photo?: string | { filename?: string; contentType?: string; data: string };",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
    let text = typescript("x", &methods(&hostile()), &hostile());
    // A comment ends where it should, or the text is that of a string.
    let ends = |line: &str| !line.contains("*/") || line.ends_with("*/") || line.trim_start().starts_with('"');
    assert!(text.lines().all(ends), "{text}");
}

#[test]
fn python_is_python() {
    for document in [document("users.yaml"), document("styles.yaml"), hostile()] {
        let text = python("people", &methods(&document), &document);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stub.py");
        fs::write(&file, &text).unwrap();
        // Where there is none, what the text says is all that can be looked at.
        let Ok(output) = Command::new("python3").arg(&file).output() else { continue };
        assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    }
    let document = document("users.yaml");
    let text = python("people", &methods(&document), &document);
    for part in [
        "class People(Protocol):",
        "    def getUser(self, params: GetUserParams) -> \"User\":",
        "    def listUsers(self, params: ListUsersParams = ...) -> List[\"User\"]:\n        \"\"\"All users\"\"\"",
        "class User(_UserRequired, total=False):",
        "    nick: Optional[Literal[\"a\", \"b\"]]",
        "    friends: List[\"User\"]",
        "    photo: Union[str, Dict[str, str]]",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
}

#[test]
fn the_page_says_all_of_it_and_runs_nothing() {
    let users = document("users.yaml");
    let text = page("people", &methods(&users), &users);
    for part in [
        "<title>Users</title>",
        "People &amp; &lt;their&gt; things",
        "<code>GET /users/{id}</code> · deprecated",
        "How many",
        "color-scheme: light dark",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
    let hostile = hostile();
    let text = page("<b>", &methods(&hostile), &hostile);
    assert!(!text.contains("<script") && !text.contains("<b>") && text.matches("</style>").count() == 1, "{text}");
}

#[test]
fn what_is_shared_is_not_written_without_end() {
    let item = json!({"get": {"description": "x".repeat(1_000_000), "responses": {"200": {"description": "ok"}}}});
    let mut paths: serde_json::Map<String, serde_json::Value> =
        (0..100).map(|number| (format!("/a{number}"), json!({"$ref": "#/paths/~1shared"}))).collect();
    paths.insert("/shared".into(), item);
    let document = Document::from_json(json!({"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": paths})).unwrap();
    let methods = methods(&document);
    for text in [typescript("x", &methods, &document), python("x", &methods, &document), page("x", &methods, &document)] {
        assert!(text.len() < 20 << 20, "{}", text.len());
    }
}
