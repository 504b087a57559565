//! The behaviour of the real binary, over real pipes and sockets. One test program, so that it is linked once.

// A test that cannot go on fails where it stands, helpers included.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod ai;
mod ai_in_handlers;
mod ai_provider;
mod bounds;
mod built;
mod cache;
mod catalog;
mod clients;
mod command_line;
mod control;
mod crash;
mod credentials;
mod description;
mod documents;
pub mod executor;
mod fixtures;
mod flow_market;
mod flow_runs;
mod flows;
mod hostile;
mod http;
mod intl;
mod invocations;
mod local_api;
mod memory;
mod network;
mod node_packages;
mod opening;
mod packages;
mod python;
mod remote;
mod resources;
mod resources_in_handlers;
mod schedulers;
mod scripts;
mod shutdown;
mod stock;
mod stock_python;
mod support;
mod time;
mod trouble;
mod typed;
mod wall;
mod watch;
