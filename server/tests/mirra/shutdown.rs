//! How a server stops.

use std::{net::TcpStream, time::Instant};

use tempfile::{TempDir, tempdir};

use crate::support::{Client, SLEEP, Server, until, write};

/// A handler that answers after `ms`.
fn sleeper(ms: u32) -> TempDir {
    let folder = tempdir().unwrap();
    write(folder.path().join("sleeper.js"), format!("{SLEEP}export const handler = async () => {{ await sleep({ms}); return 'slept'; }};"));
    folder
}

fn call_in_flight(server: &Server) -> Client {
    let mut client = server.client();
    client.begin("POST", "/run/sleeper", &[], "{}");
    until("the call runs", || server.metric("mirra_instances_live") == 1.0);
    client
}

#[test]
fn calls_in_flight_end_and_new_ones_are_refused() {
    let folder = sleeper(1500);
    let mut server = Server::start(&[folder.path()]);
    // A connection that lies idle must not hold the server up.
    let _idle = server.client();
    let mut client = call_in_flight(&server);
    server.signal("TERM");
    server.wait_for_stderr("stopping");
    until("connections are refused", || TcpStream::connect(server.address).is_err());
    assert_eq!(client.read().text(), r#""slept""#);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn calls_that_do_not_end_are_cut_off() {
    let folder = sleeper(25_000);
    let mut server = Server::start_with(&[folder.path()], &["--drain-s", "1"], |_| {});
    let _client = call_in_flight(&server);
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_stderr("cut off");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = sleeper(25_000);
    let mut server = Server::start(&[folder.path()]);
    let _client = call_in_flight(&server);
    let began = Instant::now();
    server.signal("TERM");
    server.wait_for_stderr("stopping");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(4));
    assert!(began.elapsed().as_secs() < 20);
}
