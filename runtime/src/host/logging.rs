use std::{sync::Arc, time::Instant};

use mirra_host_sdk::{LogEntry, LogLevel, LogSink};

use super::{
    Call,
    bindings::mirra::function::logging::{Host, Level},
};

/// A call's log lines, bounded in volume.
pub struct Logs {
    started: Instant,
    entries: Vec<LogEntry>,
    bytes_left: u64,
    lines_dropped: u64,
    sink: Option<Arc<dyn LogSink>>,
}

/// What a line costs besides its text, so that empty lines are bounded too.
const LINE_BYTES: u64 = size_of::<LogEntry>() as u64;

impl Logs {
    pub fn new(started: Instant, bytes_max: u64, sink: Option<Arc<dyn LogSink>>) -> Logs {
        Logs { started, entries: Vec::new(), bytes_left: bytes_max, lines_dropped: 0, sink }
    }

    /// Keeps the line, or drops and counts it when the call has logged too much. A call goes on then: losing its work for
    /// being talkative would be worse than losing lines.
    pub fn push(&mut self, level: LogLevel, message: String) {
        let bytes = message.len() as u64 + LINE_BYTES;
        if bytes > self.bytes_left || self.lines_dropped > 0 {
            self.lines_dropped += 1;
            return;
        }
        self.bytes_left -= bytes;
        self.keep(level, message);
    }

    fn keep(&mut self, level: LogLevel, message: String) {
        let entry = LogEntry { level, elapsed_us: self.started.elapsed().as_micros() as u64, message };
        if let Some(sink) = &self.sink {
            sink.log(&entry);
        }
        self.entries.push(entry);
    }

    /// All lines, the last of which says how many are missing, and that number.
    pub fn finish(mut self) -> (Vec<LogEntry>, u64) {
        if self.lines_dropped > 0 {
            let dropped = self.lines_dropped;
            self.keep(LogLevel::Warn, format!("the call logged too much: {dropped} lines were dropped from here on"));
        }
        (self.entries, self.lines_dropped)
    }
}

impl Host for Call {
    async fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        let bytes = message.len();
        // Before others have their turn: a long one that is dropped must not be held meanwhile.
        self.logs.push(level, message);
        self.work(bytes).await
    }
}
