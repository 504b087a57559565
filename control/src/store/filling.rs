//! Much at once, for benches.

use super::Store;

impl Store {
    /// Runs that never were, for benches; one in a hundred failed.
    pub async fn fill_history(&self, account_id: &str, script_id: &str, rows: u64, now: i64) -> Result<(), sqlx::Error> {
        let query = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $4)
            INSERT INTO execution (id, account_id, script_id, trigger, status, input, created_at, started_at, ended_at, output, logs,
                duration_us, memory_bytes, cost_picodollars)
            SELECT printf('exec_%024x', n), $1, $2, 'manual', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'completed' END, '{}',
                $3 - n * 1000, $3 - n * 1000, $3 - n * 1000 + 1, '{\"success\":true}', '[]', 500, 1000000, 200000 FROM number";
        let query = sqlx::query(query).bind(account_id).bind(script_id).bind(now).bind(rows as i64);
        let mut writer = self.writer.lock().await;
        query.execute(&mut *writer).await?;
        let count = "INSERT INTO ended_count (script_id, status, runs) SELECT script_id, status, COUNT(*) FROM execution
            WHERE script_id = $1 AND ended_at IS NOT NULL GROUP BY script_id, status
            ON CONFLICT (script_id, status) DO UPDATE SET runs = excluded.runs";
        sqlx::query(count).bind(script_id).execute(&mut *writer).await.map(drop)
    }

    /// Copies of a flow, in whose texts `NUMBER` is the number of each.
    pub async fn fill_flows(&self, like: &str, count: u64) -> Result<(), sqlx::Error> {
        let query = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $2)
            INSERT INTO flow (id, owner_id, title, description, status, scope, trigger_type, schedule, next_tick_at, next_due_at, event_type,
                conditions, execution_type, script_id, recommended_tools, config, created_at, updated_at)
            SELECT printf('%s_%08x', id, n), owner_id, REPLACE(title, 'NUMBER', n), description, status, scope, trigger_type, schedule,
                next_tick_at, next_due_at, event_type, REPLACE(conditions, 'NUMBER', n), execution_type, script_id, recommended_tools,
                config, created_at + n, updated_at + n
            FROM number, flow WHERE id = $1";
        sqlx::query(query).bind(like).bind(count as i64).execute(&mut *self.writer.lock().await).await.map(drop)
    }
}
