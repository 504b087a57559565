//! Work that goes on whether or not whoever waits for it is polled.

use tokio::task::JoinHandle;

use crate::ApiError;

/// Carries out what touches the store for somebody who may stop polling: a handler that computes, or reads an answer in parts. Polled no
/// further, it would hold a connection of the store, or its place in the queue for one, and keep everybody else waiting. Ended when whoever
/// waits goes away.
pub async fn apart<T: Send + 'static>(work: impl Future<Output = Result<T, ApiError>> + Send + 'static) -> Result<T, ApiError> {
    let mut task = Task(tokio::spawn(work));
    (&mut task.0).await.map_err(|error| ApiError::internal("an operation did not come to its end", error))?
}

/// The same, but to its end, though whoever waits goes away: what was begun is in the store, and has to be ended there.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = Result<T, ApiError>> + Send + 'static) -> Result<T, ApiError> {
    tokio::spawn(work).await.map_err(|error| ApiError::internal("an operation did not come to its end", error))?
}

struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
