//! The allow list: hosts that handlers may reach.

use std::{fmt, net::IpAddr, str::FromStr};

use mirra_host_sdk::{ErrorCode, OperationError};
use url::Host;

use crate::{address::is_public, target::Target};

/// Hosts that handlers may reach, written `HOST[:PORT]`.
///
/// | entry | allows |
/// |---|---|
/// | `api.example.com` | this name with `http` on port 80 and `https` on port 443 |
/// | `api.example.com:8443` | this name on port 8443, with either scheme |
/// | `*.example.com` | every name below it, at any depth, but not `example.com` itself; public addresses only |
/// | `*` | every public host; `*:8443` on another port |
/// | `127.0.0.1:8080`, `[::1]:8080` | this address |
///
/// An entry is compared with what stands in the URL. One without a wildcard also allows addresses that are not public: who
/// writes `intranet.example.com` means it, wherever the name leads. **Name only hosts whose DNS you trust**, since whoever runs
/// it decides where such a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowEntry {
    pattern: Pattern,
    /// None: the usual port of the scheme.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    /// With the dot: `.example.com`.
    Below(String),
    Exactly(Host<String>),
}

/// A text that is no entry of an allow list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowError {
    entry: String,
    reason: &'static str,
}

impl fmt::Display for AllowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no host to allow: {}", self.entry, self.reason)
    }
}

impl std::error::Error for AllowError {}

impl FromStr for AllowEntry {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let parse = || {
            let (host, port) = split_port(text)?;
            Ok(AllowEntry { pattern: pattern(host)?, port })
        };
        parse().map_err(|reason| AllowError { entry: text.to_owned(), reason })
    }
}

const FORM: &str = "write HOST or HOST:PORT, such as api.example.com, *.example.com, 127.0.0.1:8080 or [::1]:8080";

fn split_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match text.rsplit_once(':') {
        // The colons of a bare IPv6 address are told from a port's by its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match port.map(|port| port.parse().ok().filter(|number| is_number(port) && *number != 0)) {
        Some(None) => Err(FORM),
        number => Ok((host, number.flatten())),
    }
}

fn pattern(host: &str) -> Result<Pattern, &'static str> {
    if host == "*" {
        return Ok(Pattern::Any);
    }
    let below = host.strip_prefix("*.");
    let name = below.unwrap_or(host);
    if name.contains('*') {
        return Err("a wildcard stands for the whole beginning of a name, as in *.example.com");
    }
    let parsed = Host::parse(name).map_err(|_| FORM)?;
    match (parsed, below) {
        (Host::Domain(name), Some(_)) => Ok(Pattern::Below(format!(".{}", without_dot(&name)))),
        (_, Some(_)) => Err("addresses have no names below them"),
        (Host::Domain(name), None) => Ok(Pattern::Exactly(Host::Domain(without_dot(&name).to_owned()))),
        // URLs may spell 8.0.0.1 as 010.0.0.1. In an allow list that is likelier a slip.
        (Host::Ipv4(address), None) if address.to_string() != host => Err("write the address as four decimal numbers"),
        (address, None) => Ok(Pattern::Exactly(address)),
    }
}

/// `example.com.` names the same host as `example.com`.
pub fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

impl AllowEntry {
    fn permission(&self, target: &Target) -> Option<Permission> {
        if self.port.unwrap_or(target.scheme.port()) != target.port {
            return None;
        }
        match (&self.pattern, &target.host) {
            (Pattern::Any, _) => Some(Permission::Public),
            (Pattern::Below(suffix), Host::Domain(name)) => {
                (name.len() > suffix.len() && name.ends_with(suffix.as_str())).then_some(Permission::Public)
            }
            (Pattern::Exactly(host), asked) if host == asked => Some(Permission::Named),
            _ => None,
        }
    }
}

/// What the allow list says of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// By a wildcard: where it leads must be public.
    Public,
    /// By its name or address: wherever it leads.
    Named,
}

impl Permission {
    pub fn allows(self, address: IpAddr) -> bool {
        self == Permission::Named || is_public(address)
    }
}

/// Every host that handlers may reach. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<AllowEntry>);

impl AllowList {
    /// From entries as they are written.
    ///
    /// # Errors
    /// The first entry that is none, and how to write one.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<AllowList, AllowError> {
        entries.into_iter().map(str::parse).collect()
    }

    /// Decides by what the URL says, before anything is resolved. Where a name leads is for [`Permission::allows`].
    pub(crate) fn check(&self, target: &Target) -> Result<Permission, OperationError> {
        let Some(permission) = self.0.iter().filter_map(|entry| entry.permission(target)).max() else {
            let message = format!("handlers may not reach {target}: to let them, start the host with --allow-net {target}");
            return Err(OperationError::new(ErrorCode::ResourceDenied, message));
        };
        match target.address() {
            Some(address) if !permission.allows(address) => Err(not_public(target)),
            _ => Ok(permission),
        }
    }
}

impl FromIterator<AllowEntry> for AllowList {
    fn from_iter<I: IntoIterator<Item = AllowEntry>>(entries: I) -> Self {
        AllowList(entries.into_iter().collect())
    }
}

/// Tells neither the address nor what kind it is: the map of an operator's network is no handler's business.
pub fn not_public(target: &Target) -> OperationError {
    let message = format!(
        "{target} is not on the public internet, and a wildcard allows no other hosts: to let handlers reach it, start the host \
         with --allow-net {target}"
    );
    OperationError::new(ErrorCode::ResourceDenied, message)
}
