//! Who runs what is due: a process claims runs, which nobody else begins until it has ended them or itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::json;
use sqlx::{Connection, FromRow};

use super::{ExecutionRow, FlowRow, Store, Used};
use crate::time::DAY_MS;

/// How many runs may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub worker_id: &'a str,
    pub now: i64,
    pub runs_max: u32,
    pub per_flow_max: i64,
}

/// A run that is this process's to do.
#[derive(Clone, Debug)]
pub struct ClaimedRun {
    pub row: ExecutionRow,
    pub flow: Arc<FlowRow>,
    /// By the flow, up to this run and with it.
    pub used_today: Used,
}

#[derive(FromRow)]
struct UsedBy {
    subject_id: String,
    #[sqlx(flatten)]
    used: Used,
}

impl Store {
    /// Claims runs that are due, the longest waiting first. None: there are none; some may be there and have to wait for others of their flow.
    pub async fn claim_runs(&self, claim: Claim<'_>) -> Result<Option<Vec<ClaimedRun>>, sqlx::Error> {
        let is_any = "SELECT EXISTS (SELECT 1 FROM execution WHERE status = 'queued' AND due_at <= $1)";
        if !sqlx::query_scalar::<_, bool>(is_any).bind(claim.now).fetch_one(&mut *self.reader().await).await? {
            return Ok(None);
        }
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "SELECT e.seq, e.flow_id, f.status FROM execution e LEFT JOIN flow f ON f.id = e.flow_id
            WHERE e.status = 'queued' AND e.due_at <= $1 ORDER BY e.due_at, e.seq LIMIT $2";
        let due: Vec<(i64, String, Option<String>)> =
            sqlx::query_as(query).bind(claim.now).bind(claim.runs_max).fetch_all(&mut *change).await?;
        if due.is_empty() {
            return Ok(None);
        }
        let query = "SELECT flow_id, COUNT(*) FROM execution WHERE status = 'running' AND flow_id IS NOT NULL GROUP BY flow_id";
        let mut running: HashMap<String, i64> = sqlx::query_as(query).fetch_all(&mut *change).await?.into_iter().collect();
        let (mut claimed, mut waiting) = (Vec::new(), Vec::new());
        for (seq, flow_id, status) in due {
            let count = running.entry(flow_id).or_default();
            if *count < claim.per_flow_max && status.as_deref() == Some("active") {
                *count += 1;
                claimed.push(seq);
            } else {
                waiting.push(seq);
            }
        }
        let json = |seqs: &[i64]| serde_json::to_string(seqs).unwrap_or_default();
        if !waiting.is_empty() {
            let query = "UPDATE execution SET status = 'waiting' WHERE seq IN (SELECT value FROM json_each($1))";
            sqlx::query(query).bind(json(&waiting)).execute(&mut *change).await?;
        }
        let query =
            "UPDATE execution SET status = 'running', worker_id = $2, started_at = $3 WHERE seq IN (SELECT value FROM json_each($1))
            RETURNING *";
        let rows = sqlx::query_as(query).bind(json(&claimed)).bind(claim.worker_id).bind(claim.now).fetch_all(&mut *change).await?;
        change.commit().await?;
        drop(writer);
        self.with_flows(rows, claim.now / DAY_MS).await.map(Some)
    }

    async fn with_flows(&self, mut rows: Vec<ExecutionRow>, day: i64) -> Result<Vec<ClaimedRun>, sqlx::Error> {
        let ids: HashSet<&str> = rows.iter().filter_map(|row| row.flow_id.as_deref()).collect();
        let ids = json!(ids).to_string();
        let mut reader = self.reader().await;
        let query = "SELECT * FROM flow WHERE id IN (SELECT value FROM json_each($1))";
        let flows: Vec<FlowRow> = sqlx::query_as(query).bind(&ids).fetch_all(&mut *reader).await?;
        let query = "SELECT * FROM day_usage WHERE subject_id IN (SELECT value FROM json_each($1)) AND day = $2";
        let used: Vec<UsedBy> = sqlx::query_as(query).bind(&ids).bind(day).fetch_all(&mut *reader).await?;
        drop(reader);
        let flows: HashMap<_, _> = flows.into_iter().map(|flow| (flow.id.clone(), Arc::new(flow))).collect();
        let mut used: HashMap<_, _> = used.into_iter().map(|used| (used.subject_id, used.used)).collect();
        // From the last one on, each has begun one fewer than the next.
        rows.sort_by_key(|row| (row.due_at, row.seq));
        let claimed = rows.into_iter().rev().filter_map(|row| {
            // Deleted since, and its runs with it.
            let flow = flows.get(row.flow_id.as_deref()?)?.clone();
            let used = used.entry(flow.id.clone()).or_default();
            let used_today = *used;
            used.executions -= 1;
            Some(ClaimedRun { row, flow, used_today })
        });
        let mut claimed: Vec<_> = claimed.collect();
        claimed.reverse();
        Ok(claimed)
    }
}
