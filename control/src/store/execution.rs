use mirra_host_sdk::Usd;
use sqlx::{FromRow, QueryBuilder, Sqlite};

use super::{Store, group_commit::Change};

/// A run, from when it is accepted until it is forgotten.
#[derive(Clone, Debug, Default, FromRow)]
pub struct ExecutionRow {
    pub seq: i64,
    pub id: String,
    pub account_id: String,
    pub script_id: Option<String>,
    pub version_id: Option<String>,
    pub flow_id: Option<String>,
    pub trigger: String,
    pub status: String,
    pub input: String,
    pub created_at: i64,
    pub due_at: Option<i64>,
    pub attempt: i64,
    pub tick_at: Option<i64>,
    pub chain: i64,
    pub worker_id: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub output: Option<String>,
    pub error: Option<String>,
    pub logs: Option<String>,
    pub duration_us: i64,
    pub memory_bytes: i64,
    pub cost_picodollars: i64,
}

/// How a run came to its end.
#[derive(Clone, Debug)]
pub struct ExecutionEnd {
    pub id: String,
    /// completed, failed, timeout
    pub status: &'static str,
    pub ended_at: i64,
    pub output: Option<String>,
    pub error: Option<String>,
    pub logs: String,
    pub duration_us: i64,
    pub memory_bytes: i64,
    pub cost_picodollars: i64,
    /// Which version ran, where that was not known before.
    pub version_id: Option<String>,
}

/// Which runs of a script.
#[derive(Clone, Debug, Default)]
pub struct Executions {
    pub script_id: String,
    pub status: Option<&'static str>,
    /// Milliseconds since 1970, both included.
    pub from: Option<i64>,
    pub until: Option<i64>,
}

impl Executions {
    fn filter(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push(" FROM execution WHERE script_id = ").push_bind(self.script_id.clone());
        if let Some(from) = self.from {
            query.push(" AND created_at >= ").push_bind(from);
        }
        if let Some(until) = self.until {
            query.push(" AND created_at <= ").push_bind(until);
        }
        if let Some(status) = self.status {
            query.push(" AND status = ").push_bind(status);
            // In the words of the index that has only these.
            query.push(match status {
                "failed" | "timeout" => " AND status IN ('failed', 'timeout')",
                "completed" => "",
                _ => " AND ended_at IS NULL",
            });
        }
    }

    /// How many there are, at whatever time: what has ended is counted when it ends.
    fn kept(&self) -> QueryBuilder<Sqlite> {
        let status = |query: &mut QueryBuilder<Sqlite>| {
            if let Some(status) = self.status {
                query.push(" AND status = ").push_bind(status);
            }
        };
        let mut query = QueryBuilder::new("SELECT COALESCE((SELECT SUM(runs) FROM ended_count WHERE script_id = ");
        query.push_bind(self.script_id.clone());
        status(&mut query);
        query.push("), 0) + (SELECT COUNT(*) FROM execution WHERE ended_at IS NULL AND script_id = ").push_bind(self.script_id.clone());
        status(&mut query);
        query.push(")");
        query
    }
}

/// All that a script, a flow or an account has used.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct Used {
    pub executions: i64,
    pub ended: i64,
    pub succeeded: i64,
    pub duration_us: i64,
    pub cost_picodollars: i64,
    pub last_at: i64,
}

pub(super) const USED: &str = "SELECT COALESCE(SUM(executions), 0) AS executions, COALESCE(SUM(ended), 0) AS ended,
    COALESCE(SUM(succeeded), 0) AS succeeded, COALESCE(SUM(duration_us), 0) AS duration_us,
    COALESCE(SUM(cost_picodollars), 0) AS cost_picodollars, COALESCE(MAX(last_at), 0) AS last_at
    FROM day_usage WHERE subject_id = $1";

impl Used {
    pub fn cost(&self) -> Usd {
        Usd::from_picodollars(self.cost_picodollars.unsigned_abs())
    }

    /// Of those that have ended, in milliseconds.
    pub fn average_ms(&self) -> f64 {
        if self.ended == 0 { 0.0 } else { (self.duration_us as f64 / self.ended as f64).round() / 1000.0 }
    }

    /// 0 to 1.
    pub fn success_rate(&self) -> f64 {
        if self.ended == 0 { 0.0 } else { self.succeeded as f64 / self.ended as f64 }
    }

    /// 0 to 1.
    pub fn error_rate(&self) -> f64 {
        if self.ended == 0 { 0.0 } else { (self.ended - self.succeeded) as f64 / self.ended as f64 }
    }
}

impl Store {
    /// A run that begins at once. False: its script has begun as many today as it may, or there is a run with that id.
    pub async fn begin_execution(&self, row: ExecutionRow, per_day_max: i64) -> Result<bool, sqlx::Error> {
        self.write(Change::Begin(Box::new(row), per_day_max)).await
    }

    /// False: it has ended before, or somebody has taken it over.
    pub async fn end_execution(&self, end: ExecutionEnd) -> Result<bool, sqlx::Error> {
        self.write(Change::End(end)).await
    }

    pub async fn execution(&self, id: &str) -> Result<Option<ExecutionRow>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM execution WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    /// The newest first; how many there are.
    pub async fn executions(&self, wanted: &Executions, limit: u64, offset: u64) -> Result<(Vec<ExecutionRow>, u64), sqlx::Error> {
        let mut reader = self.reader().await;
        let total = match wanted {
            Executions { from: None, until: None, .. } => wanted.kept().build_query_scalar().fetch_one(&mut *reader).await?,
            _ => {
                let mut query = QueryBuilder::new("SELECT COUNT(*)");
                wanted.filter(&mut query);
                query.build_query_scalar::<i64>().fetch_one(&mut *reader).await?
            }
        };
        let mut query = QueryBuilder::new("SELECT *");
        wanted.filter(&mut query);
        query.push(" ORDER BY created_at DESC, seq DESC LIMIT ").push_bind(limit as i64).push(" OFFSET ").push_bind(offset as i64);
        Ok((query.build_query_as().fetch_all(&mut *reader).await?, total.unsigned_abs()))
    }

    /// On one day, as a number of days since 1970.
    pub async fn used_on(&self, subject_id: &str, day: i64) -> Result<Used, sqlx::Error> {
        let query = "SELECT executions, ended, succeeded, duration_us, cost_picodollars, last_at FROM day_usage
            WHERE subject_id = $1 AND day = $2";
        let used = sqlx::query_as(query).bind(subject_id).bind(day).fetch_optional(&mut *self.reader().await).await?;
        Ok(used.unwrap_or_default())
    }

    /// What an account has spent besides runs.
    pub async fn add_cost(&self, account_id: &str, day: i64, cost: Usd) -> Result<(), sqlx::Error> {
        let query = "INSERT INTO day_usage (subject_id, day, cost_picodollars) VALUES ($1, $2, $3)
            ON CONFLICT (subject_id, day) DO UPDATE SET cost_picodollars = cost_picodollars + excluded.cost_picodollars";
        let cost = i64::try_from(cost.picodollars()).unwrap_or(i64::MAX);
        sqlx::query(query).bind(account_id).bind(day).bind(cost).execute(&mut *self.writer.lock().await).await.map(drop)
    }

    /// Ended before a time, at most so many. How many it were.
    pub async fn forget_results(&self, before: i64, max: u64) -> Result<u64, sqlx::Error> {
        let query = "DELETE FROM execution WHERE seq IN (SELECT seq FROM execution WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)";
        self.forget(query, before, max).await
    }

    /// Of runs that ended before a time.
    pub async fn forget_logs(&self, before: i64, max: u64) -> Result<u64, sqlx::Error> {
        let query = "UPDATE execution SET logs = NULL
            WHERE seq IN (SELECT seq FROM execution WHERE ended_at < $1 AND logs IS NOT NULL ORDER BY ended_at LIMIT $2)";
        self.forget(query, before, max).await
    }

    /// That were received before a time: one that comes again after that is a new one.
    pub async fn forget_events(&self, before: i64, max: u64) -> Result<u64, sqlx::Error> {
        let query = "DELETE FROM event WHERE (account_id, source, id) IN
            (SELECT account_id, source, id FROM event WHERE received_at < $1 ORDER BY received_at LIMIT $2)";
        self.forget(query, before, max).await
    }

    async fn forget(&self, query: &'static str, before: i64, max: u64) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(query).bind(before).bind(max as i64);
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected())
    }

    /// Flows of which more results are kept than so many.
    pub async fn flows_with_more_runs(&self, max: u32) -> Result<Vec<String>, sqlx::Error> {
        let query = "SELECT flow_id FROM execution WHERE flow_id IS NOT NULL GROUP BY flow_id HAVING COUNT(*) > $1";
        sqlx::query_scalar(query).bind(max).fetch_all(&mut *self.searcher.lock().await).await
    }

    /// All that have ended but the newest of a flow.
    pub async fn forget_runs(&self, flow_id: &str, kept: u32) -> Result<u64, sqlx::Error> {
        let query = "DELETE FROM execution WHERE flow_id = $1 AND ended_at IS NOT NULL AND seq <=
            (SELECT seq FROM execution WHERE flow_id = $1 AND ended_at IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET $2)";
        let query = sqlx::query(query).bind(flow_id).bind(kept);
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected())
    }

    /// Over all days.
    pub async fn used(&self, subject_id: &str) -> Result<Used, sqlx::Error> {
        sqlx::query_as(USED).bind(subject_id).fetch_one(&mut *self.reader().await).await
    }
}
