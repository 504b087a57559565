use sqlx::{Connection, FromRow, QueryBuilder, Sqlite};

use super::{
    Store,
    credential::{Seal, seal_into},
};
use mirra_host_sdk::Usd;

use crate::ApiError;

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ResourceRow {
    pub id: String,
    pub owner_id: String,
    pub name: String,
    pub slug: String,
    pub description: String,
    pub r#type: String,
    pub category: String,
    pub tags: String,
    pub status: String,
    pub definition: String,
    pub document: Option<String>,
    pub revision: i64,
    pub catalog_hash: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub published_at: Option<i64>,
}

/// What others know of a resource.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct Standing {
    pub users: i64,
    pub calls: i64,
    revenue_dollars: i64,
    /// Below a dollar for each installation, all together.
    revenue_picodollars: i64,
    pub reviews: i64,
    pub ratings: i64,
}

impl Standing {
    pub fn revenue(&self) -> Usd {
        let whole = Usd::from_picodollars(1_000_000_000_000).scaled(self.revenue_dollars.unsigned_abs().into(), 1);
        whole + Usd::from_picodollars(self.revenue_picodollars.unsigned_abs())
    }
}

#[derive(Clone, Debug, FromRow)]
pub struct ReviewRow {
    pub username: String,
    pub rating: i64,
    pub comment: String,
    pub created_at: i64,
}

/// Which of the published resources.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub kind: Option<String>,
    pub category: Option<String>,
    /// Words, each of which is in the name, the description or the tags.
    pub words: Vec<String>,
}

/// All that is listed: documents are long, and nobody reads them in a list.
const LISTED: &str =
    "id, owner_id, name, slug, description, type, category, tags, status, definition, NULL AS document, revision, catalog_hash,
    created_at, updated_at, published_at";

impl Store {
    pub async fn resource(&self, id: &str) -> Result<Option<ResourceRow>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM resource WHERE id = $1").bind(id).fetch_optional(&mut *self.reader().await).await
    }

    /// Unless there is one of that id. `secret`: of its creator's OAuth client.
    pub async fn insert_resource(&self, row: &ResourceRow, secret: Option<Seal<'_>>) -> Result<(), ApiError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO resource (id, owner_id, name, slug, description, type, category, tags, status, definition, document, revision,
            catalog_hash, created_at, updated_at, published_at) ",
        );
        query.push_values([row], |mut values, row| {
            values.push_bind(&row.id).push_bind(&row.owner_id).push_bind(&row.name).push_bind(&row.slug).push_bind(&row.description);
            values.push_bind(&row.r#type).push_bind(&row.category).push_bind(&row.tags).push_bind(&row.status);
            values.push_bind(&row.definition).push_bind(&row.document).push_bind(row.revision).push_bind(&row.catalog_hash);
            values.push_bind(row.created_at).push_bind(row.updated_at).push_bind(row.published_at);
        });
        query.push(" ON CONFLICT DO NOTHING");
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        query.build().execute(&mut *change).await?;
        if let Some(secret) = secret {
            seal_into(&mut change, &row.id, secret, row.updated_at).await?;
        }
        Ok(change.commit().await?)
    }

    /// Everything of it but its owner and when it was made. False: somebody else has changed or deleted it since it was read.
    pub async fn update_resource(&self, row: &ResourceRow, secret: Option<Seal<'_>>) -> Result<bool, ApiError> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE resource SET name = $1, slug = $2, description = $3, type = $4, category = $5, tags = $6, status = $7,
            definition = $8, document = $9, revision = $10, catalog_hash = $11, updated_at = $12, published_at = $13
            WHERE id = $14 AND revision = $10 - 1 AND status <> 'deleted'";
        let query = sqlx::query(query).bind(&row.name).bind(&row.slug).bind(&row.description).bind(&row.r#type).bind(&row.category);
        let query = query.bind(&row.tags).bind(&row.status).bind(&row.definition).bind(&row.document).bind(row.revision);
        let query = query.bind(&row.catalog_hash).bind(row.updated_at).bind(row.published_at).bind(&row.id);
        let is_updated = query.execute(&mut *change).await?.rows_affected() > 0;
        if let (true, Some(secret)) = (is_updated, secret) {
            seal_into(&mut change, &row.id, secret, row.updated_at).await?;
        }
        change.commit().await?;
        self.changed();
        Ok(is_updated)
    }

    /// False: it is installed somewhere.
    pub async fn delete_resource(&self, id: &str) -> Result<bool, sqlx::Error> {
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        // Accounts that had it once keep what they have paid for it.
        let query = "SELECT EXISTS (SELECT 1 FROM installation WHERE resource_id = $1 AND removed_at IS NULL)";
        if sqlx::query_scalar(query).bind(id).fetch_one(&mut *change).await? {
            return Ok(false);
        }
        let query = "SELECT EXISTS (SELECT 1 FROM installation WHERE resource_id = $1)";
        let was_installed: bool = sqlx::query_scalar(query).bind(id).fetch_one(&mut *change).await?;
        let query = match was_installed {
            true => "UPDATE resource SET status = 'deleted', revision = revision + 1 WHERE id = $1",
            false => "DELETE FROM resource WHERE id = $1",
        };
        if !was_installed {
            sqlx::query("DELETE FROM review WHERE resource_id = $1").bind(id).execute(&mut *change).await?;
        }
        sqlx::query("DELETE FROM credential WHERE holder_id = $1").bind(id).execute(&mut *change).await?;
        sqlx::query(query).bind(id).execute(&mut *change).await?;
        change.commit().await?;
        self.changed();
        Ok(true)
    }

    /// The newest first, and how many there are.
    pub async fn resources_of(&self, owner_id: &str, limit: u64, offset: u64) -> Result<(Vec<ResourceRow>, u64), sqlx::Error> {
        let filtered = |select: &str| {
            let mut query = QueryBuilder::<Sqlite>::new(select);
            query.push(" FROM resource WHERE status <> 'deleted' AND catalog_hash IS NULL AND owner_id = ").push_bind(owner_id.to_owned());
            query
        };
        let (count, list) = (filtered("SELECT COUNT(*)"), filtered(&format!("SELECT {LISTED}")));
        self.page(count, list, "created_at DESC, id", limit, offset).await
    }

    /// What anybody may install, the newest first.
    pub async fn marketplace(&self, wanted: &Wanted, limit: u64, offset: u64) -> Result<(Vec<ResourceRow>, u64), sqlx::Error> {
        let filtered = |select: &str| {
            let mut query = QueryBuilder::<Sqlite>::new(select);
            query.push(" FROM resource WHERE status = 'published'");
            for (column, value) in [("type", &wanted.kind), ("category", &wanted.category)] {
                if let Some(value) = value {
                    query.push(format_args!(" AND {column} = ")).push_bind(value.clone());
                }
            }
            for word in &wanted.words {
                // What is looked for is a text, whatever signs are in it.
                let pattern = word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
                query.push(" AND lower(name || ' ' || description || ' ' || tags) LIKE ").push_bind(format!("%{pattern}%"));
                query.push(r" ESCAPE '\'");
            }
            query
        };
        let (count, list) = (filtered("SELECT COUNT(*)"), filtered(&format!("SELECT {LISTED}")));
        self.page(count, list, "published_at DESC, id", limit, offset).await
    }

    async fn page(
        &self,
        mut count: QueryBuilder<Sqlite>,
        mut list: QueryBuilder<Sqlite>,
        order: &str,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<ResourceRow>, u64), sqlx::Error> {
        list.push(format_args!(" ORDER BY {order} LIMIT {limit} OFFSET {offset}"));
        let reader = &mut *self.reader().await;
        let total: i64 = count.build_query_scalar().fetch_one(&mut *reader).await?;
        Ok((list.build_query_as().fetch_all(reader).await?, total.unsigned_abs()))
    }

    pub async fn standing(&self, resource_id: &str) -> Result<Standing, sqlx::Error> {
        let query = "SELECT COUNT(DISTINCT account_id) AS users, COALESCE(SUM(calls), 0) AS calls,
            COALESCE(SUM(cost_picodollars / 1000000000000), 0) AS revenue_dollars,
            COALESCE(SUM(cost_picodollars % 1000000000000), 0) AS revenue_picodollars,
            (SELECT COUNT(*) FROM review WHERE resource_id = $1) AS reviews,
            (SELECT COALESCE(SUM(rating), 0) FROM review WHERE resource_id = $1) AS ratings
            FROM installation WHERE resource_id = $1";
        sqlx::query_as(query).bind(resource_id).fetch_one(&mut *self.reader().await).await
    }

    /// One for each account: a second one takes the first one's place.
    pub async fn put_review(&self, resource_id: &str, account_id: &str, rating: i64, comment: &str, now: i64) -> Result<(), sqlx::Error> {
        let query = "INSERT INTO review (resource_id, account_id, rating, comment, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (resource_id, account_id) DO UPDATE SET rating = excluded.rating, comment = excluded.comment,
            created_at = excluded.created_at";
        let query = sqlx::query(query).bind(resource_id).bind(account_id).bind(rating).bind(comment).bind(now);
        query.execute(&mut *self.writer.lock().await).await.map(drop)
    }

    pub async fn reviews(&self, resource_id: &str, limit: u64, offset: u64) -> Result<Vec<ReviewRow>, sqlx::Error> {
        let query = "SELECT username, rating, comment, review.created_at FROM review JOIN account ON account.id = account_id
            WHERE resource_id = $1 ORDER BY review.created_at DESC, account_id LIMIT $2 OFFSET $3";
        let query = sqlx::query_as(query).bind(resource_id).bind(limit.cast_signed()).bind(offset.cast_signed());
        query.fetch_all(&mut *self.reader().await).await
    }
}
