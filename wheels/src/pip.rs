//! Runs pip: what it is given, how long it may take, and what it says.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    time::timeout,
};

use crate::Error;

/// Makes pip resolve for the engine's Python instead of its own.
const DRIVER: &str = include_str!("driver.py");

/// pip's own settings that say how it reaches an index. All others could change what is resolved, or where pip writes.
const KEPT_SETTINGS: [&str; 18] = [
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_CONSTRAINT",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_RESUME_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
    "PIP_UPLOADED_PRIOR_TO",
];

/// The same settings may stand in a pip.conf, where the environment overrides them.
const FORCED_SETTINGS: [(&str, &str); 8] = [
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PIP_NO_COLOR", "1"),
    ("PIP_NO_DEPS", "0"),
    ("PIP_QUIET", "0"),
    ("PIP_REQUIRE_HASHES", "0"),
    ("PIP_REQUIRE_VIRTUALENV", "0"),
    ("PIP_USER", "0"),
    ("PIP_VERBOSE", "0"),
];

/// What pip says is kept to this size, the newest of it.
const MAX_OUTPUT_BYTES: usize = 4 << 20;
const MAX_LINE_BYTES: usize = 4 << 10;

/// pip, for one deploy.
#[derive(Debug)]
pub(crate) struct Pip {
    pub python: OsString,
    /// The host's environment, with what the caller changed in it.
    pub env: Vec<(OsString, OsString)>,
    /// The values of PEP 508's markers, as JSON.
    pub markers: String,
    /// Where it runs; paths among its arguments are relative to it, and so are those in its messages.
    pub work: PathBuf,
    pub deadline: Deadline,
}

/// When everything has to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub end: Instant,
    pub limit: Duration,
}

impl Deadline {
    pub fn after(limit: Duration) -> Self {
        Self { end: Instant::now() + limit, limit }
    }

    pub fn passed(&self) -> Error {
        Error::Timeout { seconds: self.limit.as_secs() }
    }
}

/// What pip said, and whether it was content.
#[derive(Debug)]
pub(crate) struct Output {
    pub is_success: bool,
    pub out: String,
    pub err: String,
}

impl Pip {
    /// Runs pip to its end. `at_line` sees every line of its standard output as it comes. Dropping the future ends pip.
    ///
    /// # Errors
    /// [`Error::NoPip`], [`Error::Timeout`] and failures of the machine. That pip was not content is no error here.
    pub async fn run(&self, args: &[String], at_line: &mut (dyn FnMut(&str) + Send)) -> Result<Output, Error> {
        let mut child = self.command(args).spawn().map_err(|error| self.cannot_start(&error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut ignore = |_: &str| {};
        let conversation = async { tokio::try_join!(collect(stdout, at_line), collect(stderr, &mut ignore), child.wait()) };
        let left = self.deadline.end.saturating_duration_since(Instant::now());
        let (out, err, status) = match timeout(left, conversation).await {
            Ok(result) => result.map_err(|error| Error::Internal(format!("lost pip: {error}")))?,
            Err(_) => return Err(self.deadline.passed()),
        };
        if let Some(detail) = unusable(&err) {
            return Err(Error::NoPip { detail: format!("{}: {detail}", self.python.to_string_lossy()) });
        }
        Ok(Output { is_success: status.success(), out, err })
    }

    fn command(&self, args: &[String]) -> Command {
        let mut command = Command::new(&self.python);
        // Not -I, by which a pip in the user's own site would be missed. Of the folder it runs in, nothing can be imported.
        command.args(["-E", "-X", "utf8", "-c", DRIVER]).args(args).current_dir(&self.work);
        command.env_clear().envs(self.env.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (name, value)));
        command.envs(FORCED_SETTINGS).env("LC_ALL", "C").env("MIRRA_MARKERS", &self.markers);
        // An interrupt from the terminal is for the parent, which then decides.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        command
    }

    fn cannot_start(&self, error: &io::Error) -> Error {
        Error::NoPip { detail: format!("{}: {error}", self.python.to_string_lossy()) }
    }
}

fn is_kept(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with("PIP_") || KEPT_SETTINGS.contains(&name.as_ref())
}

/// Why pip cannot do what is asked of it, whatever it is.
fn unusable(err: &str) -> Option<&str> {
    let line = err.lines().rev().find(|line| !line.trim().is_empty())?;
    let is_missing = line.starts_with("mirra: no pip") || line.contains("No module named pip");
    let is_old = err.contains("no such option: --report") || err.contains("no such option: --dry-run");
    match (is_missing, line.starts_with("mirra: unfit pip"), is_old) {
        (true, ..) => Some("it has no pip"),
        (_, true, _) => Some("its pip cannot resolve for another version of Python"),
        (.., true) => Some("its pip is older"),
        _ => None,
    }
}

/// Reads a pipe to its end, whatever its length, and keeps the newest of it.
async fn collect(pipe: Option<impl AsyncRead + Unpin>, at_line: &mut (dyn FnMut(&str) + Send)) -> io::Result<String> {
    let Some(mut pipe) = pipe else { return Ok(String::new()) };
    let (mut kept, mut line, mut chunk) = (Vec::new(), Vec::new(), [0; 8 << 10]);
    loop {
        let length = pipe.read(&mut chunk).await?;
        if length == 0 {
            break;
        }
        for byte in &chunk[..length] {
            if *byte == b'\n' {
                at_line(&String::from_utf8_lossy(&line));
                line.clear();
            } else if line.len() < MAX_LINE_BYTES {
                line.push(*byte);
            }
        }
        kept.extend_from_slice(&chunk[..length]);
        if kept.len() > MAX_OUTPUT_BYTES {
            kept.drain(..MAX_OUTPUT_BYTES / 2);
        }
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// What pip shall do, as its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Arguments(Vec<String>);

/// Versions of glibc that wheels are built for. It matters little which: no native code is going to run.
const GLIBC: [u32; 11] = [5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 39];
const OLD_PLATFORMS: [&str; 3] = ["manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"];

/// Written by `--report`, relative to where pip runs.
pub(crate) const REPORT: &str = "report.json";

impl Arguments {
    fn new(command: &[&str]) -> Self {
        let common = ["--no-input", "--progress-bar", "off", "--only-binary", ":all:"];
        Self(command.iter().chain(&common).map(|&word| word.to_owned()).collect())
    }

    /// Find versions that fit together, and write the report.
    pub fn resolve() -> Self {
        Self::new(&["install", "--dry-run", "--ignore-installed", "--target", "nowhere", "--report", REPORT])
    }

    /// Fetch exactly what is listed.
    pub fn download(into: &str) -> Self {
        Self::new(&["download", "--no-deps", "--require-hashes", "--dest", into])
    }

    pub fn with<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.extend(words.into_iter().map(str::to_owned));
        self
    }

    /// Wheels of pure Python only.
    pub fn pure(self, python: &str) -> Self {
        self.with(["--python-version", python, "--implementation", "cp", "--abi", "none", "--platform", "any"])
    }

    /// Pure wheels and those for CPython on Linux, which are preferred.
    pub fn any_wheel(self, python: &str, (major, minor): (u32, u32)) -> Self {
        let abi = format!("cp{major}{minor}");
        let mut all = self.with(["--python-version", python, "--implementation", "cp", "--abi", &abi, "--abi", "abi3", "--abi", "none"]);
        for version in GLIBC {
            all = all.with(["--platform", &format!("manylinux_2_{version}_x86_64")]);
        }
        OLD_PLATFORMS.iter().fold(all, |all, platform| all.with(["--platform", platform]))
    }

    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}
