//! Answers in parts, as server-sent events: `data: {json}` for each.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream::unfold};
use mirra_control::{Caller, Control};
use mirra_host_sdk::{Answering, ErrorCode, Json, OperationError};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

/// Where nothing else is to be said for so long, a comment is: what stands between here and the client must not take the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often it is looked whether the key still counts.
const KEY_CHECK: Duration = Duration::from_secs(2);

/// Who is answered: the revocation of their key ends it.
pub struct Watched {
    pub control: Arc<Control>,
    pub caller: Caller,
}

impl Watched {
    /// A store that cannot be read revokes nothing.
    async fn counts(&self) -> bool {
        self.control.still_counts(&self.caller).await.unwrap_or(true)
    }
}

struct Events {
    /// Made before it is sent.
    ready: Option<Bytes>,
    more: Option<Answering>,
    watched: Watched,
    checked: Instant,
    spoken: Instant,
}

/// The parts, each as soon as it is there and the client takes it. Dropped with the connection, and what makes the parts with it.
pub fn events(first: Json, more: Answering, watched: Watched) -> impl Stream<Item = Bytes> + Send + 'static {
    let now = Instant::now();
    let events = Events { ready: Some(data(&first)), more: Some(more), watched, checked: now, spoken: now };
    unfold(events, |mut events| async move {
        let next = events.next().await?;
        events.spoken = Instant::now();
        Some((next, events))
    })
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(ready) = self.ready.take() {
            return Some(ready);
        }
        loop {
            let more = self.more.as_mut()?;
            let check_at = self.checked + KEY_CHECK;
            tokio::select! {
                biased;
                () = sleep_until(check_at) => {
                    self.checked = Instant::now();
                    if !self.watched.counts().await {
                        self.more = None;
                        return Some(failed(&OperationError::new(ErrorCode::Unauthorized, "the key was revoked")));
                    }
                }
                answered = more => match answered {
                    Ok(reply) => {
                        self.more = reply.more;
                        return Some(data(&reply.json));
                    }
                    Err(error) => {
                        self.more = None;
                        return Some(failed(&error));
                    }
                },
                () = sleep_until(self.spoken + KEEP_ALIVE) => return Some(Bytes::from_static(b": the answer goes on\n\n")),
            }
        }
    }
}

fn data(json: &Json) -> Bytes {
    // It has no line ends: it was written by a serializer.
    Bytes::from(["data: ", json.get(), "\n\n"].concat())
}

/// What clients of `chatStream` know as the end by `done`, and those of `agentStream` by `type`.
fn failed(OperationError { code, message }: &OperationError) -> Bytes {
    let event = json!({
        "type": "error", "message": message, "error": { "code": code, "message": message }, "delta": "", "done": true,
    });
    Bytes::from(format!("data: {event}\n\n"))
}
