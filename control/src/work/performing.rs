//! One run of a flow: what it is given, who does it, and what becomes of it.

use std::sync::Arc;

use mirra_host_sdk::{Budget, ErrorCode, InvocationError, Json, LogEntry, Outcome, Trigger, Usage, Usd};
use mirra_triggers::Event;
use serde_json::{Map, Value, json};

use super::{
    TROUBLE_PAUSE,
    retry::{self, Next},
};
use crate::{
    ApiError, Caller, Control, Means,
    dispatch::Run,
    event::{Handed, handed, runs_of},
    flow::{self, batch::BATCH},
    id,
    means::Purse,
    script,
    store::{ClaimedRun, ExecutionEnd, ExecutionRow, FlowRow, NewRun, NoticeRow, RunEnd, Runnable, Verdict},
    time,
};

/// What a run came to.
pub struct Performed {
    pub result: Result<Json, InvocationError>,
    pub logs: Vec<LogEntry>,
    pub usage: Usage,
    pub version_id: Option<String>,
}

impl Performed {
    /// What is paid for it besides what it used.
    pub fn with_surcharge(mut self, surcharge: Usd) -> Performed {
        self.usage.cost_usd = self.usage.cost_usd + surcharge;
        self
    }

    /// The host has failed it.
    pub fn failed(error: &ApiError) -> Performed {
        Performed::refused(InvocationError::new(error.code, error.message.clone()))
    }

    fn refused(error: InvocationError) -> Performed {
        Performed { result: Err(error), logs: Vec::new(), usage: Usage::default(), version_id: None }
    }
}

impl From<Outcome> for Performed {
    fn from(outcome: Outcome) -> Performed {
        let Outcome { result, logs, usage, .. } = outcome;
        Performed { result, logs, usage, version_id: None }
    }
}

impl Control {
    /// Tries a run that was claimed, and says in the store what came of it.
    pub(super) async fn perform_run(self: &Arc<Control>, claimed: ClaimedRun) {
        if let Err(error) = self.try_run(&claimed).await {
            // It stays claimed; when this process has ended, another one takes it over.
            let id = claimed.row.id;
            tracing::error!(run = id, cause = error.cause.as_ref().map(ToString::to_string), "a run could not be ended: {error}");
        }
    }

    async fn try_run(self: &Arc<Control>, claimed: &ClaimedRun) -> Result<(), ApiError> {
        let ClaimedRun { row, flow, .. } = claimed;
        let store = &self.opened().await?.store;
        let refusal = self.over_limit(claimed).await?;
        let is_over_limit = refusal.is_some();
        let performed = match refusal {
            Some(refusal) => Performed::refused(refusal),
            None => {
                let event: Option<Event> = serde_json::from_str(&row.input).ok();
                let performed = perform(self, flow, row, event.as_ref(), None).await;
                performed.unwrap_or_else(|error| {
                    tracing::error!(run = row.id, cause = error.cause.as_ref().map(ToString::to_string), "a run failed: {error}");
                    Performed::failed(&error)
                })
            }
        };
        let error = performed.result.as_ref().err();
        // Nothing would be better in an hour, and it is no failure of the handler's.
        let next = if is_over_limit { Next::Over } else { retry::next(error.map(|error| error.code), row.attempt) };
        let mut end = end_of(row, &performed, self.now());
        if row.trigger == "cron" {
            let tick_usd = i64::try_from(self.config().flow_tick_usd.picodollars()).unwrap_or(i64::MAX);
            end.cost_picodollars = end.cost_picodollars.saturating_add(tick_usd);
        }
        let verdict = match next {
            Next::Over if flow.execution_type == BATCH && flow::batch::next(flow, row, 0).is_none() => {
                Verdict::Complete { notice: self.notice("flow.completed", format!("\"{}\" is done", flow.title), flow, row, error)? }
            }
            Next::Over => Verdict::Over,
            Next::Again { wait_ms, counts } => Verdict::Again { due_at: end.ended_at + wait_ms, counts },
            Next::Pause => Verdict::Pause { reason: reason(error), notice: self.paused_notice(flow, row, error)? },
        };
        let starts = self.starts(flow, row, &performed, &end, &verdict).await?;
        let is_paused = matches!(verdict, Verdict::Pause { .. });
        let end = Arc::new(RunEnd { flow_id: flow.id.clone(), end, verdict, starts });
        // It has happened, and will be said as soon as it can be.
        while let Err(error) = store.end_run(end.clone()).await {
            tracing::error!(run = row.id, "the end of a run cannot be written yet: {error}");
            tokio::time::sleep(TROUBLE_PAUSE).await;
        }
        if is_paused {
            self.matcher().is_stale();
        }
        Ok(())
    }

    /// Why a run may not begin today.
    async fn over_limit(&self, claimed: &ClaimedRun) -> Result<Option<InvocationError>, ApiError> {
        let ClaimedRun { row, flow, used_today: used } = claimed;
        let (config, limits) = (flow::Config::kept(&flow.config), &self.config().limits);
        let per_day = config.max_executions_per_day.unwrap_or(limits.executions_per_flow_per_day.get());
        if used.executions > i64::from(per_day) {
            let message = format!("Daily limit: the flow has run {per_day} times today, as often as it may");
            return Ok(Some(InvocationError::new(ErrorCode::RateLimited, message)));
        }
        if let Some(max) = config.max_cost_per_day.filter(|max| used.cost() >= *max) {
            let message = format!("Daily limit: the flow has cost {} USD today, and may cost {max}", used.cost());
            return Ok(Some(InvocationError::new(ErrorCode::CostLimit, message)));
        }
        if let Some(max) = limits.cost_usd_per_user_per_day {
            let day = row.started_at.unwrap_or(self.now()) / time::DAY_MS;
            let used = self.opened().await?.store.used_on(&flow.owner_id, day).await?;
            if used.cost() >= max {
                let message = format!("Daily limit: the account has spent {} USD today, and may spend {max}", used.cost());
                return Ok(Some(InvocationError::new(ErrorCode::CostLimit, message)));
            }
        }
        Ok(None)
    }

    fn paused_notice(&self, flow: &FlowRow, row: &ExecutionRow, error: Option<&InvocationError>) -> Result<NoticeRow, ApiError> {
        let message = format!("The flow \"{}\" was paused: {}", flow.title, reason(error));
        self.notice("flow.paused", message, flow, row, error)
    }

    fn notice(
        &self,
        kind: &str,
        message: String,
        flow: &FlowRow,
        row: &ExecutionRow,
        error: Option<&InvocationError>,
    ) -> Result<NoticeRow, ApiError> {
        let now = self.now();
        let webhook_url = flow::Config::kept(&flow.config).notify_url;
        Ok(NoticeRow {
            id: id::new("note")?,
            account_id: flow.owner_id.clone(),
            kind: kind.to_owned(),
            message,
            details: json!({ "flowId": flow.id, "executionId": row.id, "error": error }).to_string(),
            created_at: now,
            read_at: None,
            webhook_due_at: webhook_url.as_ref().map(|_| now),
            webhook_url,
            webhook_tries: 0,
        })
    }

    /// Runs of other flows that wait for this one: that it has come to its end, that it was paused.
    async fn starts(
        &self,
        flow: &FlowRow,
        row: &ExecutionRow,
        performed: &Performed,
        end: &ExecutionEnd,
        verdict: &Verdict,
    ) -> Result<Vec<NewRun>, ApiError> {
        if matches!(verdict, Verdict::Again { .. }) {
            return Ok(Vec::new());
        }
        let store = &self.opened().await?.store;
        let matcher = self.matcher();
        matcher.follow(store).await?;
        let mut told = Vec::new();
        // For most nobody does, and these are not few.
        if matcher.is_waiting(store, &flow.owner_id, "flow.complete").await? {
            told.push(completed(flow, row, performed));
        }
        if let Verdict::Pause { reason, .. } = verdict {
            let paused = json!({ "id": flow.id, "flowId": flow.id, "title": flow.title, "flowTitle": flow.title, "reason": reason });
            told.push(json!({ "id": format!("paused-{}", row.id), "type": "flow.paused", "flow": paused }));
        }
        let mut starts = Vec::new();
        if flow.execution_type == BATCH {
            starts.extend(flow::batch::next(flow, row, end.ended_at));
        }
        for json in told {
            let Ok(mut event) = Event::read(json, end.ended_at, String::new) else { continue };
            event.set_user_id(&flow.owner_id);
            starts.extend(runs_of(self, &flow.owner_id, &event, Some(&flow.id), row.chain + 1).await?);
        }
        Ok(starts)
    }
}

/// What others are told of a run that has come to its end.
fn completed(flow: &FlowRow, row: &ExecutionRow, performed: &Performed) -> Value {
    let error = performed.result.as_ref().err();
    json!({
        "id": format!("complete-{}", row.id),
        "type": "flow.complete",
        "flow": {
            "id": flow.id,
            "flowId": flow.id,
            "title": flow.title,
            "flowTitle": flow.title,
            "type": "user",
            "flowType": "user",
            "scriptId": flow.script_id,
            "executionId": row.id,
            "durationMs": script::milliseconds(performed.usage.wall_us),
            "success": error.is_none(),
            "errorMessage": error.map(|error| &error.message),
            "triggeredBy": { "type": row.trigger },
        },
    })
}

fn reason(error: Option<&InvocationError>) -> String {
    error.map_or_else(String::new, |error| format!("{}: {}", error.code, error.message))
}

/// Does what a flow does, once. An error means that it could not even fail.
pub async fn perform(
    control: &Arc<Control>,
    flow: &FlowRow,
    row: &ExecutionRow,
    event: Option<&Event>,
    input: Option<&Map<String, Value>>,
) -> Result<Performed, ApiError> {
    let performed = match (&*flow.execution_type, &flow.script_id, &flow.prompt) {
        (BATCH, ..) => do_batch(control, flow, row).await,
        ("llm", _, Some(prompt)) => ask(control, flow, row, event, input, prompt).await,
        (_, Some(script_id), _) => run_script(control, flow, row, event, input, script_id).await,
        _ => return Ok(Performed::refused(InvocationError::new(ErrorCode::NotFound, "the flow has neither a script nor a prompt"))),
    };
    let mut performed = match performed {
        Ok(performed) => performed,
        Err(error) if error.code == ErrorCode::InternalError && error.cause.is_some() => return Err(error),
        Err(error) => Performed::refused(InvocationError::new(error.code, error.message)),
    };
    if let Some(failure) = performed.result.as_ref().ok().and_then(retry::failure_in) {
        performed.result = Err(failure);
    }
    Ok(performed)
}

async fn run_script(
    control: &Arc<Control>,
    flow: &FlowRow,
    row: &ExecutionRow,
    event: Option<&Event>,
    input: Option<&Map<String, Value>>,
    script_id: &str,
) -> Result<Performed, ApiError> {
    let found = control.opened().await?.store.runnable(script_id).await?;
    let found = found.filter(|found| found.script.owner_id == flow.owner_id);
    let Some(Runnable { script, version }) = found else {
        return Err(ApiError::new(ErrorCode::NotFound, format!("the script {script_id} of this flow was deleted")));
    };
    let version =
        version.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("the script {script_id} of this flow is not deployed")))?;
    let config = script::config_of(&script)?;
    let mut limits = config.limits()?;
    if let Some(max) = flow::Config::kept(&flow.config).max_cost_per_execution {
        limits.cost_usd_max = limits.cost_usd_max.min(max);
    }
    let surcharge = script::surcharge(&control.opened().await?.store, &script, control.now()).await?;
    limits.cost_usd_max = limits.cost_usd_max.saturating_sub(surcharge);
    let given = handed(&Handed { flow, row, event, input, budget: limits.cost_usd_max })?;
    let version_id = Some(version.id.clone());
    let run = Run {
        execution_id: row.id.clone(),
        account_id: flow.owner_id.clone(),
        version,
        config,
        trigger: match &*row.trigger {
            "cron" => Trigger::Cron,
            "event" => Trigger::Event,
            "webhook" => Trigger::Webhook,
            _ => Trigger::Manual,
        },
        event: given,
        limits,
        depth: 0,
        log_sink: None,
    };
    Ok(Performed { version_id, ..Performed::from(control.run(run).await?).with_surcharge(surcharge) })
}

async fn do_batch(control: &Arc<Control>, flow: &FlowRow, row: &ExecutionRow) -> Result<Performed, ApiError> {
    let budget = script::Config::default().max_cost_per_execution;
    let purse = Arc::new(Purse::new(budget));
    let began = std::time::Instant::now();
    let result = flow::batch::perform(control, flow, row, &purse).await?;
    let wall_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let usage = Usage { wall_us, cost_usd: budget.saturating_sub(purse.left()), ..Usage::default() };
    Ok(Performed { result: Ok(result), logs: Vec::new(), usage, version_id: None })
}

/// The prompt, with what has happened, to an agent that may all that the account may.
async fn ask(
    control: &Arc<Control>,
    flow: &FlowRow,
    row: &ExecutionRow,
    event: Option<&Event>,
    input: Option<&Map<String, Value>>,
    prompt: &str,
) -> Result<Performed, ApiError> {
    let budget = flow::Config::kept(&flow.config).max_cost_per_execution.unwrap_or(script::Config::default().max_cost_per_execution);
    let given = handed(&Handed { flow, row, event, input, budget })?;
    let given: Value = serde_json::from_str(given.get()).unwrap_or_default();
    let tools: Vec<String> = serde_json::from_str(&flow.recommended_tools).unwrap_or_default();
    let preferred = if tools.is_empty() { String::new() } else { format!(" Prefer these tools: {}.", tools.join(", ")) };
    let system = format!("You carry out the flow \"{}\" of a user, who is not there to answer questions.{preferred}", flow.title);
    let content = format!("{prompt}\n\nWhat it runs for, as JSON:\n{}", given["data"]);
    let params = json!({ "systemPrompt": system, "messages": [{ "role": "user", "content": content }] });
    let params = serde_json::value::to_raw_value(&params).map_err(|error| ApiError::internal("a prompt cannot be written", error))?;
    let purse = Arc::new(Purse::new(budget));
    let caller = Caller::account(control.account(&flow.owner_id).await?);
    let began = std::time::Instant::now();
    let answer = control.call(&caller, "ai", "agent", &params, Means::of_flow(purse.clone())).await;
    let spent = budget.saturating_sub(purse.left());
    let wall_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let usage = Usage { wall_us, cost_usd: spent, ..Usage::default() };
    let result = match answer {
        Ok(answer) => Ok(answer.data),
        Err(error) if error.cause.is_some() => return Err(error),
        Err(error) => Err(InvocationError::new(error.code, error.message)),
    };
    Ok(Performed { result, logs: Vec::new(), usage, version_id: None })
}

/// Writes down how a run ended that somebody waits for. Where it cannot be written, they are told so, and it is as soon as it can be: it has
/// happened.
pub async fn write_end(control: &Arc<Control>, row: &ExecutionRow, performed: &Performed) -> Result<(), ApiError> {
    let ended_at = control.now();
    let written = control.opened().await?.store.end_execution(end_of(row, performed, ended_at)).await;
    let Err(error) = written else { return Ok(()) };
    let (control, end) = (control.clone(), end_of(row, performed, ended_at));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TROUBLE_PAUSE).await;
            match control.opened().await {
                Ok(opened) if opened.store.end_execution(end.clone()).await.is_err() => {}
                Ok(_) | Err(_) => return,
            }
        }
    });
    Err(error.into())
}

/// As it is kept.
fn end_of(row: &ExecutionRow, performed: &Performed, ended_at: i64) -> ExecutionEnd {
    let Performed { result, logs, usage, version_id } = performed;
    ExecutionEnd {
        id: row.id.clone(),
        status: script::status(result),
        ended_at,
        output: result.as_ref().ok().map(|output| output.get().to_owned()),
        error: result.as_ref().err().and_then(|error| serde_json::to_string(error).ok()),
        logs: serde_json::to_string(logs).unwrap_or_default(),
        duration_us: usage.wall_us.try_into().unwrap_or(i64::MAX),
        memory_bytes: usage.memory_bytes_peak.try_into().unwrap_or(i64::MAX),
        cost_picodollars: usage.cost_usd.picodollars().try_into().unwrap_or(i64::MAX),
        version_id: version_id.clone(),
    }
}
