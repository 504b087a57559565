use sqlx::{Connection, FromRow, QueryBuilder, Sqlite};

use super::{ExecutionRow, Store};
use crate::time::DAY_MS;

#[derive(Clone, Debug, Default, FromRow)]
pub struct FlowRow {
    pub id: String,
    pub owner_id: String,
    pub title: String,
    pub description: String,
    pub status: String,
    pub scope: String,
    pub team_id: Option<String>,
    pub trigger_type: String,
    pub schedule: Option<String>,
    pub next_tick_at: Option<i64>,
    pub next_due_at: Option<i64>,
    pub event_type: Option<String>,
    pub conditions: Option<String>,
    pub webhook_id: Option<String>,
    pub execution_type: String,
    pub script_id: Option<String>,
    pub prompt: Option<String>,
    pub recommended_tools: String,
    pub script_input: Option<String>,
    pub script_input_schema: Option<String>,
    pub config: String,
    pub is_subscription: bool,
    pub change: i64,
    pub execution_count: i64,
    pub last_executed_at: Option<i64>,
    pub paused_at: Option<i64>,
    pub pause_reason: Option<String>,
    pub published_at: Option<i64>,
    pub pricing: Option<String>,
    pub installed_from: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Of a flow, what decides which events start it. All of it of all flows is read when a server starts.
#[derive(Clone, Debug, FromRow)]
pub struct StarterRow {
    pub id: String,
    pub owner_id: String,
    pub status: String,
    pub scope: String,
    pub team_id: Option<String>,
    pub event_type: Option<String>,
    pub conditions: Option<String>,
    pub change: i64,
}

/// Which flows of an account.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    pub owner_id: String,
    /// One of these; any if there are none.
    pub statuses: Vec<String>,
    /// Words that are in the title or the description, each or what begins with it.
    pub words: Vec<String>,
    pub trigger_type: Option<String>,
    pub event_type: Option<String>,
    pub scope: Option<String>,
    pub script_id: Option<String>,
    /// Those that subscriptions of scripts have made, and no others.
    pub are_subscriptions: bool,
}

/// Why a flow was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowRefused {
    /// The account has as many as it may.
    Many,
    /// It has made as many today as it may.
    ManyToday,
}

impl Store {
    pub async fn flow(&self, id: &str) -> Result<Option<FlowRow>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM flow WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    pub async fn insert_flow(&self, row: &FlowRow, flows_max: i64, per_day_max: i64) -> Result<Result<(), FlowRefused>, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "SELECT (SELECT COUNT(*) FROM flow WHERE owner_id = $1),
            COALESCE((SELECT flows FROM flow_creation WHERE account_id = $1 AND day = $2), 0)";
        let (flows, today): (i64, i64) =
            sqlx::query_as(query).bind(&row.owner_id).bind(row.created_at / DAY_MS).fetch_one(&mut *change).await?;
        if flows >= flows_max {
            return Ok(Err(FlowRefused::Many));
        }
        if today >= per_day_max {
            return Ok(Err(FlowRefused::ManyToday));
        }
        let query = "INSERT INTO flow (id, owner_id, title, description, status, scope, team_id, trigger_type, schedule, next_tick_at,
            next_due_at, event_type, conditions, webhook_id, execution_type, script_id, prompt, recommended_tools, script_input,
            script_input_schema, config, is_subscription, paused_at, created_at, updated_at, pause_reason, pricing, installed_from)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $24, $25, $26,
            $27)";
        sqlx::query(query)
            .bind(&row.id)
            .bind(&row.owner_id)
            .bind(&row.title)
            .bind(&row.description)
            .bind(&row.status)
            .bind(&row.scope)
            .bind(&row.team_id)
            .bind(&row.trigger_type)
            .bind(&row.schedule)
            .bind(row.next_tick_at)
            .bind(row.next_due_at)
            .bind(&row.event_type)
            .bind(&row.conditions)
            .bind(&row.webhook_id)
            .bind(&row.execution_type)
            .bind(&row.script_id)
            .bind(&row.prompt)
            .bind(&row.recommended_tools)
            .bind(&row.script_input)
            .bind(&row.script_input_schema)
            .bind(&row.config)
            .bind(row.is_subscription)
            .bind(row.paused_at)
            .bind(row.created_at)
            .bind(&row.pause_reason)
            .bind(&row.pricing)
            .bind(&row.installed_from)
            .execute(&mut *change)
            .await?;
        if let Some(webhook_id) = &row.webhook_id {
            sqlx::query("INSERT INTO hook (id, account_id, kind, flow_id, created_at) VALUES ($1, $2, 'flow', $3, $4)")
                .bind(webhook_id)
                .bind(&row.owner_id)
                .bind(&row.id)
                .bind(row.created_at)
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
        Ok(Ok(()))
    }

    /// All that may be changed of a flow, as it is now. False: it is gone. What waited while it was paused goes on when it is active again.
    pub async fn update_flow(&self, row: &FlowRow) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE flow SET title = $2, description = $3, status = $4, schedule = $5, next_tick_at = $6, next_due_at = $7,
            event_type = $8, conditions = $9, execution_type = $10, script_id = $11, prompt = $12, recommended_tools = $13,
            script_input = $14, script_input_schema = $15, config = $16, paused_at = $17, pause_reason = $18, updated_at = $19,
            trigger_type = $20 WHERE id = $1";
        let updated = sqlx::query(query)
            .bind(&row.id)
            .bind(&row.title)
            .bind(&row.description)
            .bind(&row.status)
            .bind(&row.schedule)
            .bind(row.next_tick_at)
            .bind(row.next_due_at)
            .bind(&row.event_type)
            .bind(&row.conditions)
            .bind(&row.execution_type)
            .bind(&row.script_id)
            .bind(&row.prompt)
            .bind(&row.recommended_tools)
            .bind(&row.script_input)
            .bind(&row.script_input_schema)
            .bind(&row.config)
            .bind(row.paused_at)
            .bind(&row.pause_reason)
            .bind(row.updated_at)
            .bind(&row.trigger_type)
            .execute(&mut *change)
            .await?;
        if row.status == "active" {
            sqlx::query("UPDATE execution SET status = 'queued' WHERE flow_id = $1 AND status = 'waiting'")
                .bind(&row.id)
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
        Ok(updated.rows_affected() > 0)
    }

    /// With its history.
    pub async fn delete_flow(&self, id: &str) -> Result<bool, sqlx::Error> {
        let deleted = sqlx::query("DELETE FROM flow WHERE id = $1").bind(id).execute(&mut *self.writer.lock().await).await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// The newest first; how many there are.
    pub async fn flows(&self, wanted: &Flows, limit: u64, offset: u64) -> Result<(Vec<FlowRow>, u64), sqlx::Error> {
        let filter = |query: &mut QueryBuilder<Sqlite>| {
            query.push(" FROM flow WHERE owner_id = ").push_bind(wanted.owner_id.clone());
            query.push(" AND is_subscription = ").push_bind(wanted.are_subscriptions);
            if !wanted.statuses.is_empty() {
                let mut list = query.push(" AND status IN (").separated(", ");
                wanted.statuses.iter().for_each(|status| _ = list.push_bind(status.clone()));
                query.push(")");
            }
            let equal = [
                (" AND trigger_type = ", &wanted.trigger_type),
                (" AND event_type = ", &wanted.event_type),
                (" AND scope = ", &wanted.scope),
                (" AND script_id = ", &wanted.script_id),
            ];
            for (column, value) in equal {
                if let Some(value) = value {
                    query.push(column).push_bind(value.clone());
                }
            }
            if !wanted.words.is_empty() {
                let words = wanted.words.iter().map(|word| format!("\"{}\"*", word.replace('"', "\"\"")));
                let words = words.collect::<Vec<_>>().join(" ");
                let matching = format!("owner : \"{}\" AND ({{title description}} : ({words}))", wanted.owner_id);
                query.push(" AND rowid IN (SELECT rowid FROM flow_text WHERE flow_text MATCH ").push_bind(matching).push(")");
            }
        };
        // Counting all of many takes a while, and nobody else is to wait for it.
        let mut reader = self.searcher.lock().await;
        if !wanted.words.is_empty() {
            // What is found is counted and sorted by its place alone, and looked for once.
            let mut query = QueryBuilder::new("WITH found AS MATERIALIZED (SELECT rowid AS place, created_at");
            filter(&mut query);
            query.push(") SELECT (SELECT COUNT(*) FROM found), (SELECT json_group_array(place) FROM (SELECT place FROM found");
            query.push(" ORDER BY created_at DESC, place DESC LIMIT ").push_bind(limit as i64);
            query.push(" OFFSET ").push_bind(offset as i64).push("))");
            let (total, places): (i64, String) = query.build_query_as().fetch_one(&mut *reader).await?;
            let query = "SELECT * FROM flow WHERE rowid IN (SELECT value FROM json_each($1)) ORDER BY created_at DESC, rowid DESC";
            let rows = sqlx::query_as(query).bind(places).fetch_all(&mut *reader).await?;
            return Ok((rows, total.unsigned_abs()));
        }
        let mut query = QueryBuilder::new("SELECT COUNT(*)");
        filter(&mut query);
        let total: i64 = query.build_query_scalar().fetch_one(&mut *reader).await?;
        let mut query = QueryBuilder::new("SELECT *");
        filter(&mut query);
        query.push(" ORDER BY created_at DESC, rowid DESC LIMIT ").push_bind(limit as i64).push(" OFFSET ").push_bind(offset as i64);
        Ok((query.build_query_as().fetch_all(&mut *reader).await?, total.unsigned_abs()))
    }

    /// The newest runs of a flow.
    pub async fn runs_of(&self, flow_id: &str, limit: u64) -> Result<Vec<ExecutionRow>, sqlx::Error> {
        let query = "SELECT * FROM execution WHERE flow_id = $1 AND ended_at IS NOT NULL ORDER BY seq DESC LIMIT $2";
        sqlx::query_as(query).bind(flow_id).bind(limit as i64).fetch_all(&mut *self.reader().await).await
    }

    /// Flows that have changed since, the oldest change first; of those that were not looked at before, the ones that events start are enough.
    pub async fn changed_flows(&self, since: i64, is_first: bool, limit: u64) -> Result<Vec<StarterRow>, sqlx::Error> {
        let query = "SELECT id, owner_id, status, scope, team_id, event_type, conditions, change FROM flow
            WHERE change > $1 AND (event_type IS NOT NULL OR NOT $2) ORDER BY change LIMIT $3";
        let query = sqlx::query_as(query).bind(since).bind(is_first).bind(limit as i64);
        query.fetch_all(&mut *self.reader().await).await
    }

    /// Those that are due by the clock, the earliest first.
    pub async fn due_flows(&self, now: i64, limit: u64) -> Result<Vec<FlowRow>, sqlx::Error> {
        let query = "SELECT * FROM flow WHERE next_due_at <= $1 AND status = 'active' ORDER BY next_due_at LIMIT $2";
        sqlx::query_as(query).bind(now).bind(limit as i64).fetch_all(&mut *self.reader().await).await
    }

    /// When the next one is due, and when the next run in the queue is.
    pub async fn next_due(&self) -> Result<Option<i64>, sqlx::Error> {
        let query = "SELECT MIN(due_at) FROM (
            SELECT MIN(next_due_at) AS due_at FROM flow WHERE next_due_at IS NOT NULL
            UNION ALL SELECT MIN(due_at) FROM execution WHERE status = 'queued'
            UNION ALL SELECT MIN(webhook_due_at) FROM notification WHERE webhook_due_at IS NOT NULL)";
        sqlx::query_scalar(query).fetch_one(&mut *self.reader().await).await
    }
}
