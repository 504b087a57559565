//! Speaking to a person on stderr.

use std::{
    fmt,
    io::{IsTerminal, Write, stderr, stdout},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use mirra_host_sdk::LogLevel;
use mirra_runtime::Progress;

/// Colours are for terminals, and for people who want them (https://no-color.org).
static IS_COLOURED: LazyLock<bool> = LazyLock::new(|| are_colours_wanted() && stderr().is_terminal());

/// The same of stdout, where answers go.
static IS_STDOUT_COLOURED: LazyLock<bool> = LazyLock::new(|| are_colours_wanted() && stdout().is_terminal());

fn are_colours_wanted() -> bool {
    let is_wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    is_wanted && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// A line on stderr. Nobody may be listening any more, and that is no reason to stop.
pub fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "{line}");
}

pub fn red(text: &str) -> String {
    painted(text, "31")
}

pub fn dim(text: &str) -> String {
    painted(text, "2")
}

/// On stdout.
pub fn bold(text: &str) -> String {
    if *IS_STDOUT_COLOURED { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

/// Columns of the terminal that stdout is. None: it is none.
pub fn width() -> Option<u16> {
    stdout().is_terminal().then(|| console::Term::stdout().size().1)
}

/// On stdout.
pub fn level_in_answer(level: LogLevel) -> String {
    let (name, colour) = (level.to_string(), colour_of(level));
    if *IS_STDOUT_COLOURED { format!("\x1b[{colour}m{name}\x1b[0m") } else { name }
}

pub fn level(level: LogLevel) -> String {
    painted(&level.to_string(), colour_of(level))
}

fn colour_of(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "2",
        LogLevel::Info => "36",
        LogLevel::Warn => "33",
        LogLevel::Error => "31",
    }
}

fn painted(text: &str, colour: &str) -> String {
    if *IS_COLOURED { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A time in the unit that suits it: `41 us`, `1.2 ms`, `3.4 s`.
pub fn time(time: Duration) -> String {
    match time.as_micros() as f64 {
        us if us < 1_000.0 => format!("{us} us"),
        us if us < 10_000.0 => format!("{:.1} ms", us / 1e3),
        us if us < 1_000_000.0 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

/// A size in the unit that suits it: `512 bytes`, `1.3 MB`.
pub fn size(bytes: u64) -> String {
    const KB: f64 = 1024.0;
    match bytes as f64 {
        small if small < KB => format!("{bytes} bytes"),
        medium if medium < KB * KB => format!("{:.1} kB", medium / KB),
        large => format!("{:.1} MB", large / (KB * KB)),
    }
}

/// Says what is going on, once it goes on for longer than a person waits without asking, and how much of it is done, if that is
/// known. Only on terminals. Gone when dropped.
pub struct Spinner {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    done: Arc<Done>,
}

/// Bytes that are done, and how many there are in all; 0 while nobody knows.
#[derive(Default)]
struct Done {
    bytes: AtomicU64,
    of: AtomicU64,
}

impl Spinner {
    const PATIENCE: Duration = Duration::from_millis(300);
    const FRAME: Duration = Duration::from_millis(100);

    pub fn start(message: &'static str) -> Spinner {
        let (stop, stopped) = mpsc::channel::<()>();
        let done = Arc::new(Done::default());
        let shown = done.clone();
        let spin = move || {
            if stopped.recv_timeout(Self::PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let spinner = ProgressBar::new_spinner().with_style(style("{spinner} {msg} ({elapsed})")).with_message(message);
                while stopped.recv_timeout(Self::FRAME) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let of = shown.of.load(Relaxed);
                    if of > 0 && spinner.length().is_none() {
                        spinner.set_length(of);
                        spinner.set_style(style("{msg} {bar:30} {bytes}/{total_bytes}"));
                    }
                    spinner.set_position(shown.bytes.load(Relaxed));
                    spinner.tick();
                }
                spinner.finish_and_clear();
            }
        };
        // Without a thread to spare there is no spinner, which is no loss.
        let thread = stderr().is_terminal().then(|| thread::Builder::new().spawn(spin).ok()).flatten();
        Spinner { stop: Some(stop), thread, done }
    }
}

impl Progress for Spinner {
    fn bytes(&self, done: u64, of: u64) {
        self.done.bytes.store(done, Relaxed);
        self.done.of.store(of, Relaxed);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Counts to `total`; shown on terminals only.
pub fn progress_bar(total: usize) -> ProgressBar {
    ProgressBar::new(total as u64).with_style(style("{bar:30} {pos}/{len} {msg}")).with_message("handlers prepared")
}

/// Templates are constants that indicatif accepts; without one, a bar only looks plainer.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
