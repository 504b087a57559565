//! The catalog's documents are valid, and each of their operations can be called.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use mirra_openapi::{Document, generate};
use serde_json::Value;

fn folders() -> Vec<PathBuf> {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../control/catalog");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(catalog).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path) -> Document {
    let text = fs::read_to_string(folder.join("openapi.yaml")).unwrap();
    Document::read(&text).unwrap_or_else(|problems| panic!("{folder:?}:\n{problems}"))
}

#[test]
fn every_operation_can_be_called() {
    for folder in folders() {
        let document = read(&folder);
        for operation in document.operations() {
            let id = operation.operation_id().unwrap_or_else(|| panic!("{folder:?}: {} has no name", operation.path()));
            assert!(operation.summary().is_some_and(|summary| !summary.is_empty()), "{folder:?}: {id} has no summary");
            assert!(id.chars().all(char::is_alphanumeric) && id.starts_with(char::is_lowercase), "{folder:?}: {id} is no name of a method");
            let params = generate::example(&document, operation);
            let request = operation.request(&params).unwrap_or_else(|error| panic!("{folder:?}: {id}({params:?}): {error}"));
            let (path, query) =
                request.path_and_query.split_once('?').map_or((&*request.path_and_query, None), |(path, query)| (path, Some(query)));
            let (content_type, body) = request.body.as_ref().map_or((None, &[][..]), |(content_type, body)| (Some(&**content_type), body));
            let received = operation.check_request(path, query, &request.headers, content_type, body);
            received.unwrap_or_else(|error| panic!("{folder:?}: {id}: {request:?}: {error}"));
            // A server may leave out whatever it likes.
            if operation.success_schema().is_some() {
                let media = operation.responses().iter().find_map(|response| response.media().first()).unwrap();
                let answers = ["{}", "[]"].map(|empty| operation.response(200, Some(media.content_type()), empty.as_bytes()));
                assert!(answers.iter().any(Result::is_ok), "{folder:?}: {id}: {answers:?}");
            }
        }
    }
}

#[test]
fn every_resource_says_where_it_is_and_how_one_signs_in() {
    let mut names = BTreeSet::new();
    for folder in folders() {
        let resource: Value = serde_json::from_str(&fs::read_to_string(folder.join("resource.json")).unwrap()).unwrap();
        let text = |key: &str| resource[key].as_str().unwrap_or_else(|| panic!("{folder:?}: {key}"));
        assert_eq!(Some(text("name")), folder.file_name().and_then(|name| name.to_str()));
        assert!(["api", "llm", "integration"].contains(&text("resourceType")), "{folder:?}");
        let config = &resource["authConfig"];
        match text("authentication") {
            "none" => {}
            "api_key" => assert!(["header", "query", "path"].contains(&config["location"].as_str().unwrap()), "{folder:?}"),
            "oauth2" => {
                let address = |key: &str| config[key].as_str().is_some_and(|address| address.starts_with("https://"));
                assert!(address("authUrl") && address("tokenUrl") && config["scopes"].is_array(), "{folder:?}");
            }
            other => assert!(["bearer", "basic"].contains(&other) && config.is_object(), "{folder:?}"),
        }
        assert!(!text("description").is_empty() && !text("category").is_empty() && resource["tags"].is_array(), "{folder:?}");
        let document = read(&folder);
        let host = text("baseUrl").split("/bot").next().unwrap();
        assert!(host.starts_with("https://"), "{folder:?}");
        assert!(document.servers()[0].url.starts_with(host), "{folder:?}: {:?}", document.servers());
        names.insert(text("name").to_owned());
    }
    let expected = ["anthropic", "github", "gmail", "googleCalendar", "openai", "slack", "telegram"];
    assert!(expected.iter().all(|name| names.contains(*name)), "{names:?}");
}

#[test]
fn clients_and_pages_are_made_of_all_of_it() {
    for folder in folders() {
        let document = read(&folder);
        let methods: Vec<_> =
            document.operations().iter().map(|operation| (operation.operation_id().unwrap().to_owned(), operation)).collect();
        for text in [
            generate::typescript("client", &methods, &document),
            generate::python("client", &methods, &document),
            generate::page("client", &methods, &document),
        ] {
            assert!(methods.iter().all(|(name, _)| text.contains(name)), "{folder:?}");
        }
    }
}
