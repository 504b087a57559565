//! Calls become requests, and wrong calls errors that name what is wrong.

use crate::{document, object, operation, received};
use mirra_openapi::{Document, RequestParts};
use serde_json::{Value, json};

fn call(document: &Document, id: &str, params: Value) -> RequestParts {
    let operation = operation(document, id);
    let request = operation.request(&object(params)).unwrap_or_else(|error| panic!("{id}: {error}"));
    received(operation, &request).unwrap_or_else(|error| panic!("{id}: {request:?} is not taken: {error}"));
    request
}

fn fails(document: &Document, id: &str, params: Value) -> (String, String) {
    let error = operation(document, id).request(&object(params)).unwrap_err();
    (error.field, error.message)
}

fn text(request: &RequestParts) -> (&str, String) {
    let (content_type, body) = request.body.as_ref().unwrap();
    (content_type, String::from_utf8(body.clone()).unwrap())
}

#[test]
fn every_style_is_written_as_openapi_has_it() {
    let document = document("styles.yaml");
    let list = json!(["a b", 3, true]);
    let thing = json!({"a": "x/y", "b": 2});
    let path = |id: &str, style: &str| {
        let params = json!({
            style: "x", format!("{style}List"): list, format!("{style}ListExploded"): list,
            format!("{style}Object"): thing, format!("{style}ObjectExploded"): thing,
        });
        call(&document, id, params).path_and_query
    };
    assert_eq!(path("simple", "simple"), "/path/x/a%20b,3,true/a%20b,3,true/a,x%2Fy,b,2/a=x%2Fy,b=2");
    assert_eq!(path("label", "label"), "/label/.x/.a%20b,3,true/.a%20b.3.true/.a,x%2Fy,b,2/.a=x%2Fy.b=2");
    assert_eq!(
        path("matrix", "matrix"),
        "/matrix/;matrix=x/;matrixList=a%20b,3,true/;matrixListExploded=a%20b;matrixListExploded=3;matrixListExploded=true\
         /;matrixObject=a,x%2Fy,b,2/;a=x%2Fy;b=2"
    );
    let query = |params: Value| call(&document, "query", params).path_and_query;
    assert_eq!(query(json!({"form": "a&b=c#d"})), "/query?form=a%26b%3Dc%23d");
    assert_eq!(query(json!({"formList": list})), "/query?formList=a%20b,3,true");
    assert_eq!(query(json!({"formListExploded": list})), "/query?formListExploded=a%20b&formListExploded=3&formListExploded=true");
    assert_eq!(query(json!({"formObject": thing})), "/query?formObject=a,x%2Fy,b,2");
    assert_eq!(query(json!({"formObjectExploded": thing})), "/query?a=x%2Fy&b=2");
    assert_eq!(query(json!({"space": ["a", 1]})), "/query?space=a%201");
    assert_eq!(query(json!({"pipe": ["a b", 1]})), "/query?pipe=a%20b%7C1");
    assert_eq!(query(json!({"deep": thing})), "/query?deep%5Ba%5D=x%2Fy&deep%5Bb%5D=2");
    assert_eq!(query(json!({"reserved": "a/b?c:d&e#f"})), "/query?reserved=a/b?c:d%26e%23f");
    assert_eq!(query(json!({"json": {"a": "1"}})), "/query?json=%7B%22a%22%3A%221%22%7D");
    assert_eq!(query(json!({"form": null})), "/query");
    let headers = call(
        &document,
        "headers",
        json!({
            "X-Scalar": "hi, you", "X-List": ["a", 1], "X-Object": thing, "X-Exploded": thing, "X-Json": {"a": "b"},
            "session": "a;b", "tags": ["x", "y z"],
        }),
    )
    .headers;
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("X-Scalar"), Some("hi, you"));
    assert_eq!(header("X-List"), Some("a,1"));
    assert_eq!(header("X-Object"), Some("a,x/y,b,2"));
    assert_eq!(header("X-Exploded"), Some("a=x/y,b=2"));
    assert_eq!(header("X-Json"), Some("{\"a\":\"b\"}"));
    assert_eq!(header("Cookie"), Some("session=a%3Bb; tags=x,y%20z"));
    assert_eq!(call(&document, "file", json!({"name": "a.b", "format": "tar.gz"})).path_and_query, "/files/a%2Eb.tar%2Egz");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let document = document("styles.yaml");
    let message = |id: &str, params: Value| fails(&document, id, params).1;
    for value in ["a\r\nHost: b", "a\nb", "a\0b", "a\u{85}b", "a\u{7f}b"] {
        assert_eq!(message("headers", json!({"X-Scalar": value})), "X-Scalar holds a control character, which no header may");
    }
    assert!(message("headers", json!({"X-List": ["a,b"]})).contains("a comma"));
    assert!(message("query", json!({"space": ["a b"]})).contains("separates items"));
    assert!(message("query", json!({"pipe": ["a|b"]})).contains("separates items"));
    // OpenAPI ignores these as parameters, so that nobody declares them.
    assert_eq!(fails(&document, "headers", json!({"Authorization": "x"})).0, "Authorization");
    assert!(message("headers", json!({"nobody": 1})).starts_with("nobody is no parameter of this operation: there are X-Scalar, X-List"));
}

#[test]
fn no_value_of_a_path_leads_elsewhere() {
    let document = document("styles.yaml");
    let path = |name: &str, format: &str| operation(&document, "file").request(&object(json!({"name": name, "format": format})));
    assert_eq!(path("../../x?y#z%", "a").unwrap().path_and_query, "/files/%2E%2E%2F%2E%2E%2Fx%3Fy%23z%25.a");
    assert_eq!(path("", "a").unwrap_err().field, "name");
    assert_eq!(path(".", "a").unwrap_err().field, "name");
    let params = |value: &str| {
        object(
            json!({"simple": value, "simpleList": ["a"], "simpleListExploded": ["a"], "simpleObject": {"a": "b"}, "simpleObjectExploded": {"a": "b"}}),
        )
    };
    for value in ["", ".", ".."] {
        assert_eq!(operation(&document, "simple").request(&params(value)).unwrap_err().field, "simple", "{value:?}");
    }
    let users = crate::document("users.yaml");
    assert_eq!(fails(&users, "getUser", json!({"id": ".."})).0, "id");
}

#[test]
fn members_go_where_the_document_has_them() {
    let document = document("users.yaml");
    // The operation's own `limit` is meant, not the path's; what is required and has a default is sent.
    assert_eq!(call(&document, "listUsers", json!({})).path_and_query, "/users?version=2");
    assert_eq!(call(&document, "listUsers", json!({"limit": 5, "version": "3"})).path_and_query, "/users?limit=5&version=3");
    let made = call(&document, "createUser", json!({"name": "Ada", "secret": "s", "anything": [1]}));
    assert_eq!((made.method.as_str(), made.path_and_query.as_str()), ("POST", "/users"));
    let (content_type, body) = text(&made);
    assert_eq!(content_type, "application/json");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"name": "Ada", "secret": "s", "anything": [1]}));
    // The body has an `id` as the path has.
    let replaced = call(&document, "replaceUser", json!({"id": 7, "body": {"id": 8, "name": "x"}}));
    assert_eq!((replaced.path_and_query.as_str(), text(&replaced).1.as_str()), ("/users/7", r#"{"id":8,"name":"x"}"#));
    assert_eq!(text(&call(&document, "sum", json!({"body": [1, 2]}))).1, "[1,2]");
    assert_eq!(text(&call(&document, "note", json!({"body": "hi"}))), ("text/plain", "hi".into()));
    assert_eq!(text(&call(&document, "setPicture", json!({"id": 1, "body": "aGk="}))), ("image/png", "hi".into()));
    assert_eq!(call(&document, "either", json!({})).body, None);
    assert_eq!(call(&document, "nothing", json!({})).body, None);
}

#[test]
fn errors_name_the_field() {
    let document = document("users.yaml");
    let field = |id: &str, params: Value| fails(&document, id, params).0;
    let message = |id: &str, params: Value| fails(&document, id, params).1;
    assert_eq!(fails(&document, "getUser", json!({})), ("id".into(), "id is required: a path parameter".into()));
    assert_eq!(fails(&document, "getUser", json!({"id": "5"})), ("id".into(), "id must be an integer".into()));
    assert_eq!(message("getUser", json!({"id": 1, "x": 1})), "x is no parameter of this operation: there are id");
    assert_eq!(message("nothing", json!({"x": 1})), "x is no parameter of this operation: it has none");
    assert_eq!(message("createUser", json!({"name": "A"})), "secret is required: a member of the body");
    let user = |more: Value| {
        let mut user = object(json!({"name": "A", "secret": "s"}));
        user.extend(object(more));
        Value::Object(user)
    };
    assert_eq!(message("createUser", user(json!({"user": {"emails": [5]}}))), "user.emails.0 must be a string");
    assert_eq!(message("createUser", user(json!({"user": {"emails": ["a@b.cd", "x"]}}))), "user.emails.1 must be a valid email");
    assert_eq!(field("createUser", user(json!({"user": {"phone": 1}}))), "user.phone");
    assert_eq!(field("createUser", user(json!({"friends": [{"name": "B", "secret": ""}, {"name": "b", "secret": ""}]}))), "friends.1.name");
    assert_eq!(message("createUser", user(json!({"friends": [{"name": "B"}]}))), "friends.0.secret is required: a member of the body");
    assert!(message("createUser", user(json!({"balance": 0}))).starts_with("balance "));
    assert_eq!(message("createUser", user(json!({"nick": "c"}))), "nick must be one of \"a\", \"b\", null");
    assert_eq!(field("createUser", user(json!({"pet": {"kind": "cat", "lives": "9"}}))), "pet.lives");
    assert_eq!(message("createUser", user(json!({"pet": 5}))), "pet must be an object");
    call(&document, "createUser", user(json!({"nick": null, "pet": null})));
    call(&document, "createUser", user(json!({"pet": {"kind": "dog"}})));
    assert_eq!(message("sum", json!({})), "body is required: the body of the request");
    assert_eq!(message("sum", json!({"body": [1, "2"]})), "body.1 must be an integer");
    assert!(message("sum", json!({"body": [1, 3_000_000_000u64]})).starts_with("body.1 "));
    assert_eq!(message("note", json!({"body": 5})), "body must be a string");
    assert_eq!(field("setPicture", json!({"id": 1, "body": "not base64!"})), "body");
    assert_eq!(message("form", json!({"name": "a", "other": 1})), "other is not known to the schema, which allows no other members");
}

#[test]
fn formats_are_asserted() {
    let document = document("users.yaml");
    for (name, good, bad) in [
        ("moment", json!("2024-02-29T12:00:00Z"), json!("2024-02-30T12:00:00Z")),
        ("day", json!("2024-02-29"), json!("2023-02-29")),
        ("id", json!("123e4567-e89b-12d3-a456-426614174000"), json!("123")),
        ("mail", json!("a@example.com"), json!("a")),
        ("link", json!("https://example.com/a?b"), json!("not a link")),
        ("small", json!(2_147_483_647), json!(2_147_483_648u64)),
        ("large", json!(i64::MAX), json!(u64::MAX)),
        ("bytes", json!("aGk="), json!("a?")),
    ] {
        call(&document, "formats", json!({ name: good }));
        assert_eq!(fails(&document, "formats", json!({ name: bad })).0, name);
    }
    call(&document, "formats", json!({"other": "whatever"}));
}

#[test]
fn forms_are_written_and_read() {
    let document = document("users.yaml");
    let form = call(&document, "form", json!({"name": "a b&c", "age": 5, "tags": ["x", "y"], "filter": {"a": 1}, "meta": {"list": [1]}}));
    let (content_type, written) = text(&form);
    // In the order in which the members are kept, which is not ours to say.
    let mut pairs: Vec<&str> = written.split('&').collect();
    pairs.sort_unstable();
    let expected = ["age=5", "filter%5Ba%5D=1", "meta=%7B%22list%22%3A%5B1%5D%7D", "name=a%20b%26c", "tags=x", "tags=y"];
    assert_eq!((content_type, pairs), ("application/x-www-form-urlencoded", expected.to_vec()));
    assert_eq!(text(&call(&document, "form", json!({"name": "5", "age": null}))).1, "name=5");
    let upload = call(
        &document,
        "upload",
        json!({
            "file": {"filename": "a\"\r\nb.txt", "contentType": "text/plain", "data": "aGk="}, "more": ["YQ==", "Yg=="],
            "title": "# T", "count": 3, "tags": ["x", "y"], "meta": {"a": 1},
        }),
    );
    let (content_type, body) = text(&upload);
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(body.starts_with(&format!("--{boundary}\r\n")) && body.ends_with(&format!("\r\n--{boundary}--\r\n")), "{body}");
    for part in [
        "name=\"file\"; filename=\"a%22%0D%0Ab.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n",
        "name=\"more\"; filename=\"more\"\r\nContent-Type: application/octet-stream\r\n\r\na\r\n",
        "name=\"title\"\r\nContent-Type: text/markdown\r\n\r\n# T\r\n",
        "name=\"count\"\r\n\r\n3\r\n",
        "name=\"tags\"\r\n\r\ny\r\n",
        "name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n",
    ] {
        assert!(body.contains(part), "{part}\nin\n{body}");
    }
    assert_eq!(fails(&document, "upload", json!({"file": "???"})).0, "file");
    assert_eq!(fails(&document, "upload", json!({"file": {"data": "aGk=", "contentType": "a\r\nb"}})).0, "file");
    // JSON where it will do, and a form where there is a file.
    assert_eq!(text(&call(&document, "either", json!({"chat": 1, "photo": "id"}))).0, "application/json");
    assert!(text(&call(&document, "either", json!({"chat": 1, "photo": {"data": "aGk="}}))).0.starts_with("multipart/form-data"));
}

#[test]
fn requests_that_do_not_fit_are_told_from_those_that_do() {
    let document = document("users.yaml");
    let check = |id: &str, path: &str, query: Option<&str>, content_type: Option<&str>, body: &str| {
        operation(&document, id).check_request(path, query, &[], content_type, body.as_bytes()).map_err(|error| error.message)
    };
    assert_eq!(check("getUser", "/users/5", None, None, ""), Ok(()));
    assert_eq!(check("getUser", "/users/5", Some("key=x"), None, ""), Ok(()));
    assert_eq!(check("getUser", "/users/x", None, None, "").unwrap_err(), "id must be an integer");
    assert_eq!(check("getUser", "/other/5", None, None, "").unwrap_err(), "the path does not fit /users/{id}");
    assert_eq!(check("getUser", "/users/5/6", None, None, "").unwrap_err(), "the path does not fit /users/{id}");
    assert_eq!(check("listUsers", "/users", Some("limit=5"), None, "").unwrap_err(), "version is required: a query parameter");
    assert_eq!(
        check("listUsers", "/users", Some("limit=500&version=1"), None, "").unwrap_err(),
        "limit is greater than the maximum of 100"
    );
    assert_eq!(check("sum", "/sum", None, None, "").unwrap_err(), "a body is required");
    assert_eq!(check("sum", "/sum", None, Some("application/json"), "[1").unwrap_err().split(':').next(), Some("the body is no JSON"));
    assert_eq!(check("sum", "/sum", None, Some("application/json"), "[\"1\"]").unwrap_err(), "0 must be an integer");
    assert!(check("sum", "/sum", None, Some("text/plain"), "x").unwrap_err().contains("content type text/plain"));
    assert_eq!(check("getUser", "/users/5", None, Some("text/plain"), "x").unwrap_err(), "the operation takes no body");
    assert!(check("form", "/form", None, Some("application/x-www-form-urlencoded"), "age=x&name=y").is_err());
}

#[test]
fn a_document_says_what_it_is() {
    let document = document("users.yaml");
    assert_eq!((document.title(), document.version()), ("Users", "1.2.0"));
    assert_eq!(document.servers()[0].url, "https://eu.example.com/v1");
    let list = document.operation("get", "/users").unwrap();
    assert_eq!((list.method(), list.path(), list.summary()), ("GET", "/users", Some("All users")));
    assert!(document.operation("GET", "/users/{id}").unwrap().deprecated());
    assert!(document.operation("PATCH", "/users").is_none());
    assert_eq!(list.parameters().count(), 2);
    assert_eq!(document.json()["info"]["x-anything"]["goes"], "here");
    assert!(operation(&document, "createUser").body().unwrap().is_flat());
    assert!(!operation(&document, "replaceUser").body().unwrap().is_flat());
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&document);
}
