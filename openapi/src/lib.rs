//! OpenAPI 3.0.

mod document;
mod form;
mod media;
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
