//! Starts the binary and talks to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Of servers that have one.
pub const OWNER_KEY: &str = "the owner's own key";

/// Nothing here takes this long, on however slow a machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Repository folders below `fixtures/`.
pub fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("fixtures").join(folder)
}

/// The binary, with a data folder that all tests share: the engine is compiled once.
pub fn mirra(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirra"));
    command.args(arguments);
    command.env("MIRRA_DATA", Path::new(env!("CARGO_TARGET_TMPDIR")).join("mirra-data"));
    // Whatever is set where the tests run is none of theirs: no key of somebody's pays for them.
    let set = ["MIRRA_OWNER_KEY", "MIRRA_PRICES", "RUST_LOG", "MIRRA_SECRET_KEY", "MIRRA_PUBLIC_URL", "MIRRA_URL", "MIRRA_API_KEY"];
    let models = ["MIRRA_AI_ANTHROPIC_KEY", "ANTHROPIC_API_KEY", "MIRRA_AI_OPENAI_KEY", "OPENAI_API_KEY"];
    set.iter().chain(&models).for_each(|variable| _ = command.env_remove(variable));
    command
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

pub fn run(command: &mut Command, stdin: impl AsRef<[u8]>) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that ends before it has read everything is known by its exit code.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

/// What Node says: the answers of every handler in a folder of fixtures, by their names.
pub fn in_node(folder: &str, event: &Value) -> Value {
    let mut node = Command::new("node");
    node.arg(fixtures("run-in-node.mjs")).arg(fixtures(folder)).arg(event.to_string());
    let output = node.env("TZ", "UTC").env("LC_ALL", "en_US.UTF-8").output().expect("the tests need Node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Writes a file, making its folder.
pub fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// A handler's file that answers `result`, a JavaScript expression.
pub fn answering(result: &str) -> String {
    format!("export const handler = async (event) => ({result});\n")
}

pub const SLEEP: &str = "const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n";

/// Polls until `condition` holds.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "this never happened: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A `mirra serve` on a port of its own. Killed when dropped.
pub struct Server {
    child: Mutex<Child>,
    pub address: SocketAddr,
    stderr: Arc<Lines>,
}

/// What was written so far.
#[derive(Default)]
struct Lines {
    text: Mutex<String>,
    more: Condvar,
}

impl Server {
    pub fn start(paths: &[&Path]) -> Server {
        Server::start_with(paths, &[], |_| {})
    }

    /// Starts it, and waits until it says that it is ready.
    pub fn start_with(paths: &[&Path], flags: &[&str], configure: impl FnOnce(&mut Command)) -> Server {
        let mut command = mirra(&["serve", "--listen", "127.0.0.1:0"]);
        configure(command.args(flags).args(paths));
        Server::start_by(command)
    }

    /// By a command that serves.
    pub fn start_by(command: Command) -> Server {
        let mut server = Server::spawn(command);
        let mut line = String::new();
        BufReader::new(server.child.get_mut().unwrap().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("not listening: {line}{}", server.stderr.text.lock().unwrap()));
        server.address = address.parse().unwrap();
        server
    }

    /// Starts it on a port that was free a moment ago, without waiting for anything.
    pub fn start_unready(paths: &[&Path]) -> Server {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = mirra(&["serve", "--listen", &address.to_string()]);
        command.args(paths);
        let mut server = Server::spawn(command);
        server.address = address;
        server
    }

    fn spawn(mut command: Command) -> Server {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = Arc::new(Lines::default());
        let (pipe, lines) = (child.stderr.take().unwrap(), stderr.clone());
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                lines.text.lock().unwrap().push_str(&(line + "\n"));
                lines.more.notify_all();
            }
        });
        Server { child: Mutex::new(child), address: SocketAddr::from(([127, 0, 0, 1], 0)), stderr }
    }

    /// Waits until stderr holds `text`, and answers all of it.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) -> String {
        let lines = self.stderr.text.lock().unwrap();
        let (lines, timeout) = self.stderr.more.wait_timeout_while(lines, PATIENCE, |lines| !lines.contains(text)).unwrap();
        assert!(!timeout.timed_out(), "stderr never held {text:?}: {lines}");
        lines.clone()
    }

    pub fn call(&self, name: &str, event: &str) -> Reply {
        self.client().send("POST", &format!("/run/{name}"), &[], event)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.client().send("GET", path, &[], "")
    }

    /// None as long as nobody listens.
    pub fn try_get(&self, path: &str) -> Option<Reply> {
        Some(Client::connect(self.address).ok()?.send("GET", path, &[], ""))
    }

    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(self.address).unwrap_or_else(|error| {
            let status = self.child.lock().unwrap().try_wait();
            panic!("{error}; the server's status: {status:?}; it said: {}", self.stderr.text.lock().unwrap())
        })
    }

    /// The value of a series in /metrics; 0 for one that is not there yet.
    pub fn metric(&self, series: &str) -> f64 {
        // Where there is no key, it is not looked at.
        let text = self.client().send("GET", "/metrics", &[("X-API-Key", OWNER_KEY)], "").text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn has_ended(&mut self) -> bool {
        // A test that panicked while it held the lock is over, and so is its server.
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        !matches!(child.try_wait(), Ok(None))
    }

    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until("the server ends", || {
            status = self.child.get_mut().unwrap().try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Server {
    /// Stops it as its operator would, so that it can clean up; by force if that takes long.
    fn drop(&mut self) {
        for signal in ["TERM", "TERM", "KILL"] {
            if self.has_ended() {
                return;
            }
            self.signal(signal);
            let _ = (0..50).any(|_| {
                thread::sleep(Duration::from_millis(2));
                self.has_ended()
            });
        }
    }
}

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> std::io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// To a server that may not be there any more.
    pub fn try_to(address: SocketAddr) -> Option<Client> {
        Client::connect(address).ok()
    }

    /// None: the server has gone before it had answered.
    pub fn try_send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Option<Reply> {
        self.begin(method, path, headers, body);
        self.try_read()
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        self.begin(method, path, headers, body);
        self.read()
    }

    /// Sends a request without waiting for the answer. `Host` is that of a program which calls 127.0.0.1, unless given.
    pub fn begin(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let mut request = format!("{method} {path} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request += "Host: 127.0.0.1\r\n";
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        self.write(&[request.as_bytes(), body].concat());
    }

    /// What the server no longer wants to read may fail to arrive.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    #[track_caller]
    pub fn read(&mut self) -> Reply {
        self.try_read().expect("the connection ended within an answer")
    }

    fn try_read(&mut self) -> Option<Reply> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut head).ok()?;
            if read == 0 {
                return None;
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new() };
        reply.body = vec![0; reply.header("content-length").map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut reply.body).ok()?;
        Some(reply)
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}{}", self.head, self.text()))
    }

    /// The failure's code, of the envelope that every failure comes in.
    #[track_caller]
    pub fn code(&self) -> String {
        let json = self.json();
        assert_eq!(json["success"], false, "{json}");
        assert!(json["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{json}");
        json["error"]["code"].as_str().unwrap().to_owned()
    }
}
