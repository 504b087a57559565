//! wasmtime, the language engines that handlers share, and what is compiled on disk.

pub mod background;
pub mod cache;
pub mod command;
pub mod config;
pub mod metering;
pub mod pages;
pub mod shared;
pub mod snapshot;
pub mod split;
pub mod thin;
