//! The control plane: whose data is whose, and what may be done with it.
//!
//! Everything is an operation of an adapter (`memory.create`): [`Control::call`] carries it out for whoever asks, be it a client of the HTTP
//! API, by either of its forms, or a handler. Knows the contract with executors (`host-sdk`) and never the runtime.

pub mod account;
mod ai;
mod answer;
mod apart;
mod capability;
mod control;
pub mod description;
mod dispatch;
mod error;
mod event;
mod filling;
mod flow;
mod id;
mod invocation;
mod limits;
mod marketplace;
mod means;
pub mod memory;
mod notification;
mod operations;
mod params;
mod rate;
pub mod resource;
mod routes;
mod script;
mod secret;
mod store;
mod time;
mod work;
mod worker;

pub use account::{Caller, NewKey};
pub use ai::{AiConfig, ApiKey, Provider};
pub use answer::{Answer, Page};
pub use control::{Config, Control};
pub use error::ApiError;
pub use event::HookRequest;
pub use invocation::{IdempotencyKey, InvocationRequest, Kept, Target, Wanted};
pub use limits::PlatformLimits;
pub use means::Means;
pub use operations::ADAPTERS;
pub use rate::{Budget, RateLimit};
pub use resource::{BEGIN, CALLBACK, HandlerCall, Handlers};
pub use routes::{Matched, Request, Routes, Unmatched};
pub use secret::{KeySource, SecretKey};
pub use store::OpenError;
