//! From what is to run to what became of it: the only place here that asks an executor.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use mirra_host_sdk::{
    Diagnostic, ErrorCode, HandlerId, HostError, Invocation, Json, Limits, LogSink, Outcome, PrepareError, Prepared, Source, Trigger,
};
use serde_json::json;

use crate::{ApiError, Control, script::Config, store::VersionRow};

/// A version of a script, to be run once.
pub struct Run {
    pub execution_id: String,
    pub account_id: String,
    pub version: Arc<VersionRow>,
    pub config: Config,
    pub trigger: Trigger,
    pub event: Json,
    /// Of the script's configuration, or less.
    pub limits: Limits,
    pub depth: u32,
    pub log_sink: Option<Arc<dyn LogSink>>,
}

/// Where what executors read is laid out, by content. It is made again from the store when it is missing.
const FOLDER: &str = "scripts";

impl Control {
    /// Runs it in the name of its account. An error means that it did not run.
    pub(crate) async fn run(&self, run: Run) -> Result<Outcome, ApiError> {
        let executor = self.executor()?;
        let Some(known) = &run.version.handler_id else {
            return Err(ApiError::new(ErrorCode::NotFound, "the script was not deployed yet: deploy one of its versions first"));
        };
        match executor.invoke(run.invocation(known)).await {
            // Its cache was emptied, or the executor is another one since.
            Err(HostError { code: ErrorCode::NotFound, .. }) => {
                let prepared = self.prepare(&run.version).await?;
                self.opened().await?.store.set_handler(&run.version.id, &prepared.id.0).await?;
                executor.invoke(run.invocation(&prepared.id.0)).await
            }
            invoked => invoked,
        }
        .map_err(|error| ApiError::internal("the script could not be run", error))
    }

    /// Makes a version callable. All compiling happens here.
    pub(crate) async fn prepare(&self, version: &VersionRow) -> Result<Prepared, ApiError> {
        let files = self.opened().await?.store.source(&version.source_hash).await?;
        let files = files.ok_or_else(|| ApiError::not_found("such source"))?;
        let folder = self.config().data_folder.join(FOLDER);
        self.prepare_files(&folder.join(&version.source_hash), &files).await
    }

    /// What the executor says of code that is nobody's yet.
    pub(crate) async fn prepare_unkept(&self, files: &str) -> Result<Prepared, ApiError> {
        let name = format!("unkept-{}", crate::id::hex(&crate::id::random::<8>()?));
        let folder = self.config().data_folder.join(FOLDER).join(name);
        let prepared = self.prepare_files(&folder, files).await;
        let _ = fs::remove_dir_all(&folder);
        prepared
    }

    async fn prepare_files(&self, folder: &Path, files: &str) -> Result<Prepared, ApiError> {
        let executor = self.executor()?;
        let failed = |error| ApiError::internal("the script's files cannot be laid out", error);
        let files: BTreeMap<String, String> = serde_json::from_str(files).map_err(|error| failed(error.into()))?;
        let path = lay_out(folder, &files).map_err(failed)?;
        executor.prepare(Source::path(path)).await.map_err(|error| match error {
            PrepareError::Rejected(problems) => rejected(&problems),
            PrepareError::Host(error) => ApiError::internal("the script could not be prepared", error),
        })
    }
}

impl Run {
    fn invocation(&self, handler: &str) -> Invocation {
        Invocation {
            execution_id: self.execution_id.clone(),
            handler: HandlerId(handler.to_owned()),
            user_id: Some(self.account_id.as_str().into()),
            allowed_resources: Some(self.config.allowed_resources.as_slice().into()),
            depth: self.depth,
            script_id: self.version.script_id.clone(),
            version: self.version.label.clone(),
            trigger: self.trigger,
            event: self.event.clone(),
            limits: self.limits,
            log_sink: self.log_sink.clone(),
        }
    }
}

/// Writes files into a folder, unless they are there. What executors read: the one file, or the folder.
fn lay_out(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<PathBuf> {
    if !folder.exists() {
        // Under another name until it is whole.
        let unfinished = folder.with_extension(format!("unfinished-{:08x}", rand_suffix()));
        fs::create_dir_all(&unfinished)?;
        for (name, text) in files {
            let path = unfinished.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        if let Err(error) = fs::rename(&unfinished, folder) {
            let _ = fs::remove_dir_all(&unfinished);
            // Somebody else has laid out the same meanwhile.
            if !folder.exists() {
                return Err(error);
            }
        }
    }
    let mut names = files.keys();
    Ok(match (names.next(), names.next()) {
        (Some(only), None) => folder.join(only),
        _ => folder.to_owned(),
    })
}

fn rand_suffix() -> u32 {
    crate::id::random::<4>().map(u32::from_le_bytes).unwrap_or(std::process::id())
}

fn rejected(problems: &[Diagnostic]) -> ApiError {
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let details = json!({ "field": "code", "problems": problems });
    ApiError { details: Some(Box::new(details)), ..ApiError::new(ErrorCode::ValidationError, message) }
}
