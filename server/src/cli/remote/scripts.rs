use anyhow::anyhow;
use clap::{Args, Subcommand};
use mirra_host_sdk::ErrorCode;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Part, ServerFlags,
    client::{Client, read},
    logs,
    named::{self, Kind},
    table::{Column, duration, facts, percent, rows, text, time, usd},
};
use crate::{
    cli::once,
    failure::{Exit, Failure},
    logs::Tame,
    terminal::{dim, level, red, say},
};

/// The scripts of an account: list, show, run, roll back
///
/// A script is named by its name, or by its id where several have the name. 'mirra deploy' makes them.
#[derive(Args)]
pub struct Scripts {
    #[command(subcommand)]
    what: What,

    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Subcommand)]
enum What {
    /// All of them, the newest first
    List {
        #[command(flatten)]
        part: Part,
    },
    /// All of one
    Show { script: String },
    /// Run one and print its result; logs and usage go to stderr, as with 'mirra run'
    Run {
        script: String,
        /// What the handler gets as event.data: JSON, @FILE to read it from a file, or - to read it from stdin
        #[arg(long, short, alias = "data", value_name = "JSON|@FILE|-", default_value = "{}", allow_hyphen_values = true)]
        event: String,
    },
    /// The versions of one, the newest first
    Versions { script: String },
    /// Let an older version run
    Rollback {
        script: String,
        /// A version's number or name; otherwise the one before that which runs
        version: Option<String>,
    },
    /// The runs of one, the newest first
    History {
        script: String,
        /// running, completed, failed or timeout
        #[arg(long)]
        status: Option<String>,
        /// Not before this, such as 2026-01-15 or 2026-01-15T10:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        part: Part,
    },
    /// Delete one, with its versions and its history
    Delete { script: String },
    /// Print the code of one
    Code {
        script: String,
        /// A version's number or name; otherwise the newest
        #[arg(long)]
        version: Option<String>,
    },
}

/// As a run ends, and as an event is sent: no more than handlers may get.
const EVENT_BYTES_MAX: u64 = 6 << 20;

const LISTED: &[Column] = &[
    ("NAME", |script| text(&script["name"])),
    ("ID", |script| text(&script["id"])),
    ("STATUS", |script| text(&script["status"])),
    ("VERSION", |script| text(&script["activeVersion"])),
    ("RUNS", |script| text(&script["totalExecutions"])),
    ("FAILED", |script| percent(&script["errorRate"])),
    ("LAST RUN", |script| time(&script["lastExecutedAt"])),
    ("USD", |script| usd(&script["totalCost"])),
];

const VERSIONS: &[Column] = &[
    ("VERSION", |version| text(&version["version"])),
    ("RUNS NOW", |version| if version["isActive"] == true { "yes".to_owned() } else { String::new() }),
    ("STATUS", |version| text(&version["status"])),
    ("MADE", |version| time(&version["createdAt"])),
    ("DEPLOYED", |version| time(&version["deployedAt"])),
    ("MESSAGE", |version| text(&version["commitMessage"])),
];

const HISTORY: &[Column] = &[
    ("EXECUTION", |run| text(&run["executionId"])),
    ("BEGAN", |run| time(&run["createdAt"])),
    ("STATUS", |run| text(&run["status"])),
    ("TRIGGER", |run| text(&run["trigger"])),
    ("TOOK", |run| duration(&run["duration"])),
    ("MB", |run| text(&run["memoryUsed"])),
    ("USD", |run| usd(&run["cost"])),
];

impl Scripts {
    pub fn run(self) -> Result<Exit, Failure> {
        self.server.ask(async |client| self.of(client).await)
    }

    async fn of(&self, client: &Client) -> Result<Exit, Failure> {
        let server = &self.server;
        if let What::List { part } = &self.what {
            let answer = client.call("scripts.listScripts", &part.of(json!({}))).await?;
            let nothing = "no scripts yet: 'mirra deploy HANDLER' makes one";
            return server.show_part(part, &answer, |data| rows(&data["scripts"], LISTED, nothing));
        }
        let id = named::id_of(client, Kind::Script, self.what.script()).await?;
        match &self.what {
            What::List { .. } => Ok(Exit::Success),
            What::Show { .. } => {
                let answer = client.call("scripts.getScript", &json!({ "scriptId": id })).await?;
                server.show(&answer.data, shown)
            }
            What::Run { event, .. } => run(client, server, &id, event).await,
            What::Versions { .. } => {
                let answer = client.call("scripts.listVersions", &json!({ "scriptId": id })).await?;
                server.show(&answer.data, |data| rows(&data["versions"], VERSIONS, "no versions"))
            }
            What::Rollback { version, .. } => roll_back(client, server, &id, version.as_deref()).await,
            What::History { status, since, part, .. } => {
                let params = part.of(json!({ "scriptId": id, "status": status, "startDate": since }));
                let answer = client.call("scripts.getExecutions", &params).await?;
                server.show_part(part, &answer, |data| rows(&data["executions"], HISTORY, "no runs"))
            }
            What::Delete { script } => {
                let answer = client.call("scripts.deleteScript", &json!({ "scriptId": id })).await?;
                server.show(&answer.data, |_| format!("{script} is deleted"))
            }
            What::Code { version, .. } => code(client, server, &id, version.as_deref()).await,
        }
    }
}

impl What {
    /// Which is meant.
    fn script(&self) -> &str {
        match self {
            What::List { .. } => "",
            What::Show { script }
            | What::Run { script, .. }
            | What::Versions { script }
            | What::Rollback { script, .. }
            | What::History { script, .. }
            | What::Delete { script }
            | What::Code { script, .. } => script,
        }
    }
}

fn shown(script: &Value) -> String {
    let config = &script["config"];
    facts(&[
        ("name", text(&script["name"])),
        ("id", text(&script["id"])),
        ("description", text(&script["description"])),
        ("status", text(&script["status"])),
        ("version", text(&script["activeVersion"])),
        ("runtime", text(&script["runtime"])),
        ("timeout", format!("{} s", text(&config["timeout"]))),
        ("memory", format!("{} MB", text(&config["memory"]))),
        ("cost", format!("at most {} USD a run", usd(&config["maxCostPerExecution"]))),
        ("a day", format!("at most {} runs", text(&config["maxExecutionsPerDay"]))),
        ("resources", listed(&config["allowedResources"])),
        ("runs", text(&script["totalExecutions"])),
        ("failed", percent(&script["errorRate"])),
        ("spent", format!("{} USD", usd(&script["totalCost"]))),
        ("last run", time(&script["lastExecutedAt"])),
        ("made", time(&script["createdAt"])),
        ("deployed", time(&script["deployedAt"])),
    ])
}

fn listed(values: &Value) -> String {
    values.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ")
}

/// What a run answers, of a script or of a flow.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ran {
    execution_id: String,
    #[serde(alias = "result")]
    output: Option<Box<RawValue>>,
    #[serde(default)]
    logs: Vec<String>,
    error: Option<RunError>,
    #[serde(default)]
    duration: Value,
    #[serde(default)]
    memory_used: Value,
    #[serde(default)]
    cost: Value,
}

#[derive(Deserialize)]
struct RunError {
    code: ErrorCode,
    message: String,
    name: Option<String>,
    stack: Option<String>,
}

impl Ran {
    /// As `mirra run` does: the result alone on stdout.
    async fn tell(&self, client: &Client) -> Result<Exit, Failure> {
        self.tell_logs(client).await;
        let exit = self.exit();
        match (&self.error, &self.output) {
            (None, output) => once::print(output.as_ref().map_or("null", |output| output.get()).as_bytes())?,
            (Some(error), _) => {
                let name = error.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                say(format_args!("{} {name}{}", red(&format!("{}:", error.code)), Tame(&error.message)));
                error.stack.iter().for_each(|stack| say(format_args!("{}", Tame(stack))));
            }
        }
        let memory = if self.memory_used.is_null() { String::new() } else { format!("memory {} MB, ", text(&self.memory_used)) };
        let usage = format!("{}, wall {}, {memory}cost {} USD", self.execution_id, duration(&self.duration), usd(&self.cost));
        say(format_args!("{}", dim(&usage)));
        Ok(exit)
    }

    /// The answer has the lines without their levels, which a script's own key cannot ask for.
    async fn tell_logs(&self, client: &Client) {
        let lines = if self.logs.is_empty() { Vec::new() } else { logs::lines_of(client, &self.execution_id).await.unwrap_or_default() };
        lines.iter().for_each(|line| say(format_args!("{} {}", level(line.level), Tame(&line.message))));
        if lines.is_empty() {
            self.logs.iter().for_each(|line| say(format_args!("{}", Tame(line))));
        }
    }

    fn exit(&self) -> Exit {
        self.error.as_ref().map_or(Exit::Success, |error| error.code.into())
    }
}

/// Prints it, and exits as what became of the run says.
pub async fn tell_run(client: &Client, server: &ServerFlags, data: &RawValue) -> Result<Exit, Failure> {
    let ran: Ran = read(data)?;
    if server.json {
        once::print(data.get().as_bytes())?;
        return Ok(ran.exit());
    }
    ran.tell(client).await
}

/// JSON from an argument, a file or stdin.
pub fn event(argument: &str) -> Result<Box<RawValue>, Failure> {
    once::event(argument, EVENT_BYTES_MAX)?.map_err(|problem| Failure::of(problem.code.into(), anyhow!("{problem}")))
}

async fn run(client: &Client, server: &ServerFlags, id: &str, argument: &str) -> Result<Exit, Failure> {
    let answer = client.call("scripts.executeScript", &json!({ "scriptId": id, "data": event(argument)? })).await?;
    tell_run(client, server, &answer.data).await
}

async fn roll_back(client: &Client, server: &ServerFlags, id: &str, version: Option<&str>) -> Result<Exit, Failure> {
    let wanted = match version {
        Some(version) => json!({ "scriptId": id, "version": version }),
        None => json!({ "scriptId": id, "versionId": before(client, id).await? }),
    };
    let answer = client.call("scripts.deployScript", &wanted).await?;
    server.show(&answer.data, |data| format!("version {} runs from now on", text(&data["version"])))
}

/// The version that was made before the one that runs.
async fn before(client: &Client, id: &str) -> Result<String, Failure> {
    let answer = client.call("scripts.listVersions", &json!({ "scriptId": id })).await?;
    let data: Value = read(&answer.data)?;
    let versions = data["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut older = versions.iter().skip_while(|version| version["isActive"] != true).skip(1);
    // One that was rejected would be again.
    older.find(|version| version["status"] != "failed").map(|version| text(&version["versionId"])).ok_or_else(|| {
        Failure::wrong_use(anyhow!("there is no version before the one that runs")).next_step("See 'mirra scripts versions'.")
    })
}

async fn code(client: &Client, server: &ServerFlags, id: &str, version: Option<&str>) -> Result<Exit, Failure> {
    let answer = client.call("scripts.readScriptCode", &json!({ "scriptId": id, "versionId": version })).await?;
    // Whoever pipes it into a file gets the file as it was.
    server.show(&answer.data, |data| text(&data["text"]).trim_end_matches('\n').to_owned())
}
