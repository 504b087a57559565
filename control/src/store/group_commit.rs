//! Beginnings and ends of runs that come at about the same time are written together: most of what a transaction costs is the same for one
//! as for many. Whoever gets the writer first writes for all who wait for it; nobody waits to be joined by others.
//!
//! Those of a kind are one statement, which is a transaction in itself. One around all of them would keep the writer for more ways to
//! SQLite's thread and back, and where there is much to do each way takes longer than what is done at its end.

use std::{
    collections::HashSet,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};
use tokio::sync::oneshot;

use super::{
    ExecutionEnd, ExecutionRow, Store,
    queue::{self, RunEnd},
};

/// More would keep others from the writer for too long, and each number of rows is a statement of its own.
const CHANGES_MAX: usize = 32;

/// What is to be written of a run.
pub(super) enum Change {
    /// It begins at once, if its script has begun fewer than so many today.
    Begin(Box<ExecutionRow>, i64),
    End(ExecutionEnd),
    /// Of a flow.
    EndOfFlow(Arc<RunEnd>),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Begin,
    End,
    /// Other things follow from it: a transaction of several statements.
    EndWithMore,
}

const KINDS: [Kind; 3] = [Kind::Begin, Kind::End, Kind::EndWithMore];

impl Change {
    fn kind(&self) -> Kind {
        match self {
            Change::Begin(..) => Kind::Begin,
            Change::EndOfFlow(end) if end.has_more() => Kind::EndWithMore,
            Change::End(_) | Change::EndOfFlow(_) => Kind::End,
        }
    }

    fn id(&self) -> &str {
        match self {
            Change::Begin(row, _) => &row.id,
            Change::End(end) => &end.id,
            Change::EndOfFlow(end) => &end.end.id,
        }
    }
}

struct Waiting {
    change: Arc<Change>,
    /// Whether it was made; dropped where those of its kind failed.
    done: oneshot::Sender<bool>,
}

#[derive(Default)]
pub(super) struct Group {
    waiting: Mutex<Vec<Waiting>>,
}

impl Group {
    fn join(&self, change: Arc<Change>) -> oneshot::Receiver<bool> {
        let (done, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { change, done });
        answer
    }

    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(CHANGES_MAX);
        waiting.drain(..count).collect()
    }
}

impl Store {
    /// False: it was not as it would have to be, and nothing was changed.
    pub(super) async fn write(&self, change: Change) -> Result<bool, sqlx::Error> {
        let change = Arc::new(change);
        let mut answer = pin!(self.group.join(change.clone()));
        loop {
            tokio::select! {
                biased;
                answered = &mut answer => match answered {
                    Ok(is_done) => return Ok(is_done),
                    // All of its kind failed, perhaps by another's change, or whoever wrote for all went away: now for itself.
                    Err(_) => break,
                },
                mut writer = self.writer.lock() => {
                    let mut group = self.group.next();
                    for kind in KINDS {
                        let (of_kind, others): (Vec<_>, Vec<_>) = group.into_iter().partition(|waiting| waiting.change.kind() == kind);
                        group = others;
                        if of_kind.is_empty() {
                            continue;
                        }
                        let changes: Vec<&Change> = of_kind.iter().map(|waiting| &*waiting.change).collect();
                        let Ok(done) = write_all(&mut writer, kind, &changes).await else { continue };
                        for Waiting { change, done: tell } in of_kind {
                            // Who does not wait any more need not know.
                            let _ = tell.send(done.contains(change.id()));
                        }
                    }
                }
            }
        }
        let done = write_all(&mut *self.writer.lock().await, change.kind(), &[&*change]).await?;
        Ok(done.contains(change.id()))
    }
}

/// Those of one kind: all, or none. The ids of those that were as they had to be.
async fn write_all(writer: &mut SqliteConnection, kind: Kind, changes: &[&Change]) -> Result<HashSet<String>, sqlx::Error> {
    let (mut begun, mut ended, mut of_flows) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Begin(row, per_day_max) => begun.push((&**row, *per_day_max)),
            Change::End(end) => ended.push(end),
            Change::EndOfFlow(end) => {
                if !end.is_tried_again() {
                    ended.push(&end.end);
                }
                of_flows.push(&**end);
            }
        }
    }
    match kind {
        Kind::Begin => begin_all(writer, &begun).await,
        Kind::End => end_all(writer, &ended).await,
        Kind::EndWithMore => {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let mut done = end_all(&mut transaction, &ended).await?;
            done.extend(queue::after_ends(&mut transaction, &of_flows, &done).await?);
            transaction.commit().await?;
            Ok(done)
        }
    }
}

/// Which of them have begun.
async fn begin_all(connection: &mut SqliteConnection, rows: &[(&ExecutionRow, i64)]) -> Result<HashSet<String>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO execution (id, account_id, script_id, version_id, trigger, status, input, created_at, started_at, worker_id, flow_id)
        SELECT column1, column2, column3, column4, column5, 'running', column6, column7, column7, column8, column9
        FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY column3) AS place FROM (",
    );
    query.push_values(rows, |mut values, (row, per_day_max)| {
        values
            .push_bind(&row.id)
            .push_bind(&row.account_id)
            .push_bind(&row.script_id)
            .push_bind(&row.version_id)
            .push_bind(&row.trigger)
            .push_bind(&row.input)
            .push_bind(row.created_at)
            .push_bind(&row.worker_id)
            .push_bind(&row.flow_id)
            .push_bind(*per_day_max);
    });
    // Those that begin with it are not counted yet, so that each has its place among them.
    query.push(
        ")) AS new WHERE column10 - place >= COALESCE((SELECT manual FROM day_usage
            WHERE subject_id = column3 AND day = column7 / 86400000), 0)
        ON CONFLICT (id) DO NOTHING RETURNING id",
    );
    Ok(query.build_query_scalar().fetch_all(connection).await?.into_iter().collect())
}

/// Which of them were running. What they had cost before, where they were tried more than once, stays paid.
async fn end_all(connection: &mut SqliteConnection, ends: &[&ExecutionEnd]) -> Result<HashSet<String>, sqlx::Error> {
    if ends.is_empty() {
        return Ok(HashSet::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "UPDATE execution SET status = column2, ended_at = column3, output = column4, error = column5, logs = column6,
            duration_us = column7, memory_bytes = column8, cost_picodollars = cost_picodollars + column9,
            version_id = COALESCE(column10, version_id)
        FROM (",
    );
    query.push_values(ends, |mut values, end| {
        values
            .push_bind(&end.id)
            .push_bind(end.status)
            .push_bind(end.ended_at)
            .push_bind(&end.output)
            .push_bind(&end.error)
            .push_bind(&end.logs)
            .push_bind(end.duration_us)
            .push_bind(end.memory_bytes)
            .push_bind(end.cost_picodollars)
            .push_bind(&end.version_id);
    });
    query.push(") AS ended WHERE id = column1 AND execution.status = 'running' RETURNING id");
    Ok(query.build_query_scalar().fetch_all(connection).await?.into_iter().collect())
}
