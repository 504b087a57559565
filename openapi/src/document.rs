//! A document as a whole.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::{
    operation::Operation,
    pointer::{child, follow},
    problem::{Problems, quoted},
    reader::{Draft, Reader},
    schema::{Gathered, Schemas},
    template::Template,
    text,
};

const OPERATIONS_MAX: usize = 2_000;
const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("trace", "TRACE"),
];
/// What else a path may have.
const PATH_FIELDS: [&str; 5] = ["$ref", "summary", "description", "servers", "parameters"];

/// A server that a document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// With the defaults of its variables.
    pub url: String,
    pub description: Option<String>,
}

/// An OpenAPI 3.0 document that was found to be valid.
pub struct Document {
    root: Arc<Value>,
    servers: Vec<Server>,
    operations: Vec<Operation>,
    schemas: Arc<Schemas>,
}

impl Document {
    /// Reads JSON or YAML.
    pub fn read(text: &str) -> Result<Document, Problems> {
        Document::checked(text::read(text)?)
    }

    pub fn from_json(value: Value) -> Result<Document, Problems> {
        if !text::depth_within(&value, text::DEPTH_MAX) {
            return Err(Problems::one(format!("the document is nested more than {} deep", text::DEPTH_MAX)));
        }
        Document::checked(value)
    }

    fn checked(value: Value) -> Result<Document, Problems> {
        let root = Arc::new(value);
        let mut problems = Problems::default();
        let mut gathered = Gathered::default();
        let Some(top) = root.as_object() else { return Err(Problems::one("the document must be an object")) };
        // Of another version everything else would be a problem as well.
        version(top)?;
        info(top, &mut problems);
        let servers = servers(top, &mut problems);
        let mut reader = Reader::new(&root, &mut problems, &mut gathered);
        let drafts = paths(top, &mut reader);
        reader.components();
        gathered.check(&root, &mut problems);
        if !problems.0.is_empty() {
            return Err(problems);
        }
        let schemas = Schemas::new(root.clone(), gathered);
        let operations: Vec<Operation> = drafts.into_iter().map(|draft| draft.finish(&schemas, &mut problems)).collect();
        if problems.0.is_empty() { Ok(Document { root, servers, operations, schemas }) } else { Err(problems) }
    }

    pub fn title(&self) -> &str {
        self.info("title").unwrap_or_default()
    }

    /// Of the API, as its author counts.
    pub fn version(&self) -> &str {
        self.info("version").unwrap_or_default()
    }

    pub fn description(&self) -> Option<&str> {
        self.info("description")
    }

    fn info(&self, key: &str) -> Option<&str> {
        self.root.get("info")?.get(key)?.as_str()
    }

    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// All operations, in the order of their paths.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// `("get", "/users/{id}")`, the path as the document has it.
    pub fn operation(&self, http_method: &str, path: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.method().eq_ignore_ascii_case(http_method) && operation.path() == path)
    }

    /// The document as it was given.
    pub fn json(&self) -> &Value {
        &self.root
    }

    /// What a `$ref` of the document means, if it is a schema that something uses.
    pub(crate) fn schema(&self, reference: &str) -> Option<(&str, &Value)> {
        let id = self.schemas.id(reference)?;
        Some((self.schemas.pointer(id), self.schemas.json(id)))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Document").field("title", &self.title()).field("operations", &self.operations).finish_non_exhaustive()
    }
}

fn version(top: &Map<String, Value>) -> Result<(), Problems> {
    let accepted = "documents of OpenAPI 3.0 are accepted";
    let refuse = |pointer: &str, message: String| {
        let mut problems = Problems::default();
        problems.add(pointer, message);
        Err(problems)
    };
    match (top.get("openapi"), top.get("swagger")) {
        (Some(Value::String(version)), _) if version == "3.0" || version.starts_with("3.0.") => Ok(()),
        (Some(Value::String(version)), _) => refuse("/openapi", format!("this is OpenAPI {}; {accepted}", quoted(version))),
        (Some(version), _) if version.is_number() => refuse("/openapi", format!("must be a string such as \"3.0.3\"; {accepted}")),
        (Some(_), _) => refuse("/openapi", format!("must be a string; {accepted}")),
        (None, Some(version)) => refuse("/swagger", format!("this is Swagger (OpenAPI {}); {accepted}", version.as_str().unwrap_or("2.0"))),
        (None, None) => refuse("/openapi", format!("is required: the version of OpenAPI; {accepted}")),
    }
}

fn info(top: &Map<String, Value>, problems: &mut Problems) {
    let Some(info) = top.get("info").and_then(Value::as_object) else {
        return problems.add("/info", "is required: an object with title and version");
    };
    for key in ["title", "version"] {
        let pointer = child("/info", key);
        match info.get(key) {
            None => problems.add(pointer, "is required"),
            Some(Value::String(text)) if !text.trim().is_empty() => {}
            Some(Value::String(_)) => problems.add(pointer, "must not be empty"),
            Some(_) => problems.add(pointer, "must be a string"),
        }
    }
    if info.get("description").is_some_and(|description| !description.is_string()) {
        problems.add("/info/description", "must be a string");
    }
}

fn servers(top: &Map<String, Value>, problems: &mut Problems) -> Vec<Server> {
    let Some(servers) = top.get("servers") else { return Vec::new() };
    let Some(servers) = servers.as_array() else {
        problems.add("/servers", "must be an array");
        return Vec::new();
    };
    let mut found = Vec::new();
    for (number, server) in servers.iter().enumerate() {
        let Some(url) = server.get("url").and_then(Value::as_str) else {
            problems.add(format!("/servers/{number}/url"), "is required: a string");
            continue;
        };
        let mut url = url.to_owned();
        for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
            match variable.get("default").and_then(Value::as_str) {
                Some(default) => url = url.replace(&format!("{{{name}}}"), default),
                None => problems.add(child(&format!("/servers/{number}/variables"), name) + "/default", "is required: a string"),
            }
        }
        found.push(Server { url, description: server.get("description").and_then(Value::as_str).map(str::to_owned) });
    }
    found
}

fn paths<'d>(top: &'d Map<String, Value>, reader: &mut Reader<'d, '_>) -> Vec<Draft> {
    let Some(paths) = top.get("paths").and_then(Value::as_object) else {
        reader.problems.add("/paths", "is required: an object of paths");
        return Vec::new();
    };
    let mut drafts = Vec::new();
    let mut anonymous: HashMap<String, &str> = HashMap::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        let pointer = child("/paths", path);
        let template = match Template::read(path) {
            Ok(template) => template,
            Err(message) => {
                reader.problems.add(pointer, message);
                continue;
            }
        };
        if let Some(other) = anonymous.insert(template.anonymous(), path) {
            reader.problems.add(&*pointer, format!("the same path as {}, but for the names of its parameters", quoted(other)));
        }
        path_item(reader, template, item, &pointer, &mut drafts);
        if drafts.len() > OPERATIONS_MAX {
            reader.problems.add("/paths", format!("more than {OPERATIONS_MAX} operations"));
            break;
        }
    }
    unique_ids(&drafts, reader.problems);
    drafts
}

fn path_item<'d>(reader: &mut Reader<'d, '_>, template: Template, item: &'d Value, pointer: &str, drafts: &mut Vec<Draft>) {
    let root = reader.root;
    let Some(item) = follow(root, item, pointer, reader.problems) else { return };
    let common = reader.parameters(&item);
    for (key, value) in item.members {
        let method = METHODS.iter().find(|(name, _)| name == key);
        match method {
            Some((_, method)) => drafts.extend(reader.operation(method, template.clone(), value, &item.child(key), &common)),
            None if key.starts_with("x-") || PATH_FIELDS.contains(&&**key) => {}
            None => {
                let methods = METHODS.map(|(name, _)| name).join(", ");
                reader.problems.add(item.child(key), format!("is no HTTP method that OpenAPI has, which are {methods}"));
            }
        }
    }
}

fn unique_ids(drafts: &[Draft], problems: &mut Problems) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut told: HashSet<&str> = HashSet::new();
    for draft in drafts {
        let Some(id) = draft.operation_id() else { continue };
        if let Some(other) = first.insert(id, &draft.pointer)
            && told.insert(&draft.pointer)
        {
            problems.add(child(&draft.pointer, "operationId"), format!("{} is the name of another operation: {other}", quoted(id)));
        }
    }
}
