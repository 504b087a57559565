//! `http.request`, as a handler's library sees it. Nothing but loopback is ever dialled.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::unwrap_used)]

mod allow;
mod bounds;
mod connections;
mod exchange;
mod streaming;
mod support;
mod tls;
