//! Operations as a document declares them, checked while they are read.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    media::{self, Form},
    operation::{Body, Encoding, Media, Operation, Parameter, Place, Response, Statuses},
    pointer::{Found, child, follow},
    problem::{Problems, quoted},
    schema::{Gathered, Schemas},
    style::Style,
    template::Template,
};

/// Of one operation: parts that are shared by reference are read for each operation anew.
const PARAMETERS_MAX: usize = 200;
const MEDIA_MAX: usize = 20;
const ENCODINGS_MAX: usize = 200;
const BODY_PROPERTIES_MAX: usize = 1_000;
/// What a header is called that something else decides about, so that OpenAPI ignores it as a parameter.
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// An operation before there are schemas to ask.
pub struct Draft {
    pub pointer: String,
    method: &'static str,
    template: Template,
    texts: [Option<Arc<str>>; 3],
    deprecated: bool,
    parameters: Vec<Arc<Parameter>>,
    body: Option<Body>,
    responses: Vec<Response>,
}

impl Draft {
    pub fn operation_id(&self) -> Option<&str> {
        self.texts[0].as_deref()
    }

    pub fn finish(mut self, schemas: &Arc<Schemas>, problems: &mut Problems) -> Operation {
        if let Some(body) = &mut self.body {
            for media in &mut body.media {
                media.members = media.schema.and_then(|id| schemas.members(schemas.json(id)));
                if media.members.as_ref().is_some_and(|members| members.names.len() > BODY_PROPERTIES_MAX) {
                    problems.add(child(&self.pointer, "requestBody"), format!("more than {BODY_PROPERTIES_MAX} properties"));
                }
            }
            body.chosen = media::preferred(&body.media);
            let has_files = |media: &Media| media.members.as_ref().is_some_and(|members| !members.files.is_empty());
            body.upload = body.media.iter().position(|media| Form::of(&media.content_type) == Form::Multipart && has_files(media));
            let chosen = body.chosen();
            let members = chosen.filter(|media| matches!(Form::of(&media.content_type), Form::Json | Form::UrlEncoded | Form::Multipart));
            let members = members.and_then(|media| media.members.as_ref());
            let declared = |name: &str| self.parameters.iter().any(|parameter| &*parameter.name == name);
            body.flat = members.is_some_and(|members| !members.names.iter().any(|name| declared(name)));
        }
        let [operation_id, summary, description] = self.texts;
        Operation {
            method: self.method,
            template: self.template,
            operation_id,
            summary,
            description,
            deprecated: self.deprecated,
            parameters: self.parameters,
            body: self.body,
            responses: self.responses,
            schemas: schemas.clone(),
        }
    }
}

/// Reads the parts of a document.
pub struct Reader<'d, 'p> {
    pub root: &'d Value,
    pub problems: &'p mut Problems,
    gathered: &'p mut Gathered,
    /// Texts that were taken before, by where they stand: what is shared by reference is kept once.
    texts: HashMap<(usize, usize), Arc<str>>,
}

impl<'d, 'p> Reader<'d, 'p> {
    pub fn new(root: &'d Value, problems: &'p mut Problems, gathered: &'p mut Gathered) -> Reader<'d, 'p> {
        Reader { root, problems, gathered, texts: HashMap::new() }
    }

    fn kept(&mut self, text: &'d str) -> Arc<str> {
        self.texts.entry((text.as_ptr().addr(), text.len())).or_insert_with(|| text.into()).clone()
    }

    /// A text that may be missing.
    fn text(&mut self, found: &Found<'d>, key: &str) -> Option<Arc<str>> {
        match found.members.get(key) {
            None => None,
            Some(Value::String(text)) => Some(self.kept(text)),
            Some(_) => {
                self.problems.add(found.child(key), "must be a string");
                None
            }
        }
    }

    fn flag(&mut self, found: &Found<'d>, key: &str) -> Option<bool> {
        match found.members.get(key) {
            None => None,
            Some(Value::Bool(value)) => Some(*value),
            Some(_) => {
                self.problems.add(found.child(key), "must be true or false");
                None
            }
        }
    }

    fn follow(&mut self, value: &'d Value, pointer: &str) -> Option<Found<'d>> {
        follow(self.root, value, pointer, self.problems)
    }

    /// What no operation needs must be valid too.
    pub fn components(&mut self) {
        let Some(components) = self.root.get("components") else { return };
        for kind in ["schemas", "parameters", "responses", "requestBodies", "headers"] {
            let at = child("/components", kind);
            let Some(members) = components.get(kind) else { continue };
            let Some(members) = members.as_object() else {
                self.problems.add(at, "must be an object");
                continue;
            };
            for (name, value) in members {
                let pointer = child(&at, name);
                if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphanumeric() || ".-_".contains(character)) {
                    self.problems.add(&*pointer, "names of components have letters, digits and .-_ only");
                }
                match kind {
                    "schemas" => drop(self.gathered.add(&pointer)),
                    "parameters" => drop(self.parameter(value, &pointer)),
                    "responses" => drop(self.response(Statuses::Default, value, &pointer)),
                    "requestBodies" => drop(self.body(value, &pointer)),
                    _ => drop(self.follow(value, &pointer)),
                }
            }
        }
    }

    /// The parameters of a path or an operation.
    pub fn parameters(&mut self, of: &Found<'d>) -> Vec<Arc<Parameter>> {
        let Some(list) = of.members.get("parameters") else { return Vec::new() };
        let at = of.child("parameters");
        let Some(list) = list.as_array().filter(|list| list.len() <= PARAMETERS_MAX) else {
            self.problems.add(at, format!("must be an array of at most {PARAMETERS_MAX} parameters"));
            return Vec::new();
        };
        let mut parameters: Vec<Arc<Parameter>> = Vec::new();
        for (number, value) in list.iter().enumerate() {
            let pointer = child(&at, number.to_string());
            let Some(parameter) = self.parameter(value, &pointer) else { continue };
            if parameters.iter().any(|other| other.name == parameter.name && other.place == parameter.place) {
                let place = parameter.place.name();
                self.problems.add(pointer, format!("the {place} parameter {} stands there twice", quoted(&parameter.name)));
            } else {
                parameters.push(Arc::new(parameter));
            }
        }
        parameters
    }

    fn parameter(&mut self, value: &'d Value, pointer: &str) -> Option<Parameter> {
        let found = self.follow(value, pointer)?;
        let place = match found.text("in") {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            Some("cookie") => Place::Cookie,
            _ => {
                self.problems.add(found.child("in"), "must be path, query, header or cookie");
                return None;
            }
        };
        let Some(name) = found.text("name").filter(|name| !name.is_empty()) else {
            self.problems.add(found.child("name"), "is required: a string that is not empty");
            return None;
        };
        if matches!(place, Place::Header | Place::Cookie) && !is_token(name) {
            self.problems.add(found.child("name"), format!("{} is no name that a {} can have", quoted(name), place.name()));
        }
        let required = self.flag(&found, "required").unwrap_or(false);
        if place == Place::Path && !required {
            self.problems.add(found.child("required"), "must be true: a path has all of its parameters");
        }
        let (schema, json) = self.parameter_schema(&found);
        let style = self.style(&found, place);
        Some(Parameter {
            name: self.kept(name),
            place,
            required,
            deprecated: self.flag(&found, "deprecated").unwrap_or(false),
            description: self.text(&found, "description"),
            schema,
            style: (!json).then_some(style),
            explode: self.flag(&found, "explode").unwrap_or(style == Style::Form),
            allow_reserved: self.flag(&found, "allowReserved").unwrap_or(false) && place == Place::Query,
        })
    }

    /// The schema, and whether the value is written as JSON.
    fn parameter_schema(&mut self, found: &Found<'d>) -> (Option<usize>, bool) {
        match (found.members.get("schema"), found.members.get("content")) {
            (Some(_), None) => (Some(self.gathered.add(&found.child("schema"))), false),
            (None, Some(_)) => {
                let mut media = self.content(found);
                if media.len() != 1 {
                    self.problems.add(found.child("content"), "must have exactly one content type");
                }
                let media = media.pop();
                let json = media.as_ref().is_some_and(|media| Form::of(&media.content_type) == Form::Json);
                (media.and_then(|media| media.schema), json)
            }
            (Some(_), Some(_)) => {
                self.problems.add(&*found.pointer, "a parameter has `schema` or `content`, not both");
                (None, false)
            }
            (None, None) => {
                self.problems.add(&*found.pointer, "a parameter must have a `schema` or a `content`");
                (None, false)
            }
        }
    }

    fn style(&mut self, found: &Found<'d>, place: Place) -> Style {
        let allowed = match place {
            Place::Path => &[Style::Simple, Style::Label, Style::Matrix][..],
            Place::Query => &[Style::Form, Style::SpaceDelimited, Style::PipeDelimited, Style::DeepObject],
            Place::Header => &[Style::Simple],
            Place::Cookie => &[Style::Form],
        };
        let Some(style) = found.members.get("style") else { return allowed[0] };
        match style.as_str().and_then(Style::read).filter(|style| allowed.contains(style)) {
            Some(style) => style,
            None => {
                self.problems.add(found.child("style"), format!("{style} is no style of a {} parameter", place.name()));
                allowed[0]
            }
        }
    }

    /// The content types of a parameter, a body or a response.
    fn content(&mut self, of: &Found<'d>) -> Vec<Media> {
        let Some(content) = of.members.get("content") else { return Vec::new() };
        let at = of.child("content");
        let Some(content) = content.as_object().filter(|content| content.len() <= MEDIA_MAX) else {
            self.problems.add(at, format!("must be an object of at most {MEDIA_MAX} content types"));
            return Vec::new();
        };
        let mut media = Vec::new();
        for (content_type, value) in content {
            let pointer = child(&at, content_type);
            if !content_type.contains('/') || content_type.contains(char::is_control) || !content_type.is_ascii() {
                self.problems.add(&*pointer, "must be a content type such as application/json");
            }
            let Some(members) = value.as_object() else {
                self.problems.add(pointer, "must be an object");
                continue;
            };
            let found = Found { pointer, members };
            let schema = members.contains_key("schema").then(|| self.gathered.add(&found.child("schema")));
            media.push(Media { content_type: self.kept(content_type), schema, members: None, encoding: self.encoding(&found) });
        }
        media
    }

    fn encoding(&mut self, of: &Found<'d>) -> BTreeMap<Arc<str>, Encoding> {
        let Some(encoding) = of.members.get("encoding") else { return BTreeMap::new() };
        let at = of.child("encoding");
        let Some(encoding) = encoding.as_object().filter(|encoding| encoding.len() <= ENCODINGS_MAX) else {
            self.problems.add(at, format!("must be an object of at most {ENCODINGS_MAX} properties"));
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for (name, value) in encoding {
            let pointer = child(&at, name);
            let Some(members) = value.as_object() else {
                self.problems.add(pointer, "must be an object");
                continue;
            };
            let one = Found { pointer, members };
            let style = members.contains_key("style").then(|| self.style(&one, Place::Query));
            let content_type = self.text(&one, "contentType");
            let explode = self.flag(&one, "explode");
            let allow_reserved = self.flag(&one, "allowReserved").unwrap_or(false);
            found.insert(self.kept(name), Encoding { content_type, style, explode, allow_reserved });
        }
        found
    }

    fn body(&mut self, value: &'d Value, pointer: &str) -> Option<Body> {
        let found = self.follow(value, pointer)?;
        let media = self.content(&found);
        if media.is_empty() {
            self.problems.add(found.child("content"), "is required: what a body is");
        }
        let description = self.text(&found, "description");
        Some(Body { required: self.flag(&found, "required").unwrap_or(false), description, media, chosen: 0, upload: None, flat: false })
    }

    fn response(&mut self, statuses: Statuses, value: &'d Value, pointer: &str) -> Option<Response> {
        let found = self.follow(value, pointer)?;
        let media = self.content(&found);
        for media in media.iter().filter(|media| media.schema.is_none()) {
            let at = child(&found.child("content"), &media.content_type);
            self.problems.add(child(&at, "schema"), "is required: what a body of this content type is");
        }
        if !found.members.contains_key("description") {
            self.problems.add(found.child("description"), "is required");
        }
        let description = self.text(&found, "description").unwrap_or_default();
        Some(Response { statuses, description, media })
    }

    fn responses(&mut self, of: &Found<'d>) -> Vec<Response> {
        let at = of.child("responses");
        let Some(responses) = of.members.get("responses").and_then(Value::as_object) else {
            self.problems.add(at, "is required: what the operation may answer");
            return Vec::new();
        };
        let mut found = Vec::new();
        for (key, value) in responses.iter().filter(|(key, _)| !key.starts_with("x-")) {
            let pointer = child(&at, key);
            match statuses(key) {
                Some(statuses) => found.extend(self.response(statuses, value, &pointer)),
                None => self.problems.add(pointer, "must be a status such as 200, a range such as 4XX, or default"),
            }
        }
        if responses.keys().all(|key| key.starts_with("x-")) {
            self.problems.add(at, "must have at least one response");
        }
        found
    }

    /// One method of a path.
    pub fn operation(
        &mut self,
        method: &'static str,
        template: Template,
        value: &'d Value,
        pointer: &str,
        common: &[Arc<Parameter>],
    ) -> Option<Draft> {
        let Some(members) = value.as_object() else {
            self.problems.add(pointer, "must be an object");
            return None;
        };
        let found = Found { pointer: pointer.to_owned(), members };
        let mut parameters = self.parameters(&found);
        for parameter in common {
            if !parameters.iter().any(|own| own.name == parameter.name && own.place == parameter.place) {
                parameters.push(parameter.clone());
            }
        }
        self.path_parameters(&template, &parameters, pointer);
        let ignored =
            |one: &Parameter| one.place == Place::Header && IGNORED_HEADERS.iter().any(|name| one.name.eq_ignore_ascii_case(name));
        parameters.retain(|parameter| !ignored(parameter));
        let body = members.get("requestBody").and_then(|body| self.body(body, &found.child("requestBody")));
        Some(Draft {
            pointer: pointer.into(),
            method,
            template,
            texts: ["operationId", "summary", "description"].map(|key| self.text(&found, key)),
            deprecated: self.flag(&found, "deprecated").unwrap_or(false),
            parameters,
            // These have none, whatever a document says.
            body: body.filter(|_| !matches!(method, "GET" | "HEAD" | "TRACE")),
            responses: self.responses(&found),
        })
    }

    fn path_parameters(&mut self, template: &Template, parameters: &[Arc<Parameter>], pointer: &str) {
        let declared = |name: &str| parameters.iter().any(|one| one.place == Place::Path && &*one.name == name);
        for name in template.names().filter(|name| !declared(name)) {
            self.problems.add(pointer, format!("{{{name}}} stands in the path and is no path parameter"));
        }
        for parameter in parameters.iter().filter(|parameter| parameter.place == Place::Path) {
            if !template.names().any(|name| name == &*parameter.name) {
                self.problems.add(pointer, format!("the path parameter {} does not stand in the path", quoted(&parameter.name)));
            }
        }
    }
}

fn statuses(key: &str) -> Option<Statuses> {
    if key == "default" {
        return Some(Statuses::Default);
    }
    let first = key.bytes().next().filter(|first| (b'1'..=b'5').contains(first) && key.len() == 3)?;
    match key.get(1..)? {
        "XX" => Some(Statuses::Range(u16::from(first - b'0'))),
        _ => key.parse().ok().map(Statuses::One),
    }
}

/// What a name of a header or a cookie is made of.
fn is_token(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
