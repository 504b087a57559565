use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use mirra_host_sdk::{Diagnostic, LogLevel};
use serde_json::{Value, json};

use super::{
    ServerFlags,
    client::{Answer, Client, Refusal, Unanswered, read},
    files::{self, Sources},
    named, table,
};
use crate::{
    cli::once,
    failure::{Exit, Failure},
    http::API_PREFIX,
    terminal::{Spinner, level, say},
};

/// Deploy a handler to a server, as a script
///
/// Makes a script, or a new version of the one that has its name, and lets it run from then on; calls in flight end on the version that
/// they began with. A folder's own source files are sent: not node_modules, __pycache__, hidden files and what is no text. Packages are
/// installed by the server, from package.json with its lock file or requirements.txt.
#[derive(Args)]
pub struct Deploy {
    /// A .ts, .js, .mjs or .py file, or a folder
    handler: PathBuf,

    /// The script's name, or the id of one that exists; otherwise that of the folder or file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// What this version changes
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,

    #[command(flatten)]
    server: ServerFlags,
}

/// What was made, before it runs.
struct Made {
    script_id: String,
    /// None: the newest.
    version_id: Option<String>,
    is_new: bool,
    answer: Answer,
}

impl Deploy {
    pub fn run(self) -> Result<Exit, Failure> {
        let sources = files::gather(&self.handler)?;
        let name = self.name.clone().map_or_else(|| files::name_of(&self.handler), Ok)?;
        for left_out in &sources.left_out {
            say(format_args!("{} left out {left_out}", level(LogLevel::Warn)));
        }
        self.server.ask(async |client| self.deploy(client, &name, &sources).await)
    }

    async fn deploy(&self, client: &Client, name: &str, sources: &Sources) -> Result<Exit, Failure> {
        let spinner = Spinner::start("deploying");
        let made = self.make(client, name, sources).await?;
        let params = json!({ "scriptId": made.script_id, "versionId": made.version_id });
        let deployed = match client.call("scripts.deployScript", &params).await {
            Ok(deployed) => deployed,
            Err(unanswered) => return Err(not_deployed(client, &made, sources, unanswered).await),
        };
        drop(spinner);
        let deployment: Value = read(&deployed.data)?;
        for warning in deployment["warnings"].as_array().into_iter().flatten() {
            say(format_args!("{} {}", level(LogLevel::Warn), table::text(warning)));
        }
        if self.server.json {
            let what = if made.is_new { "script" } else { "version" };
            let json = json!({ "created": made.is_new, what: made.answer.data, "deployment": deployed.data });
            once::print(json.to_string().as_bytes())?;
        } else {
            once::print(told(client, name, &made, &deployment)?.as_bytes())?;
        }
        Ok(Exit::Success)
    }

    async fn make(&self, client: &Client, name: &str, sources: &Sources) -> Result<Made, Failure> {
        let existing = match named::is_id(name) {
            true => Some(name.to_owned()),
            false => named::script_named(client, name).await?.map(|script| script.id),
        };
        let (files, message) = (&sources.files, &self.message);
        let answer = match &existing {
            Some(id) => client.call("scripts.createVersion", &json!({ "scriptId": id, "files": files, "commitMessage": message })).await?,
            None => {
                let params = json!({ "name": name, "files": files, "runtime": sources.runtime, "commitMessage": message });
                client.call("scripts.createScript", &params).await?
            }
        };
        let made: Value = read(&answer.data)?;
        let version_id = existing.is_some().then(|| table::text(&made["versionId"]));
        let is_new = existing.is_none();
        Ok(Made { script_id: existing.unwrap_or_else(|| table::text(&made["id"])), version_id, is_new, answer })
    }
}

/// A script of nothing that runs is of no use, and its key, which is shown once, was not shown.
async fn not_deployed(client: &Client, made: &Made, sources: &Sources, unanswered: Unanswered) -> Failure {
    let Unanswered::Refused(refusal) = unanswered else { return unanswered.into() };
    let failure = rejected(refusal, sources.only.as_deref());
    if !made.is_new {
        return failure.next_step("Nothing has changed: the version before goes on running, if there is one.");
    }
    match client.call("scripts.deleteScript", &json!({ "scriptId": made.script_id })).await {
        Ok(_) => failure.next_step("Nothing was made."),
        Err(_) => failure.next_step(format!("The script {} was made, and is not deployed.", made.script_id)),
    }
}

/// As `mirra build` tells it: each problem with its place and the lines around it.
fn rejected(refusal: Refusal, only: Option<&str>) -> Failure {
    let problems: Vec<Diagnostic> = serde_json::from_value(refusal.details["problems"].clone()).unwrap_or_default();
    if problems.is_empty() {
        return refusal.into();
    }
    let here = |problem: Diagnostic| Diagnostic { file: problem.file.map(|file| only.map_or(file, str::to_owned)), ..problem };
    let problems: Vec<_> = problems.into_iter().map(|problem| here(problem).to_string()).collect();
    Failure::wrong_use(anyhow!("{}", problems.join("\n")))
}

fn told(client: &Client, name: &str, made: &Made, deployment: &Value) -> Result<String, Failure> {
    let script: Value = read(&made.answer.data)?;
    let key = match made.is_new {
        true => format!("{} (runs this script and nothing else; shown this once)", table::text(&script["apiKey"])),
        false => String::new(),
    };
    let address = format!("{}{API_PREFIX}/v1/scripts/{}/execute", client.url, made.script_id);
    Ok(table::facts(&[
        ("script", if named::is_id(name) { String::new() } else { name.to_owned() }),
        ("id", made.script_id.clone()),
        ("version", format!("{}, deployed in {}", table::text(&deployment["version"]), table::duration(&deployment["duration"]))),
        ("key", key),
        ("call it", format!("mirra scripts run {} --event '{{\"name\":\"Ada\"}}'", quoted(name))),
        ("over HTTP", format!("curl {address} -H \"X-API-Key: $MIRRA_API_KEY\" -d '{{\"data\":{{\"name\":\"Ada\"}}}}'")),
    ]))
}

/// As shells read it.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-_./:".contains(c)) && !name.starts_with('-');
    if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}
