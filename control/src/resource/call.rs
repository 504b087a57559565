//! One call of a resource, from its name to its answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mirra_egress::{Fetch, Fetched};
use mirra_host_sdk::{ErrorCode, Json};
use mirra_openapi::{Operation, RequestParts, ResponseError};
use serde_json::{Map, Value, json};

use super::{
    authentication::{Credentials, Kept, Redaction, Signed, Tokens, sign},
    definition::{Authentication, Definition, Kind},
    is_allowed,
    known::{base_url, installed, shortened},
    pricing::Agreed,
    script, slug,
    window::Place,
};
use crate::{
    Answer, ApiError, id,
    operations::Scene,
    params,
    store::{Begun, Ended, InstallationRow, InstalledRow},
};

const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
const ANSWER_BYTES_MAX: usize = 10 << 20;
const REASON_CHARACTERS_MAX: usize = 300;
const METHOD_BYTES_MAX: usize = 100;
/// Checking what is longer would keep others waiting.
const LONG_BYTES: usize = 256 << 10;
const UNAUTHORIZED: u16 = 401;
const TOO_MANY_REQUESTS: u16 = 429;

/// Calls a method of a resource that the caller has installed.
pub async fn call(scene: &Scene<'_>, resource: &str, method: &str, params: &Json) -> Result<Answer, ApiError> {
    if method.len() > METHOD_BYTES_MAX {
        return Err(ApiError::invalid("method", "no method has such a long name"));
    }
    let (row, definition) = match installed(scene, resource).await {
        Err(error) if error.code == ErrorCode::NotFound && !is_allowed(&scene.means, &[resource, &slug(resource)]) => {
            return Err(not_allowed(shortened(resource)));
        }
        found => found?,
    };
    let InstallationRow { slug: name, resource_id, .. } = &row.installation;
    // Before any traffic, and before anything is told of the resource.
    if !is_allowed(&scene.means, &[resource_id, name]) {
        return Err(not_allowed(name));
    }
    let label = format!("{}.{}", row.installation.slug, shortened(method));
    if definition.kind == Kind::Script {
        script::check(&definition, &label, method)?;
        return recorded(scene, &row, &definition, (&label, method), script::call(scene, &definition, &row, params)).await;
    }
    let (known, operation) = definition.method(method).ok_or_else(|| unknown_method(&label, &definition))?;
    check_values("the parameters have", params.get().as_bytes())?;
    let mut params: Map<String, Value> = params::read(params)?;
    known.complete(&mut params)?;
    let request = operation.request(&params).map_err(|error| ApiError::invalid(&error.field, error.message))?;
    let exchange = Exchange { scene, row: &row, definition: &definition, operation, method, label: &label };
    // Before anything is paid.
    let credentials = exchange.credentials().await?;
    recorded(scene, &row, &definition, (&label, method), exchange.run(request, credentials)).await
}

fn not_allowed(name: &str) -> ApiError {
    let message = format!("this handler may not use {name}: to let it, add \"{name}\" to its allowedResources");
    ApiError::new(ErrorCode::ResourceDenied, message)
}

fn unknown_method(label: &str, definition: &Definition) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no {label}: there are {}", definition.method_names().join(", ")))
}

/// What JSON is made of takes far more memory than its text.
const VALUES_MAX: usize = 300_000;

/// Each value but the first follows one of these signs, in texts too: this counts too many rather than too few.
fn check_values(what: &str, json: &[u8]) -> Result<(), ApiError> {
    if memchr::memchr3_iter(b',', b'[', b'{', json).take(VALUES_MAX + 1).count() <= VALUES_MAX {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::PayloadTooLarge, format!("{what} more than {VALUES_MAX} values: ask for less at a time")))
}

/// Pays for a call, and writes down that it is made while it is: what cannot be written down is not answered. How it ended is written
/// afterwards.
async fn recorded(
    scene: &Scene<'_>,
    row: &InstalledRow,
    definition: &Definition,
    (label, method): (&str, &str),
    work: impl Future<Output = Result<Answer, ApiError>>,
) -> Result<Answer, ApiError> {
    let installation = &row.installation;
    let tier = installation.tier.as_deref();
    let damaged = |error| ApiError::internal("the prices of an installation cannot be read", error);
    let Agreed { pricing, method_costs } = serde_json::from_str(&installation.agreed).map_err(damaged)?;
    let resources = scene.control.resources().await?;
    let place = resources.windows.take(scene.store, installation, definition.terms.rate_limit, scene.now).await?;
    let Place { period_started_at, number } = place;
    let cost = pricing.call(tier, method_costs.get(method).copied(), number);
    if let Err(refusal) = scene.means.charge(label, cost + scene.control.config().http_request_usd) {
        resources.windows.give_back(installation);
        return Err(refusal);
    }
    let call_id = id::new("call")?;
    let call = Begun {
        id: call_id.clone(),
        installation_id: installation.id.clone(),
        method: method.to_owned(),
        at: scene.now,
        cost_picodollars: cost.picodollars().cast_signed(),
        period_started_at,
        monthly_picodollars: pricing.monthly(tier).picodollars().cast_signed(),
    };
    let began = Instant::now();
    let (written, answer) = tokio::join!(resources.ledger.begun(call), work);
    let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    resources.ledger.ended(Ended {
        id: call_id,
        installation_id: installation.id.clone(),
        at: scene.now,
        duration_ms,
        is_success: answer.is_ok(),
    });
    written?;
    answer
}

/// A request to an API, and what becomes of its answer.
struct Exchange<'a> {
    scene: &'a Scene<'a>,
    row: &'a InstalledRow,
    definition: &'a Arc<Definition>,
    operation: &'a Operation,
    method: &'a str,
    label: &'a str,
}

impl Exchange<'_> {
    async fn credentials(&self) -> Result<Option<Arc<Kept>>, ApiError> {
        if self.definition.terms.endpoint.authentication == Authentication::None {
            return Ok(None);
        }
        let (control, row) = (self.scene.control, self.row);
        let known = control.resources().await?.credentials(control, &row.installation, &row.resource_name, self.definition).await?;
        control.fresh(row, self.definition, known, None).await.map(Some)
    }

    async fn run(self, request: RequestParts, mut kept: Option<Arc<Kept>>) -> Result<Answer, ApiError> {
        let mut answer = self.send(&request, kept.as_deref()).await?;
        if let (UNAUTHORIZED, Some(known)) = (answer.status, &kept)
            && let Credentials::Oauth2(Tokens { access_token, refresh_token: Some(_), .. }) = &known.credentials
        {
            // Once: tokens may have been withdrawn before their time.
            let fresh = self.scene.control.fresh(self.row, self.definition, known.clone(), Some(access_token)).await?;
            answer = self.send(&request, Some(&fresh)).await?;
            kept = Some(fresh);
        }
        let nothing = Redaction::default();
        let redaction = kept.as_ref().map_or(&nothing, |kept| kept.redaction());
        let body = answer.whole().await.map_err(|error| self.failed(redaction, error))?;
        check_values(&format!("{}: the answer has", self.label), &body)?;
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(redaction, &answer, &body));
        }
        let content_type = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut value = self.read(answer.status, content_type, body).await?.map_err(|error| {
            let message = format!("{}: the answer is not what its document says: {error}", self.label);
            let details = json!({ "status": answer.status, "pointer": redaction.text(&error.pointer) });
            ApiError { details: Some(Box::new(details)), ..ApiError::new(ErrorCode::HandlerError, redaction.text(&message)) }
        })?;
        redaction.json(&mut value);
        Answer::of(&value)
    }

    /// Checks an answer, away from whatever else is served if it is long.
    async fn read(&self, status: u16, content_type: Option<&str>, body: Vec<u8>) -> Result<Result<Value, ResponseError>, ApiError> {
        if body.len() < LONG_BYTES {
            return Ok(self.operation.response(status, content_type, &body));
        }
        let (definition, method, content_type) = (self.definition.clone(), self.method.to_owned(), content_type.map(str::to_owned));
        let reading = tokio::task::spawn_blocking(move || {
            let (_, operation) = definition.method(&method)?;
            Some(operation.response(status, content_type.as_deref(), &body))
        });
        let read = reading.await.map_err(|error| ApiError::internal("an answer could not be checked", error))?;
        read.ok_or_else(|| ApiError::not_found("such method"))
    }

    async fn send(&self, request: &RequestParts, kept: Option<&Kept>) -> Result<Fetched, ApiError> {
        let endpoint = &self.definition.terms.endpoint;
        let base_url = base_url(&self.row.installation, self.definition);
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
        let signed = sign(endpoint, kept.map(|kept| &kept.credentials), unsigned);
        let fetch = Fetch {
            method: &request.method,
            url: &signed.url,
            headers: &signed.headers,
            body: body.map(|(_, bytes)| bytes.clone()).unwrap_or_default().into(),
            timeout: None,
            response_bytes_max: ANSWER_BYTES_MAX,
        };
        let time_left = self.scene.means.time_left().min(REQUEST_TIME_MAX);
        let InstallationRow { base_url, account_id, .. } = &self.row.installation;
        let who_says_where = if base_url.is_some() { account_id } else { &self.row.resource_owner_id };
        let control = self.scene.control;
        let reach = control.reach_of(who_says_where).await?;
        let fetched = control.egress().fetch(&account_id.as_str().into(), reach, fetch, time_left).await;
        fetched.map_err(|error| self.failed(kept.map_or(&Redaction::default(), Kept::redaction), error))
    }

    fn failed(&self, redaction: &Redaction, error: mirra_host_sdk::OperationError) -> ApiError {
        ApiError::new(error.code, format!("{}: {}", self.label, redaction.text(&error.message)))
    }

    /// The API has answered that it will not.
    fn refused(&self, redaction: &Redaction, answer: &Fetched, body: &[u8]) -> ApiError {
        let status = answer.status;
        let mut body: Value = serde_json::from_slice(body).unwrap_or_else(|_| reason_text(&String::from_utf8_lossy(body)).into());
        redaction.json(&mut body);
        let known = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        let reason = reason(&body).map(|reason| format!(": {reason}")).unwrap_or_default();
        let message = format!("{}: the API answered {status} {known}{reason}", self.label);
        let details = Some(Box::new(json!({ "status": status, "body": body })));
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
