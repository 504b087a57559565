//! Where the log lines of handlers go: stderr, at once for a single call, through a thread of its own for a server.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use mirra_host_sdk::{LogEntry, LogSink, Outcome};

use crate::terminal;

/// Writes each line while the call runs: `level message`.
pub struct Direct;

impl LogSink for Direct {
    fn log(&self, entry: &LogEntry) {
        terminal::say(format_args!("{} {}", terminal::level(entry.level), entry.message));
    }
}

/// Lines that wait for a slow stderr; more are dropped, since no call may wait for a terminal.
const WAITING_MAX: usize = 10_000;

/// The thread that writes what the handlers of a server log: `name level message`.
#[derive(Clone)]
pub struct LogWriter {
    lines: SyncSender<String>,
    dropped: Arc<AtomicU64>,
}

impl LogWriter {
    pub fn start() -> std::io::Result<LogWriter> {
        let (sender, lines) = sync_channel(WAITING_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let writer = LogWriter { lines: sender, dropped: dropped.clone() };
        std::thread::Builder::new().name("logs".to_owned()).spawn(move || write(&lines, &dropped))?;
        Ok(writer)
    }

    /// What became of a call.
    pub fn call(&self, name: &str, outcome: &Outcome) {
        let usage = &outcome.usage;
        let used = format!("{}, {} USD", terminal::time(Duration::from_micros(usage.wall_us)), usage.cost_usd);
        self.write(match &outcome.result {
            Ok(_) => format!("{name} {}", terminal::dim(&format!("answered in {used}"))),
            Err(error) => format!("{name} {} {} ({used})", terminal::red(&format!("{}:", error.code)), Tame(&error.message)),
        });
    }

    fn write(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// The sink for one handler.
    pub fn sink(&self, name: &str) -> Arc<dyn LogSink> {
        Arc::new(Named { name: name.to_owned(), writer: self.clone() })
    }
}

fn write(lines: &Receiver<String>, dropped: &AtomicU64) {
    for line in lines {
        terminal::say(format_args!("{line}"));
        match dropped.swap(0, Relaxed) {
            0 => {}
            count => terminal::say(format_args!("{count} log lines were dropped: they came faster than stderr takes them")),
        }
    }
}

struct Named {
    name: String,
    writer: LogWriter,
}

impl LogSink for Named {
    fn log(&self, entry: &LogEntry) {
        self.writer.write(format!("{} {} {}", self.name, terminal::level(entry.level), Tame(&entry.message)));
    }
}

/// A message without power over the operator's terminal, and without lines that pass for another handler's.
pub struct Tame<'a>(pub &'a str);

impl std::fmt::Display for Tame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '\n' => f.write_str("\n    ")?,
                '\t' => f.write_char('\t')?,
                control if control.is_control() => write!(f, "{}", control.escape_default())?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
