use sqlx::{Connection, FromRow};

use super::Store;

/// An entity as it is kept.
#[derive(Clone, Debug, FromRow)]
pub struct EntityRow {
    pub seq: i64,
    pub id: String,
    pub graph_id: String,
    pub creator_id: String,
    pub creator_name: String,
    pub r#type: String,
    pub name: String,
    pub content: String,
    pub metadata: String,
    pub marks: String,
    pub created_at: i64,
    pub updated_at: Option<i64>,
}

/// A graph that an entity is seen in.
#[derive(Clone, Debug, FromRow)]
pub struct GraphRow {
    pub graph_id: String,
    pub team_name: Option<String>,
    pub shared_by: Option<String>,
    pub shared_at: Option<i64>,
}

/// A graph that an entity is to be seen in.
pub struct Place<'a> {
    pub graph_id: &'a str,
    pub shared_by: &'a str,
    pub shared_at: i64,
    pub reason: Option<&'a str>,
}

/// Entities by when they were made: from the first to the second, both included, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub from: i64,
    pub to: i64,
}

/// A period, and where all that was made in it lies; some of what lies there may be of another time.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    period: Period,
    seqs: (i64, i64),
}

/// What an account has made.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct MemoryUse {
    pub entities: i64,
    /// Of names, content and metadata.
    pub bytes: i64,
}

impl EntityRow {
    /// What it counts for in `MemoryUse`.
    pub fn bytes(&self) -> i64 {
        (self.name.len() + self.content.len() + self.metadata.len()).cast_signed() as i64
    }
}

/// What of an entity stands in a list: as much of its content as anything there shows or ranks by.
macro_rules! listed {
    ($($from:expr),+) => {
        concat!(
            "SELECT e.seq, e.id, e.graph_id, e.creator_id, a.username AS creator_name, e.type, e.name, substr(e.content, 1, 2000) AS content, \
             e.metadata, '' AS marks, e.created_at, e.updated_at FROM ",
            $($from),+
        )
    };
}

/// In a graph of the account $1.
macro_rules! seen_by {
    ($condition:literal) => {
        concat!(
            "SELECT e.*, a.username AS creator_name FROM memory_entity e JOIN account a ON a.id = e.creator_id WHERE ",
            $condition,
            " AND EXISTS (SELECT 1 FROM memory_placement p WHERE p.seq = e.seq AND (p.graph_id = $1 OR p.graph_id IN \
             (SELECT team_id FROM team_member WHERE account_id = $1))) ORDER BY e.seq DESC LIMIT 1"
        )
    };
}

/// Those that an account $1 has.
macro_rules! graphs {
    () => {
        "(SELECT $1 AS graph_id UNION ALL SELECT team_id FROM team_member WHERE account_id = $1)"
    };
}

/// Of each graph as many as are wanted of all: beyond those, however many it has, none can be among the newest.
macro_rules! newest_of {
    ($of_type:literal, $of_same_type:literal) => {
        listed!(
            "(SELECT DISTINCT p.seq FROM ",
            graphs!(),
            " g CROSS JOIN memory_placement p WHERE p.graph_id = g.graph_id ",
            $of_type,
            " AND p.seq >= COALESCE((SELECT n.seq FROM memory_placement n WHERE n.graph_id = g.graph_id ",
            $of_same_type,
            " ORDER BY n.seq DESC LIMIT 1 OFFSET $2), 0) ORDER BY p.seq DESC LIMIT $3 OFFSET $4) p \
             JOIN memory_entity e ON e.seq = p.seq JOIN account a ON a.id = e.creator_id ORDER BY p.seq DESC"
        )
    };
}

/// The sum of all graphs, without those that another graph of the account has as well: it was shared then. (`> ''`, since the index of what is
/// shared is taken for that, and another for IS NOT NULL.)
macro_rules! count_of {
    ($of_type:literal, $shared_of_type:literal) => {
        concat!(
            "SELECT (SELECT COALESCE(SUM(c.entities), 0) FROM memory_count c WHERE c.graph_id IN ",
            graphs!(),
            $of_type,
            ") - (SELECT COUNT(*) FROM memory_placement p WHERE p.shared_by > '' AND p.graph_id IN ",
            graphs!(),
            $shared_of_type,
            " AND EXISTS (SELECT 1 FROM memory_placement o WHERE o.seq = p.seq AND o.graph_id <> p.graph_id AND o.graph_id IN ",
            graphs!(),
            " AND (o.shared_by IS NULL OR o.graph_id < p.graph_id)))"
        )
    };
}

impl Store {
    /// A new one: its `seq` is the store's to give. False: its creator would have more than `most`.
    pub async fn insert_entity(&self, entity: &EntityRow, most: MemoryUse) -> Result<bool, sqlx::Error> {
        let query = "INSERT INTO memory_entity (id, graph_id, creator_id, type, name, content, metadata, marks, created_at, is_late) \
                     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, EXISTS (SELECT 1 FROM memory_entity WHERE is_late = 0 AND created_at > $9) \
                     WHERE $10 <= $12 AND NOT EXISTS \
                     (SELECT 1 FROM memory_use WHERE account_id = $3 AND (entities >= $11 OR bytes + $10 > $12))";
        let inserted = sqlx::query(query)
            .bind(&entity.id)
            .bind(&entity.graph_id)
            .bind(&entity.creator_id)
            .bind(&entity.r#type)
            .bind(&entity.name)
            .bind(&entity.content)
            .bind(&entity.metadata)
            .bind(&entity.marks)
            .bind(entity.created_at)
            .bind(entity.bytes())
            .bind(most.entities)
            .bind(most.bytes)
            .execute(&mut *self.writer.lock().await)
            .await?;
        Ok(inserted.rows_affected() > 0)
    }

    /// One that the account sees.
    pub async fn entity_by_id(&self, account_id: &str, id: &str) -> Result<Option<EntityRow>, sqlx::Error> {
        sqlx::query_as(seen_by!("e.id = $2")).bind(account_id).bind(id).fetch_optional(&mut *self.reader().await).await
    }

    /// The newest of that name that the account has made in its own graph; else one that is shared with it there; else one of its teams'.
    pub async fn entity_by_name(&self, account_id: &str, name: &str) -> Result<Option<EntityRow>, sqlx::Error> {
        let own = "SELECT seq FROM memory_placement WHERE graph_id = $1 AND name = $2 ORDER BY shared_by IS NOT NULL, seq DESC LIMIT 1";
        let seq: Option<i64> = sqlx::query_scalar(own).bind(account_id).bind(name).fetch_optional(&mut *self.reader().await).await?;
        let of_teams = "SELECT p.seq FROM team_member m JOIN memory_placement p ON p.graph_id = m.team_id \
                        WHERE m.account_id = $1 AND p.name = $2 ORDER BY p.seq DESC LIMIT 1";
        let seq = match seq {
            Some(seq) => Some(seq),
            None => sqlx::query_scalar(of_teams).bind(account_id).bind(name).fetch_optional(&mut *self.reader().await).await?,
        };
        let Some(seq) = seq else { return Ok(None) };
        sqlx::query_as(seen_by!("e.seq = $2")).bind(account_id).bind(seq).fetch_optional(&mut *self.reader().await).await
    }

    /// Changes an entity that the account sees to what `decide` makes of it and of what its creator has. None: it sees none.
    pub async fn change_entity<E: From<sqlx::Error>>(
        &self,
        account_id: &str,
        id: &str,
        decide: impl FnOnce(&EntityRow, MemoryUse) -> Result<EntityRow, E>,
    ) -> Result<Option<EntityRow>, E> {
        // From reading to writing, nobody else may change it.
        let mut writer = self.writer.lock().await;
        let mut change = writer.begin_with("BEGIN IMMEDIATE").await?;
        let row: Option<EntityRow> = sqlx::query_as(seen_by!("e.id = $2")).bind(account_id).bind(id).fetch_optional(&mut *change).await?;
        let Some(row) = row else { return Ok(None) };
        let used = "SELECT entities, bytes FROM memory_use WHERE account_id = $1";
        let used: Option<MemoryUse> = sqlx::query_as(used).bind(&row.creator_id).fetch_optional(&mut *change).await?;
        let new = decide(&row, used.unwrap_or_default())?;
        let query =
            "UPDATE memory_entity SET type = $2, name = $3, content = $4, metadata = $5, marks = $6, updated_at = $7 WHERE seq = $1";
        sqlx::query(query)
            .bind(new.seq)
            .bind(&new.r#type)
            .bind(&new.name)
            .bind(&new.content)
            .bind(&new.metadata)
            .bind(&new.marks)
            .bind(new.updated_at)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(Some(new))
    }

    /// Whether there was such an entity of this creator's.
    pub async fn delete_entity(&self, creator_id: &str, id: &str) -> Result<bool, sqlx::Error> {
        let query = "DELETE FROM memory_entity WHERE id = $1 AND creator_id = $2";
        let deleted = sqlx::query(query).bind(id).bind(creator_id).execute(&mut *self.writer.lock().await).await?;
        Ok(deleted.rows_affected() > 0)
    }

    pub async fn graphs_of(&self, seq: i64) -> Result<Vec<GraphRow>, sqlx::Error> {
        let query = "SELECT p.graph_id, t.name AS team_name, p.shared_by, p.shared_at FROM memory_placement p \
                     LEFT JOIN team t ON t.id = p.graph_id WHERE p.seq = $1 ORDER BY p.shared_at IS NOT NULL, p.shared_at, p.graph_id";
        sqlx::query_as(query).bind(seq).fetch_all(&mut *self.reader().await).await
    }

    /// Whether there still is such an entity of this creator's, which is then seen there.
    pub async fn place_entity(&self, seq: i64, creator_id: &str, place: &Place<'_>) -> Result<bool, sqlx::Error> {
        let query = "INSERT INTO memory_placement (graph_id, type, name, seq, shared_by, shared_at, reason) \
                     SELECT $1, e.type, e.name, e.seq, $2, $3, $4 FROM memory_entity e WHERE e.seq = $5 AND e.creator_id = $6 \
                     ON CONFLICT (graph_id, type, seq) DO UPDATE SET reason = excluded.reason";
        let placed = sqlx::query(query)
            .bind(place.graph_id)
            .bind(place.shared_by)
            .bind(place.shared_at)
            .bind(place.reason)
            .bind(seq)
            .bind(creator_id)
            .execute(&mut *self.writer.lock().await)
            .await?;
        Ok(placed.rows_affected() > 0)
    }

    /// Whether it was seen there by being shared.
    pub async fn displace_entity(&self, seq: i64, graph_id: &str) -> Result<bool, sqlx::Error> {
        let query = "DELETE FROM memory_placement WHERE seq = $1 AND graph_id = $2 AND shared_by IS NOT NULL";
        let displaced = sqlx::query(query).bind(seq).bind(graph_id).execute(&mut *self.writer.lock().await).await?;
        Ok(displaced.rows_affected() > 0)
    }

    /// The newest of one graph, and how many there are.
    pub async fn newest_in(
        &self,
        graph_id: &str,
        kind: Option<&str>,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<EntityRow>, u64), sqlx::Error> {
        // Two plans: each has an index that it reads in order.
        let (rows, total) = match kind {
            Some(kind) => {
                let rows = listed!(
                    "(SELECT seq FROM memory_placement WHERE graph_id = $1 AND type = $2 ORDER BY seq DESC LIMIT $3 OFFSET $4) p \
                     JOIN memory_entity e ON e.seq = p.seq JOIN account a ON a.id = e.creator_id ORDER BY p.seq DESC"
                );
                let rows = sqlx::query_as(rows).bind(graph_id).bind(kind).bind(limit as i64).bind(offset as i64);
                let total = "SELECT COALESCE(SUM(entities), 0) FROM memory_count WHERE graph_id = $1 AND type = $2";
                (rows, sqlx::query_scalar::<_, i64>(total).bind(graph_id).bind(kind))
            }
            None => {
                let rows = listed!(
                    "(SELECT seq FROM memory_placement WHERE graph_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3) p \
                     JOIN memory_entity e ON e.seq = p.seq JOIN account a ON a.id = e.creator_id ORDER BY p.seq DESC"
                );
                let rows = sqlx::query_as(rows).bind(graph_id).bind(limit as i64).bind(offset as i64);
                let total = "SELECT COALESCE(SUM(entities), 0) FROM memory_count WHERE graph_id = $1";
                (rows, sqlx::query_scalar::<_, i64>(total).bind(graph_id))
            }
        };
        let rows = rows.fetch_all(&mut *self.reader().await).await?;
        let total = total.fetch_one(&mut *self.reader().await).await?;
        Ok((rows, total.max(0) as u64))
    }

    /// The newest of all graphs of an account, each once, and how many there are.
    pub async fn newest_of(
        &self,
        account_id: &str,
        kind: Option<&str>,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<EntityRow>, u64), sqlx::Error> {
        // Again, two plans.
        let (rows, total) = match kind {
            Some(_) => (newest_of!("AND p.type = $5", "AND n.type = $5"), count_of!("AND c.type = $2", "AND p.type = $2")),
            None => (newest_of!("", ""), count_of!("", "")),
        };
        let rows =
            sqlx::query_as(rows).bind(account_id).bind(limit.saturating_add(offset) as i64 - 1).bind(limit as i64).bind(offset as i64);
        let total = sqlx::query_scalar(total).bind(account_id);
        let (rows, total) = match kind {
            Some(kind) => (rows.bind(kind), total.bind(kind)),
            None => (rows, total),
        };
        let rows = rows.fetch_all(&mut *self.reader().await).await?;
        let total: i64 = total.fetch_one(&mut *self.reader().await).await?;
        Ok((rows, total.max(0) as u64))
    }

    /// Where to look for what was made in a period.
    pub async fn times(&self, period: Period) -> Result<Times, sqlx::Error> {
        let query = "SELECT MIN(first), MAX(last) FROM (SELECT \
                     (SELECT seq FROM memory_entity WHERE is_late = 0 AND created_at >= $1 ORDER BY created_at, seq LIMIT 1) AS first, \
                     (SELECT seq FROM memory_entity WHERE is_late = 0 AND created_at <= $2 ORDER BY created_at DESC, seq DESC LIMIT 1) AS last \
                     UNION ALL SELECT MIN(seq), MAX(seq) FROM memory_entity WHERE is_late = 1 AND created_at BETWEEN $1 AND $2)";
        let query = sqlx::query_as(query).bind(period.from).bind(period.to);
        let (first, last): (Option<i64>, Option<i64>) = query.fetch_one(&mut *self.reader().await).await?;
        Ok(Times { period, seqs: (first.unwrap_or(i64::MAX), last.unwrap_or(i64::MIN)) })
    }

    /// The newest that a full-text expression finds; of a period, where one is given.
    pub async fn found(&self, expression: &str, times: Option<&Times>, limit: u32) -> Result<Vec<i64>, sqlx::Error> {
        let Some(Times { period, seqs }) = times else {
            let query = "SELECT rowid FROM memory_text WHERE memory_text MATCH $1 ORDER BY rowid DESC LIMIT $2";
            return sqlx::query_scalar(query).bind(expression).bind(limit).fetch_all(&mut *self.searcher.lock().await).await;
        };
        let query = "SELECT rowid FROM memory_text WHERE memory_text MATCH $1 AND rowid BETWEEN $2 AND $3 \
                     AND (SELECT created_at FROM memory_entity WHERE seq = memory_text.rowid) BETWEEN $4 AND $5 ORDER BY rowid DESC LIMIT $6";
        let query = sqlx::query_scalar(query).bind(expression).bind(seqs.0).bind(seqs.1).bind(period.from).bind(period.to).bind(limit);
        query.fetch_all(&mut *self.searcher.lock().await).await
    }

    /// Those of them that the account sees, in any order: what an index has found is no permission. `seqs` is a JSON array.
    pub async fn entities(&self, account_id: &str, seqs: &str) -> Result<Vec<EntityRow>, sqlx::Error> {
        let query = listed!(
            "json_each($2) s JOIN memory_entity e ON e.seq = s.value JOIN account a ON a.id = e.creator_id \
             WHERE EXISTS (SELECT 1 FROM memory_placement p WHERE p.seq = e.seq AND (p.graph_id = $1 OR p.graph_id IN \
             (SELECT team_id FROM team_member WHERE account_id = $1)))"
        );
        sqlx::query_as(query).bind(account_id).bind(seqs).fetch_all(&mut *self.searcher.lock().await).await
    }
}
