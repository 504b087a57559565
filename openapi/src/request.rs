//! From a call's parameters to an HTTP request.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    form, media,
    media::Form,
    operation::{Body, Media, Operation, Parameter, Place},
    problem::quoted,
    schema::{Direction, Flaw},
    style::{self, Style},
    template::{Part, is_dots},
    text,
};

/// The member that holds a body whose own members are none of the call's parameters.
const BODY: &str = "body";
/// Values within each other, as many as JSON text of a call may have.
const DEPTH_MAX: usize = 128;

/// An HTTP request, without the server's address, and without what says who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestParts {
    pub method: String,
    /// Percent-encoded: `/users/7?fields=a%2Cb`.
    pub path_and_query: String,
    pub headers: Vec<(String, String)>,
    /// Its content type and its bytes.
    pub body: Option<(String, Vec<u8>)>,
}

/// What is wrong with the parameters of a call, or with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// Which one: `symbol`, or a path into it: `user.emails.0`.
    pub field: String,
    /// A sentence that names the field.
    pub message: String,
}

impl ParameterError {
    pub(crate) fn new(field: impl Into<String>, rest: impl fmt::Display) -> ParameterError {
        let field = field.into();
        ParameterError { message: format!("{field} {rest}"), field }
    }

    pub(crate) fn flaw(name: &str, flaw: &Flaw) -> ParameterError {
        ParameterError::new(flaw.field(name), &flaw.message)
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(formatter)
    }
}

impl std::error::Error for ParameterError {}

impl Parameter {
    pub(crate) fn missing(&self) -> ParameterError {
        ParameterError::new(&*self.name, format_args!("is required: a {} parameter", self.place.name()))
    }

    /// What a call gives for it, or what the document says is meant by nothing. Null is nothing: a request has no text for it.
    fn given<'v>(&self, operation: &'v Operation, params: &'v Map<String, Value>) -> Option<&'v Value> {
        let given = params.get(&*self.name).filter(|value| !value.is_null());
        given.or_else(|| operation.schemas.followed(operation.parameter_schema(self)).get("default").filter(|_| self.required))
    }

    fn written<T>(&self, write: Result<T, String>) -> Result<T, ParameterError> {
        write.map_err(|message| ParameterError::new(&*self.name, message))
    }
}

impl Operation {
    /// The request that a call with these parameters is. Each member goes where the document declares its name: into the path, the
    /// query, a header or a cookie. All others are the members of the body. A body that is no object is the member `body`, and so is
    /// one that has a property with the name of another parameter.
    pub fn request(&self, params: &Map<String, Value>) -> Result<RequestParts, ParameterError> {
        if let Some((name, _)) = params.iter().find(|(_, value)| !text::depth_within(value, DEPTH_MAX)) {
            return Err(ParameterError::new(&**name, format_args!("is nested more than {DEPTH_MAX} deep")));
        }
        let mut query: Vec<String> = Vec::new();
        let mut headers = Vec::new();
        let mut cookies: Vec<String> = Vec::new();
        for parameter in self.parameters() {
            let Some(value) = parameter.given(self, params) else {
                if parameter.required {
                    return Err(parameter.missing());
                }
                continue;
            };
            if let Some(id) = parameter.schema {
                let checked = self.schemas.check(id, Direction::Request, value);
                checked.map_err(|flaw| ParameterError::flaw(&parameter.name, &flaw))?;
            }
            let name = &parameter.name;
            match parameter.place {
                Place::Path => {}
                Place::Query => {
                    let pairs = parameter.query(value)?;
                    if parameter.required && pairs.is_empty() {
                        return Err(ParameterError::new(&**name, "is empty, which a query has no text for"));
                    }
                    query.extend(pairs);
                }
                Place::Header => headers.push((name.to_string(), parameter.header(value)?)),
                Place::Cookie => cookies.push(format!("{name}={}", parameter.cookie(value)?)),
            }
        }
        if !cookies.is_empty() {
            headers.push(("Cookie".into(), cookies.join("; ")));
        }
        let mut path_and_query = self.path_of(params)?;
        if !query.is_empty() {
            path_and_query = format!("{path_and_query}?{}", query.join("&"));
        }
        let body = self.body_of(params)?;
        Ok(RequestParts { method: self.method.into(), path_and_query, headers, body })
    }

    fn path_of(&self, params: &Map<String, Value>) -> Result<String, ParameterError> {
        let mut path = String::new();
        for part in self.template.parts() {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Name(name) => {
                    let parameter = self.parameters.iter().find(|parameter| parameter.place == Place::Path && *parameter.name == **name);
                    let Some(parameter) = parameter else { continue };
                    let value = parameter.given(self, params).ok_or_else(|| parameter.missing())?;
                    path.push_str(&parameter.path(value, self.template.alone(name))?);
                }
            }
        }
        // Parts of a segment may make dots together that none of them is.
        match path.split('/').find(|segment| is_dots(segment)) {
            Some(segment) => Err(ParameterError::new(
                self.template.names().next().unwrap_or_default(),
                format_args!("would make the path lead elsewhere: {}", quoted(segment)),
            )),
            None => Ok(path),
        }
    }

    fn body_of(&self, params: &Map<String, Value>) -> Result<Option<(String, Vec<u8>)>, ParameterError> {
        let declared = |name: &str| self.parameters.iter().any(|parameter| &*parameter.name == name);
        let others = || params.iter().filter(|(name, _)| !declared(name));
        let Some(body) = &self.body else {
            return others().next().map_or(Ok(None), |(name, _)| Err(self.unknown(name)));
        };
        let Some(mut media) = body.chosen() else { return Ok(None) };
        if !body.flat {
            if let Some((name, _)) = others().find(|(name, _)| *name != BODY) {
                return Err(self.unknown(name));
            }
            return match params.get(BODY) {
                Some(value) => self.whole_body(media, value).map(Some),
                None if body.required => Err(ParameterError::new(BODY, "is required: the body of the request")),
                None => Ok(None),
            };
        }
        let members: Map<String, Value> = others().map(|(name, value)| (name.clone(), value.clone())).collect();
        if members.is_empty() && !body.required {
            return Ok(None);
        }
        if let Some(upload) = body.upload_of(&members) {
            media = upload;
        }
        self.write_members(media, "", &members).map(Some)
    }

    fn unknown(&self, name: &str) -> ParameterError {
        let mut known: Vec<&str> = self.parameters().map(Parameter::name).collect();
        known.extend(self.body.is_some().then_some(BODY));
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("there are {}", known.join(", ")) };
        ParameterError::new(name, format_args!("is no parameter of this operation: {known}"))
    }

    fn whole_body(&self, media: &Media, value: &Value) -> Result<(String, Vec<u8>), ParameterError> {
        let form = Form::of(&media.content_type);
        if let (Form::UrlEncoded | Form::Multipart, Value::Object(members)) = (form, value) {
            return self.write_members(media, BODY, members);
        }
        self.checked(media, BODY, value)?;
        let bytes = match (form, value) {
            (Form::Json, value) => value.to_string().into_bytes(),
            (Form::Text, Value::String(text)) => text.clone().into_bytes(),
            (Form::Bytes, Value::String(text)) => {
                STANDARD.decode(text).map_err(|error| ParameterError::new(BODY, format_args!("must be base64: {error}")))?
            }
            (Form::UrlEncoded | Form::Multipart, _) => return Err(ParameterError::new(BODY, "must be an object")),
            (Form::Text, _) => return Err(ParameterError::new(BODY, "must be a string")),
            (Form::Bytes, _) => return Err(ParameterError::new(BODY, "must be a string: bytes as base64")),
        };
        Ok((media::concrete(&media.content_type), bytes))
    }

    fn write_members(&self, media: &Media, name: &str, members: &Map<String, Value>) -> Result<(String, Vec<u8>), ParameterError> {
        let wrong = |wrong: form::Wrong| {
            let field = if name.is_empty() { wrong.member } else { format!("{name}.{}", wrong.member) };
            ParameterError::new(field, wrong.message)
        };
        let form = Form::of(&media.content_type);
        let value = Value::Object(match form {
            Form::Multipart => form::without_file_objects(media, members),
            _ => members.clone(),
        });
        self.checked(media, name, &value)?;
        match form {
            Form::Multipart => form::multipart(media, members).map_err(wrong),
            Form::UrlEncoded => Ok((media::concrete(&media.content_type), form::url_encoded(media, members).map_err(wrong)?)),
            _ => Ok((media::concrete(&media.content_type), value.to_string().into_bytes())),
        }
    }

    pub(crate) fn checked(&self, media: &Media, name: &str, value: &Value) -> Result<(), ParameterError> {
        let Some(id) = media.schema else { return Ok(()) };
        self.schemas.check(id, Direction::Request, value).map_err(|flaw| match flaw.field(name) {
            field if flaw.message == "is required" => ParameterError::new(field, "is required: a member of the body"),
            field if field.is_empty() => ParameterError { field, message: format!("the body {}", flaw.message) },
            field => ParameterError::new(field, flaw.message),
        })
    }
}

impl Body {
    /// What files can be sent in, if a call gives some.
    fn upload_of(&self, members: &Map<String, Value>) -> Option<&Media> {
        let upload = self.media.get(self.upload?)?;
        let files = self.files()?;
        let is_file =
            |value: &Value| form::is_file_object(value) || value.as_array().is_some_and(|items| items.iter().any(form::is_file_object));
        files.iter().any(|name| members.get(name).is_some_and(is_file)).then_some(upload)
    }
}

impl Parameter {
    fn path(&self, value: &Value, alone: bool) -> Result<String, ParameterError> {
        let set = if alone { style::ALL } else { style::EVERYTHING };
        let text = match self.style {
            Some(style) => self.written(style::path(&self.name, style, self.explode, value, set))?,
            None => percent_encoding::utf8_percent_encode(&value.to_string(), set).to_string(),
        };
        if text.is_empty() || is_dots(&text) {
            let message =
                format_args!("must not be {}: the path would lead elsewhere", if text.is_empty() { "empty" } else { "dots only" });
            return Err(ParameterError::new(&*self.name, message));
        }
        Ok(text)
    }

    fn query(&self, value: &Value) -> Result<Vec<String>, ParameterError> {
        let set = match self.allow_reserved {
            true => style::RESERVED,
            false => style::ALL,
        };
        match self.style {
            Some(style) => self.written(style::query(&self.name, style, self.explode, value, set)),
            None => self.written(style::query(&self.name, Style::Form, false, &Value::String(value.to_string()), style::ALL)),
        }
    }

    fn header(&self, value: &Value) -> Result<String, ParameterError> {
        match self.style {
            Some(_) => self.written(style::header(self.explode, value)),
            None => Ok(value.to_string()),
        }
    }

    fn cookie(&self, value: &Value) -> Result<String, ParameterError> {
        match self.style {
            Some(_) => self.written(style::cookie(value)),
            None => self.written(style::cookie(&Value::String(value.to_string()))),
        }
    }
}
