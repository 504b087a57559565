//! The HTTP API as data: which address is which operation.

use matchit::Router;
use mirra_host_sdk::{ErrorCode, Json};
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
    /// Its list alone, as clients of the first version expect.
    Results,
}

struct Address {
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    shape: Shape,
}

const fn address(method: &'static str, path: &'static str, operation: &'static str) -> Address {
    Address { method, path, operation, shape: Shape::AsItIs }
}

/// Besides these, `POST /v1/{adapter}/{operation}` is every operation.
const ADDRESSES: &[Address] = &[
    address("POST", "/v1/accounts/subaccounts", "accounts.createSubAccount"),
    address("GET", "/v1/accounts/subaccounts", "accounts.listSubAccounts"),
    address("POST", "/v1/keys", "keys.create"),
    address("GET", "/v1/keys", "keys.list"),
    address("DELETE", "/v1/keys/{id}", "keys.revoke"),
    address("POST", "/v1/memory", "memory.create"),
    Address { shape: Shape::Results, ..address("POST", "/v1/memory/search", "memory.search") },
    Address { shape: Shape::Results, ..address("POST", "/v1/memory/query", "memory.query") },
    address("POST", "/v1/teams", "teams.create"),
    address("GET", "/v1/teams", "teams.list"),
    address("GET", "/v1/teams/{teamId}/members", "teams.listMembers"),
    address("POST", "/v1/teams/{teamId}/members", "teams.addMember"),
    address("DELETE", "/v1/teams/{teamId}/members/{username}", "teams.removeMember"),
];

/// `{resourceId, method, params}`
const DISPATCHERS: [&str; 2] = ["/v1/resources/call", "/v2/resources/call"];

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
    pub fn find(&self, request: Request<'_>) -> Result<Matched, ApiError> {
        let Request { method, path, query, body } = request;
        if method == "POST" && DISPATCHERS.contains(&path) {
            return dispatched(body);
        }
        let found = self.0.at(path).ok();
        let address = found.as_ref().and_then(|found| found.value.iter().find(|address| address.method == method));
        if let (Some(address), Some(found)) = (address, &found) {
            let (adapter, operation) = address.operation.split_once('.').unwrap_or_default();
            let in_path = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let params = with(body, query.into_iter().chain(in_path))?;
            return Ok(Matched { adapter: adapter.to_owned(), operation: operation.to_owned(), params, shape: address.shape });
        }
        let parts: Vec<&str> = path.split('/').collect();
        match (method, &*parts) {
            ("POST", ["", "v1", adapter, operation]) if operations::find(adapter, operation).is_some() => Ok(Matched {
                adapter: (*adapter).to_owned(),
                operation: (*operation).to_owned(),
                params: with(body, query.into_iter())?,
                shape: Shape::AsItIs,
            }),
            _ => Err(ApiError::new(ErrorCode::NotFound, format!("there is nothing at {method} /api/sdk{path}"))),
        }
    }
}

fn dispatched(body: Json) -> Result<Matched, ApiError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Call {
        resource_id: String,
        method: String,
        #[serde(default)]
        params: Option<Json>,
    }
    let Call { resource_id, method, params } = crate::params::read(&body)?;
    let params = params.filter(|params| params.get() != "null").unwrap_or_else(empty);
    Ok(Matched { adapter: resource_id, operation: method, params, shape: Shape::AsItIs })
}

/// The body with what stands in the address put over it.
fn with(body: Json, others: impl Iterator<Item = (String, String)>) -> Result<Json, ApiError> {
    let mut others = others.peekable();
    if others.peek().is_none() {
        return Ok(body);
    }
    let mut params: Map<String, Value> = crate::params::read(&body)?;
    params.extend(others.map(|(name, value)| (name, Value::String(value))));
    to_raw_value(&params).map_err(|error| ApiError::internal("the parameters cannot be written", error))
}

fn empty() -> Json {
    // `{}` is JSON.
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

impl Matched {
    /// The answer as it is written at the address that was asked.
    pub fn shaped(&self, answer: Answer) -> Result<Answer, ApiError> {
        #[derive(Deserialize)]
        struct List {
            results: Json,
        }
        match self.shape {
            Shape::AsItIs => Ok(answer),
            Shape::Results => {
                let List { results } = crate::params::read(&answer.data)?;
                Ok(Answer { data: results, ..answer })
            }
        }
    }
}
