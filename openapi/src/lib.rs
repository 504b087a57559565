//! OpenAPI 3.0: documents are read and checked, and each of their operations is something that can be called.
//!
//! ```
//! use mirra_openapi::Document;
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let document = Document::read(
//!     r#"
//!     openapi: 3.0.3
//!     info: {title: Prices, version: "1"}
//!     paths:
//!       /price/{symbol}:
//!         get:
//!           parameters:
//!             - {name: symbol, in: path, required: true, schema: {type: string}}
//!             - {name: days, in: query, schema: {type: integer}}
//!           responses:
//!             "200": {description: it, content: {application/json: {schema: {type: object, required: [price]}}}}
//!     "#,
//! )?;
//! let operation = document.operation("GET", "/price/{symbol}").ok_or("no such operation")?;
//! let params = json!({"symbol": "BTC/EUR", "days": 7});
//! let request = operation.request(params.as_object().ok_or("no object")?)?;
//! assert_eq!(request.path_and_query, "/price/BTC%2FEUR?days=7");
//! let answer = operation.response(200, Some("application/json"), br#"{"price": 1.5}"#)?;
//! assert_eq!(answer, json!({"price": 1.5}));
//! # Ok(())
//! # }
//! ```
//!
//! There is no I/O in it: who calls sends the request, to whichever server and with whichever credentials.
//!
//! # Documents
//! JSON or YAML, of at most 4 MB, 64 levels and 2,000 operations. All that is wrong with a document is told at once, each [`Problem`]
//! with a JSON pointer to its place. A `$ref` leads to another place of the same document and never out of it. Schemas may contain
//! themselves wherever a value gets smaller on the way: in properties, items and other members. Where it does not (`allOf`, `anyOf`,
//! `oneOf`, `not`, and references to references), a circle could never be checked and is refused.
//!
//! # Calls
//! The parameters of a call are one flat object. A member whose name the operation declares as a parameter goes where that stands; a
//! name that is declared in two places goes to both, and null is as if the member were missing. All other members are those of the
//! body. If the body is no object, or has a property that is called like a parameter, the member `body` is the body as a whole. Of
//! several content types JSON is written, else a form; a form with files, if JSON cannot carry what is given. A file is base64, or
//! `{filename, contentType, data}`. Types are never converted: the text `"5"` is no integer. What is not required and missing is not
//! sent, whatever default it has, as the server knows that itself.
//!
//! No value leaves its place: a segment of a path stays one segment and leads nowhere else, a header has no line breaks, and the
//! boundary of a multipart body is in none of its parts.
//!
//! # What it stands on
//! Schemas become JSON Schema for the `jsonschema` crate, once for requests and once for responses, and each `$ref` a keyword of our
//! own. The crate's own would compile a schema anew at each place that refers to it, which documents can make any number of; ours
//! compiles each once, when it is first needed, and counts: a value that would be read in too many ways, or too deep, is refused
//! after a bounded time. Patterns run on an engine that is linear in the text; what it cannot do (look-around, references back) is a
//! problem of the document.

mod document;
mod form;
pub mod generate;
mod media;
pub mod multipart;
mod operation;
mod pointer;
mod problem;
mod reader;
mod reading;
mod received;
mod request;
mod response;
mod schema;
mod style;
mod template;
mod text;

pub use document::{Document, Server};
pub use operation::{Body, Media, Operation, Parameter, Place, Response, Statuses};
pub use problem::{Problem, Problems};
pub use request::{ParameterError, RequestParts};
pub use response::ResponseError;
