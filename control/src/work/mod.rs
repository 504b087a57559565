//! Runs what is due: ticks of schedules become runs in the queue, runs are claimed, tried, and ended or put back.

mod performing;
mod retry;
mod tidying;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use crate::{
    ApiError, Control, flow,
    store::{Claim, ClaimedRun},
};

pub use performing::{Performed, perform, write_end};
pub use retry::WAITS_MS as RETRY_WAITS_MS;

/// Looks at the clock at least as often: it may be set.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Should something stay due, others have the processor, too.
const WAIT_MIN: Duration = Duration::from_millis(1);
/// After the store has failed.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked for runs of processes that have ended, and for what is to be sent.
const CARE_INTERVAL: Duration = Duration::from_secs(5);
/// How often what is old is forgotten.
const TIDY_INTERVAL: Duration = Duration::from_secs(600);
/// Ticks in one transaction.
const PART: u64 = 500;
/// Runs that begin at a time. With more at once, whatever else is to be done would wait for all of them.
const CLAIM_MAX: u32 = 64;

impl Control {
    /// Does all that is due whenever it is, until [`Control::stop_working`]: then it ends with the last run that has begun.
    pub async fn work(self: &Arc<Control>) {
        tokio::select! {
            () = self.run_what_is_due() => {}
            () = self.care() => {}
        }
    }

    async fn run_what_is_due(self: &Arc<Control>) {
        let count = self.config().limits.concurrent_flow_executions.get();
        let places = Arc::new(Semaphore::new(count as usize));
        while !self.is_stopping() {
            let begun = self.begin_due(places.available_permits() as u32, |claimed| {
                let (control, places) = (self.clone(), places.clone());
                tokio::spawn(async move {
                    // There were as many.
                    let place = places.try_acquire();
                    control.perform_run(claimed).await;
                    drop(place);
                    control.work_has_come();
                });
            });
            match begun.await {
                // Without a place, the end of a run is what to wait for.
                Ok(_) if places.available_permits() == 0 => self.wait(WAIT_MAX).await,
                Ok(next_due) => {
                    let until = next_due.map(|due_at| Duration::from_millis((due_at - self.now()).max(0).unsigned_abs()));
                    self.wait(until.unwrap_or(WAIT_MAX).clamp(WAIT_MIN, WAIT_MAX)).await;
                }
                Err(error) => {
                    tracing::error!(cause = error.cause.as_ref().map(ToString::to_string), "the queue cannot be worked on: {error}");
                    sleep(TROUBLE_PAUSE).await;
                }
            }
        }
        // All places are free when the last run has ended.
        let _ = places.acquire_many(count).await;
    }

    async fn wait(&self, time: Duration) {
        let _ = timeout(time, self.work_waits()).await;
    }

    /// Puts due ticks into the queue and claims what is due there. When the next thing is.
    async fn begin_due(self: &Arc<Control>, runs_max: u32, mut begin: impl FnMut(ClaimedRun)) -> Result<Option<i64>, ApiError> {
        let store = &self.opened().await?.store;
        let limits = &self.config().limits;
        loop {
            let due = store.due_flows(self.now(), PART).await?;
            if due.is_empty() {
                break;
            }
            let now = self.now();
            let ticks: Vec<_> = due.iter().filter_map(|flow| flow::tick(flow, now, limits.tick_spread_ms)).collect();
            if ticks.is_empty() {
                break;
            }
            store.take_ticks(&ticks, now).await?;
        }
        let Some(worker) = self.worker() else { return Ok(None) };
        let mut left = runs_max;
        while left > 0 {
            let claim = Claim {
                worker_id: &worker.id,
                now: self.now(),
                runs_max: left.min(CLAIM_MAX),
                per_flow_max: limits.concurrent_executions_per_flow.get().into(),
            };
            let Some(claimed) = store.claim_runs(claim).await? else { break };
            left -= (claimed.len() as u32).min(left);
            claimed.into_iter().for_each(&mut begin);
        }
        Ok(store.next_due().await?)
    }

    /// Does all that is due now, to its end, and what becomes due by that. For whoever moves the clock.
    pub async fn work_once(self: &Arc<Control>) -> Result<u64, ApiError> {
        let mut done = 0;
        loop {
            let mut runs = JoinSet::new();
            self.begin_due(PART as u32, |claimed| {
                let control = self.clone();
                runs.spawn(async move { control.perform_run(claimed).await });
            })
            .await?;
            if runs.is_empty() {
                return Ok(done);
            }
            done += runs.len() as u64;
            runs.join_all().await;
        }
    }

    /// When the next thing is due. For whoever moves the clock.
    pub async fn next_due_at(&self) -> Result<Option<i64>, ApiError> {
        Ok(self.opened().await?.store.next_due().await?)
    }

    async fn care(self: &Arc<Control>) {
        let (mut care, mut tidy) = (interval(CARE_INTERVAL), interval(TIDY_INTERVAL));
        loop {
            let cared = tokio::select! {
                _ = care.tick() => async { self.take_over().await?; self.send_notices().await }.await,
                _ = tidy.tick() => self.tidy().await.map(drop),
            };
            if let Err(error) = cared {
                tracing::error!(cause = error.cause.as_ref().map(ToString::to_string), "what is old cannot be tidied: {error}");
            }
        }
    }
}
