use std::{collections::HashSet, time::Duration};

use anyhow::anyhow;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use mirra_host_sdk::{ErrorCode, LogLevel};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    ServerFlags,
    client::{Answer, Client, Unanswered, read},
    flows,
    named::{self, Kind, Named},
};
use crate::{
    cli::once,
    failure::{Exit, Failure},
    logs::Tame,
    terminal,
};

/// What the runs of a script or a flow have logged
///
/// The newest runs, oldest first: time (UTC), level, execution and message of each line, and a line for each run that failed. With -f it
/// goes on with the runs that end from then on, until Ctrl-C.
#[derive(Args)]
pub struct Logs {
    /// A script or a flow, by its name or id
    name: String,

    /// Go on with what is logged from now on
    #[arg(long, short)]
    follow: bool,

    /// Runs to begin with
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100))]
    last: u32,

    #[command(flatten)]
    server: ServerFlags,
}

const INTERVAL: Duration = Duration::from_secs(1);
const PAGE: usize = 100;
/// A run may be written down later than one that began after it.
const OVERLAP: SignedDuration = SignedDuration::from_secs(10);

/// A run in a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    execution_id: String,
    status: String,
    #[serde(alias = "timestamp", deserialize_with = "time")]
    created_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    #[serde(default)]
    log_entries: Vec<Line>,
    error: Option<RunError>,
    #[serde(default)]
    ended_at: String,
}

/// What a handler has logged.
#[derive(Deserialize)]
pub struct Line {
    timestamp: String,
    pub level: LogLevel,
    pub message: String,
}

#[derive(Deserialize)]
struct RunError {
    code: ErrorCode,
    message: String,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

impl Run {
    fn has_ended(&self) -> bool {
        !matches!(&*self.status, "running" | "queued")
    }
}

impl Logs {
    pub fn run(self) -> Result<Exit, Failure> {
        self.server.ask(async |client| {
            let of = named::script_or_flow(client, &self.name).await?;
            let mut following = Following { client, of, json: self.server.json, told: HashSet::new(), since: None };
            following.begin(self.last as usize).await?;
            if !self.follow {
                return Ok(Exit::Success);
            }
            loop {
                sleep(INTERVAL).await;
                following.go_on().await?;
            }
        })
    }
}

/// What was told already, and from where on there may be more.
struct Following<'a> {
    client: &'a Client,
    of: Named,
    json: bool,
    told: HashSet<String>,
    since: Option<Timestamp>,
}

impl Following<'_> {
    /// The last runs; those before are not told at all.
    async fn begin(&mut self, last: usize) -> Result<(), Failure> {
        let runs = self.runs(false).await?;
        let ended: Vec<Run> = runs.iter().filter(|run| run.has_ended()).cloned().collect();
        self.told.extend(ended.iter().skip(last).map(|run| run.execution_id.clone()));
        self.tell(&runs).await?;
        // What is older than all that was looked at is told by nobody.
        let oldest = runs.last().filter(|_| runs.len() >= PAGE).map(|run| run.created_at);
        self.since = self.since.max(oldest);
        Ok(())
    }

    async fn go_on(&mut self) -> Result<(), Failure> {
        match self.runs(true).await {
            Ok(runs) => self.tell(&runs).await,
            // Others use the key too. What is missed now is told later.
            Err(Unanswered::Refused(refusal)) if refusal.code == ErrorCode::RateLimited => {
                sleep(refusal.retry_after.unwrap_or(INTERVAL)).await;
                Ok(())
            }
            Err(unanswered) => Err(unanswered.into()),
        }
    }

    /// Tells what has ended and was not told, the oldest first.
    async fn tell(&mut self, runs: &[Run]) -> Result<(), Failure> {
        for run in runs.iter().rev().filter(|run| run.has_ended()) {
            if !self.told.contains(&run.execution_id) {
                self.tell_run(run).await?;
                self.told.insert(run.execution_id.clone());
            }
        }
        let newest = runs.iter().map(|run| run.created_at).max();
        let unended = runs.iter().filter(|run| !run.has_ended()).map(|run| run.created_at).min();
        if let Some(since) = unended.or(newest).and_then(|time| time.checked_sub(OVERLAP).ok()) {
            self.since = self.since.max(Some(since));
            self.forget(runs);
        }
        Ok(())
    }

    /// What is listed no more comes no more.
    fn forget(&mut self, runs: &[Run]) {
        let listed: HashSet<&String> = runs.iter().map(|run| &run.execution_id).collect();
        self.told.retain(|told| listed.contains(told));
    }

    async fn tell_run(&self, run: &Run) -> Result<(), Failure> {
        // Forgotten since it was listed.
        let Some(answer) = execution(self.client, &run.execution_id).await? else { return Ok(()) };
        if self.json {
            return once::print(answer.data.get().as_bytes());
        }
        let Whole { log_entries, error, ended_at } = read(&answer.data)?;
        let mut lines: Vec<String> = log_entries.iter().map(|line| shown(&line.timestamp, line.level, run, &line.message)).collect();
        if let Some(error) = error {
            lines.push(shown(&ended_at, LogLevel::Error, run, &format!("{}: {}", error.code, error.message)));
        }
        if lines.is_empty() { Ok(()) } else { once::print(lines.join("\n").as_bytes()) }
    }

    /// The newest first. `all`: as many as may have anything new.
    async fn runs(&self, all: bool) -> Result<Vec<Run>, Unanswered> {
        match self.of.kind {
            Kind::Script => self.runs_of_script(all).await,
            Kind::Flow => {
                let runs = flows::newest_runs(self.client, &self.of.id).await?;
                let runs = runs.ok_or_else(|| Failure::wrong_use(anyhow!("there is no script or flow '{}'", self.of.name)))?;
                let mut runs: Vec<Run> = serde_json::from_value(runs).map_err(Failure::host)?;
                runs.sort_by_key(|run| std::cmp::Reverse(run.created_at));
                Ok(runs)
            }
        }
    }

    async fn runs_of_script(&self, all: bool) -> Result<Vec<Run>, Unanswered> {
        let (since, mut runs) = (self.since.map(|since| since.to_string()), Vec::new());
        loop {
            let params = json!({ "scriptId": self.of.id, "startDate": since, "limit": PAGE, "offset": runs.len() });
            let answer = self.client.call("scripts.getExecutions", &params).await?;
            let mut data: Value = read(&answer.data)?;
            let page: Vec<Run> = serde_json::from_value(data["executions"].take()).map_err(Failure::host)?;
            let is_last = page.len() < PAGE;
            runs.extend(page);
            if is_last || !all {
                return Ok(runs);
            }
        }
    }
}

async fn execution(client: &Client, id: &str) -> Result<Option<Answer>, Failure> {
    match client.call("scripts.getExecution", &json!({ "executionId": id })).await {
        Ok(answer) => Ok(Some(answer)),
        Err(Unanswered::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(None),
        Err(unanswered) => Err(unanswered.into()),
    }
}

/// Of one run; none if it is forgotten.
pub async fn lines_of(client: &Client, execution_id: &str) -> Result<Vec<Line>, Failure> {
    let answer = execution(client, execution_id).await?;
    answer.map_or(Ok(Vec::new()), |answer| Ok(read::<Whole>(&answer.data)?.log_entries))
}

fn shown(timestamp: &str, level: LogLevel, run: &Run, message: &str) -> String {
    let time = timestamp.trim_end_matches('Z').replacen('T', " ", 1);
    format!("{time} {} {} {}", terminal::level_in_answer(level), run.execution_id, Tame(message))
}
