//! This process among those that run what is in the store. Each holds a lock on a file of its own, which the system lets go of when the
//! process ends, however it does: so the others know, at once and for sure, that what it had begun has nobody who goes on with it. A
//! heartbeat would tell later, and take one that is only slow for dead.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use crate::{ApiError, id};

const FOLDER: &str = "workers";

/// Alive for as long as this is.
pub struct Worker {
    pub id: String,
    folder: PathBuf,
    _lock: File,
}

impl Worker {
    pub fn new(data_folder: &Path) -> Result<Worker, ApiError> {
        let id = id::new("worker")?;
        let folder = data_folder.join(FOLDER);
        let lock = || -> io::Result<File> {
            fs::create_dir_all(&folder)?;
            let file = open(&folder.join(&id), true)?;
            file.lock()?;
            Ok(file)
        };
        let lock = lock().map_err(|error| ApiError::internal("this process cannot be told from others", error))?;
        Ok(Worker { id, folder, _lock: lock })
    }

    /// Whether another process has ended. What is not there has: its file was removed by somebody who knew.
    pub fn is_dead(&self, other: &str) -> bool {
        other != self.id && open(&self.folder.join(other), false).map_or(true, |file| file.try_lock().is_ok())
    }

    /// Nothing in the store refers to it any more.
    pub fn forget(&self, other: &str) {
        let _ = fs::remove_file(self.folder.join(other));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.forget(&self.id);
    }
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create(create).truncate(false).open(path)
}
