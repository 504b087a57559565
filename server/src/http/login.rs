//! Logins for resources in a browser: `GET /oauth/begin` shows what it is for, and `GET /oauth/callback/RESOURCE` is where it comes back to.
//!
//! No key opens these, but a state that was given to whoever began. The browser that begins gets a cookie, without which none can come
//! back: so nobody can have somebody else's browser end a login that they have begun themselves.

use hyper::{
    HeaderMap, Request,
    body::Incoming,
    header::{COOKIE, HeaderValue, SET_COOKIE},
};
use mirra_control::{BEGIN, description::escaped};
use mirra_host_sdk::ErrorCode;

use super::{
    endpoint::Endpoint,
    reply::{self, Reply},
};
use crate::problem::Problem;

/// The cookie that tells a browser from others.
const COOKIE_NAME: &str = "mirra_login";

pub async fn answer(endpoint: &Endpoint, request: Request<Incoming>) -> Reply {
    let query: Vec<(String, String)> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let path = request.uri().path();
    // All browsers together: what they bring is looked up in the store.
    if let Some(retry_after) = endpoint.api.rate.take(COOKIE_NAME).retry_after {
        let refusal = Problem::new(ErrorCode::RateLimited, "too many logins at the moment: try again in a minute");
        return reply::problem(&Problem { retry_after: Some(retry_after), ..refusal });
    }
    let outcome = match (path == BEGIN, value("state"), value("code")) {
        (true, Some(state), _) => begin(endpoint, state).await,
        (false, Some(state), Some(code)) => come_back(endpoint, path, request.headers(), state, code).await,
        // The person has said no, or the provider has.
        (false, Some(_), None) => Err(Problem::new(ErrorCode::ResourceDenied, "the login was refused or given up: nothing has changed")),
        _ => Err(Problem::new(ErrorCode::ValidationError, "this address is for browsers that log in for a resource: its state is missing")),
    };
    outcome.unwrap_or_else(|problem| {
        if let Some(causes) = &problem.causes {
            tracing::error!(causes, "{}", problem.message);
        }
        let mut reply = page("Not logged in", &escaped(&problem.message));
        *reply.status_mut() = reply::problem(&problem).status();
        reply
    })
}

async fn begin(endpoint: &Endpoint, state: &str) -> Result<Reply, Problem> {
    let login = endpoint.api.control.login(state).await?;
    let text = format!(
        "<b>{}</b> wants to use <b>{}</b> with your login there. Whoever has that account here will be able to use it in your name.</p>\
         <p><a href=\"{}\" rel=noreferrer>Log in</a>",
        escaped(&login.account),
        escaped(&login.resource),
        escaped(&login.url)
    );
    let mut reply = page("Log in", &text);
    let cookie = format!("{COOKIE_NAME}={}; Path=/oauth; Max-Age=600; HttpOnly; SameSite=Lax", fingerprint(state));
    // Hex digits always fit into a header.
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        reply.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(reply)
}

async fn come_back(endpoint: &Endpoint, path: &str, headers: &HeaderMap, state: &str, code: &str) -> Result<Reply, Problem> {
    let wanted = format!("{COOKIE_NAME}={}", fingerprint(state));
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    if !cookies.flat_map(|cookies| cookies.split(';')).any(|cookie| cookie.trim() == wanted) {
        let message = "this login was begun in another browser: open the link that you were given in this one";
        return Err(Problem::new(ErrorCode::ResourceDenied, message));
    }
    let resource_id = path.rsplit('/').next().unwrap_or_default();
    endpoint.api.control.logged_in(resource_id, state, code).await?;
    Ok(page("Logged in", "The resource is authenticated. You can close this window."))
}

/// Of a state, for the cookie: which does not give it away.
fn fingerprint(state: &str) -> String {
    blake3::Hash::from(blake3::derive_key("mirra 2026 cookie of a login", state.as_bytes())).to_hex().to_string()
}

fn page(title: &str, text: &str) -> Reply {
    let style = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}";
    reply::html(format!("<!doctype html><meta charset=utf-8><title>{title}</title><style>{style}</style><h1>{title}</h1><p>{text}"))
}
