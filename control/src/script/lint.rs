//! What is wrong with code, told before it is deployed.

use std::{collections::BTreeSet, sync::LazyLock};

use mirra_host_sdk::{Diagnostic, ErrorCode};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    source::{self, Runtime},
    text::{masked, place},
};
use crate::{Answer, ApiError, capability::OF_HANDLERS, operations, operations::Scene};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LintParams {
    code: String,
    #[serde(default)]
    runtime: Runtime,
    /// A JSON Schema of `event.data`: what the code reads of it must be there.
    script_input_schema: Option<Value>,
    /// The kind of event that will start it: what the code reads of `event` must be there.
    event_type: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Issue {
    /// error: it cannot work. warning: it is probably not what was meant.
    severity: &'static str,
    rule: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

/// Bundles and loads the code as a deploy would, and looks at what it uses.
pub async fn lint(scene: &Scene<'_>, params: LintParams) -> Result<Answer, ApiError> {
    let files = source::gather(params.runtime, Some(params.code.clone()), None)?;
    let (text, _) = source::keep(&files)?;
    let mut issues = match scene.control.prepare_unkept(&text).await {
        Ok(_) => Vec::new(),
        Err(ApiError { code: ErrorCode::ValidationError, details: Some(details), .. }) => loading(&details["problems"]),
        Err(error) => return Err(error),
    };
    let code = masked(params.runtime, &params.code);
    issues.extend(unknown_operations(&code));
    issues.extend(unknown_fields(&code, &params));
    if params.script_input_schema.is_none() {
        issues.extend(unknown_aliases(&code, params.event_type.as_deref()));
    }
    issues.sort_by_key(|issue| (issue.line, issue.column));
    let is_valid = issues.iter().all(|issue| issue.severity != "error");
    Answer::of(&json!({
        "valid": is_valid,
        "issueCount": issues.len(),
        "issues": issues,
        "callAdapterCallsCount": code.matches("callAdapter(").count(),
        "mirraSDKCallsCount": uses(&code).count(),
    }))
}

/// What the executor says.
fn loading(problems: &Value) -> Vec<Issue> {
    let problems: Vec<Diagnostic> = serde_json::from_value(problems.clone()).unwrap_or_default();
    let problem = |diagnostic: Diagnostic| Issue {
        severity: "error",
        rule: if diagnostic.message.contains("handler") { "missing-handler" } else { "syntax" },
        message: diagnostic.message,
        line: diagnostic.line,
        column: diagnostic.column,
        suggestion: None,
    };
    problems.into_iter().map(problem).collect()
}

/// `mirra.ADAPTER.OPERATION`, each with where the operation's name begins.
fn uses(code: &str) -> impl Iterator<Item = (&str, &str, usize)> {
    static USE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bmirra\s*\.\s*(\w+)\s*\.\s*(\w+)").ok());
    let found = USE.iter().flat_map(move |uses| uses.captures_iter(code));
    found.filter_map(|found| {
        let (adapter, operation) = (found.get(1)?, found.get(2)?);
        Some((adapter.as_str(), operation.as_str(), operation.start()))
    })
}

/// `mirra.memory.creat`
fn unknown_operations(code: &str) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (adapter, operation, offset) in uses(code) {
        let known = operations::names_of(adapter);
        if !OF_HANDLERS.contains(&adapter) || known.contains(&operation) {
            continue;
        }
        let nearest = known.iter().min_by_key(|name| strsim::damerau_levenshtein(name, operation));
        let meant = nearest.filter(|name| strsim::damerau_levenshtein(name, operation) <= 3);
        let suggestion = meant.map(|name| format!("mirra.{adapter}.{name}"));
        let message = format!("mirra.{adapter} has no operation '{operation}': it has {}", known.join(", "));
        issues.push(Issue { suggestion, ..at(code, offset, "error", "unknown-operation", message) });
    }
    issues
}

/// What `event.data` has in a flow that events start, besides what the flow itself gives.
const DATA_OF_EVENTS: [&str; 6] = ["text", "sender", "senderId", "timestamp", "event", "data"];

/// `event.fields.chat_di`, where it is known what there can be.
fn unknown_aliases(code: &str, event_type: Option<&str>) -> Vec<Issue> {
    static FIELDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bevent\s*\??\.\s*(data|fields)\s*\??\.\s*(\w+)").ok());
    let event_type = event_type.map(mirra_triggers::canonical_event_type);
    let known = mirra_triggers::event_types().iter().find(|known| Some(known.name) == event_type);
    let (Some(reads), Some(known)) = (&*FIELDS, known) else { return Vec::new() };
    let Ok(sample) = mirra_triggers::Event::read(known.sample(), 0, String::new) else { return Vec::new() };
    let aliases = sample.fields();
    let mut issues = Vec::new();
    for found in reads.captures_iter(code) {
        let (part, name) = (&found[1], &found[2]);
        let names: Vec<&str> = match part {
            "data" => DATA_OF_EVENTS.to_vec(),
            _ => aliases.keys().copied().collect(),
        };
        if !names.contains(&name) {
            let message = format!("event.{part} has no field '{name}' in events of the type {}: it has {}", known.name, names.join(", "));
            issues.push(at(code, found.get(2).map_or(0, |name| name.start()), "warning", "unknown-field", message));
        }
    }
    issues
}

/// `event.data.nmae`, where it is known what there can be.
fn unknown_fields(code: &str, params: &LintParams) -> Vec<Issue> {
    static DATA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bevent\s*\??\.\s*data\s*\??\.\s*(\w+)").ok());
    let Some(reads) = &*DATA else { return Vec::new() };
    let Some(known) = params.script_input_schema.as_ref().and_then(properties) else { return Vec::new() };
    let mut issues = Vec::new();
    for found in reads.captures_iter(code) {
        if known.contains(&found[1]) {
            continue;
        }
        let list = known.iter().copied().collect::<Vec<_>>().join(", ");
        let message = format!("event.data has no field '{}' by scriptInputSchema: it has {list}", &found[1]);
        issues.push(at(code, found.get(1).map_or(0, |name| name.start()), "error", "unknown-field", message));
    }
    issues
}

/// The fields that an object may have by its schema. None: any.
fn properties(schema: &Value) -> Option<BTreeSet<&str>> {
    let is_open = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    let known = schema.get("properties").and_then(Value::as_object)?;
    (!is_open && !known.is_empty()).then(|| known.keys().map(String::as_str).collect())
}

fn at(code: &str, offset: usize, severity: &'static str, rule: &'static str, message: String) -> Issue {
    let place = place(code, offset);
    Issue { severity, rule, message, line: Some(place.line), column: Some(place.column), suggestion: None }
}
