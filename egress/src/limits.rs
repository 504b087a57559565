//! What requests may use.

use std::sync::Arc;

use mirra_host_sdk::{ErrorCode, OperationError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MB: usize = 1 << 20;

/// What the requests of one [`Egress`](crate::Egress) may use; of a single one where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EgressLimits {
    /// The body sent, decoded. `PAYLOAD_TOO_LARGE`.
    pub request_body_bytes_max: usize,
    /// The body received, as it comes over the wire. `PAYLOAD_TOO_LARGE`; what is longer is cut off, never waited for.
    pub response_body_bytes_max: usize,
    /// All headers together, each way; those sent count with the URL. `PAYLOAD_TOO_LARGE`. Of those received, hyper reads some
    /// 400 kB at most, whatever is said here.
    pub head_bytes_max: usize,
    /// Headers, each way. `PAYLOAD_TOO_LARGE`.
    pub headers_max: usize,
    /// Requests under way at a time, of one tenant. Others wait, at the cost of their own time.
    pub tenant_requests_max: usize,
    /// Requests under way at a time, all calls of all tenants together; one is until its body is read or dropped. Others wait, at the cost of their
    /// own time.
    pub requests_max: usize,
    /// Bytes of arguments and received bodies that the host holds at a time, all calls together, waiting ones included.
    /// `RATE_LIMITED` for the request that would pass it: one that waited for memory could wait for another that waits for it.
    pub held_bytes_max: usize,
    /// Connections kept open while nobody uses them; the one unused for longest is closed.
    pub idle_connections_max: usize,
    /// How long an unused connection is kept, in milliseconds.
    pub idle_ms_max: u64,
}

impl Default for EgressLimits {
    fn default() -> Self {
        EgressLimits {
            request_body_bytes_max: 6 * MB,
            response_body_bytes_max: 16 * MB,
            head_bytes_max: 64 * 1024,
            headers_max: 128,
            tenant_requests_max: 128,
            requests_max: 512,
            held_bytes_max: 256 * MB,
            idle_connections_max: 32,
            idle_ms_max: 30_000,
        }
    }
}

/// Counts what [`EgressLimits::held_bytes_max`] bounds.
pub struct Memory {
    free: Arc<Semaphore>,
    bytes_max: usize,
}

impl Memory {
    pub fn new(bytes_max: usize) -> Memory {
        let bytes_max = bytes_max.min(Semaphore::MAX_PERMITS);
        Memory { free: Arc::new(Semaphore::new(bytes_max)), bytes_max }
    }

    /// Counts `bytes` until the answer is dropped.
    pub fn hold(&self, bytes: usize) -> Result<Held, OperationError> {
        let permit = u32::try_from(bytes).ok().and_then(|bytes| self.free.clone().try_acquire_many_owned(bytes).ok());
        permit.map(|permit| Held { permit }).ok_or_else(|| {
            let bytes_max = self.bytes_max;
            let message = format!("requests and answers under way hold all the {bytes_max} bytes that they may: make fewer at a time");
            OperationError::new(ErrorCode::RateLimited, message)
        })
    }
}

/// Bytes that are counted as held.
pub struct Held {
    permit: OwnedSemaphorePermit,
}

impl Held {
    pub fn add(&mut self, more: Held) {
        self.permit.merge(more.permit);
    }
}
