//! Who runs what is due: a process claims runs, which nobody else begins until it has ended them or itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::json;
use sqlx::FromRow;

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

/// Of runs that are due, those that have a place among their flow's are running from now on, and the others wait until one is free. One
/// statement: what is decided in between is decided there, and SQLite's thread is gone to once.
const CLAIM: &str = "UPDATE execution SET
    status = CASE WHEN may_run THEN 'running' ELSE 'waiting' END,
    worker_id = CASE WHEN may_run THEN $4 ELSE worker_id END,
    started_at = CASE WHEN may_run THEN $1 ELSE started_at END
    FROM (
        SELECT due.seq AS due_seq, COALESCE(f.status = 'active', FALSE) AND $3 >=
            ROW_NUMBER() OVER (PARTITION BY due.flow_id ORDER BY due.due_at, due.seq) +
            (SELECT COUNT(*) FROM execution running WHERE running.flow_id = due.flow_id AND running.status = 'running') AS may_run
        FROM (SELECT seq, flow_id, due_at FROM execution WHERE status = 'queued' AND due_at <= $1 ORDER BY due_at, seq LIMIT $2) due
        LEFT JOIN flow f ON f.id = due.flow_id
    ) WHERE seq = due_seq
    RETURNING *";

impl Store {
    /// Claims runs that are due, the longest waiting first. None: there are none; some may be there and have to wait for others of their flow.
    pub async fn claim_runs(&self, claim: Claim<'_>) -> Result<Option<Vec<ClaimedRun>>, sqlx::Error> {
        let is_any = "SELECT EXISTS (SELECT 1 FROM execution WHERE status = 'queued' AND due_at <= $1)";
        if !sqlx::query_scalar::<_, bool>(is_any).bind(claim.now).fetch_one(&mut *self.reader().await).await? {
            return Ok(None);
        }
        let query = sqlx::query_as(CLAIM).bind(claim.now).bind(claim.runs_max).bind(claim.per_flow_max).bind(claim.worker_id);
        let mut rows: Vec<ExecutionRow> = query.fetch_all(&mut *self.writer.lock().await).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        rows.retain(|row| row.status == "running");
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
