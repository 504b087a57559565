//! One installation, from the cache or anew.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

use crate::{
    Error, Manager, Project,
    explain::failure,
    settings::{is_kept, secrets},
};

/// What the packages of one handler may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the package manager, from its start to its end.
    pub wall: Duration,
    /// Bytes of all files that it writes.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
}

impl Default for Limits {
    /// 5 minutes, 1 GB, 200,000 files: far more than a handler may bundle, since packages bring much that nobody imports.
    fn default() -> Self {
        Self { wall: Duration::from_secs(300), bytes: 1_000_000_000, files: 200_000 }
    }
}

/// Packages as they are installed.
#[derive(Debug)]
pub struct Installed {
    /// Laid out as the handler's folder, with its `node_modules` and without its own files.
    pub folder: PathBuf,
    /// Folders of packages whose install scripts were not run, relative to the handler's.
    pub with_scripts: Vec<String>,
}

/// Installs packages, and keeps them.
#[derive(Debug, Clone)]
pub struct Installer {
    env: Vec<(OsString, OsString)>,
    cache: PathBuf,
    limits: Limits,
}

/// How often is looked at what a manager has written so far.
const MEASURED_EVERY: Duration = Duration::from_secs(2);

/// An installation that nobody asks for is removed after this time.
const UNUSED_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

impl Installer {
    /// With the environment of this process, and a folder to keep packages in, which is made when it is needed.
    pub fn from_env(cache: &Path) -> Self {
        Self { env: env::vars_os().collect(), cache: cache.to_owned(), limits: Limits::default() }
    }

    /// The same with another variable in the managers' environment. Those that could name programs are not handed on.
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value.into()));
        self
    }

    /// The same with other limits than the default.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Where the packages of a project are, if they were installed before.
    pub fn installed(&self, project: &Project) -> Option<Installed> {
        let folder = self.cache.join(project.key());
        // Its time of modification tells when it was last asked for.
        let used = File::open(&folder).ok()?;
        let _ = used.set_modified(SystemTime::now());
        Some(Installed { folder, with_scripts: project.with_scripts() })
    }

    /// The same, installed now if they were not. Two that want the same wait for each other, in other processes too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn install(&self, project: &Project) -> Result<Installed, Error> {
        if let Some(installed) = self.installed(project) {
            return Ok(installed);
        }
        fs::create_dir_all(&self.cache).map_err(internal)?;
        let _turn = self.turn(&project.key()).await?;
        if let Some(installed) = self.installed(project) {
            return Ok(installed);
        }
        self.trim();
        let work = tempfile::Builder::new().prefix("new-").tempdir_in(&self.cache).map_err(internal)?;
        lay_out(project, work.path()).map_err(internal)?;
        self.run(project, work.path()).await?;
        // It appears under its name whole or not at all.
        fs::rename(work.path(), self.cache.join(project.key())).map_err(internal)?;
        self.installed(project).ok_or_else(|| Error::Internal("what was installed is gone".to_owned()))
    }

    async fn turn(&self, key: &str) -> Result<File, Error> {
        let file = File::create(self.cache.join(format!("turn-{key}"))).map_err(internal)?;
        spawn_blocking(move || file.lock().map(|()| file)).await.map_err(|error| Error::Internal(error.to_string()))?.map_err(internal)
    }

    /// Removes what nobody has asked for in a long time, and what a process left behind that died.
    fn trim(&self) {
        for entry in fs::read_dir(&self.cache).into_iter().flatten().flatten() {
            let unused = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|modified| modified.elapsed().ok());
            if unused.is_some_and(|unused| unused > UNUSED_MAX) {
                // Another process may have been faster.
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
    }

    async fn run(&self, project: &Project, folder: &Path) -> Result<(), Error> {
        let manager = project.manager;
        let programs = tempfile::Builder::new().prefix("new-").tempdir_in(&self.cache).map_err(internal)?;
        without_git(programs.path()).map_err(internal)?;
        let place = Place { folder, programs: programs.path(), lock: &project.lock };
        if let Some(majors) = manager.majors() {
            let found = self.watch(self.spawn(manager, &["--version"], place)?, place).await?.said;
            let found = found.trim();
            if !found.split('.').next().and_then(|major| major.parse().ok()).is_some_and(|major: u32| majors.contains(&major)) {
                let wanted = if *majors.end() == 1 { "1" } else { "2 or later" };
                return Err(Error::OtherVersion { wanted, found: found.chars().filter(|c| !c.is_control()).take(20).collect() });
            }
        }
        let Ended { is_success, said } = self.watch(self.spawn(manager, manager.args(), place)?, place).await?;
        if is_success {
            return Ok(());
        }
        Err(failure(manager, &project.lock, &said, &secrets(project.settings.iter().map(String::as_str), &self.env)))
    }

    /// corepack, which comes with Node, has pnpm and yarn where they are not there by themselves.
    fn spawn(&self, manager: Manager, args: &[&str], place: Place<'_>) -> Result<Group, Error> {
        let name = manager.name();
        let spawned = match self.command(name, manager, place).args(args).spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && manager != Manager::Npm => {
                self.command("corepack", manager, place).arg(name).args(args).spawn()
            }
            spawned => spawned,
        };
        let spawned = spawned.map(Group);
        spawned.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NoManager { manager },
            _ => Error::Internal(format!("{name} cannot be started: {error}")),
        })
    }

    fn command(&self, program: &str, manager: Manager, place: Place<'_>) -> Command {
        let path = self.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str()).unwrap_or_default();
        let found = env::split_paths(path).map(|folder| folder.join(program)).find(|program| program.is_file());
        let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from("/nonexistent").join(program)));
        command.current_dir(place.folder);
        command.env_clear().envs(self.env.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (name, value)));
        let folders = [place.programs.to_owned()].into_iter().chain(env::split_paths(path));
        command.env("PATH", env::join_paths(folders).unwrap_or_else(|_| place.programs.into()));
        command.envs(manager.env().iter().copied()).env("CI", "1").env("COREPACK_ENABLE_DOWNLOAD_PROMPT", "0").env("NO_COLOR", "1");
        // An interrupt from the terminal is for the parent, which then decides.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }

    /// Waits for a manager's end, and ends it if it takes too long or writes too much.
    async fn watch(&self, mut group: Group, place: Place<'_>) -> Result<Ended, Error> {
        let deadline = Instant::now() + self.limits.wall;
        let mut measure = interval(MEASURED_EVERY);
        measure.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let child = &mut group.0;
        let (errors, output) = (newest(child.stderr.take()), newest(child.stdout.take()));
        let ending = async { tokio::try_join!(child.wait(), errors, output) };
        tokio::pin!(ending);
        let (status, errors, output) = loop {
            tokio::select! {
                ended = timeout_at(deadline, &mut ending) => match ended {
                    Ok(ended) => break ended.map_err(internal)?,
                    Err(_) => return Err(Error::Timeout { seconds: self.limits.wall.as_secs() }),
                },
                _ = measure.tick() => self.check(place.folder, place.lock).await?,
            }
        };
        self.check(place.folder, place.lock).await?;
        Ok(Ended { is_success: status.success(), said: errors + &output })
    }

    async fn check(&self, folder: &Path, lock: &str) -> Result<(), Error> {
        let (limits, folder, file) = (self.limits, folder.to_owned(), lock.to_owned());
        let within = spawn_blocking(move || match exceeded(&folder, &limits) {
            Some(limit) => Err(Error::TooLarge { file, limit }),
            None => Ok(()),
        });
        within.await.map_err(|error| Error::Internal(error.to_string()))?
    }
}

/// Where a manager runs.
#[derive(Clone, Copy)]
struct Place<'a> {
    folder: &'a Path,
    /// What it finds before all other programs.
    programs: &'a Path,
    lock: &'a str,
}

/// A manager, and what it has started: all of it ends when this is dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // One that was waited for has no number any more.
        if let Some(leader) = self.0.id().and_then(|id| Pid::from_raw(id as i32)) {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

struct Ended {
    is_success: bool,
    /// The newest of it.
    said: String,
}

/// Of what a manager says, so much is kept.
const SAID_BYTES_MAX: usize = 256 << 10;

/// Reads a pipe to its end, and keeps the newest of it.
async fn newest(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 16 << 10]);
    if let Some(mut pipe) = pipe {
        loop {
            let length = pipe.read(&mut chunk).await?;
            if length == 0 {
                break;
            }
            kept.extend_from_slice(&chunk[..length]);
            if kept.len() > SAID_BYTES_MAX {
                kept.drain(..SAID_BYTES_MAX / 2);
            }
        }
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// A second wall, should a lock lead to git after all: what a repository holds has a say in what runs when it is fetched.
fn without_git(programs: &Path) -> io::Result<()> {
    let git = programs.join("git");
    fs::write(&git, "#!/bin/sh\necho 'git is not run for handlers' >&2\nexit 1\n")?;
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755))
}

/// Writes what the manager has to see.
fn lay_out(project: &Project, folder: &Path) -> io::Result<()> {
    for (path, content) in &project.files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, content)?;
    }
    Ok(())
}

/// The limit that the files in a folder exceed.
fn exceeded(folder: &Path, limits: &Limits) -> Option<String> {
    let (mut bytes, mut files, mut pending) = (0, 0, vec![folder.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // Of the entry itself: links are not followed.
            let Ok(metadata) = entry.metadata() else { continue };
            files += 1;
            bytes += metadata.len();
            if metadata.is_dir() {
                pending.push(entry.path());
            }
            if bytes > limits.bytes {
                return Some(format!("{} MB", limits.bytes / 1_000_000));
            }
            if files > limits.files {
                return Some(format!("{} files", limits.files));
            }
        }
    }
    None
}

fn internal(error: io::Error) -> Error {
    Error::Internal(error.to_string())
}
