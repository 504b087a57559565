//! A call as it goes: its log lines as they are written, and at last its outcome.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use futures_util::stream::unfold;
use hyper::{
    HeaderMap,
    header::{ACCEPT, HeaderValue},
};
use mirra_control::Kept;
use mirra_host_sdk::LogEntry;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tokio::time::timeout;

use super::{
    invocations::{Lines, Running},
    reply::{self, Reply},
};
use crate::problem::Problem;

/// A refusal that comes within this time is told by the answer's status; a later one as a part.
const STATUS_WAIT_MAX: Duration = Duration::from_secs(1);

/// Where nothing is written for so long, something is: what stands between here and the client must not take the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How the parts stand in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON in each line.
    Lines,
    /// Server-sent events.
    Events,
}

impl Format {
    /// None: the outcome alone is wanted.
    pub fn wanted(headers: &HeaderMap) -> Option<Format> {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let names = accepted.map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let known = |name: String| match &*name {
            "application/x-ndjson" => Some(Some(Format::Lines)),
            "text/event-stream" => Some(Some(Format::Events)),
            "application/json" | "application/*" | "*/*" => Some(None),
            _ => None,
        };
        names.filter_map(known).next().flatten()
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::Lines => "application/x-ndjson",
            Format::Events => "text/event-stream",
        })
    }

    /// `{"name": json}`
    fn part(self, name: &str, json: &str) -> Bytes {
        // A component may answer JSON in several lines; within its texts there are none.
        let json = json.replace(['\n', '\r'], " ");
        Bytes::from(match self {
            Format::Lines => format!("{{\"{name}\":{json}}}\n"),
            Format::Events => format!("event: {name}\ndata: {{\"{name}\":{json}}}\n\n"),
        })
    }

    fn keep_alive(self) -> Bytes {
        Bytes::from_static(match self {
            Format::Lines => b"\n",
            Format::Events => b": the call goes on\n\n",
        })
    }
}

struct Underway {
    format: Format,
    /// None: it has ended.
    running: Option<Running>,
    lines: Lines,
    /// Made before they are sent.
    ready: VecDeque<Bytes>,
}

/// Dropped with the connection, and the call with it, unless it goes to its end.
pub async fn answer(format: Format, running: Running, lines: Lines) -> Result<Reply, Problem> {
    let mut underway = Underway { format, running: Some(running), lines, ready: VecDeque::new() };
    if let Ok(first) = timeout(STATUS_WAIT_MAX, underway.next()).await {
        // Before those that were made with it.
        first.transpose()?.into_iter().for_each(|first| underway.ready.push_front(first));
    }
    let parts = unfold(underway, |mut underway| async move {
        let part = match timeout(KEEP_ALIVE, underway.next()).await {
            Ok(part) => part?.unwrap_or_else(|problem| failed(underway.format, &problem)),
            Err(_) => underway.format.keep_alive(),
        };
        Some((part, underway))
    });
    Ok(reply::parts(format.content_type(), parts))
}

impl Underway {
    /// May be given up and asked again.
    async fn next(&mut self) -> Option<Result<Bytes, Problem>> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(Ok(ready));
        }
        let running = self.running.as_mut()?;
        let ended = tokio::select! {
            biased;
            Some(entry) = self.lines.recv() => return Some(Ok(log(self.format, &entry))),
            ended = running => ended,
        };
        self.running = None;
        match ended {
            Ok(kept) => {
                self.end(&kept);
                self.ready.pop_front().map(Ok)
            }
            Err(problem) => Some(Err(problem)),
        }
    }

    fn end(&mut self, kept: &Kept) {
        #[derive(Deserialize)]
        struct Logged<'a> {
            #[serde(borrow)]
            logs: Vec<&'a RawValue>,
        }
        while let Ok(entry) = self.lines.try_recv() {
            self.ready.push_back(log(self.format, &entry));
        }
        // Of one that ran before, the lines are in its outcome.
        if kept.is_replayed
            && let Ok(logged) = serde_json::from_str::<Logged>(&kept.outcome)
        {
            self.ready.extend(logged.logs.iter().map(|entry| self.format.part("log", entry.get())));
        }
        self.ready.push_back(self.format.part("outcome", &kept.outcome));
    }
}

fn log(format: Format, entry: &LogEntry) -> Bytes {
    // Strings and numbers always serialize.
    format.part("log", &serde_json::to_string(entry).unwrap_or_default())
}

fn failed(format: Format, problem: &Problem) -> Bytes {
    if let Some(causes) = &problem.causes {
        tracing::error!(causes, "{}", problem.message);
    }
    format.part("error", &json!({ "code": problem.code, "message": problem.message }).to_string())
}
