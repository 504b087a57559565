//! The parent's side: starts children, keeps one in reserve, and makes sense of how they end.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    thread,
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    sync::{Mutex, Semaphore},
    time::timeout,
};

use crate::{Answer, Bundle, BundleError, Diagnostic, Job, Limits, Request};

/// How to start a program that runs [`child_main`](crate::child_main).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl ChildCommand {
    /// The running program itself, which has to call [`child_main`](crate::child_main) when `subcommand` is its only
    /// argument.
    ///
    /// # Errors
    /// When the system does not tell which program is running.
    pub fn this_program(subcommand: &str) -> io::Result<Self> {
        // On Linux this name holds even after an upgrade has replaced the file: parent and child are one version.
        let by_link = Path::new("/proc/self/exe");
        let program = if by_link.exists() { by_link.to_path_buf() } else { std::env::current_exe()? };
        Ok(Self { program, args: vec![subcommand.into()] })
    }

    fn spawn(&self) -> Result<Child, BundleError> {
        let spawned = Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt from the terminal is for the parent, which then decides.
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        spawned.map_err(|error| BundleError::Internal(format!("cannot start {}: {error}", self.program.display())))
    }
}

/// Bundles handlers in child processes, as many at a time as there are CPUs.
///
/// Everything of it has to be called within a tokio runtime.
#[derive(Debug)]
pub struct Bundler {
    command: ChildCommand,
    limits: Limits,
    slots: Semaphore,
    spare: Option<Spare>,
}

/// Asks a child to get ready while it waits for its request.
const PREPARE: &[u8] = b"\n";

/// A child that was started in advance and waits for its request. Locked while the next one starts: who comes then waits
/// for that one, rather than start another beside it.
type Spare = Arc<Mutex<Option<Child>>>;

impl Bundler {
    /// A bundler that starts a child for every request.
    pub fn new(command: ChildCommand) -> Self {
        Self {
            command,
            limits: Limits::default(),
            slots: Semaphore::new(thread::available_parallelism().map_or(1, usize::from)),
            spare: None,
        }
    }

    /// The same with other limits than the default.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with one child always started in advance, now for the first time: for a server, where a request
    /// should not wait for a process to start. The spare waits without using CPU, and holds about 10 MB.
    pub fn with_spare(self) -> Self {
        let bundler = Self { spare: Some(Spare::default()), ..self };
        bundler.refill_spare();
        bundler
    }

    /// Bundles one handler. Dropping the future ends the child.
    ///
    /// # Errors
    /// [`BundleError::Rejected`] when the handler is at fault, also by exceeding a limit;
    /// [`BundleError::Internal`] when the child could not be started or failed by itself.
    pub async fn bundle(&self, request: &Request) -> Result<Bundle, BundleError> {
        let job = Job { request: request.clone(), limits: self.limits };
        // Text is all that can fail to serialise.
        let line = serde_json::to_string(&job).map_err(|_| reject(&request.path, "is not a UTF-8 path: rename it"))?;
        // The semaphore is never closed: there is a permit, or one to wait for.
        let _slot = self.slots.acquire().await;
        let child = self.take_spare().await.map_or_else(|| self.command.spawn(), Ok)?;
        let outcome = timeout(self.limits.wall, converse(child, line)).await;
        self.refill_spare();
        match outcome {
            Ok(Ok(ending)) => ending.judge(&job),
            Ok(Err(error)) => Err(BundleError::Internal(format!("lost the child: {error}"))),
            Err(_) => {
                let seconds = self.limits.wall.as_secs_f64();
                Err(reject(&request.path, &format!("takes more than {seconds} s to bundle")))
            }
        }
    }

    async fn take_spare(&self) -> Option<Child> {
        let mut child = self.spare.as_ref()?.lock().await.take()?;
        // One that ended while it waited (want of memory, an operator's kill) is of no use.
        matches!(child.try_wait(), Ok(None)).then_some(child)
    }

    /// Starts the next spare while the caller goes on with its answer.
    fn refill_spare(&self) {
        let Some(spare) = self.spare.clone() else {
            return;
        };
        let command = self.command.clone();
        tokio::spawn(async move {
            let mut spare = spare.lock().await;
            if spare.is_some() {
                return;
            }
            // What keeps it from starting is reported to the next request.
            let Ok(mut child) = command.spawn() else { return };
            if let Some(stdin) = &mut child.stdin {
                let _ = stdin.write_all(PREPARE).await;
            }
            *spare = Some(child);
        });
    }
}

/// More than any answer within the limit on sources.
const MAX_ANSWER_BYTES: u64 = 512 << 20;
const MAX_REPORT_BYTES: u64 = 64 << 10;

/// How a child ended, and what it said.
struct Ending {
    status: ExitStatus,
    answer: Vec<u8>,
    report: String,
}

async fn converse(mut child: Child, mut line: String) -> io::Result<Ending> {
    let mut stdin = child.stdin.take();
    line.push('\n');
    if let Some(stdin) = &mut stdin {
        // One that died before it could listen is known by its status.
        let _ = stdin.write_all(line.as_bytes()).await;
    }
    let (answer, report, status) =
        tokio::try_join!(read(child.stdout.take(), MAX_ANSWER_BYTES), read(child.stderr.take(), MAX_REPORT_BYTES), child.wait(),)?;
    // Its end tells the child that nobody waits any more: not before here.
    drop(stdin);
    let report = String::from_utf8_lossy(&report).into_owned();
    Ok(Ending { status, answer, report })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(max_bytes).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

impl Ending {
    fn judge(&self, job: &Job) -> Result<Bundle, BundleError> {
        if !self.status.success() {
            return Err(match self.fault(&job.limits) {
                Some(fault) => reject(&job.request.path, &fault),
                None => BundleError::Internal(format!("{}: {}", self.status, self.report.trim())),
            });
        }
        match serde_json::from_slice(&self.answer) {
            Ok(Answer::Bundled(bundle)) => Ok(bundle),
            Ok(Answer::Rejected(diagnostics)) => Err(BundleError::Rejected { diagnostics }),
            Err(error) => Err(BundleError::Internal(format!("its answer is not one: {error}"))),
        }
    }

    /// What the handler did to a child that gave no answer; nothing where the child or the machine is to blame.
    fn fault(&self, limits: &Limits) -> Option<String> {
        // In the words of Rust's allocator, and of the parser's own.
        if ["memory allocation of", "out of memory"].iter().any(|words| self.report.contains(words)) {
            return Some(format!("takes more than {} MB of memory to bundle", limits.memory_bytes >> 20));
        }
        let name = match Signal::from_named_raw(self.status.signal()?)? {
            Signal::XCPU => return Some(format!("takes more than {} s of CPU time to bundle", limits.cpu_seconds)),
            Signal::ABORT => "SIGABRT",
            Signal::SEGV => "SIGSEGV",
            Signal::BUS => "SIGBUS",
            Signal::ILL => "SIGILL",
            _ => return None,
        };
        Some(format!("is nested too deeply or too large to parse: the bundler stopped ({name})"))
    }
}

fn reject(path: &Path, cause: &str) -> BundleError {
    Diagnostic::new(format!("{} {cause}", path.display())).into()
}
