//! One call of a resource, from its name to its answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mirra_egress::{Fetch, Fetched};
use mirra_host_sdk::{ErrorCode, Json};
use mirra_openapi::{Operation, RequestParts};
use serde_json::{Map, Value, json};

use super::{
    authentication::{Credentials, Redaction, Signed, not_authenticated, sign},
    definition::{Authentication, Definition, Kind},
    known::{installed, shortened},
    script, slug,
    window::Place,
};
use crate::{
    Answer, ApiError, id,
    operations::Scene,
    params,
    store::{CallRow, Entry, InstallationRow, InstalledRow},
};

const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
const ANSWER_BYTES_MAX: usize = 10 << 20;
const REASON_CHARACTERS_MAX: usize = 300;
const UNAUTHORIZED: u16 = 401;
const TOO_MANY_REQUESTS: u16 = 429;

/// Calls a method of a resource that the caller has installed.
pub async fn call(scene: &Scene<'_>, resource: &str, method: &str, params: &Json) -> Result<Answer, ApiError> {
    let (row, definition) = installed(scene, resource).await?;
    check_allowed(scene, &row)?;
    let label = format!("{}.{}", row.installation.slug, shortened(method));
    if definition.kind == Kind::Script {
        return recorded(scene, &row, &definition, (&label, method), None, script::call(scene, &definition, &row, method, params)).await;
    }
    let (known, operation) = definition.method(method).ok_or_else(|| unknown_method(&label, &definition))?;
    let mut params: Map<String, Value> = params::read(params)?;
    known.complete(&mut params)?;
    let request = operation.request(&params).map_err(|error| ApiError::invalid(&error.field, error.message))?;
    let exchange = Exchange { scene, row: &row, definition: &definition, operation, label: &label };
    // Before anything is paid.
    let credentials = exchange.credentials().await?;
    recorded(scene, &row, &definition, (&label, method), known.cost, exchange.run(request, credentials)).await
}

/// Before any traffic, and before anything is told of the resource.
fn check_allowed(scene: &Scene<'_>, row: &InstalledRow) -> Result<(), ApiError> {
    let InstallationRow { slug: name, resource_id, .. } = &row.installation;
    let Some(allowed) = &scene.means.allowed_resources else { return Ok(()) };
    if allowed.iter().any(|entry| entry == resource_id || slug(entry) == *name) {
        return Ok(());
    }
    let message = format!("this handler may not use {name}: to let it, add \"{name}\" to its allowedResources");
    Err(ApiError::new(ErrorCode::ResourceDenied, message))
}

fn unknown_method(label: &str, definition: &Definition) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no {label}: there are {}", definition.method_names().join(", ")))
}

/// Pays for a call and writes down that it begins while it does, and how it ended afterwards.
async fn recorded(
    scene: &Scene<'_>,
    row: &InstalledRow,
    definition: &Definition,
    (label, method): (&str, &str),
    method_cost: Option<mirra_host_sdk::Usd>,
    work: impl Future<Output = Result<Answer, ApiError>>,
) -> Result<Answer, ApiError> {
    let InstallationRow { id: installation_id, tier, .. } = &row.installation;
    let resources = scene.control.resources().await?;
    let terms = &definition.terms;
    let place = resources.windows.take(scene.store, &row.installation, terms.rate_limit, scene.now).await?;
    let Place { period_started_at, number, months_begun } = place;
    let cost = terms.pricing.call(tier.as_deref(), method_cost, number);
    let request_price = scene.control.config().http_request_usd;
    if let Err(refusal) = scene.means.charge(label, cost + request_price) {
        resources.windows.give_back(installation_id);
        return Err(refusal);
    }
    let months = terms.pricing.monthly(tier.as_deref()).scaled(months_begun.into(), 1);
    let call = CallRow {
        id: id::new("call")?,
        installation_id: installation_id.clone(),
        method: method.to_owned(),
        at: scene.now,
        cost_picodollars: (cost + months).picodollars().cast_signed(),
        duration_ms: None,
        is_success: None,
    };
    let call_id = call.id.clone();
    let began = Instant::now();
    let (written, answer) = tokio::join!(resources.ledger.begun(Entry::Begun { call, period_started_at }), work);
    let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    resources.ledger.ended(Entry::Ended { id: call_id, duration_ms, is_success: answer.is_ok() });
    // What could not be written down is not answered: it would not be paid.
    written?;
    answer
}

/// A request to an API, and what becomes of its answer.
struct Exchange<'a> {
    scene: &'a Scene<'a>,
    row: &'a InstalledRow,
    definition: &'a Arc<Definition>,
    operation: &'a Operation,
    label: &'a str,
}

impl Exchange<'_> {
    async fn credentials(&self) -> Result<Option<Arc<Credentials>>, ApiError> {
        if self.definition.terms.endpoint.authentication == Authentication::None {
            return Ok(None);
        }
        let control = self.scene.control;
        let known = control.resources().await?.credentials(control, &self.row.installation).await?;
        let known = known.ok_or_else(|| not_authenticated(&self.row.resource_name, "is installed and not authenticated"))?;
        self.fresh(known, None).await.map(Some)
    }

    async fn fresh(&self, known: Arc<Credentials>, refused: Option<&str>) -> Result<Arc<Credentials>, ApiError> {
        let InstalledRow { installation, resource_name, .. } = self.row;
        self.scene.control.fresh(installation, resource_name, self.definition, known, refused).await
    }

    async fn run(self, request: RequestParts, credentials: Option<Arc<Credentials>>) -> Result<Answer, ApiError> {
        let mut answer = self.send(&request, credentials.as_deref()).await?;
        let mut credentials = credentials;
        if let (UNAUTHORIZED, Some(Credentials::Oauth2(refused))) = (answer.status, credentials.as_deref()) {
            // Once: tokens may have been withdrawn before their time.
            if let Some(known) = credentials.clone().filter(|_| refused.refresh_token.is_some()) {
                let fresh = self.fresh(known, Some(&refused.access_token)).await?;
                answer = self.send(&request, Some(&fresh)).await?;
                credentials = Some(fresh);
            }
        }
        let redaction = Redaction::of(credentials.as_deref());
        let body = redaction.bytes(answer.whole().await.map_err(|error| self.failed(&redaction, error))?);
        let content_type = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let status = answer.status;
        if !(200..300).contains(&status) {
            return Err(self.refused(&answer, &body));
        }
        let value = self.operation.response(status, content_type, &body).map_err(|error| {
            let message = format!("{}: the answer is not what its document says: {}: {}", self.label, error.pointer, error.message);
            let details = json!({ "status": status, "pointer": error.pointer });
            ApiError { details: Some(details), ..ApiError::new(ErrorCode::HandlerError, message) }
        })?;
        Answer::of(&value)
    }

    async fn send(&self, request: &RequestParts, credentials: Option<&Credentials>) -> Result<Fetched, ApiError> {
        let endpoint = &self.definition.terms.endpoint;
        let base_url = self.row.installation.base_url.as_ref().unwrap_or(&endpoint.base_url).trim_end_matches('/');
        let body = request.body.as_ref();
        let mut headers = request.headers.clone();
        headers.extend(body.map(|(content_type, _)| ("Content-Type".to_owned(), content_type.clone())));
        let constant = endpoint.headers.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in constant.chain(USUAL) {
            // What a caller or the resource says goes before what is usual.
            if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        let unsigned = Signed { url: format!("{base_url}{}", request.path_and_query), headers };
        let signed = sign(endpoint, credentials, unsigned);
        let fetch = Fetch {
            method: &request.method,
            url: &signed.url,
            headers: &signed.headers,
            body: body.map(|(_, bytes)| bytes.clone()).unwrap_or_default().into(),
            timeout: None,
            response_bytes_max: ANSWER_BYTES_MAX,
        };
        let time_left = self.scene.means.time_left().min(REQUEST_TIME_MAX);
        // Connections are kept for an installation: what one was opened with is no other's.
        let tenant = self.row.installation.id.as_str().into();
        let fetched = self.scene.control.egress().fetch(&tenant, fetch, time_left).await;
        fetched.map_err(|error| self.failed(&Redaction::of(credentials), error))
    }

    fn failed(&self, redaction: &Redaction, error: mirra_host_sdk::OperationError) -> ApiError {
        ApiError::new(error.code, format!("{}: {}", self.label, redaction.text(&error.message)))
    }

    /// The API has answered that it will not.
    fn refused(&self, answer: &Fetched, body: &[u8]) -> ApiError {
        let status = answer.status;
        let body: Value = serde_json::from_slice(body).unwrap_or_else(|_| reason_text(&String::from_utf8_lossy(body)).into());
        let known = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        let reason = reason(&body).map(|reason| format!(": {reason}")).unwrap_or_default();
        let message = format!("{}: the API answered {status} {known}{reason}", self.label);
        let details = Some(json!({ "status": status, "body": body }));
        if status != TOO_MANY_REQUESTS {
            return ApiError { details, ..ApiError::new(ErrorCode::HandlerError, message) };
        }
        let after = answer.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        ApiError { details, retry_after: after.map(Duration::from_secs), ..ApiError::new(ErrorCode::RateLimited, message) }
    }
}

/// What each request has, unless something else is said.
const USUAL: [(&str, &str); 2] = [("Accept", "application/json, */*;q=0.5"), ("User-Agent", concat!("mirra/", env!("CARGO_PKG_VERSION")))];

/// What APIs say of an error, wherever they put it.
fn reason(body: &Value) -> Option<String> {
    let texts = [body, &body["message"], &body["description"], &body["error"], &body["error"]["message"], &body["error_description"]];
    texts.into_iter().find_map(Value::as_str).filter(|text| !text.is_empty()).map(reason_text)
}

fn reason_text(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REASON_CHARACTERS_MAX).collect()
}
