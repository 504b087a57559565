//! Answers that come in parts.

use futures_util::future::BoxFuture;
use mirra_host_sdk::{Answering, Json, OperationError, Reply};
use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio::sync::mpsc;

use crate::{Answer, ApiError};

/// Where parts go that are there already.
pub struct Parts(Option<mpsc::Sender<Json>>);

impl Parts {
    /// Nobody wants them.
    pub fn nobody() -> Parts {
        Parts(None)
    }

    /// Goes on when the one before was taken.
    pub async fn hand_on(&self, part: &impl Serialize) -> Result<(), ApiError> {
        if let Some(parts) = &self.0 {
            // The other end is dropped with whoever waits here.
            let _ = parts.send(json(part)?).await;
        }
        Ok(())
    }
}

pub fn json(part: &impl Serialize) -> Result<Json, ApiError> {
    to_raw_value(part).map_err(|error| ApiError::internal("the answer cannot be written", error))
}

/// The parts that `work` hands on, and at last what it answers. It goes on only while somebody waits for the next part, and ends with them.
pub async fn answer<W>(work: impl FnOnce(Parts) -> W) -> Result<Answer, ApiError>
where
    W: Future<Output = Result<Json, ApiError>> + Send + 'static,
{
    let (sender, parts) = mpsc::channel(1);
    let (json, rest) = Underway { work: Work::Going(Box::pin(work(Parts(Some(sender))))), parts }.step().await?;
    Ok(Answer::stream(Reply { json, more: rest.map(Underway::next) }))
}

struct Underway {
    work: Work,
    parts: mpsc::Receiver<Json>,
}

enum Work {
    Going(BoxFuture<'static, Result<Json, ApiError>>),
    /// Before its last parts were taken.
    Ended(Result<Json, ApiError>),
}

impl Underway {
    fn next(self) -> Answering {
        Box::pin(async move {
            let (json, rest) = self.step().await.map_err(OperationError::from)?;
            Ok(Reply { json, more: rest.map(Underway::next) })
        })
    }

    async fn step(mut self) -> Result<(Json, Option<Underway>), ApiError> {
        loop {
            match self.work {
                Work::Going(ref mut work) => {
                    let ended = tokio::select! {
                        biased;
                        Some(part) = self.parts.recv() => return Ok((part, Some(self))),
                        ended = work => ended,
                    };
                    self.work = Work::Ended(ended);
                }
                Work::Ended(ended) => match self.parts.try_recv() {
                    Ok(part) => return Ok((part, Some(Underway { work: Work::Ended(ended), ..self }))),
                    Err(_) => return Ok((ended?, None)),
                },
            }
        }
    }
}
