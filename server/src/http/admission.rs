//! Who may call.

use std::net::IpAddr;

use hyper::{
    HeaderMap,
    header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN},
};
use mirra_control::{Budget, Caller};
use mirra_host_sdk::ErrorCode;

use super::Endpoint;
use crate::{config::OwnerKey, problem::Problem};

/// How a server tells its callers from others.
pub enum Admission {
    /// Whoever knows the key.
    Key(OwnerKey),
    /// The programs of this machine. It listens on a loopback address then, so what is left to fear is a web page in a browser
    /// on this machine: one whose name was made to resolve to this address (told by `Host`), or one that posts across origins
    /// (told by `Origin`).
    Local,
}

/// Nobody that is known, and what is left to whoever asks from the same address.
pub struct Stranger {
    pub problem: Problem,
    pub budget: Budget,
}

impl Endpoint {
    /// Who asks, by the key that they bring.
    pub async fn caller(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Stranger> {
        let presented = presented_key(headers);
        let is_known = presented.is_some_and(|key| self.is_operators(key) || self.strangers.knows(key));
        // Before anything is looked up.
        let counted = (!is_known).then(|| self.strangers.take(peer));
        if let Some(budget) = counted.filter(|budget| budget.retry_after.is_some()) {
            let message = format!("more than {} requests of this minute came from this address without a key that counts", budget.limit);
            let problem = Problem { retry_after: budget.retry_after, ..Problem::new(ErrorCode::RateLimited, message) };
            return Err(Stranger { problem, budget });
        }
        let found = self.owner_of(presented).await;
        match (presented, &found) {
            (Some(key), Ok(_)) if !is_known => self.strangers.remember(key),
            (Some(key), Err(_)) if is_known => self.strangers.forget(key),
            _ => {}
        }
        found.map_err(|problem| Stranger { problem, budget: counted.unwrap_or_else(|| self.strangers.take(peer)) })
    }

    async fn owner_of(&self, key: Option<&[u8]>) -> Result<Caller, Problem> {
        let refusal = |message| Problem::new(ErrorCode::Unauthorized, message);
        let key = key.ok_or_else(|| refusal("give a key, as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'"))?;
        if self.is_operators(key) {
            return Ok(self.api.control.owner().await?.clone());
        }
        self.api.control.authenticate(key).await?.ok_or_else(|| refusal("there is no such key, or it was revoked"))
    }

    fn is_operators(&self, key: &[u8]) -> bool {
        matches!(&self.admission, Admission::Key(own) if own.is(key))
    }

    /// Whether the handlers of this server may be called: by its owner, and, where there is no key in the environment, by anybody on this
    /// machine.
    pub async fn admit(&self, headers: &HeaderMap, peer: IpAddr) -> Result<(), Problem> {
        match &self.admission {
            Admission::Key(key) if presented_key(headers).is_some_and(|presented| key.is(presented)) => Ok(()),
            Admission::Local if is_local(headers.get(HOST), authority) && is_local(headers.get(ORIGIN), origin) => Ok(()),
            Admission::Key(_) => {
                let caller = self.caller(headers, peer).await.map_err(|stranger| stranger.problem)?;
                let is_owner = caller.account.parent_id.is_none();
                if is_owner {
                    Ok(caller.may_use("scripts")?)
                } else {
                    Err(Problem::new(ErrorCode::ResourceDenied, "this is for the owner"))
                }
            }
            Admission::Local => {
                let message = "without a key, only programs and pages of this machine may call: use the address 127.0.0.1 or localhost";
                Err(Problem::new(ErrorCode::ResourceDenied, message))
            }
        }
    }
}

fn presented_key(headers: &HeaderMap) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let bearer = |value: &HeaderValue| -> bool { value.as_bytes().get(..SCHEME.len()).is_some_and(|s| s.eq_ignore_ascii_case(SCHEME)) };
    if let Some(value) = headers.get(AUTHORIZATION).filter(|value| bearer(value)) {
        return Some(value.as_bytes()[SCHEME.len()..].trim_ascii());
    }
    headers.get("x-api-key").map(HeaderValue::as_bytes)
}

/// A header that is absent is one that no browser left out.
fn is_local(header: Option<&HeaderValue>, host: fn(&str) -> Option<&str>) -> bool {
    let Some(header) = header else { return true };
    let host = header.to_str().ok().and_then(host);
    host.is_some_and(|host| host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// `scheme://host:port`
fn origin(origin: &str) -> Option<&str> {
    authority(origin.split_once("://")?.1)
}

/// The host of `host:port`, where an IPv6 address stands in brackets.
fn authority(authority: &str) -> Option<&str> {
    match authority.strip_prefix('[') {
        Some(bracketed) => Some(bracketed.split_once(']')?.0),
        None => authority.split(':').next(),
    }
}
