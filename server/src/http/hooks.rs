//! `/hooks/{id}`: what the world tells. The address is the secret.

use std::net::IpAddr;

use hyper::{
    Request,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderMap},
};
use mirra_control::HookRequest;
use mirra_host_sdk::ErrorCode;

use super::{
    api, body,
    endpoint::Endpoint,
    reply::{self, Reply},
};
use crate::problem::Problem;

pub const PREFIX: &str = "/hooks/";

const BODY_BYTES_MAX: u64 = 1 << 20;

pub async fn answer(endpoint: &Endpoint, hook_id: String, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let taken = async {
        let request = read(hook_id, request).await?;
        Ok::<_, Problem>(endpoint.api.control.hook(request).await?)
    };
    match taken.await {
        Ok(answer) => api::envelope(answer),
        Err(problem) => {
            // Whoever guesses addresses is told no sooner than anybody else who has no key.
            if problem.code == ErrorCode::NotFound
                && let Some(retry_after) = endpoint.strangers.take(peer).retry_after
            {
                let problem = Problem::new(ErrorCode::RateLimited, "too many requests to hooks that are not there");
                return reply::problem(&Problem { retry_after: Some(retry_after), ..problem });
            }
            if let Some(causes) = &problem.causes {
                tracing::error!(causes, "{}", problem.message);
            }
            reply::problem(&problem)
        }
    }
}

async fn read(hook_id: String, request: Request<Incoming>) -> Result<HookRequest, Problem> {
    let text = |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok(HookRequest {
        hook_id,
        method: request.method().to_string(),
        headers: headers.collect(),
        query: request.uri().query().map(str::to_owned),
        content_type: text(request.headers(), CONTENT_TYPE),
        body: body::read_bytes(request, BODY_BYTES_MAX).await?,
    })
}
