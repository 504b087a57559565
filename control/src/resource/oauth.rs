//! OAuth 2.0: a browser is sent to log in and comes back with a code, the code becomes tokens, and tokens are made anew before they are
//! of no more use.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use mirra_egress::{Fetch, Reach};
use mirra_host_sdk::{BoxFuture, ErrorCode, OperationError};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardErrorResponse,
    TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    authentication::{Credentials, Kept, Tokens, not_authenticated},
    definition::{AuthConfig, Authentication, Definition},
    known::{base_url, installed},
};
use crate::{
    Answer, ApiError, Control, id,
    operations::Scene,
    store::{AuthorizationRow, InstallationRow, InstalledRow, NewAuthorization},
    time,
};

/// How long somebody may take to log in.
const LOGIN_MS_MAX: i64 = 10 * 60 * 1000;

/// Tokens are made anew so long before they expire: the clocks of two machines differ, and a request takes a while.
const EARLY_MS: i64 = 60 * 1000;

const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Where browsers come back to, before the resource's id.
pub const CALLBACK: &str = "/oauth/callback";

/// Where they begin.
pub const BEGIN: &str = "/oauth/begin";

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;
type TokenError = RequestTokenError<OperationError, StandardErrorResponse<BasicErrorResponseType>>;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeParams {
    /// The resource, by its id or name.
    id: String,
    /// Of an OAuth client of your own, where the resource's creator has none.
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// What is kept of a browser until it comes back, encrypted.
#[derive(Serialize, Deserialize)]
struct Pending {
    verifier: String,
    /// What it is for: who has begun to log in has not begun to log in elsewhere.
    destination: String,
    /// Where the browser is sent.
    url: String,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Where a browser has to go to log in.
pub async fn authorize(scene: &Scene<'_>, params: AuthorizeParams) -> Result<Answer, ApiError> {
    let (control, store) = (scene.control, scene.store);
    let (installed, definition) = installed(scene, &params.id).await?;
    if definition.terms.endpoint.authentication != Authentication::Oauth2 {
        return Err(ApiError::invalid("id", "this resource is not authenticated by oauth2: give its credentials with authenticate"));
    }
    let AuthorizeParams { client_id, client_secret, .. } = params;
    let row = &installed.installation;
    // An address for each resource: what one provider answers is never taken for another's answer.
    let redirect_url = format!("{}{CALLBACK}/{}", control.config().public_url, row.resource_id);
    let own = (client_id.as_deref(), client_secret.as_deref());
    let client = client(control, &definition, &row.resource_id, own, Some(&redirect_url)).await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let config = &definition.terms.endpoint.auth_config;
    let state = CsrfToken::new(BASE64_URL_SAFE_NO_PAD.encode(id::random::<32>()?));
    let mut request = client.authorize_url(|| state).set_pkce_challenge(challenge);
    request = request.add_scopes(config.scopes.iter().cloned().map(Scope::new));
    for (name, value) in &config.auth_params {
        request = request.add_extra_param(name, value);
    }
    let (url, state) = request.url();
    let destination = definition.terms.endpoint.destination(base_url(row, &definition));
    let pending = Pending { verifier: verifier.secret().clone(), destination, url: url.to_string(), client_id, client_secret };
    let pending = serde_json::to_vec(&pending).map_err(|error| ApiError::internal("a login cannot be begun", error))?;
    let (keyring, state_hash) = (control.keyring().await?, hash(state.secret()));
    let seal = |in_use: Option<&str>| keyring.seal(&state_hash, &pending, in_use);
    let expires_at = scene.now + LOGIN_MS_MAX;
    let begun = NewAuthorization { state_hash: &state_hash, installation_id: &row.id, redirect_url: &redirect_url, expires_at };
    store.insert_authorization(begun, &seal, scene.now).await?;
    let begin = format!("{}{BEGIN}?state={}", control.config().public_url, state.secret());
    Answer::of(&json!({ "authorizationUrl": begin, "expiresAt": time::iso(expires_at) }))
}

/// Of a state, as it is kept.
fn hash(state: &str) -> String {
    blake3::hash(state.as_bytes()).to_hex().to_string()
}

/// A login that somebody is about to begin, for them to see what it is for.
pub struct Login {
    pub resource: String,
    pub account: String,
    /// Where to log in.
    pub url: String,
}

impl Control {
    /// Of a state that was given out.
    pub async fn login(self: &Arc<Control>, state: &str) -> Result<Login, ApiError> {
        let store = &self.opened().await?.store;
        let row = store.authorization(&hash(state), self.now()).await?.ok_or_else(unknown)?;
        let pending = self.pending(state, &row).await?;
        let installation = store.installation(&row.installation_id).await?.ok_or_else(unknown)?;
        let resource = store.resource(&installation.resource_id).await?.ok_or_else(unknown)?;
        let account = self.account(&installation.account_id).await?;
        Ok(Login { resource: resource.name, account: account.display_name, url: pending.url })
    }

    async fn pending(&self, state: &str, row: &AuthorizationRow) -> Result<Pending, ApiError> {
        let pending = self.keyring().await?.unseal(&hash(state), &row.verifier)?;
        serde_json::from_slice(&pending).map_err(|error| ApiError::internal("a login cannot be read", error))
    }

    /// A browser comes back from where it was sent to log in for a resource. Nobody else knows the state that it brings.
    pub async fn logged_in(self: &Arc<Control>, resource_id: &str, state: &str, code: &str) -> Result<(), ApiError> {
        let (store, now) = (&self.opened().await?.store, self.now());
        let row = store.take_authorization(&hash(state), now).await?.ok_or_else(unknown)?;
        let pending = self.pending(state, &row).await?;
        let installation = store.installation(&row.installation_id).await?.ok_or_else(unknown)?;
        let definition = self.resources().await?.definition(store, &installation.resource_id).await?;
        let destination = definition.terms.endpoint.destination(base_url(&installation, &definition));
        if installation.resource_id != resource_id || destination != pending.destination {
            return Err(unknown());
        }
        let own = (pending.client_id.as_deref(), pending.client_secret.as_deref());
        let client = client(self, &definition, &installation.resource_id, own, Some(&row.redirect_url)).await?;
        let fetch = Provider::of(self, &installation).await?;
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let answer = exchange.set_pkce_verifier(PkceCodeVerifier::new(pending.verifier)).request_async(&fetch).await;
        let answer = answer.map_err(|error| refused("the login was not accepted", &error))?;
        let tokens = tokens(&answer, None, (pending.client_id, pending.client_secret), now);
        let kept = Kept::new(destination, Credentials::Oauth2(tokens));
        if self.put_credentials(&installation.id, &kept, None).await? { Ok(()) } else { Err(unknown()) }
    }

    /// Tokens that can be used: those that are known, unless they expire or are `refused`. They are made anew to the end even if whoever
    /// waits for them goes away: a refresh token may be of use once only.
    pub(super) async fn fresh(
        self: &Arc<Control>,
        row: &InstalledRow,
        definition: &Arc<Definition>,
        known: Arc<Kept>,
        refused_token: Option<&str>,
    ) -> Result<Arc<Kept>, ApiError> {
        if is_usable(&known.credentials, refused_token, self.now()) {
            return Ok(known);
        }
        let (control, definition, refused) = (self.clone(), definition.clone(), refused_token.map(str::to_owned));
        let (id, resource) = (row.installation.id.clone(), row.resource_name.clone());
        let anew = tokio::spawn(async move { control.refreshed(&id, &resource, &definition, refused.as_deref()).await });
        anew.await.map_err(|error| ApiError::internal("credentials could not be refreshed", error))?
    }

    async fn refreshed(
        self: &Arc<Control>,
        installation_id: &str,
        resource: &str,
        definition: &Definition,
        refused_token: Option<&str>,
    ) -> Result<Arc<Kept>, ApiError> {
        let resources = self.resources().await?;
        let _turn = resources.refreshing.turn(installation_id).await;
        let store = &self.opened().await?.store;
        let row = store.installation(installation_id).await?.ok_or_else(|| ApiError::not_found("such installation"))?;
        let known = resources.credentials(self, &row, resource, definition).await?;
        let Credentials::Oauth2(tokens) = &known.credentials else { return Ok(known) };
        if is_usable(&known.credentials, refused_token, self.now()) {
            return Ok(known);
        }
        let anew = self.refresh(&row, resource, definition, tokens).await?;
        let destination = definition.terms.endpoint.destination(base_url(&row, definition));
        let kept = Arc::new(Kept::new(destination, Credentials::Oauth2(anew)));
        // Unless the account has given others meanwhile: then those count, for the next call too.
        self.put_credentials(&row.id, &kept, Some(row.credentials_revision)).await?;
        Ok(kept)
    }

    async fn refresh(&self, row: &InstallationRow, resource: &str, definition: &Definition, old: &Tokens) -> Result<Tokens, ApiError> {
        let Some(refresh_token) = &old.refresh_token else {
            return Err(not_authenticated(resource, "has credentials that have expired, and no refresh token"));
        };
        let own = (old.client_id.as_deref(), old.client_secret.as_deref());
        let client = client(self, definition, &row.resource_id, own, None).await?;
        let fetch = Provider::of(self, row).await?;
        let refresh_token = RefreshToken::new(refresh_token.clone());
        match client.exchange_refresh_token(&refresh_token).request_async(&fetch).await {
            Ok(answer) => {
                let client = (old.client_id.clone(), old.client_secret.clone());
                Ok(tokens(&answer, old.refresh_token.clone(), client, self.now()))
            }
            Err(RequestTokenError::ServerResponse(refusal)) if *refusal.error() == BasicErrorResponseType::InvalidGrant => {
                // It will be refused again, so that nobody need ask.
                let store = &self.opened().await?.store;
                store.authenticate_installation(&row.id, None, Some(row.credentials_revision), self.now()).await?;
                Err(not_authenticated(resource, "could not refresh its credentials (invalid_grant)"))
            }
            Err(error) => Err(refused(&format!("the credentials of {resource} could not be refreshed"), &error)),
        }
    }
}

fn unknown() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "this login is over or was never begun: begin it again")
}

fn is_usable(credentials: &Credentials, refused_token: Option<&str>, now: i64) -> bool {
    match credentials {
        Credentials::Oauth2(tokens) => {
            let expires = tokens.expires_at.is_some_and(|at| at - EARLY_MS <= now);
            !expires && refused_token.is_none_or(|refused| refused != tokens.access_token)
        }
        _ => true,
    }
}

/// Installations whose tokens are being made anew.
#[derive(Default)]
pub struct Refreshing(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Refreshing {
    async fn turn(&self, installation_id: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody waits for are only in here.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(installation_id.to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }
}

async fn client(
    control: &Control,
    definition: &Definition,
    resource_id: &str,
    own: (Option<&str>, Option<&str>),
    redirect_url: Option<&str>,
) -> Result<Client, ApiError> {
    let AuthConfig { auth_url, token_url, client_id, .. } = &definition.terms.endpoint.auth_config;
    let (client_id, client_secret) = match (own, client_id) {
        ((Some(id), secret), _) => (id.to_owned(), secret.map(str::to_owned)),
        ((None, _), Some(id)) => (id.clone(), control.client_secret(resource_id).await?),
        ((None, _), None) => {
            let message = "this resource has no OAuth client of its own: give the clientId and clientSecret of yours";
            return Err(ApiError::invalid("clientId", message));
        }
    };
    let invalid = |error| ApiError::internal("the resource's addresses of OAuth are none", error);
    let auth_url = AuthUrl::new(auth_url.clone().unwrap_or_default()).map_err(invalid)?;
    let token_url = TokenUrl::new(token_url.clone().unwrap_or_default()).map_err(invalid)?;
    let mut client = BasicClient::new(ClientId::new(client_id)).set_auth_uri(auth_url).set_token_uri(token_url);
    if let Some(secret) = client_secret {
        // In the body: every provider takes it there, and not all in a header.
        client = client.set_client_secret(ClientSecret::new(secret)).set_auth_type(AuthType::RequestBody);
    }
    if let Some(url) = redirect_url {
        client = client.set_redirect_uri(RedirectUrl::new(url.to_owned()).map_err(invalid)?);
    }
    Ok(client)
}

/// A provider that sends no new refresh token means the old one to be used again.
fn tokens(answer: &BasicTokenResponse, old_refresh: Option<String>, client: (Option<String>, Option<String>), now: i64) -> Tokens {
    let expires_at = answer.expires_in().map(|after| now.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)));
    Tokens {
        access_token: answer.access_token().secret().clone(),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone()).or(old_refresh),
        expires_at,
        client_id: client.0,
        client_secret: client.1,
    }
}

/// Whoever gives out tokens, as it is reached in an account's name.
struct Provider<'a> {
    control: &'a Control,
    tenant: &'a str,
    reach: Reach<'static>,
}

impl<'a> Provider<'a> {
    async fn of(control: &'a Control, installation: &'a InstallationRow) -> Result<Provider<'a>, ApiError> {
        let resource = control.opened().await?.store.resource(&installation.resource_id).await?;
        let maker = resource.ok_or_else(|| ApiError::not_found("such resource"))?.owner_id;
        Ok(Provider { control, tenant: &installation.account_id, reach: control.reach_of(&maker).await? })
    }
}

impl<'a> AsyncHttpClient<'a> for Provider<'_> {
    type Error = OperationError;
    type Future = BoxFuture<'a, Result<HttpResponse, OperationError>>;

    fn call(&'a self, request: HttpRequest) -> Self::Future {
        Box::pin(fetch(self, request))
    }
}

async fn fetch(provider: &Provider<'_>, request: HttpRequest) -> Result<HttpResponse, OperationError> {
    let (head, body) = request.into_parts();
    let text = |value: &http::HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    let headers: Vec<(String, String)> = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let fetch = Fetch {
        method: head.method.as_str(),
        url: &head.uri.to_string(),
        headers: &headers,
        body: body.into(),
        timeout: None,
        response_bytes_max: ANSWER_BYTES_MAX,
    };
    let Provider { control, tenant, reach } = *provider;
    let mut answer = control.egress().fetch(&tenant.into(), reach, fetch, REQUEST_TIME_MAX).await?;
    let mut response = HttpResponse::new(answer.whole().await?);
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    *response.headers_mut() = answer.headers;
    Ok(response)
}

/// The error codes of OAuth are told. Whatever else a provider says may repeat what it was sent.
fn refused(message: &str, error: &TokenError) -> ApiError {
    let (code, reason) = match error {
        RequestTokenError::ServerResponse(refusal) => match refusal.error() {
            BasicErrorResponseType::Extension(_) => (ErrorCode::HandlerError, ": the provider refused".to_owned()),
            known => (ErrorCode::HandlerError, format!(": {known}")),
        },
        RequestTokenError::Request(error) => (error.code, format!(": {}", error.message)),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            (ErrorCode::HandlerError, ": what the provider answered is no answer of OAuth".to_owned())
        }
    };
    ApiError::new(code, format!("{message}{reason}"))
}
