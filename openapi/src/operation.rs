//! What a document says of one operation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde_json::Value;

use crate::{
    schema::{Members, SchemaId, Schemas},
    style::Style,
    template::Template,
};

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        }
    }
}

/// A parameter that an operation declares.
pub struct Parameter {
    pub(crate) name: Arc<str>,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) deprecated: bool,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) schema: Option<SchemaId>,
    /// None: it is JSON text, as its `content` says.
    pub(crate) style: Option<Style>,
    pub(crate) explode: bool,
    pub(crate) allow_reserved: bool,
}

impl Parameter {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn required(&self) -> bool {
        self.required
    }

    pub fn deprecated(&self) -> bool {
        self.deprecated
    }

    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

/// One content type of a body.
pub struct Media {
    pub(crate) content_type: Arc<str>,
    pub(crate) schema: Option<SchemaId>,
    /// What a body that is always an object is made of.
    pub(crate) members: Option<Members>,
    pub(crate) encoding: BTreeMap<Arc<str>, Encoding>,
}

impl Media {
    pub fn content_type(&self) -> &str {
        &self.content_type
    }
}

/// How one property of a form is written.
#[derive(Default, Clone)]
pub struct Encoding {
    pub content_type: Option<Arc<str>>,
    pub style: Option<Style>,
    pub explode: Option<bool>,
    pub allow_reserved: bool,
}

/// The body of an operation's requests.
pub struct Body {
    pub(crate) required: bool,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) media: Vec<Media>,
    /// Which of them requests are written in.
    pub(crate) chosen: usize,
    /// The one that can carry files, for calls that give some.
    pub(crate) upload: Option<usize>,
    /// Its members are members of a call's parameters; otherwise it is the member `body` as a whole.
    pub(crate) flat: bool,
}

impl Body {
    pub fn required(&self) -> bool {
        self.required
    }

    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The content type that requests are written in.
    pub fn content_type(&self) -> &str {
        self.chosen().map_or("", |media| &media.content_type)
    }

    /// Whether a call gives the body's members among its parameters; otherwise it gives `body`.
    pub fn is_flat(&self) -> bool {
        self.flat
    }

    /// The members that a call may give as files.
    pub(crate) fn files(&self) -> Option<&BTreeSet<String>> {
        Some(&self.media.get(self.upload?)?.members.as_ref()?.files)
    }

    pub(crate) fn chosen(&self) -> Option<&Media> {
        self.media.get(self.chosen)
    }
}

/// Which statuses a response is declared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statuses {
    One(u16),
    /// `4XX`: the first digit.
    Range(u16),
    Default,
}

impl fmt::Display for Statuses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statuses::One(status) => write!(formatter, "{status}"),
            Statuses::Range(digit) => write!(formatter, "{digit}XX"),
            Statuses::Default => formatter.write_str("default"),
        }
    }
}

/// What a server may answer.
pub struct Response {
    pub(crate) statuses: Statuses,
    pub(crate) description: Arc<str>,
    pub(crate) media: Vec<Media>,
}

impl Response {
    pub fn statuses(&self) -> Statuses {
        self.statuses
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    pub fn media(&self) -> &[Media] {
        &self.media
    }
}

/// One method of one path.
pub struct Operation {
    pub(crate) method: &'static str,
    pub(crate) template: Template,
    pub(crate) operation_id: Option<Arc<str>>,
    pub(crate) summary: Option<Arc<str>>,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) deprecated: bool,
    pub(crate) parameters: Vec<Arc<Parameter>>,
    pub(crate) body: Option<Body>,
    pub(crate) responses: Vec<Response>,
    pub(crate) schemas: Arc<Schemas>,
}

impl Operation {
    /// `GET`.
    pub fn method(&self) -> &str {
        self.method
    }

    /// As the document has it: `/users/{id}`.
    pub fn path(&self) -> &str {
        self.template.text()
    }

    /// The name that the document gives it.
    pub fn operation_id(&self) -> Option<&str> {
        self.operation_id.as_deref()
    }

    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    pub fn deprecated(&self) -> bool {
        self.deprecated
    }

    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().map(|parameter| &**parameter)
    }

    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    pub fn responses(&self) -> &[Response] {
        &self.responses
    }

    /// The schema of a parameter, as it stands in the document.
    pub fn parameter_schema(&self, parameter: &Parameter) -> &Value {
        parameter.schema.map_or(&Value::Null, |id| self.schemas.json(id))
    }

    /// The schema of a body or a response, as it stands in the document.
    pub fn media_schema(&self, media: &Media) -> &Value {
        media.schema.map_or(&Value::Null, |id| self.schemas.json(id))
    }

    /// The schema of the body that requests have.
    pub fn body_schema(&self) -> &Value {
        self.body.as_ref().and_then(Body::chosen).map_or(&Value::Null, |media| self.media_schema(media))
    }

    /// The schema of what comes back when all goes well.
    pub fn success_schema(&self) -> Option<&Value> {
        let success = |response: &&Response| matches!(response.statuses, Statuses::One(200..=299) | Statuses::Range(2));
        let response =
            self.responses.iter().find(success).or_else(|| self.responses.iter().find(|one| one.statuses == Statuses::Default))?;
        let media = response.media.iter().find(|media| media.schema.is_some())?;
        Some(self.media_schema(media))
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path())
    }
}
