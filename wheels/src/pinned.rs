//! One wheel that the program itself wants, whatever handlers require.

use std::{fs, io, path::Path, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    Error,
    fetch::{WHEELS, why},
    pip::{Arguments, Pip},
};

/// A wheel for every machine, known by its content.
#[derive(Debug, Clone, Copy)]
pub struct PinnedWheel {
    /// As the index has it.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// In hex.
    pub sha256: &'static str,
    /// How large it is, for whoever shows the progress.
    pub bytes: u64,
}

/// Names the folder that pip writes to while it fetches.
pub(crate) const TEMPORARY: &str = "TMPDIR";

const LIST: &str = "pinned.txt";
const LOOKED_AT: Duration = Duration::from_millis(200);

impl PinnedWheel {
    /// 100 MB over a slow line.
    pub(crate) const WALL: Duration = Duration::from_secs(1800);
    /// Whatever the wheel is for: pip has to look for some Python.
    pub(crate) const PYTHON: &str = "3.14.0";

    pub(crate) async fn fetch(&self, pip: &Pip, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Vec<u8>, Error> {
        let internal = |error: io::Error| Error::Internal(format!("{}: {error}", self.name));
        let line = format!("{}=={} --hash=sha256:{}\n", self.name, self.version, self.sha256);
        fs::write(pip.work.join(LIST), line).map_err(internal)?;
        let arguments = Arguments::download(WHEELS).with(["--requirement", LIST]).pure(Self::PYTHON);
        let mut ignore = |_: &str| {};
        let output = tokio::select! {
            output = pip.run(arguments.as_slice(), &mut ignore) => output?,
            never = watch(&pip.work, progress) => match never {},
        };
        if !output.is_success {
            return Err(why(&output));
        }
        progress(self.bytes);
        let mut wheels = pip.work.join(WHEELS).read_dir().map_err(internal)?;
        let wheel = wheels.next().ok_or_else(|| Error::Internal(format!("pip fetched no {}", self.name)))?;
        fs::read(wheel.map_err(internal)?.path()).map_err(internal)
    }
}

/// Tells how large the largest file below a folder is. pip can tell by itself, but only newer ones, and not on a pipe.
async fn watch(folder: &Path, progress: &(dyn Fn(u64) + Send + Sync)) -> std::convert::Infallible {
    let mut looks = interval(LOOKED_AT);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        progress(largest(folder));
    }
}

/// 0 where nothing can be read: files come and go.
fn largest(folder: &Path) -> u64 {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => largest(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.max().unwrap_or(0)
}
