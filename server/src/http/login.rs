//! `GET /oauth/callback`: a browser comes back from where it was sent to log in for a resource.

use hyper::{Request, body::Incoming};
use mirra_host_sdk::ErrorCode;

use super::{
    endpoint::Endpoint,
    reply::{self, Reply},
};
use crate::problem::Problem;

/// Needs no key: what it brings was given to nobody else.
pub async fn logged_in(endpoint: &Endpoint, request: Request<Incoming>) -> Reply {
    let query: Vec<(String, String)> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let outcome = match (value("state"), value("code"), value("error")) {
        (Some(state), Some(code), None) => endpoint.api.control.logged_in(state, code).await.map_err(Problem::from),
        // The person has said no, or the provider has.
        (_, _, Some(_)) => Err(Problem::new(ErrorCode::ResourceDenied, "the login was refused or given up: nothing has changed")),
        _ => Err(Problem::new(
            ErrorCode::ValidationError,
            "this address is for browsers that come back from a login: state and code are missing",
        )),
    };
    match outcome {
        Ok(()) => page("Logged in", "The resource is authenticated. You can close this window."),
        Err(problem) => {
            if let Some(causes) = &problem.causes {
                tracing::error!(causes, "{}", problem.message);
            }
            let mut reply = page("Not logged in", &problem.message);
            *reply.status_mut() = reply::problem(&problem).status();
            reply
        }
    }
}

fn page(title: &str, text: &str) -> Reply {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let style = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}";
    reply::html(format!("<!doctype html><meta charset=utf-8><title>{title}</title><style>{style}</style><h1>{title}</h1><p>{escaped}"))
}
