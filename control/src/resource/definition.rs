//! What a resource is made of, as its creator writes it, and what is made of that to call it.

use std::collections::BTreeMap;

use mirra_host_sdk::Usd;
use mirra_openapi::{Document, Operation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    pricing::{PRICE_MAX, Pricing},
    window::RateLimit,
};
use crate::{ApiError, params};

const METHODS_MAX: usize = 500;
const METHOD_CHARACTERS_MAX: usize = 100;
const DESCRIPTION_CHARACTERS_MAX: usize = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Older clients have more names for it.
    #[serde(alias = "webhook", alias = "custom")]
    Api,
    Llm,
    Script,
    Integration,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Api => "api",
            Kind::Llm => "llm",
            Kind::Script => "script",
            Kind::Integration => "integration",
        }
    }
}

/// How callers are told apart by the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    None,
    ApiKey,
    Bearer,
    Basic,
    Oauth2,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    #[default]
    Header,
    Query,
    /// In place of `{apiKey}` in the base URL.
    Path,
}

/// Where credentials go, and where OAuth takes place. What a method of authentication does not need is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuthConfig {
    #[serde(deserialize_with = "params::some")]
    pub location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    /// Of the parameter in the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param_name: Option<String>,
    /// Which of the credentials is the token, the user's name, the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "params::some")]
    pub scopes: Vec<String>,
    /// Added to the URL that users log in at, such as `access_type`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "params::some")]
    pub auth_params: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Taken out before anything is stored or shown.
    #[serde(skip_serializing)]
    pub client_secret: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    pub base_url: String,
    pub authentication: Authentication,
    #[serde(default, deserialize_with = "params::some")]
    pub auth_config: AuthConfig,
    /// Sent with each request, whatever it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "params::some")]
    pub headers: BTreeMap<String, String>,
    /// None: every operation of the document, by its `operationId`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "params::some")]
    pub methods: Vec<MethodParams>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodParams {
    pub name: String,
    pub http_method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "params::some")]
    pub parameters: BTreeMap<String, ParameterParams>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Usd>,
}

impl Eq for MethodParams {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(default, deserialize_with = "params::some")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// What is stored of a resource besides its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    pub endpoint: Endpoint,
    #[serde(default)]
    pub pricing: Pricing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

/// A resource that can be called.
pub struct Definition {
    pub kind: Kind,
    pub terms: Terms,
    /// None: a script.
    pub document: Option<Document>,
    methods: BTreeMap<String, Method>,
}

/// A method, and which operation of the document it is.
#[derive(Clone, Debug)]
pub struct Method {
    operation: usize,
    parameters: BTreeMap<String, ParameterParams>,
}

impl Definition {
    /// # Errors
    /// `VALIDATION_ERROR` with the field, or with every place in the document that is wrong.
    pub fn new(kind: Kind, terms: Terms, document: Option<&Value>) -> Result<Definition, ApiError> {
        check_endpoint(&terms.endpoint)?;
        terms.pricing.check()?;
        let document = match (document, kind) {
            (Some(document), _) => Some(Document::from_json(document.clone()).map_err(|problems| invalid_document(&problems))?),
            (None, Kind::Script) => None,
            (None, _) => return Err(ApiError::invalid("openApiSpec", "openApiSpec is required: an OpenAPI 3.0 document")),
        };
        let methods = methods(&terms.endpoint.methods, document.as_ref())?;
        Ok(Definition { kind, terms, document, methods })
    }

    pub fn method(&self, name: &str) -> Option<(&Method, &Operation)> {
        let method = self.methods.get(name)?;
        Some((method, self.document.as_ref()?.operations().get(method.operation)?))
    }

    /// In the order of their names.
    pub fn methods(&self) -> impl Iterator<Item = (&str, &Operation)> {
        let operations = self.document.as_ref().map_or(&[][..], Document::operations);
        self.methods.iter().filter_map(|(name, method)| Some((&**name, operations.get(method.operation)?)))
    }

    pub fn method_names(&self) -> Vec<&str> {
        self.methods.keys().map(String::as_str).collect()
    }
}

/// A document given as text (JSON or YAML) or as JSON.
pub fn document_json(given: Value) -> Result<Value, ApiError> {
    match given {
        Value::String(text) => Ok(Document::read(&text).map_err(|problems| invalid_document(&problems))?.json().clone()),
        given => Ok(given),
    }
}

fn invalid_document(problems: &mirra_openapi::Problems) -> ApiError {
    let places = problems.0.iter().map(|problem| json!({ "pointer": problem.pointer, "message": problem.message }));
    let details = json!({ "field": "openApiSpec", "problems": places.collect::<Vec<_>>() });
    ApiError {
        details: Some(Box::new(details)),
        ..ApiError::invalid("openApiSpec", format!("openApiSpec is no valid OpenAPI document: {problems}"))
    }
}

fn methods(named: &[MethodParams], document: Option<&Document>) -> Result<BTreeMap<String, Method>, ApiError> {
    let operations = document.map_or(&[][..], Document::operations);
    if named.is_empty() {
        let by_id = operations.iter().enumerate().filter_map(|(operation, found)| {
            let method = Method { operation, parameters: BTreeMap::new() };
            Some((found.operation_id()?.to_owned(), method))
        });
        return Ok(by_id.collect());
    }
    if named.len() > METHODS_MAX {
        return Err(ApiError::invalid("endpoint.methods", format!("a resource has at most {METHODS_MAX} methods")));
    }
    let mut methods = BTreeMap::new();
    for (index, method) in named.iter().enumerate() {
        let at = |field: &str| format!("endpoint.methods[{index}].{field}");
        check_method_name(&at("name"), &method.name)?;
        if method.cost.is_some_and(|cost| cost > PRICE_MAX) {
            return Err(ApiError::invalid(&at("cost"), format!("a price is at most {PRICE_MAX} USD")));
        }
        let found = operations
            .iter()
            .position(|operation| operation.method().eq_ignore_ascii_case(&method.http_method) && operation.path() == method.path);
        let Some(operation) = found else {
            let message = format!("{} {} is no operation of openApiSpec", method.http_method, method.path);
            return Err(ApiError::invalid(&at("path"), message));
        };
        let MethodParams { name, parameters, .. } = method.clone();
        let method = Method { operation, parameters };
        if methods.insert(name.clone(), method).is_some() {
            return Err(ApiError::invalid(&at("name"), format!("two methods are named {name}")));
        }
    }
    Ok(methods)
}

/// It is written behind a dot, in several languages.
fn check_method_name(field: &str, name: &str) -> Result<(), ApiError> {
    params::text(field, name, METHOD_CHARACTERS_MAX)?;
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_letter) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    Err(ApiError::invalid(field, format!("'{name}' is no name of a method: letters, digits and _ are, with a letter first")))
}

pub fn check_endpoint(endpoint: &Endpoint) -> Result<(), ApiError> {
    let config = &endpoint.auth_config;
    let url = check_url("endpoint.baseUrl", &endpoint.base_url)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ApiError::invalid("endpoint.baseUrl", "the base URL ends before a ? or #: paths of methods are put behind it"));
    }
    for (name, value) in &endpoint.headers {
        let is_valid = http::HeaderName::from_bytes(name.as_bytes()).is_ok() && http::HeaderValue::from_str(value).is_ok();
        if !is_valid {
            return Err(ApiError::invalid(&format!("endpoint.headers.{name}"), "HTTP allows no such header"));
        }
    }
    match endpoint.authentication {
        Authentication::ApiKey => match config.location {
            Location::Path if !has_key_in_path(&endpoint.base_url) => {
                let message = format!("with the key in the path, the base URL has {KEY_IN_PATH} where it stands");
                Err(ApiError::invalid("endpoint.baseUrl", message))
            }
            _ if config.header_name.as_ref().is_some_and(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) => {
                Err(ApiError::invalid("endpoint.authConfig.headerName", "HTTP allows no header of that name"))
            }
            _ => Ok(()),
        },
        Authentication::Oauth2 => {
            for (field, url) in [("authUrl", &config.auth_url), ("tokenUrl", &config.token_url)] {
                let field = format!("endpoint.authConfig.{field}");
                match url {
                    Some(url) => drop(check_url(&field, url)?),
                    None => return Err(ApiError::invalid(&field, format!("{field} is required by oauth2"))),
                }
            }
            Ok(())
        }
        Authentication::None | Authentication::Bearer | Authentication::Basic => Ok(()),
    }
}

/// In the host's name, a key would be told to whoever looks names up.
fn has_key_in_path(base_url: &str) -> bool {
    let behind_scheme = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    behind_scheme.split_once('/').is_some_and(|(_, path)| path.contains(KEY_IN_PATH))
}

impl Endpoint {
    /// Where credentials go, and how: whoever has given some has given them to this, and to nothing that takes its place later.
    pub fn destination(&self, base_url: &str) -> String {
        let origin = |url: &str| Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let AuthConfig { location, header_name, param_name, auth_url, token_url, .. } = &self.auth_config;
        let urls = [Some(base_url), auth_url.as_deref(), token_url.as_deref()].map(|url| url.map(origin));
        json!([self.authentication, location, header_name, param_name, urls]).to_string()
    }
}

/// Where the key stands in a base URL.
pub const KEY_IN_PATH: &str = "{apiKey}";

/// An address that requests can be sent to. Whether they may is decided when one is.
pub fn check_url(field: &str, text: &str) -> Result<Url, ApiError> {
    let url = Url::parse(text).map_err(|error| ApiError::invalid(field, format!("{field} is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(ApiError::invalid(field, format!("{field} must begin with https:// or http://")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ApiError::invalid(field, format!("{field} has a user or password in it: credentials are kept apart, encrypted")));
    }
    Ok(url)
}

pub fn check_description(description: &str) -> Result<(), ApiError> {
    params::text("description", description, DESCRIPTION_CHARACTERS_MAX)
}

impl Method {
    /// Checks what the creator says of the parameters, and adds what is missing and has a default.
    pub fn complete(&self, params: &mut Map<String, Value>) -> Result<(), ApiError> {
        for (name, parameter) in &self.parameters {
            match (params.get(name), &parameter.default) {
                (Some(value), _) => check_type(name, value, parameter.r#type.as_deref())?,
                (None, Some(default)) => drop(params.insert(name.clone(), default.clone())),
                (None, None) if parameter.required => return Err(ApiError::invalid(name, format!("{name} is required"))),
                (None, None) => {}
            }
        }
        Ok(())
    }
}

fn check_type(name: &str, value: &Value, wanted: Option<&str>) -> Result<(), ApiError> {
    let is_right = match wanted {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    match (is_right, wanted) {
        (false, Some(wanted)) => Err(ApiError::invalid(name, format!("{name} must be of the type {wanted}"))),
        _ => Ok(()),
    }
}
