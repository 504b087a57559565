//! When a flow is due by the clock. It follows from the schedule and the time alone, and never from the run before.

use mirra_triggers::Schedule;

use super::{
    batch::{self, BATCH},
    config::{Config, MissedTicks},
    making::ACTIVE,
};
use crate::store::{FlowRow, NewRun, Tick};

/// How late a tick may be taken, besides the flow's own jitter, and still be its own: later, it was missed.
const LATE_MS: i64 = 60_000;

/// The next tick after a time, and when it is due.
pub fn set_next(row: &mut FlowRow, now: i64, spread_ms: u32) {
    let schedule = row.schedule.as_deref().filter(|_| row.status == ACTIVE).and_then(|text| Schedule::parse(text).ok());
    row.next_tick_at = schedule.and_then(|schedule| schedule.next_after(now));
    row.next_due_at = row.next_tick_at.map(|tick| tick + jitter_ms(&row.id, spread_ms));
}

/// A flow's own place among those of the same minute: the same for each tick, so that they are as far apart as the schedule says.
fn jitter_ms(flow_id: &str, spread_ms: u32) -> i64 {
    let hash = blake3::hash(flow_id.as_bytes());
    let number = hash.as_bytes().iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    i64::from(number % spread_ms.max(1))
}

/// What becomes of a flow that is due: its tick is run, and the next one follows. Of ticks that were missed, the latest is run, or none.
pub fn tick(row: &FlowRow, now: i64, spread_ms: u32) -> Option<Tick> {
    if row.execution_type == BATCH {
        return batch::first(row, now);
    }
    let (due_at, first) = (row.next_due_at?, row.next_tick_at?);
    let schedule = Schedule::parse(row.schedule.as_deref()?).ok()?;
    let jitter = jitter_ms(&row.id, spread_ms);
    // The latest that is due by the flow's own jitter, too.
    let tick_at = schedule.latest_within(first, now - jitter).unwrap_or(first);
    let next_tick_at = schedule.next_after(tick_at);
    let is_left_out = now - due_at > LATE_MS && Config::kept(&row.config).missed_ticks == MissedTicks::Skip;
    let run = NewRun {
        id: mirra_host_sdk::new_execution_id(),
        flow_id: row.id.clone(),
        trigger: "cron",
        input: "null".to_owned(),
        due_at: now,
        chain: 0,
        tick_at: Some(tick_at),
    };
    Some(Tick {
        flow_id: row.id.clone(),
        due_at,
        run: (!is_left_out).then_some(run),
        next_tick_at,
        next_due_at: next_tick_at.map(|tick| tick + jitter),
    })
}
