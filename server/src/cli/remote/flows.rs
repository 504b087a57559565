use anyhow::anyhow;
use clap::{ArgGroup, Args, Subcommand};
use mirra_host_sdk::ErrorCode;
use serde_json::{Map, Value, json};

use super::{
    Part, ServerFlags,
    client::{Client, Unanswered, read},
    named::{self, Kind},
    scripts::{event, tell_run},
    table::{Column, duration, facts, rows, text, time, usd},
};
use crate::failure::{Exit, Failure};

/// The flows of an account: what starts scripts and prompts
///
/// A flow is named by its title, or by its id where several have the title.
#[derive(Args)]
pub struct Flows {
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
    /// All of one, with its newest runs
    Show { flow: String },
    /// Make one
    Create(Create),
    /// Run one now and print its result; logs and usage go to stderr
    Run {
        flow: String,
        /// Merged over the flow's own input: a JSON object, @FILE or - (stdin)
        #[arg(long, short, value_name = "JSON|@FILE|-", default_value = "{}", allow_hyphen_values = true)]
        input: String,
    },
    /// Try one with an event as it might come, condition by condition
    ///
    /// Nothing runs without --run. Exits with 1 if the event does not start the flow.
    Test {
        flow: String,
        /// A field of the event, such as content.text=urgent; the value may be JSON
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
        /// Run it if the event starts it
        #[arg(long)]
        run: bool,
    },
    /// Let nothing start one
    Pause { flow: String },
    /// Let it be started again
    Resume { flow: String },
    /// Delete one, with its history
    Delete { flow: String },
}

#[derive(Args)]
#[command(group = ArgGroup::new("trigger").required(true), group = ArgGroup::new("work").required(true))]
struct Create {
    /// What it is called
    #[arg(long)]
    title: String,

    /// What it is for
    #[arg(long)]
    description: Option<String>,

    /// Starts it by the clock, in UTC: five fields, such as '0 9 * * 1-5'
    #[arg(long, value_name = "CRON", group = "trigger")]
    schedule: Option<String>,

    /// Starts it by events of a type, such as telegram.message; 'mirra events types' lists them
    #[arg(long, value_name = "TYPE", group = "trigger")]
    event: Option<String>,

    /// Which of these events: conditions as JSON, @FILE or -
    ///
    /// Such as '{"field":"content.text","operator":"contains","value":"urgent"}', or a tree of these under "operator": "and", "or", "not".
    #[arg(long = "where", value_name = "JSON|@FILE|-", requires = "event")]
    conditions: Option<String>,

    /// Starts it by requests to an address of its own
    #[arg(long, group = "trigger")]
    webhook: bool,

    /// The script that runs, by its name or id
    #[arg(long, value_name = "SCRIPT", group = "work")]
    script: Option<String>,

    /// What an agent is asked to do
    #[arg(long, value_name = "TEXT", group = "work")]
    prompt: Option<String>,

    /// What every run gets in event.data: a JSON object, @FILE or -
    #[arg(long, value_name = "JSON|@FILE|-")]
    input: Option<String>,
}

const LISTED: &[Column] = &[
    ("TITLE", |flow| text(&flow["title"])),
    ("ID", |flow| text(&flow["id"])),
    ("STATUS", |flow| text(&flow["status"])),
    ("STARTED BY", trigger),
    ("RUNS", |flow| text(&flow["executionCount"])),
    ("LAST RUN", |flow| time(&flow["lastExecutedAt"])),
];

const RUNS: &[Column] = &[
    ("EXECUTION", |run| text(&run["executionId"])),
    ("BEGAN", |run| time(&run["timestamp"])),
    ("STATUS", |run| text(&run["status"])),
    ("TRIGGER", |run| text(&run["trigger"])),
    ("TRY", |run| run["attempt"].as_u64().map(|before| (before + 1).to_string()).unwrap_or_default()),
    ("TOOK", |run| duration(&run["duration"])),
    ("USD", |run| usd(&run["cost"])),
];

const CONDITIONS: &[Column] = &[
    ("HOLDS", |result| if result["passed"] == true { "yes".to_owned() } else { "no".to_owned() }),
    ("FIELD", |result| text(&result["field"])),
    ("OPERATOR", |result| text(&result["operator"])),
    ("EXPECTED", |result| result["expected"].to_string()),
    ("ACTUAL", |result| result["actual"].to_string()),
];

fn trigger(flow: &Value) -> String {
    match flow["triggerType"].as_str() {
        Some("time") => text(&flow["cronExpression"]),
        Some("event") => text(&flow["eventType"]),
        _ => text(&flow["triggerType"]),
    }
}

impl Flows {
    pub fn run(self) -> Result<Exit, Failure> {
        self.server.ask(async |client| self.of(client).await)
    }

    async fn of(&self, client: &Client) -> Result<Exit, Failure> {
        let server = &self.server;
        match &self.what {
            What::List { part } => {
                let answer = client.call("flows.listFlows", &part.of(json!({}))).await?;
                server.show_part(part, &answer, |data| rows(&data["flows"], LISTED, "no flows yet: 'mirra flows create' makes one"))
            }
            What::Create(create) => create.run(client, server).await,
            What::Show { flow } => {
                let answer = client.call("flows.getFlow", &self.id(client, flow).await?).await?;
                server.show(&answer.data, shown)
            }
            What::Run { flow, input } => {
                let mut params = self.id(client, flow).await?;
                params["input"] = object(input)?;
                let answer = client.call("flows.executeFlow", &params).await?;
                tell_run(client, server, &answer.data).await
            }
            What::Test { flow, set, run } => test(client, server, self.id(client, flow).await?, set, *run).await,
            What::Pause { flow } => self.change(client, "flows.pauseFlow", flow, "is paused").await,
            What::Resume { flow } => self.change(client, "flows.resumeFlow", flow, "is active").await,
            What::Delete { flow } => self.change(client, "flows.deleteFlow", flow, "is deleted").await,
        }
    }

    async fn id(&self, client: &Client, flow: &str) -> Result<Value, Failure> {
        Ok(json!({ "flowId": named::id_of(client, Kind::Flow, flow).await? }))
    }

    async fn change(&self, client: &Client, operation: &str, flow: &str, done: &str) -> Result<Exit, Failure> {
        let answer = client.call(operation, &self.id(client, flow).await?).await?;
        self.server.show(&answer.data, |_| format!("{flow} {done}"))
    }
}

impl Create {
    async fn run(&self, client: &Client, server: &ServerFlags) -> Result<Exit, Failure> {
        let mut params = Map::new();
        let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| params.insert(name.to_owned(), value)));
        let text = |text: &Option<String>| text.clone().map(Value::from);
        put("title", Some(self.title.clone().into()));
        put("description", text(&self.description));
        put("schedule", text(&self.schedule));
        put("eventType", text(&self.event));
        put("conditions", self.conditions.as_deref().map(value).transpose()?);
        put("webhook", self.webhook.then_some(true.into()));
        put("prompt", text(&self.prompt));
        put("executionType", self.prompt.is_some().then(|| "llm".into()));
        put("scriptInput", self.input.as_deref().map(object).transpose()?);
        if let Some(script) = &self.script {
            put("scriptId", Some(named::id_of(client, Kind::Script, script).await?.into()));
        }
        let answer = client.call("flows.createFlow", &params).await?;
        server.show(&answer.data, shown)
    }
}

fn shown(flow: &Value) -> String {
    let conditions = if flow["eventFilter"].is_null() { String::new() } else { text(&flow["eventFilter"]) };
    let facts = facts(&[
        ("title", text(&flow["title"])),
        ("id", text(&flow["id"])),
        ("description", text(&flow["description"])),
        ("status", text(&flow["status"])),
        ("paused", time(&flow["pausedAt"])),
        ("because", text(&flow["pauseReason"])),
        ("started by", trigger(flow)),
        ("where", conditions),
        ("address", text(&flow["webhookUrl"])),
        ("next run", time(&flow["nextRunAt"])),
        ("script", text(&flow["scriptId"])),
        ("prompt", text(&flow["prompt"])),
        ("input", text(&flow["scriptInput"])),
        ("runs", text(&flow["executionCount"])),
        ("last run", time(&flow["lastExecutedAt"])),
        ("made", time(&flow["createdAt"])),
    ]);
    match rows(&flow["executionResults"], RUNS, "") {
        none if none.is_empty() => facts,
        runs => format!("{facts}\n\n{runs}"),
    }
}

async fn test(client: &Client, server: &ServerFlags, mut params: Value, set: &[String], run: bool) -> Result<Exit, Failure> {
    params["dryRun"] = (!run).into();
    params["eventOverrides"] = overrides(set)?.into();
    let answer = client.call("flows.testFlow", &params).await?;
    server.show(&answer.data, tested)?;
    let data: Value = read(&answer.data)?;
    let is_fine = data["triggerMatched"] == true && data["executionError"].is_null();
    Ok(if is_fine { Exit::Success } else { Exit::HandlerFailed })
}

fn tested(data: &Value) -> String {
    let mut parts = vec![rows(&data["conditionResults"], CONDITIONS, "")];
    parts.push(if data["triggerMatched"] == true { "the flow starts" } else { "the flow does not start" }.to_owned());
    if !data["executionStatus"].is_null() {
        let outcome = if data["executionError"].is_null() { &data["executionResult"] } else { &data["executionError"] };
        parts.push(format!("{} in {}: {outcome}", text(&data["executionStatus"]), duration(&data["executionDuration"])));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// `content.text=urgent` and `telegram.chatId=5`: what is JSON is meant as such.
fn overrides(set: &[String]) -> Result<Map<String, Value>, Failure> {
    set.iter()
        .map(|text| {
            let wrong = || Failure::wrong_use(anyhow!("--set {text}: it has no =")).next_step("Write it as --set content.text=urgent.");
            let (path, value) = text.split_once('=').ok_or_else(wrong)?;
            Ok((path.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
        })
        .collect()
}

fn value(argument: &str) -> Result<Value, Failure> {
    read(&event(argument)?)
}

fn object(argument: &str) -> Result<Value, Failure> {
    let value = value(argument)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::wrong_use(anyhow!("the input must be a JSON object, such as {{\"name\":\"Ada\"}}")))
    }
}

/// Its newest runs: id and time, and whether each has ended. None: there is no such flow.
pub async fn newest_runs(client: &Client, id: &str) -> Result<Option<Value>, Unanswered> {
    match client.call("flows.getFlow", &json!({ "flowId": id })).await {
        Ok(answer) => Ok(Some(read::<Value>(&answer.data)?["executionResults"].take())),
        Err(Unanswered::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(None),
        Err(unanswered) => Err(unanswered),
    }
}
