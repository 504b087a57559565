//! Credentials: what of them is kept, where they go in a request, and that they come back in no answer.

use std::sync::OnceLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use mirra_host_sdk::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition::{AuthConfig, Authentication, Endpoint, KEY_IN_PATH, Location};
use crate::ApiError;

const CREDENTIAL_BYTES_MAX: usize = 16 << 10;

/// Shorter ones occur in any text.
const SECRET_BYTES_MIN: usize = 6;

/// What is in an answer where a credential was.
const REDACTED: &str = "[credential]";

/// What an account has given for an installation. Only ever stored encrypted; never written to a log, which is why this has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Credentials {
    ApiKey { key: String },
    Bearer { token: String },
    Basic { username: String, password: String },
    Oauth2(Tokens),
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    /// What they were given for: `Endpoint::destination`.
    pub destination: String,
    pub credentials: Credentials,
    /// Made when an answer is first looked through, since most of it is the same for each.
    #[serde(skip)]
    redaction: OnceLock<Redaction>,
}

impl Kept {
    pub fn new(destination: String, credentials: Credentials) -> Kept {
        Kept { destination, credentials, redaction: OnceLock::new() }
    }

    pub fn redaction(&self) -> &Redaction {
        self.redaction.get_or_init(|| Redaction(self.credentials.secrets()))
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: Option<String>,
    /// Milliseconds since 1970. None: until it is refused.
    pub expires_at: Option<i64>,
    /// Of an OAuth client of the account's own, where the resource's creator has none.
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
}

impl Credentials {
    /// From `{"type", "credentials"}`, where `type` must be what the resource asks for.
    pub fn read(endpoint: &Endpoint, given_type: Authentication, given: &Map<String, Value>) -> Result<Credentials, ApiError> {
        if given_type != endpoint.authentication {
            let wanted = serde_json::to_value(endpoint.authentication).unwrap_or_default();
            return Err(ApiError::invalid("type", format!("this resource is authenticated by {}", wanted.as_str().unwrap_or_default())));
        }
        let config = &endpoint.auth_config;
        let field = |named: &Option<String>, usual: &[&str]| {
            let names = named.iter().map(String::as_str).chain(usual.iter().copied());
            let names: Vec<&str> = names.collect();
            let found = names.iter().find_map(|name| Some((name, given.get(*name).filter(|value| !value.is_null())?)));
            let missing = || {
                let name = names.first().copied().unwrap_or_default();
                ApiError::invalid(&format!("credentials.{name}"), format!("credentials.{name} is required"))
            };
            let (name, value) = found.ok_or_else(missing)?;
            text(name, value)
        };
        Ok(match given_type {
            Authentication::None => return Err(ApiError::invalid("type", "this resource needs no authentication")),
            Authentication::ApiKey => Credentials::ApiKey { key: field(&None, &["apiKey", "key"])? },
            Authentication::Bearer => Credentials::Bearer { token: field(&config.token_field, &["accessToken", "token", "access_token"])? },
            Authentication::Basic => Credentials::Basic {
                username: field(&config.username_field, &["username"])?,
                // Some APIs have the key as the user and no password.
                password: password(&config.password_field, given)?,
            },
            Authentication::Oauth2 => Credentials::Oauth2(Tokens::read(given)?),
        })
    }

    /// Every text that must not be in an answer, as it may be written there.
    fn secrets(&self) -> Vec<String> {
        let plain: Vec<&String> = match self {
            Credentials::ApiKey { key } => vec![key],
            Credentials::Bearer { token } => vec![token],
            Credentials::Basic { password, .. } => vec![password],
            Credentials::Oauth2(tokens) => {
                [&tokens.refresh_token, &tokens.client_secret].into_iter().flatten().chain([&tokens.access_token]).collect()
            }
        };
        let mut secrets: Vec<String> = plain.into_iter().flat_map(|secret| written(secret)).collect();
        if let Credentials::Basic { username, password } = self {
            secrets.push(basic(username, password));
        }
        secrets.retain(|secret| secret.len() >= SECRET_BYTES_MIN);
        // The longest first: it may have others in it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }
}

/// A secret as it is, in a URL, in a form, in a path and in base64.
fn written(secret: &str) -> [String; 5] {
    let encoded = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [secret.to_owned(), encoded, form, in_path(secret), BASE64_STANDARD.encode(secret)]
}

impl Tokens {
    fn read(given: &Map<String, Value>) -> Result<Tokens, ApiError> {
        let optional = |name: &str| match given.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => text(name, value).map(Some),
        };
        let invalid = |_| ApiError::invalid("credentials.expiresAt", "credentials.expiresAt must be a time such as 2026-01-15T10:00:00Z");
        let expires_at = optional("expiresAt")?.map(|at| at.parse::<Timestamp>().map_err(invalid)).transpose()?;
        let access_token = optional("accessToken")?;
        let missing = || ApiError::invalid("credentials.accessToken", "credentials.accessToken is required");
        Ok(Tokens {
            access_token: access_token.ok_or_else(missing)?,
            refresh_token: optional("refreshToken")?,
            expires_at: expires_at.map(Timestamp::as_millisecond),
            client_id: optional("clientId")?,
            client_secret: optional("clientSecret")?,
        })
    }
}

fn password(named: &Option<String>, given: &Map<String, Value>) -> Result<String, ApiError> {
    let name = named.as_deref().unwrap_or("password");
    match given.get(name) {
        Some(Value::String(empty)) if empty.is_empty() => Ok(String::new()),
        Some(value) if !value.is_null() => text(name, value),
        _ => Err(ApiError::invalid(&format!("credentials.{name}"), format!("credentials.{name} is required"))),
    }
}

/// A text that fits into a header, which a line end in it would end.
fn text(name: &str, value: &Value) -> Result<String, ApiError> {
    let field = format!("credentials.{name}");
    let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) else {
        return Err(ApiError::invalid(&field, format!("{field} must be a text that is not empty")));
    };
    if text.len() > CREDENTIAL_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(ApiError::invalid(&field, format!("{field} is too long, or has control characters in it")));
    }
    Ok(text.to_owned())
}

/// A request that is about to be sent.
pub struct Signed {
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// Puts credentials where the resource wants them.
pub fn sign(endpoint: &Endpoint, credentials: Option<&Credentials>, mut request: Signed) -> Signed {
    let AuthConfig { location, header_name, param_name, .. } = &endpoint.auth_config;
    let mut authorize = |value: String| {
        // What a caller has put there must not stand beside it.
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        request.headers.push(("Authorization".to_owned(), value));
    };
    match credentials {
        None => {}
        Some(Credentials::Bearer { token }) => authorize(format!("Bearer {}", bytes(token))),
        Some(Credentials::Oauth2(tokens)) => authorize(format!("Bearer {}", bytes(&tokens.access_token))),
        Some(Credentials::Basic { username, password }) => authorize(format!("Basic {}", basic(username, password))),
        Some(Credentials::ApiKey { key }) => match location {
            Location::Header => {
                let wanted = header_name.as_deref().unwrap_or("X-API-Key");
                request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(wanted));
                request.headers.push((wanted.to_owned(), bytes(key)));
            }
            Location::Query => {
                let name = param_name.as_deref().or(header_name.as_deref()).unwrap_or("api_key");
                let separator = if request.url.contains('?') { '&' } else { '?' };
                let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, key).finish();
                request.url = format!("{}{separator}{pair}", request.url);
            }
            Location::Path => request.url = request.url.replacen(KEY_IN_PATH, &in_path(key), 1),
        },
    }
    request
}

fn basic(username: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{username}:{password}"))
}

/// A header's value as requests have it: a character for each byte.
fn bytes(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// A colon stays, as Telegram's tokens have one.
fn in_path(key: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b':').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(key, KEPT).to_string()
}

/// Takes out of what an API has answered whatever it repeats of the credentials.
#[derive(Default)]
pub struct Redaction(Vec<String>);

impl Redaction {
    /// In every text and name of it.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.in_place(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => {
                members.values_mut().for_each(|member| self.json(member));
                if members.keys().any(|name| self.0.iter().any(|secret| name.contains(secret.as_str()))) {
                    let renamed = std::mem::take(members).into_iter().map(|(name, member)| (self.text(&name), member));
                    *members = renamed.collect();
                }
            }
            _ => {}
        }
    }

    fn in_place(&self, text: &mut String) {
        if self.0.iter().any(|secret| text.contains(secret.as_str())) {
            *text = self.text(text);
        }
    }

    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), REDACTED))
    }
}

/// Nobody has given any, or what was given is refused.
pub fn not_authenticated(resource: &str, reason: &str) -> ApiError {
    let message = format!("{resource} {reason}: authenticate it (POST /api/sdk/v1/resources/{{id}}/authenticate) and try again");
    ApiError::new(ErrorCode::ResourceDenied, message)
}
