//! The queue: runs are put into it, ended, tried again and taken over, each in one transaction.

use std::{collections::HashSet, sync::Arc};

use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, FromRow, SqliteConnection};

use super::{ExecutionEnd, Store, group_commit::Change};

/// A run that is accepted.
#[derive(Clone, Debug, Serialize)]
pub struct NewRun {
    pub id: String,
    pub flow_id: String,
    pub trigger: &'static str,
    /// JSON.
    pub input: String,
    pub due_at: i64,
    pub chain: i64,
    /// The tick that it is for.
    pub tick_at: Option<i64>,
}

/// An event, with the runs that it starts.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub source: String,
    pub id: String,
    pub runs: Vec<NewRun>,
}

/// A flow whose tick is due, and what comes after it.
#[derive(Clone, Debug, Serialize)]
pub struct Tick {
    pub flow_id: String,
    /// What the flow was due for when it was read: if that has changed since, somebody else was faster.
    pub due_at: i64,
    /// None: it was missed, and is left out.
    #[serde(skip)]
    pub run: Option<NewRun>,
    pub next_tick_at: Option<i64>,
    pub next_due_at: Option<i64>,
}

/// What becomes of a run that has ended, or has not yet.
#[derive(Clone, Debug)]
pub enum Verdict {
    Over,
    /// It is tried again then; `counts`: it was tried at all.
    Again {
        due_at: i64,
        counts: bool,
    },
    /// It is over, and so is its flow.
    Complete {
        notice: NoticeRow,
    },
    /// It is over, and its flow runs no more until somebody says so.
    Pause {
        reason: String,
        notice: NoticeRow,
    },
}

/// The end of a run of a flow, with what it starts in turn.
#[derive(Debug)]
pub struct RunEnd {
    pub flow_id: String,
    pub end: ExecutionEnd,
    pub verdict: Verdict,
    pub starts: Vec<NewRun>,
}

impl RunEnd {
    /// Something else is to be written with it.
    pub(super) fn has_more(&self) -> bool {
        !matches!(self.verdict, Verdict::Over) || !self.starts.is_empty()
    }

    pub(super) fn is_tried_again(&self) -> bool {
        matches!(self.verdict, Verdict::Again { .. })
    }
}

/// What an account is to know.
#[derive(Clone, Debug, FromRow)]
pub struct NoticeRow {
    pub id: String,
    pub account_id: String,
    pub kind: String,
    pub message: String,
    pub details: String,
    pub created_at: i64,
    pub read_at: Option<i64>,
    pub webhook_url: Option<String>,
    pub webhook_due_at: Option<i64>,
    pub webhook_tries: i64,
}

/// A run whose flow is not there any more, or is not active, is not made.
const INSERT_RUNS: &str = "INSERT INTO execution
    (id, account_id, script_id, flow_id, trigger, status, input, created_at, due_at, tick_at, chain)
    SELECT r.value ->> 'id', f.owner_id, f.script_id, f.id, r.value ->> 'trigger', 'queued', r.value ->> 'input', $2,
        r.value ->> 'due_at', r.value ->> 'tick_at', r.value ->> 'chain'
    FROM json_each($1) r JOIN flow f ON f.id = r.value ->> 'flow_id' WHERE f.status = 'active'";

async fn insert_runs(connection: &mut SqliteConnection, runs: &[&NewRun], now: i64) -> Result<u64, sqlx::Error> {
    if runs.is_empty() {
        return Ok(0);
    }
    // Texts and numbers always serialize.
    let json = serde_json::to_string(runs).unwrap_or_default();
    let inserted = sqlx::query(INSERT_RUNS).bind(json).bind(now).execute(connection).await?;
    Ok(inserted.rows_affected())
}

impl Store {
    /// Takes events of an account with the runs that they start: all, or none. Which of them were new; the others start nothing again.
    pub async fn insert_events(&self, account_id: &str, events: &[NewEvent], now: i64) -> Result<Vec<bool>, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "INSERT INTO event (account_id, source, id, received_at) SELECT $1, e.value ->> 'source', e.value ->> 'id', $3
            FROM json_each($2) e WHERE true ON CONFLICT DO NOTHING RETURNING source, id";
        let named: Vec<_> = events.iter().map(|NewEvent { source, id, .. }| json!({ "source": source, "id": id })).collect();
        let inserted = sqlx::query_as(query).bind(account_id).bind(json!(named).to_string()).bind(now).fetch_all(&mut *change).await?;
        let mut inserted: HashSet<(String, String)> = inserted.into_iter().collect();
        // Of two that are the same, the first is the new one.
        let are_new: Vec<bool> = events.iter().map(|event| inserted.remove(&(event.source.clone(), event.id.clone()))).collect();
        let runs = events.iter().zip(&are_new).filter(|(_, is_new)| **is_new).flat_map(|(event, _)| &event.runs);
        insert_runs(&mut change, &runs.collect::<Vec<_>>(), now).await?;
        change.commit().await?;
        Ok(are_new)
    }

    /// Puts the runs of ticks into the queue, and says when each flow is due next. A tick that somebody else was faster with is left alone.
    pub async fn take_ticks(&self, ticks: &[Tick], now: i64) -> Result<u64, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE flow SET next_tick_at = tick.value ->> 'next_tick_at', next_due_at = tick.value ->> 'next_due_at'
            FROM json_each($1) tick
            WHERE flow.id = tick.value ->> 'flow_id' AND flow.next_due_at = tick.value ->> 'due_at' AND flow.status = 'active'
            RETURNING flow.id";
        // Numbers and texts always serialize.
        let json = serde_json::to_string(ticks).unwrap_or_default();
        let flow_ids: HashSet<String> = sqlx::query_scalar(query).bind(json).fetch_all(&mut *change).await?.into_iter().collect();
        let runs = ticks.iter().filter(|tick| flow_ids.contains(&tick.flow_id)).filter_map(|tick| tick.run.as_ref());
        let taken = insert_runs(&mut change, &runs.collect::<Vec<_>>(), now).await?;
        change.commit().await?;
        Ok(taken)
    }

    /// Ends a run of a flow, or puts it back. False: somebody else has taken it over.
    pub async fn end_run(&self, end: Arc<RunEnd>) -> Result<bool, sqlx::Error> {
        self.write(Change::EndOfFlow(end)).await
    }

    /// Processes that runs are said to be with.
    pub async fn workers(&self) -> Result<Vec<String>, sqlx::Error> {
        let query = "SELECT DISTINCT worker_id FROM execution WHERE status = 'running' AND worker_id IS NOT NULL";
        sqlx::query_scalar(query).fetch_all(&mut *self.reader().await).await
    }

    /// What a process had begun and nobody goes on with: runs of flows are tried again, as many times as any that fails, and whoever
    /// had asked for another one is not there any more.
    pub async fn take_over(&self, worker_id: &str, tries_max: i64, error: &str, now: i64) -> Result<u64, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE execution SET status = 'queued', attempt = attempt + 1, due_at = $2, worker_id = NULL, started_at = NULL
            WHERE worker_id = $1 AND status = 'running' AND flow_id IS NOT NULL AND trigger <> 'manual' AND attempt < $3";
        let again = sqlx::query(query).bind(worker_id).bind(now).bind(tries_max).execute(&mut *change).await?;
        let query =
            "UPDATE execution SET status = 'failed', error = $2, ended_at = $3, logs = '[]' WHERE worker_id = $1 AND status = 'running'";
        let failed = sqlx::query(query).bind(worker_id).bind(error).bind(now).execute(&mut *change).await?;
        change.commit().await?;
        Ok(again.rows_affected() + failed.rows_affected())
    }

    /// The newest first.
    pub async fn notices(&self, account_id: &str, limit: u64, offset: u64) -> Result<Vec<NoticeRow>, sqlx::Error> {
        let query = "SELECT * FROM notification WHERE account_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";
        let query = sqlx::query_as(query).bind(account_id).bind(limit as i64).bind(offset as i64);
        query.fetch_all(&mut *self.reader().await).await
    }

    /// Those that are named, or all. How many were not read before.
    pub async fn mark_notices_read(&self, account_id: &str, ids: Option<&[String]>, now: i64) -> Result<u64, sqlx::Error> {
        let query = "UPDATE notification SET read_at = $3 WHERE account_id = $1 AND read_at IS NULL
            AND ($2 IS NULL OR id IN (SELECT value FROM json_each($2)))";
        let ids = ids.and_then(|ids| serde_json::to_string(ids).ok());
        let query = sqlx::query(query).bind(account_id).bind(ids).bind(now);
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected())
    }

    /// What is to be sent now.
    pub async fn due_notices(&self, now: i64, limit: u64) -> Result<Vec<NoticeRow>, sqlx::Error> {
        let query = "SELECT * FROM notification WHERE webhook_due_at <= $1 ORDER BY webhook_due_at LIMIT $2";
        sqlx::query_as(query).bind(now).bind(limit as i64).fetch_all(&mut *self.reader().await).await
    }

    /// It was sent, or will be tried again then.
    pub async fn notice_sent(&self, id: &str, due_at: Option<i64>) -> Result<(), sqlx::Error> {
        let query = "UPDATE notification SET webhook_due_at = $2, webhook_tries = webhook_tries + 1 WHERE id = $1";
        sqlx::query(query).bind(id).bind(due_at).execute(&mut *self.writer.lock().await).await.map(drop)
    }
}

/// All that comes with the ends of runs of flows, where these were still running. Which of them are put back.
pub(super) async fn after_ends(
    connection: &mut SqliteConnection,
    ends: &[&RunEnd],
    ended: &HashSet<String>,
) -> Result<Vec<String>, sqlx::Error> {
    let (mut again, mut starts) = (Vec::new(), Vec::new());
    let mut now = 0;
    for RunEnd { flow_id, end, verdict, starts: started } in ends {
        if let Verdict::Again { due_at, counts } = verdict {
            if put_back(connection, end, *due_at, *counts).await? {
                again.push(end.id.clone());
            }
            continue;
        }
        if !ended.contains(&end.id) {
            continue;
        }
        match verdict {
            Verdict::Complete { notice } => {
                sqlx::query("UPDATE flow SET status = 'completed' WHERE id = $1").bind(flow_id).execute(&mut *connection).await?;
                insert_notice(connection, notice).await?;
            }
            Verdict::Pause { reason, notice } => {
                pause(connection, flow_id, end.ended_at, reason).await?;
                insert_notice(connection, notice).await?;
            }
            Verdict::Over | Verdict::Again { .. } => {}
        }
        starts.extend(started);
        now = now.max(end.ended_at);
    }
    insert_runs(connection, &starts, now).await?;
    Ok(again)
}

async fn pause(connection: &mut SqliteConnection, flow_id: &str, now: i64, reason: &str) -> Result<(), sqlx::Error> {
    let query = "UPDATE flow SET status = 'paused', paused_at = $2, pause_reason = $3, next_tick_at = NULL, next_due_at = NULL
        WHERE id = $1 AND status = 'active'";
    sqlx::query(query).bind(flow_id).bind(now).bind(reason).execute(connection).await.map(drop)
}

async fn put_back(connection: &mut SqliteConnection, end: &ExecutionEnd, due_at: i64, counts: bool) -> Result<bool, sqlx::Error> {
    let query = "UPDATE execution SET status = 'queued', attempt = attempt + $6, due_at = $2, worker_id = NULL, error = $3, logs = $4,
        cost_picodollars = cost_picodollars + $5 WHERE id = $1 AND status = 'running'";
    let query = sqlx::query(query).bind(&end.id).bind(due_at).bind(&end.error).bind(&end.logs).bind(end.cost_picodollars).bind(counts);
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

async fn insert_notice(connection: &mut SqliteConnection, notice: &NoticeRow) -> Result<(), sqlx::Error> {
    let query = "INSERT INTO notification (id, account_id, kind, message, details, created_at, webhook_url, webhook_due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(query)
        .bind(&notice.id)
        .bind(&notice.account_id)
        .bind(&notice.kind)
        .bind(&notice.message)
        .bind(&notice.details)
        .bind(notice.created_at)
        .bind(&notice.webhook_url)
        .bind(notice.webhook_due_at)
        .execute(connection)
        .await
        .map(drop)
}
