//! The contract between mirra and whoever runs functions with it: plain data and a few traits.
//!
//! A scheduler, an HTTP endpoint or a cron ticker names only this crate. It [`prepare`](Executor::prepare)s a handler once
//! and [`invoke`](Executor::invoke)s it as often as it likes; which executor answers (one in the same process, a fleet behind
//! HTTP) is decided where the program is put together. Schedulers that are no Rust programs ask a server for the same by
//! `POST /v1/invocations`, which answers an [`Outcome`] as it serializes here. Nothing here knows wasm, a database or a socket.

mod allow;
mod budget;
mod capability;
mod clock;
mod cost;
mod error;
mod executor;
mod invocation;
mod limits;
mod models;
mod usage;

pub use allow::{AllowEntry, AllowError, AllowList, Naming, without_dot};
pub use budget::{Budget, Unlimited};
pub use capability::{Answering, Capabilities, Capability, Operation, OperationError, Reply};
pub use clock::{Clock, ManualClock, SystemClock};
pub use cost::{PriceTable, Usd, UsdError};
pub use error::{Diagnostic, ErrorCode, HostError, InvocationError, PrepareError};
pub use executor::{BoxFuture, Executor, HandlerId, Prepared, Source};
pub use invocation::{Invocation, Json, LogEntry, LogLevel, LogSink, Outcome, Trigger, new_execution_id};
pub use limits::{LimitError, Limits};
pub use models::{ModelPrice, ModelPrices};
pub use usage::Usage;
