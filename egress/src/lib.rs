//! HTTP out of a handler: the capability `http`, with its one operation `http.request`.
//!
//! ```json
//! {"method": "POST", "url": "https://api.example.com/v1", "headers": [["accept", "*/*"]], "body": "aGk=", "timeoutMs": 5000}
//! {"status": 200, "reason": "OK", "headers": [["content-type", "text/plain"]], "body": "aGk=", "url": "https://api.example.com/v1"}
//! ```
//!
//! The answer comes in parts if its body is long or takes its time: the first is the one above, with what there is of the body;
//! each later one is `{"body": "aGk="}`. Bodies are base64. `headers`, `body`, `timeoutMs` and `responseBytesMax` may be missing;
//! both numbers only ever lower the host's own limits. `timeoutMs` is for the head of the answer, waiting for a place included,
//! and again for each later part. Header values are text in which each character stands for the byte of its number, as in `fetch`
//! and in Python's `http.client`; so whatever a server sends comes through.
//!
//! The host does what a library inside of the guest cannot be trusted with: it decides where a request may go, and bounds it.
//! All else is left to that library: redirects, so that every hop is checked like the first; cookies; compression. Proxies
//! named in the environment are the operator's, not the handler's, and are ignored.
//!
//! # Where a request may go
//! Nowhere, unless an [`AllowEntry`](mirra_host_sdk::AllowEntry) names it. What a wildcard lets through must also lead to a public
//! address. That is checked on the addresses which are then dialled: the name is resolved once, and what the check let pass goes
//! to `connect`. There is no second look-up that could answer otherwise.
//!
//! # Tenants
//! An [`Egress`] keeps connections open and uses them again. A server may tie a login to a connection, so those never pass from one
//! tenant to another: a connection is kept for the account that a call runs for. The limits are for all
//! tenants together, but for a tenant's own share of requests under way.
//!
//! # What it stands on
//! hyper's HTTP/1 connection with a dialler and a pool of our own. reqwest, and hyper-util's client with its connector, take a
//! resolver too; but the first brings proxies, redirects and a cookie layer that would all have to be kept off, and the pool of
//! both has no bound on idle sockets in total: a handler that calls ten thousand hosts would hold as many. Ours is a list of at
//! most a few dozen. HTTP/2 is left out: it would save handlers little, and add a protocol whose flow control a hostile server
//! can play with.
//!
//! TLS is rustls with *ring*, which needs a C compiler only; aws-lc is far more C to compile, and wants cmake on some targets. The
//! roots are Mozilla's, compiled in (webpki-roots): the same on every machine, there in an empty container, and free of what an
//! operator's machine happens to trust, such as a company's own intercepting proxy. Others are added by name, in
//! [`EgressConfig::root_certificates_pem`].

mod address;
mod deadline;
mod dial;
mod egress;
mod limits;
mod permission;
mod places;
mod pool;
mod request;
mod resolve;
mod response;
mod target;

pub use egress::{Egress, EgressConfig, Fetched};
pub use limits::EgressLimits;
pub use permission::Reach;
pub use request::Fetch;
pub use resolve::{Resolve, SystemResolver};
