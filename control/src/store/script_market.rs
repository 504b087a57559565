use sqlx::{FromRow, QueryBuilder, Sqlite};

use super::{ScriptRow, Store};
use crate::time::DAY_MS;

/// What others think of a script.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct ScriptStanding {
    pub installs: i64,
    pub reviews: i64,
    /// All ratings together.
    pub ratings: i64,
    /// Uses of it and of its copies in the last days, each day's worth half of what three days later is.
    pub trend: i64,
}

/// Which comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    Trending,
    Installs,
    Rating,
    Name,
}

/// Which scripts of the marketplace.
#[derive(Clone, Debug, Default)]
pub struct ScriptsWanted {
    /// In lower case; each is in the name, the description or the tags.
    pub words: Vec<String>,
    pub category: Option<String>,
    pub staff_picks: bool,
    pub sort: Sort,
}

#[derive(Clone, Debug, FromRow)]
pub struct ScriptReview {
    pub username: String,
    pub rating: i64,
    pub comment: String,
    pub created_at: i64,
}

/// How far back uses count.
const TREND_DAYS: i64 = 30;

/// A script of the marketplace, with what others think of it. `?` is today, as a number of days since 1970.
const STANDING: &str = "
    (SELECT COUNT(*) FROM script c WHERE c.installed_from = s.id) AS installs,
    (SELECT COUNT(*) FROM script_review r WHERE r.script_id = s.id) AS reviews,
    (SELECT COALESCE(SUM(rating), 0) FROM script_review r WHERE r.script_id = s.id) AS ratings,
    (SELECT COALESCE(SUM((u.executions << 10) >> ((";
const STANDING_END: &str = " - u.day) / 3)), 0) FROM day_usage u
        WHERE u.subject_id IN (SELECT s.id UNION ALL SELECT c.id FROM script c WHERE c.installed_from = s.id) AND u.day > ";

impl Store {
    /// With how much it costs from now on, or taken out. False: there is no such script any more.
    pub async fn publish_script(&self, id: &str, pricing: Option<&str>, published_at: Option<i64>) -> Result<bool, sqlx::Error> {
        let query = "UPDATE script SET published_at = $2, pricing = COALESCE($3, pricing) WHERE id = $1";
        let query = sqlx::query(query).bind(id).bind(published_at).bind(pricing);
        let updated = query.execute(&mut *self.writer.lock().await).await?;
        self.runnables.changed();
        Ok(updated.rows_affected() > 0)
    }

    pub async fn set_staff_pick(&self, id: &str, since: Option<i64>) -> Result<bool, sqlx::Error> {
        let query = "UPDATE script SET staff_pick_at = $2 WHERE id = $1 AND published_at IS NOT NULL";
        let updated = sqlx::query(query).bind(id).bind(since).execute(&mut *self.writer.lock().await).await?;
        self.runnables.changed();
        Ok(updated.rows_affected() > 0)
    }

    /// An account's copy of a script.
    pub async fn copy_of(&self, account_id: &str, script_id: &str) -> Result<Option<ScriptRow>, sqlx::Error> {
        let query = "SELECT * FROM script WHERE installed_from = $1 AND owner_id = $2 LIMIT 1";
        sqlx::query_as(query).bind(script_id).bind(account_id).fetch_optional(&mut *self.reader().await).await
    }

    /// Pays another month of a copy, if the last one is over: whether it was.
    pub async fn pay_month(&self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        let query = "UPDATE script SET paid_until = $2 WHERE id = $1 AND COALESCE(paid_until, 0) <= $3";
        let query = sqlx::query(query).bind(id).bind(now + 30 * DAY_MS).bind(now);
        let updated = query.execute(&mut *self.writer.lock().await).await?.rows_affected() > 0;
        if updated {
            self.runnables.changed();
        }
        Ok(updated)
    }

    /// What is published, and how much there is.
    pub async fn published_scripts(
        &self,
        wanted: &ScriptsWanted,
        now: i64,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<(ScriptRow, ScriptStanding)>, u64), sqlx::Error> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            script: ScriptRow,
            #[sqlx(flatten)]
            standing: ScriptStanding,
        }
        let filter = |query: &mut QueryBuilder<Sqlite>| {
            query.push(" FROM script s WHERE s.published_at IS NOT NULL");
            if let Some(category) = &wanted.category {
                query.push(" AND s.category = ").push_bind(category.clone());
            }
            if wanted.staff_picks {
                query.push(" AND s.staff_pick_at IS NOT NULL");
            }
            for word in &wanted.words {
                query.push(" AND instr(lower(s.name || ' ' || s.description || ' ' || s.tags), ").push_bind(word.clone()).push(") > 0");
            }
        };
        let today = now / DAY_MS;
        let mut reader = self.searcher.lock().await;
        let mut query = QueryBuilder::new("SELECT COUNT(*)");
        filter(&mut query);
        let total: i64 = query.build_query_scalar().fetch_one(&mut *reader).await?;
        let mut query = QueryBuilder::new("SELECT s.*,");
        query.push(STANDING).push_bind(today).push(STANDING_END).push_bind(today - TREND_DAYS).push(") AS trend");
        filter(&mut query);
        query.push(match wanted.sort {
            Sort::Newest => " ORDER BY s.published_at DESC, s.id",
            Sort::Trending => " ORDER BY trend DESC, s.published_at DESC, s.id",
            Sort::Installs => " ORDER BY installs DESC, s.published_at DESC, s.id",
            Sort::Rating => " ORDER BY ratings * 1.0 / MAX(reviews, 1) DESC, reviews DESC, s.id",
            Sort::Name => " ORDER BY s.name, s.id",
        });
        query.push(" LIMIT ").push_bind(limit as i64).push(" OFFSET ").push_bind(offset as i64);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *reader).await?;
        Ok((rows.into_iter().map(|row| (row.script, row.standing)).collect(), total.unsigned_abs()))
    }

    pub async fn put_script_review(
        &self,
        script_id: &str,
        account_id: &str,
        rating: i64,
        comment: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        let query = "INSERT INTO script_review (script_id, account_id, rating, comment, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (script_id, account_id) DO UPDATE SET rating = $3, comment = $4, created_at = $5";
        let query = sqlx::query(query).bind(script_id).bind(account_id).bind(rating).bind(comment).bind(now);
        query.execute(&mut *self.writer.lock().await).await.map(drop)
    }

    /// The newest first.
    pub async fn script_reviews(&self, script_id: &str, limit: u64) -> Result<Vec<ScriptReview>, sqlx::Error> {
        let query = "SELECT a.username, r.rating, r.comment, r.created_at FROM script_review r JOIN account a ON a.id = r.account_id
            WHERE r.script_id = $1 ORDER BY r.created_at DESC, a.username LIMIT $2";
        sqlx::query_as(query).bind(script_id).bind(limit as i64).fetch_all(&mut *self.reader().await).await
    }
}
