//! Documents, calls by them, and what is refused of both.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used)]

mod generated;
mod invalid;
mod properties;
mod requests;
mod responses;

use std::{fs, path::Path};

use mirra_openapi::{Document, Operation, ParameterError, RequestParts};
use serde_json::{Map, Value};

pub fn document(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/valid").join(name);
    Document::read(&fs::read_to_string(path).unwrap()).unwrap_or_else(|problems| panic!("{name}: {problems}"))
}

pub fn operation<'d>(document: &'d Document, id: &str) -> &'d Operation {
    document.operations().iter().find(|operation| operation.operation_id() == Some(id)).unwrap()
}

pub fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Whether a server that reads by the same document takes the request.
pub fn received(operation: &Operation, request: &RequestParts) -> Result<(), ParameterError> {
    let (path, query) =
        request.path_and_query.split_once('?').map_or((&*request.path_and_query, None), |(path, query)| (path, Some(query)));
    let (content_type, body) = request.body.as_ref().map_or((None, &[][..]), |(content_type, body)| (Some(&**content_type), body));
    operation.check_request(path, query, &request.headers, content_type, body)
}
