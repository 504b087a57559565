use sqlx::{FromRow, QueryBuilder, Sqlite};

use super::{FlowRow, Store};

impl Store {
    /// With how much it costs from now on, or taken out. False: there is no such flow any more.
    pub async fn publish_flow(&self, id: &str, pricing: Option<&str>, published_at: Option<i64>) -> Result<bool, sqlx::Error> {
        let query = "UPDATE flow SET published_at = $2, pricing = COALESCE($3, pricing) WHERE id = $1";
        let query = sqlx::query(query).bind(id).bind(published_at).bind(pricing);
        Ok(query.execute(&mut *self.writer.lock().await).await?.rows_affected() > 0)
    }

    pub async fn has_copy_of_flow(&self, account_id: &str, flow_id: &str) -> Result<bool, sqlx::Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM flow WHERE installed_from = $1 AND owner_id = $2)";
        sqlx::query_scalar(query).bind(flow_id).bind(account_id).fetch_one(&mut *self.reader().await).await
    }

    /// What is published with all of some words, in lower case, in its title or description, the newest first, each with how often it is
    /// installed; and how much there is.
    pub async fn published_flows(&self, words: &[String], limit: u64, offset: u64) -> Result<(Vec<(FlowRow, i64)>, u64), sqlx::Error> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            flow: FlowRow,
            installs: i64,
        }
        let filter = |query: &mut QueryBuilder<Sqlite>| {
            query.push(" FROM flow f WHERE f.published_at IS NOT NULL");
            for word in words {
                query.push(" AND instr(lower(f.title || ' ' || f.description), ").push_bind(word.clone()).push(") > 0");
            }
        };
        let mut reader = self.searcher.lock().await;
        let mut query = QueryBuilder::new("SELECT COUNT(*)");
        filter(&mut query);
        let total: i64 = query.build_query_scalar().fetch_one(&mut *reader).await?;
        let mut query = QueryBuilder::new("SELECT f.*, (SELECT COUNT(*) FROM flow c WHERE c.installed_from = f.id) AS installs");
        filter(&mut query);
        query.push(" ORDER BY f.published_at DESC, f.id LIMIT ").push_bind(limit as i64).push(" OFFSET ").push_bind(offset as i64);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *reader).await?;
        Ok((rows.into_iter().map(|row| (row.flow, row.installs)).collect(), total.unsigned_abs()))
    }
}
