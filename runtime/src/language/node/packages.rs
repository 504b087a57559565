//! The packages that a handler's lock names: installed by the manager that wrote it (`npm-packages/`), shown to the bundler.

use std::path::{Path, PathBuf};

use mirra_host_sdk::{Diagnostic, HostError, PrepareError};
use mirra_npm_packages::{Error, Installed, Installer, Project};

use crate::LongWork;

pub struct Packages {
    installer: Installer,
    long_work: LongWork,
}

/// None of it where the handler has its `node_modules`, or needs none.
#[derive(Default)]
pub struct Found {
    /// Laid out as the handler's folder.
    pub folder: Option<PathBuf>,
    /// What decided it.
    pub inputs: Vec<PathBuf>,
    /// Folders of packages whose install scripts were not run.
    with_scripts: Vec<String>,
}

impl Packages {
    /// `cache_folder`: where what was installed once is kept.
    pub fn new(cache_folder: &Path, long_work: LongWork) -> Packages {
        Packages { installer: Installer::from_env(&cache_folder.join("node-modules")), long_work }
    }

    /// What is at `path` may be a folder, or a file beside its package.json.
    pub async fn of(&self, path: &Path) -> Result<Found, PrepareError> {
        // A path that leads nowhere is refused when it is bundled.
        let Ok(path) = path.canonicalize() else { return Ok(Found::default()) };
        let folder = if path.is_dir() { Some(&*path) } else { path.parent() };
        let Some(project) = folder.map(Project::of).transpose().map_err(refused)?.flatten() else { return Ok(Found::default()) };
        let _told = (self.long_work)("installing packages");
        let Installed { folder, with_scripts } = self.installer.install(&project).await.map_err(refused)?;
        Ok(Found { folder: Some(folder), inputs: project.inputs().to_vec(), with_scripts })
    }
}

impl Found {
    /// Says what may be the reason for a problem in a package: that its install script was not run.
    pub fn explain(&self, problem: &mut Diagnostic) {
        let file = problem.file.as_deref().unwrap_or_default();
        let is_in = |folder: &&String| file.strip_prefix(&***folder).is_some_and(|rest| rest.starts_with('/'));
        if let Some(package) = self.with_scripts.iter().find(is_in) {
            let name = package.rsplit("node_modules/").next().unwrap_or_default();
            problem.message += &format!(" ({name} has an install script, and none is run for handlers)");
        }
    }
}

fn refused(error: Error) -> PrepareError {
    match error.file().map(str::to_owned) {
        Some(file) => PrepareError::Rejected(vec![Diagnostic { message: error.to_string(), file: Some(file), ..Diagnostic::default() }]),
        None => HostError::caused_by("a handler's packages could not be had", error).into(),
    }
}
