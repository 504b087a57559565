//! The HTTP API as data: which address is which operation.

use std::collections::BTreeMap;

use matchit::Router;
use mirra_host_sdk::{ErrorCode, Json};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use crate::{Answer, ApiError, operations};

/// A request, as far as it matters.
pub struct Request<'a> {
    pub method: &'a str,
    /// Behind `/api/sdk`.
    pub path: &'a str,
    /// Names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    /// `{}` where nothing was sent.
    pub body: Json,
}

/// What a request asks for.
pub struct Matched {
    pub adapter: String,
    pub operation: String,
    pub params: Json,
    shape: Shape,
}

/// How the answer of an operation is written.
#[derive(Clone, Copy)]
enum Shape {
    AsItIs,
    /// The member of it that is a list, alone.
    List(&'static str),
    /// A text, which is the whole answer: HTML.
    Page,
}

/// Where an operation is, besides its legacy form.
pub struct Address {
    pub method: &'static str,
    pub path: &'static str,
    pub operation: &'static str,
    shape: Shape,
    /// The body is not the parameters but this one of them.
    body_as: Option<&'static str>,
}

const fn address(method: &'static str, path: &'static str, operation: &'static str) -> Address {
    Address { method, path, operation, shape: Shape::AsItIs, body_as: None }
}

/// One that answers a list alone, as clients of the first version expect: the member of the operation's answer that is one.
const fn listing(method: &'static str, path: &'static str, operation: &'static str, member: &'static str) -> Address {
    Address { shape: Shape::List(member), ..address(method, path, operation) }
}

/// Besides these, `POST /v1/{adapter}/{operation}` is every operation.
pub const ADDRESSES: &[Address] = &[
    address("POST", "/v1/accounts/subaccounts", "accounts.createSubAccount"),
    address("GET", "/v1/accounts/subaccounts", "accounts.listSubAccounts"),
    Address { body_as: Some("events"), ..address("POST", "/v1/events", "events.send") },
    address("POST", "/v1/flows", "flows.createFlow"),
    listing("GET", "/v1/flows", "flows.searchFlows", "flows"),
    listing("POST", "/v1/flows/getFlowsByEventType", "flows.getFlowsByEventType", "flows"),
    listing("POST", "/v1/flows/listEventTypes", "flows.listEventTypes", "eventTypes"),
    listing("POST", "/v1/flows/listFlows", "flows.listFlows", "flows"),
    listing("POST", "/v1/flows/searchFlows", "flows.searchFlows", "flows"),
    address("GET", "/v1/flows/{flowId}", "flows.getFlow"),
    address("PATCH", "/v1/flows/{flowId}", "flows.updateFlow"),
    address("DELETE", "/v1/flows/{flowId}", "flows.deleteFlow"),
    address("POST", "/v1/flows/{flowId}/install", "flows.installFlow"),
    address("POST", "/v1/flows/{flowId}/publish", "flows.publishFlow"),
    address("POST", "/v1/flows/{flowId}/unpublish", "flows.unpublishFlow"),
    address("POST", "/v1/keys", "keys.create"),
    address("GET", "/v1/keys", "keys.list"),
    address("DELETE", "/v1/keys/{id}", "keys.revoke"),
    address("POST", "/v1/memory", "memory.create"),
    listing("POST", "/v1/memory/search", "memory.search", "results"),
    listing("POST", "/v1/memory/query", "memory.query", "results"),
    address("GET", "/v1/marketplace", "marketplace.search"),
    address("GET", "/v1/marketplace/search", "marketplace.search"),
    address("POST", "/v1/resources", "resources.create"),
    address("GET", "/v1/resources", "resources.list"),
    address("GET", "/v1/resources/marketplace", "resources.search"),
    address("GET", "/v1/resources/installations", "resources.listInstallations"),
    address("GET", "/v1/resources/installations/{installationId}/usage", "resources.getUsage"),
    address("GET", "/v1/resources/{id}", "resources.get"),
    address("PATCH", "/v1/resources/{id}", "resources.update"),
    address("DELETE", "/v1/resources/{id}", "resources.delete"),
    address("POST", "/v1/resources/{id}/authenticate", "resources.authenticate"),
    address("POST", "/v1/resources/{id}/authorize", "resources.authorize"),
    address("GET", "/v1/resources/{id}/client", "resources.getClient"),
    Address { shape: Shape::Page, ..address("GET", "/v1/resources/{id}/docs", "resources.getPage") },
    address("POST", "/v1/resources/{id}/install", "resources.install"),
    address("DELETE", "/v1/resources/{id}/install", "resources.uninstall"),
    address("GET", "/v1/resources/{id}/metrics", "resources.getMetrics"),
    address("GET", "/v1/resources/{id}/openapi", "resources.getDocument"),
    address("POST", "/v1/resources/{id}/publish", "resources.publish"),
    address("POST", "/v1/resources/{id}/unpublish", "resources.unpublish"),
    address("POST", "/v1/resources/{id}/reviews", "resources.review"),
    address("GET", "/v1/resources/{id}/reviews", "resources.listReviews"),
    address("POST", "/v1/scripts", "scripts.createScript"),
    listing("GET", "/v1/scripts", "scripts.listScripts", "scripts"),
    address("GET", "/v1/scripts/{scriptId}", "scripts.getScript"),
    address("PATCH", "/v1/scripts/{scriptId}", "scripts.updateScript"),
    address("DELETE", "/v1/scripts/{scriptId}", "scripts.deleteScript"),
    address("POST", "/v1/scripts/{scriptId}/deploy", "scripts.deployScript"),
    address("POST", "/v1/scripts/{scriptId}/execute", "scripts.execute"),
    listing("GET", "/v1/scripts/{scriptId}/executions", "scripts.getExecutions", "executions"),
    address("GET", "/v1/scripts/{scriptId}/executions/{executionId}", "scripts.getExecution"),
    address("POST", "/v1/scripts/{scriptId}/invoke", "scripts.invoke"),
    address("POST", "/v1/scripts/{scriptId}/install", "scripts.install"),
    address("GET", "/v1/scripts/{scriptId}/metrics", "scripts.getMetrics"),
    address("POST", "/v1/scripts/{scriptId}/publish", "scripts.publishScript"),
    address("POST", "/v1/scripts/{scriptId}/unpublish", "scripts.unpublishScript"),
    address("POST", "/v1/scripts/{scriptId}/reviews", "scripts.review"),
    listing("GET", "/v1/scripts/{scriptId}/reviews", "scripts.listReviews", "reviews"),
    listing("GET", "/v1/scripts/marketplace", "scripts.listMarketplaceScripts", "scripts"),
    address("POST", "/v1/scripts/{scriptId}/subscriptions", "scripts.createSubscription"),
    listing("GET", "/v1/scripts/{scriptId}/subscriptions", "scripts.listSubscriptions", "subscriptions"),
    address("PATCH", "/v1/scripts/{scriptId}/subscriptions/{subscriptionId}", "scripts.updateSubscription"),
    address("DELETE", "/v1/scripts/{scriptId}/subscriptions/{subscriptionId}", "scripts.deleteSubscription"),
    address("POST", "/v1/scripts/{scriptId}/versions", "scripts.createVersion"),
    listing("GET", "/v1/scripts/{scriptId}/versions", "scripts.listVersions", "versions"),
    address("POST", "/v1/teams", "teams.create"),
    address("GET", "/v1/teams", "teams.list"),
    address("GET", "/v1/teams/{teamId}/members", "teams.listMembers"),
    address("POST", "/v1/teams/{teamId}/members", "teams.addMember"),
    address("DELETE", "/v1/teams/{teamId}/members/{username}", "teams.removeMember"),
];

/// `{resourceId, method, params}`
pub const DISPATCHERS: [&str; 2] = ["/v1/resources/call", "/v2/resources/call"];

/// Which addresses there are, with what each of their methods means.
pub struct Routes(Router<Vec<&'static Address>>);

impl Routes {
    /// # Errors
    /// Two addresses are one: a fault of the table.
    pub fn new() -> Result<Routes, ApiError> {
        let mut router: Router<Vec<&'static Address>> = Router::new();
        for address in ADDRESSES {
            if let Ok(found) = router.at_mut(address.path)
                && found.value.iter().any(|other| other.path == address.path)
            {
                found.value.push(address);
                continue;
            }
            router.insert(address.path, vec![address]).map_err(|error| ApiError::internal("the table of addresses is wrong", error))?;
        }
        Ok(Routes(router))
    }

    /// # Errors
    /// There is nothing at that address, or the parameters are none.
    pub fn find(&self, request: Request<'_>) -> Result<Matched, Unmatched> {
        let Request { method, path, query, body } = request;
        // Who asks for a head alone gets what there would be behind it left out further on.
        let method = if method == "HEAD" { "GET" } else { method };
        if DISPATCHERS.contains(&path) {
            let (adapter, operation, params) =
                if method == "POST" { read_call(&body)? } else { return Err(Unmatched::Method("POST".to_owned())) };
            return Ok(Matched { adapter, operation, params, shape: Shape::AsItIs });
        }
        let found = self.0.at(path).ok();
        let address = found.as_ref().and_then(|found| found.value.iter().find(|address| address.method == method));
        if let (Some(address), Some(found)) = (address, &found) {
            let (adapter, operation) = address.operation.split_once('.').unwrap_or_default();
            let in_path =
                found.params.iter().map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned()));
            let body = match address.body_as {
                Some(name) => raw(&BTreeMap::from([(name, body)]))?,
                None => body,
            };
            let params = together(query, body, in_path)?;
            return Ok(Matched { adapter: adapter.to_owned(), operation: operation.to_owned(), params, shape: address.shape });
        }
        let parts: Vec<&str> = path.split('/').collect();
        match (method, &*parts, found) {
            // What stands at an address of its own takes that one's place.
            ("POST", ["", "v1", adapter, operation], _) if is_callable(adapter, operation) => Ok(Matched {
                adapter: (*adapter).to_owned(),
                operation: (*operation).to_owned(),
                params: together(query, body, std::iter::empty())?,
                shape: Shape::AsItIs,
            }),
            (_, _, Some(found)) => {
                let methods: Vec<&str> = found.value.iter().map(|address| address.method).collect();
                Err(Unmatched::Method(methods.join(", ")))
            }
            _ => Err(ApiError::new(ErrorCode::NotFound, format!("there is nothing at {method} /api/sdk{path}")).into()),
        }
    }
}

/// Why a request is none of the API's.
pub enum Unmatched {
    Error(ApiError),
    /// There is something at that address, with these methods.
    Method(String),
}

impl From<ApiError> for Unmatched {
    fn from(error: ApiError) -> Unmatched {
        Unmatched::Error(error)
    }
}

/// In its legacy form, an operation of an adapter, or a method of a resource by the name that handlers use.
fn is_callable(adapter: &str, operation: &str) -> bool {
    operations::find(adapter, operation).is_some() || operations::names_of(adapter).is_empty()
}

/// `{"resourceId": "memory", "method": "create", "params": {}}`
pub fn read_call(json: &RawValue) -> Result<(String, String, Json), ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Call {
        resource_id: String,
        method: String,
        #[serde(default)]
        params: Option<Json>,
    }
    let Call { resource_id, method, params } = crate::params::read(json)?;
    let params = params.filter(|params| params.get() != "null").unwrap_or_else(empty);
    // Clients whose types say `memory.delete(id)` send what they were given.
    let is_id = params.get().starts_with('"') && !operations::names_of(&resource_id).is_empty();
    let params = if is_id { to_raw_value(&BTreeMap::from([("id", &params)])).unwrap_or(params) } else { params };
    Ok((resource_id, method, params))
}

/// What is sent says more than what is asked behind the address, and less than what the address itself names.
fn together(query: Vec<(String, String)>, body: Json, in_path: impl Iterator<Item = (String, String)>) -> Result<Json, ApiError> {
    let mut in_path = in_path.peekable();
    if query.is_empty() && in_path.peek().is_none() {
        return Ok(body);
    }
    let text = |(name, value)| (name, Value::String(value));
    let mut params: Map<String, Value> = query.into_iter().map(text).collect();
    params.extend(crate::params::read::<Map<String, Value>>(&body)?);
    params.extend(in_path.map(text));
    raw(&params)
}

fn raw(params: &impl serde::Serialize) -> Result<Json, ApiError> {
    to_raw_value(params).map_err(|error| ApiError::internal("the parameters cannot be written", error))
}

fn empty() -> Json {
    // `{}` is JSON.
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

impl Matched {
    /// Whether the answer is a text that is shown as it is: HTML.
    pub fn is_page(&self) -> bool {
        matches!(self.shape, Shape::Page)
    }

    /// The answer as it is written at the address that was asked.
    pub fn shaped(&self, answer: Answer) -> Result<Answer, ApiError> {
        match self.shape {
            Shape::AsItIs | Shape::Page => Ok(answer),
            Shape::List(member) => {
                let mut members: BTreeMap<String, Json> = crate::params::read(&answer.data)?;
                let missing = || ApiError::internal("an answer is not what its address says", format!("it has no {member}"));
                Ok(Answer { data: members.remove(member).ok_or_else(missing)?, ..answer })
            }
        }
    }
}
