//! Components of other origin, by the interfaces that have types of their own.

use serde_json::json;
use tempfile::tempdir;

use crate::support::{fixtures, mirra, run, write};

#[test]
fn components_reach_memory_and_resources_by_typed_interfaces() {
    let folder = tempdir().unwrap();
    let component = folder.path().join("typed.wasm");
    write(&component, wat::parse_file(fixtures("components/typed.wat")).unwrap());
    let call = |event: &str| {
        let data = folder.path().join("data");
        run(&mut mirra(&["run", component.to_str().unwrap(), "--data", data.to_str().unwrap(), "--event", event]), "")
    };
    let made = call(&json!({ "type": "note", "content": "kept by a component" }).to_string()).json();
    assert_eq!((&made["type"], &made["content"]), (&json!("note"), &json!("kept by a component")));
    let id = made["id"].to_string();
    assert_eq!(call(&id).json(), json!(null));
    let again = call(&id);
    assert!(again.code == 1 && again.stderr.contains("NOT_FOUND"), "{} {}", again.code, again.stderr);
    let wrong = call(r#"{ "type": "note" }"#);
    assert!(wrong.code == 1 && wrong.stderr.contains("content is required"), "{}", wrong.stderr);
}
