//! The behaviour of the real binary, over real pipes and sockets. One test program, so that it is linked once.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod ai;
mod ai_provider;
mod built;
mod cache;
mod catalog;
mod command_line;
mod control;
mod credentials;
mod description;
mod executor;
mod fixtures;
mod hostile;
mod http;
mod intl;
mod invocations;
mod local_api;
mod memory;
mod network;
mod node_packages;
mod packages;
mod python;
mod resources;
mod resources_in_handlers;
mod schedulers;
mod scripts;
mod shutdown;
mod stock;
mod stock_python;
mod support;
mod typed;
mod wall;
mod watch;
