//! What goes on in the background: runs of processes that have ended, notices to be sent, and what is old enough to be forgotten.

use std::{sync::Arc, time::Duration};

use mirra_egress::Fetch;
use serde_json::json;

use super::retry::RETRIES_MAX;
use crate::{ApiError, Control, invocation, time};

/// How long after each try to send a notice the next one begins; after the last it is only kept.
const NOTICE_WAITS_MS: [i64; 4] = [10_000, 60_000, 600_000, 3_600_000];
const NOTICE_TIME_MAX: Duration = Duration::from_secs(10);
const NOTICES: u64 = 50;
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Rows at a time, so that nobody waits for the rest.
const PART: u64 = 500;

impl Control {
    /// Goes on with what processes had begun that are not there any more. How much there was.
    pub(super) async fn take_over(self: &Arc<Control>) -> Result<u64, ApiError> {
        let Some(worker) = self.worker() else { return Ok(0) };
        let store = &self.opened().await?.store;
        let mut taken = 0;
        for other in store.workers().await? {
            if worker.is_dead(&other) {
                let error = json!({ "code": "INTERNAL_ERROR", "message": "the server ended while it ran" }).to_string();
                taken += store.take_over(&other, RETRIES_MAX, &error, self.now()).await?;
                worker.forget(&other);
            }
        }
        if taken > 0 {
            tracing::warn!(runs = taken, "runs of a process that has ended go on here");
            self.work_has_come();
        }
        Ok(taken)
    }

    /// Sends what accounts want to be told.
    pub async fn send_notices(self: &Arc<Control>) -> Result<(), ApiError> {
        let store = &self.opened().await?.store;
        for notice in store.due_notices(self.now(), NOTICES).await? {
            let body = json!({
                "id": notice.id,
                "type": notice.kind,
                "message": notice.message,
                "details": serde_json::from_str::<serde_json::Value>(&notice.details).unwrap_or_default(),
                "createdAt": time::iso(notice.created_at),
            });
            let is_sent = match &notice.webhook_url {
                Some(url) => self.post(&notice.account_id, url, body.to_string()).await,
                None => true,
            };
            let tries = usize::try_from(notice.webhook_tries).unwrap_or(usize::MAX);
            let again = NOTICE_WAITS_MS.get(tries).map(|wait_ms| self.now() + wait_ms);
            store.notice_sent(&notice.id, again.filter(|_| !is_sent)).await?;
        }
        Ok(())
    }

    /// Whether it has arrived.
    async fn post(self: &Arc<Control>, account_id: &str, url: &str, body: String) -> bool {
        let Ok(reach) = self.reach_of(account_id).await else { return false };
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let (method, body, response_bytes_max) = ("POST", body.into(), ANSWER_BYTES_MAX);
        let fetch = Fetch { method, url, headers: &headers, body, timeout: Some(NOTICE_TIME_MAX), response_bytes_max };
        match self.egress().fetch(&account_id.into(), reach, fetch, NOTICE_TIME_MAX).await {
            Ok(answer) => answer.status < 300,
            Err(error) => {
                tracing::debug!(url, "a notice could not be sent: {error}");
                false
            }
        }
    }

    /// Forgets what is old: by how many days it is, and beyond so many results of a flow. In small parts, between which others write.
    pub async fn tidy(&self) -> Result<u64, ApiError> {
        let store = &self.opened().await?.store;
        let (limits, now) = (&self.config().limits, self.now());
        let before = |days: std::num::NonZeroU32| now - i64::from(days.get()) * time::DAY_MS;
        let mut forgotten = 0;
        loop {
            let part = store.forget_results(before(limits.results_kept_days), PART).await?
                + store.forget_logs(before(limits.logs_kept_days), PART).await?
                + store.forget_events(before(limits.events_known_days), PART).await?
                + store.forget_invocations(now - invocation::KNOWN_MS, PART).await?;
            forgotten += part;
            if part == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        for flow_id in store.flows_with_more_runs(limits.results_kept_per_flow.get()).await? {
            forgotten += store.forget_runs(&flow_id, limits.results_kept_per_flow.get()).await?;
        }
        Ok(forgotten)
    }
}
