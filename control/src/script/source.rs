//! What a version is made of: texts of files, one of which has the handler.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ApiError;

/// Names of the contract, whatever engine serves them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Runtime {
    #[default]
    #[serde(rename = "nodejs18")]
    Node,
    #[serde(rename = "python3.11")]
    Python,
}

impl Runtime {
    pub fn as_str(self) -> &'static str {
        match self {
            Runtime::Node => "nodejs18",
            Runtime::Python => "python3.11",
        }
    }

    /// As it was kept. What it is made of is told by its files in any case.
    pub fn kept(name: &str) -> Runtime {
        if name == Runtime::Python.as_str() { Runtime::Python } else { Runtime::Node }
    }

    /// The file that has the handler. TypeScript is JavaScript and more.
    pub fn main_file(self) -> &'static str {
        match self {
            Runtime::Node => "handler.ts",
            Runtime::Python => "handler.py",
        }
    }
}

/// What a script may have as code, with its own modules: what it imports is counted when it is bundled.
const BYTES_MAX: usize = 50_000_000;
const FILES_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 200;

/// Texts by the names of their files.
pub type Files = BTreeMap<String, String>;

/// The code alone, or with other files (modules of its own, `package.json` and a lock file, `requirements.txt`).
pub fn gather(runtime: Runtime, code: Option<String>, files: Option<Files>) -> Result<Files, ApiError> {
    let mut files = files.unwrap_or_default();
    if files.len() >= FILES_MAX {
        return Err(ApiError::invalid("files", format!("a script has at most {FILES_MAX} files")));
    }
    for name in files.keys() {
        check_name(name)?;
    }
    let main = main_of(runtime, &files);
    match code {
        Some(code) => drop(files.insert(main, code)),
        None if files.is_empty() => return Err(ApiError::invalid("code", "code is required")),
        None => {}
    }
    if files.values().all(|text| text.trim().is_empty()) {
        return Err(ApiError::invalid("code", "code is empty"));
    }
    let bytes: usize = files.iter().map(|(name, text)| name.len() + text.len()).sum();
    if bytes > BYTES_MAX {
        return Err(ApiError::new(
            mirra_host_sdk::ErrorCode::PayloadTooLarge,
            format!("the code has {bytes} bytes, and a script may have {BYTES_MAX}"),
        ));
    }
    Ok(files)
}

/// Which of the files has the handler, or would.
pub fn main_of(runtime: Runtime, files: &Files) -> String {
    let other = ["handler.ts", "handler.js", "handler.mjs", "handler.py", "index.ts", "index.js", "index.mjs"];
    let known = other.iter().find(|name| files.contains_key(**name));
    known.copied().unwrap_or(runtime.main_file()).to_owned()
}

/// A path below the script's own folder, and nowhere else.
fn check_name(name: &str) -> Result<(), ApiError> {
    let segment = |segment: &str| !segment.is_empty() && !segment.starts_with('.') && !segment.contains(['\\', '\0']);
    if name.len() > NAME_BYTES_MAX || !name.split('/').all(segment) {
        let shown: String = name.chars().take(60).collect();
        return Err(ApiError::invalid(
            "files",
            format!("'{shown}' is no name of a file: write it as lib/dates.ts, below the script's folder"),
        ));
    }
    Ok(())
}

/// Its text as it is kept, and its name by content: BLAKE3, in hex.
pub fn keep(files: &Files) -> Result<(String, String), ApiError> {
    let text = serde_json::to_string(files).map_err(|error| ApiError::internal("the code cannot be written", error))?;
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    Ok((text, hash))
}
