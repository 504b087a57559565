//! The allow list: hosts that handlers may reach. The operator has one, and a handler may have one of its own, within it.

use std::{fmt, str::FromStr};

use url::Host;

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

/// How an entry names a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// By a wildcard.
    Wildcard,
    /// By its name or address.
    Exactly,
}

impl AllowEntry {
    fn names(&self, asked: &Host<String>, port: u16, usual_port: u16) -> Option<Naming> {
        if self.port.unwrap_or(usual_port) != port {
            return None;
        }
        match (&self.pattern, asked) {
            (Pattern::Any, _) => Some(Naming::Wildcard),
            (Pattern::Below(suffix), Host::Domain(name)) => {
                (name.len() > suffix.len() && name.ends_with(suffix.as_str())).then_some(Naming::Wildcard)
            }
            (Pattern::Exactly(host), asked) if host == asked => Some(Naming::Exactly),
            _ => None,
        }
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

    /// Whether a host is in it, and how; of several entries the one that says most. Names are in lower case and Punycode, without a
    /// dot at the end. `usual_port` is the scheme's.
    pub fn names(&self, host: &Host<String>, port: u16, usual_port: u16) -> Option<Naming> {
        self.0.iter().filter_map(|entry| entry.names(host, port, usual_port)).max()
    }
}

impl FromIterator<AllowEntry> for AllowList {
    fn from_iter<I: IntoIterator<Item = AllowEntry>>(entries: I) -> Self {
        AllowList(entries.into_iter().collect())
    }
}
