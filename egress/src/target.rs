//! Whom a request is for.

use std::{fmt, net::IpAddr};

use mirra_host_sdk::without_dot;
use url::{Host, Url};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Scheme, host and port: what is allowed or not, what is dialled, and what a connection is kept under. All three read the same
/// value, since two readings of one URL are how such checks are passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub scheme: Scheme,
    /// Names in lower case and Punycode, without a dot at the end; addresses as numbers, however the URL spells them.
    pub host: Host<String>,
    pub port: u16,
}

impl Target {
    /// None for what is not `http` or `https`.
    pub fn of(url: &Url) -> Option<Target> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => Host::Domain(without_dot(name).to_owned()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        };
        Some(Target { scheme, host, port: url.port().unwrap_or(scheme.port()) })
    }

    /// The address, if the URL gives one instead of a name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }
}

/// As it is written in the header `Host` and, luckily, in an allow list: without the port where that is the scheme's own.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port == self.scheme.port() {
            true => write!(f, "{}", self.host),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
