//! Requests to a webhook.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Event;
use crate::time;

/// A request to a webhook, as it was received.
#[derive(Debug, Clone, Copy)]
pub struct Webhook<'r> {
    pub webhook_id: &'r str,
    pub method: &'r str,
    /// Those that a handler may see: whoever calls leaves credentials out.
    pub headers: &'r [(String, String)],
    /// What stands behind the `?`.
    pub query: Option<&'r str>,
    pub content_type: Option<&'r str>,
    pub body: &'r [u8],
}

impl Event {
    /// A `webhook.received` event, with `webhook {webhookId, method, headers, query, body}`.
    ///
    /// Names of headers are in lower case, and what is sent twice is joined with `, `. The body is JSON, the fields of a form, or text,
    /// by its content type; JSON is tried too if there is none. A body that is not what it is said to be is text, an empty one is left out.
    pub fn from_webhook(webhook: &Webhook<'_>, unix_ms_now: i64, id: String) -> Event {
        let timestamp = Timestamp::from_millisecond(unix_ms_now).unwrap_or(Timestamp::UNIX_EPOCH);
        let headers = webhook.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut section = Map::new();
        section.insert("webhookId".into(), webhook.webhook_id.into());
        section.insert("method".into(), webhook.method.into());
        section.insert("headers".into(), joined(headers).into());
        section.insert("query".into(), form(webhook.query.unwrap_or_default().as_bytes()));
        if let Some(body) = webhook.read_body() {
            section.insert("body".into(), body);
        }
        let mut members = Map::new();
        for (name, text) in
            [("id", id), ("type", "webhook.received".into()), ("source", "webhook".into()), ("timestamp", time::iso(timestamp))]
        {
            members.insert(name.into(), text.into());
        }
        members.insert("webhook".into(), section.into());
        Event { members }
    }
}

impl Webhook<'_> {
    fn read_body(&self) -> Option<Value> {
        if self.body.is_empty() {
            return None;
        }
        let content_type =
            self.content_type.unwrap_or("application/json").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let read = match &*content_type {
            "application/x-www-form-urlencoded" => Some(form(self.body)),
            json if json.ends_with("/json") || json.ends_with("+json") => serde_json::from_slice(self.body).ok(),
            _ => None,
        };
        Some(read.unwrap_or_else(|| json!(String::from_utf8_lossy(self.body))))
    }
}

fn form(bytes: &[u8]) -> Value {
    joined(form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned()))).into()
}

fn joined(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in pairs {
        match members.get_mut(&name) {
            Some(Value::String(values)) => *values = format!("{values}, {value}"),
            _ => drop(members.insert(name, value.into())),
        }
    }
    members
}
