//! Flows while time passes: the clock is moved by hand, so a year takes seconds. The control plane and the executor are the real ones.

use std::{sync::Arc, time::Duration};

use mirra_control::{Config, Control, Means, PlatformLimits};
use mirra_egress::{Egress, EgressConfig};
use mirra_host_sdk::{AllowList, Clock, Executor, ManualClock};
use mirra_runtime::LocalExecutor;
use serde_json::{Value, json, value::to_raw_value};
use tempfile::TempDir;

use crate::executor::{bundler, cache_folder};

/// 2026-01-01T00:00:00Z
const BEGIN_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

struct Bed {
    clock: Arc<ManualClock>,
    control: Arc<Control>,
    executor: Arc<LocalExecutor>,
    folder: TempDir,
}

impl Bed {
    async fn new(limits: PlatformLimits) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Duration::from_millis(BEGIN_MS as u64)));
        Bed::open(folder, clock, limits).await
    }

    async fn open(folder: TempDir, clock: Arc<ManualClock>, limits: PlatformLimits) -> Bed {
        let egress = Egress::new(EgressConfig::new(AllowList::default())).unwrap();
        let config = Config { clock: clock.clone(), limits, ..Config::new(folder.path(), egress) };
        let control = Arc::new(Control::new(config));
        control.open().await.unwrap();
        let executor = Arc::new(LocalExecutor::new(mirra_runtime::Config::new(cache_folder(), bundler())).await.unwrap());
        let weak: std::sync::Weak<dyn Executor> = Arc::<LocalExecutor>::downgrade(&executor);
        control.offer_executor(weak).unwrap();
        Bed { clock, control, executor, folder }
    }

    /// As if the process had ended and another one begun.
    async fn begin_again(self, limits: PlatformLimits) -> Bed {
        let Bed { clock, control, executor, folder } = self;
        drop((control, executor));
        Bed::open(folder, clock, limits).await
    }

    fn now(&self) -> i64 {
        self.clock.unix_time().as_millis() as i64
    }

    fn advance(&self, ms: i64) {
        self.clock.advance(Duration::from_millis(ms as u64));
    }

    async fn call(&self, adapter: &str, operation: &str, params: Value) -> Result<Value, String> {
        let owner = self.control.owner().await.unwrap().clone();
        let params = to_raw_value(&params).unwrap();
        match self.control.call(&owner, adapter, operation, &params, Means::default()).await {
            Ok(answer) => Ok(serde_json::from_str(answer.data.get()).unwrap()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn flow(&self, params: Value) -> String {
        self.call("flows", "createFlow", params).await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn get(&self, flow_id: &str) -> Value {
        self.call("flows", "getFlow", json!({ "flowId": flow_id })).await.unwrap()
    }

    /// How many runs of a status its script has in the history; those that are listed are as many.
    async fn history(&self, flow: &Value, status: &str) -> u64 {
        let owner = self.control.owner().await.unwrap().clone();
        let params = to_raw_value(&json!({ "scriptId": flow["scriptId"], "status": status })).unwrap();
        let answer = self.control.call(&owner, "scripts", "getExecutions", &params, Means::default()).await.unwrap();
        let (listed, total): (Value, _) = (serde_json::from_str(answer.data.get()).unwrap(), answer.page.unwrap().total);
        assert_eq!(listed["count"], total.min(100));
        total
    }

    async fn send(&self, id: u32) {
        self.call("events", "send", json!({ "events": { "type": "a.b", "id": id.to_string() } })).await.unwrap();
    }

    /// Moves the clock from one thing that is due to the next, and does each.
    async fn live_until(&self, end: i64) {
        self.control.work_once().await.unwrap();
        while let Some(due) = self.control.next_due_at().await.unwrap().filter(|due| *due <= end) {
            self.advance((due - self.now()).max(0));
            self.control.work_once().await.unwrap();
        }
        self.advance((end - self.now()).max(0));
    }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

fn ticks(flow: &Value) -> Vec<String> {
    let runs = flow["executionResults"].as_array().unwrap();
    runs.iter().rev().map(|run| run["result"]["at"].as_str().unwrap_or_default().to_owned()).collect()
}

const AT: &str = "export const handler = (event) => ({ success: true, at: event.trigger.scheduledAt });";

#[test]
fn a_year_has_each_of_its_days_once() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let id = bed.flow(json!({ "title": "daily", "schedule": "30 9 * * *", "code": AT })).await;
        bed.live_until(BEGIN_MS + 365 * DAY_MS).await;
        let flow = bed.get(&id).await;
        assert_eq!((&flow["executionCount"], &flow["nextRunAt"]), (&json!(365), &json!("2027-01-01T09:30:00.000Z")));
        let seen = ticks(&flow);
        // The last hundred of them are kept to be looked at.
        assert_eq!((seen.len(), seen.last().unwrap().as_str()), (100, "2026-12-31T09:30:00.000Z"));
        let days: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(days.len(), 100);
    });
}

#[test]
fn ticks_that_were_missed_run_once_or_not_at_all() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let latest = bed.flow(json!({ "title": "latest", "schedule": "0 * * * *", "code": AT })).await;
        let skip = json!({ "missedTicks": "skip" });
        let skipped = bed.flow(json!({ "title": "skip", "schedule": "0 * * * *", "code": AT, "config": skip })).await;
        // Nobody works for two days and a half.
        bed.advance(60 * HOUR_MS + 30 * MINUTE_MS);
        let bed = bed.begin_again(PlatformLimits::default()).await;
        bed.control.work_once().await.unwrap();
        assert_eq!(ticks(&bed.get(&latest).await), ["2026-01-03T12:00:00.000Z"]);
        assert_eq!(ticks(&bed.get(&skipped).await), [""; 0]);
        bed.live_until(bed.now() + HOUR_MS).await;
        assert_eq!(ticks(&bed.get(&latest).await), ["2026-01-03T12:00:00.000Z", "2026-01-03T13:00:00.000Z"]);
        assert_eq!(ticks(&bed.get(&skipped).await), ["2026-01-03T13:00:00.000Z"]);
    });
}

#[test]
fn a_failing_flow_is_tried_five_times_and_paused() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let code = "export const handler = (event) => ({ success: false, reason: `no ${event.trigger.attempt} ${event.executionId}` });";
        let id = bed.flow(json!({ "title": "fails", "eventType": "a.b", "code": code })).await;
        bed.send(1).await;
        let mut times = Vec::new();
        bed.control.work_once().await.unwrap();
        while let Some(due) = bed.control.next_due_at().await.unwrap() {
            times.push((due - bed.now()) / MINUTE_MS);
            bed.advance(due - bed.now());
            assert_eq!(bed.get(&id).await["status"], "active");
            bed.control.work_once().await.unwrap();
        }
        assert_eq!(times, [1, 5, 15, 60]);
        let flow = bed.get(&id).await;
        assert_eq!((&flow["status"], &flow["executionCount"]), (&json!("paused"), &json!(1)), "{flow}");
        let run = &flow["executionResults"][0];
        let execution_id = run["executionId"].as_str().unwrap();
        assert_eq!((&run["status"], &run["error"]["message"]), (&json!("failed"), &json!(format!("no 4 {execution_id}"))));
        assert_eq!((bed.history(&flow, "failed").await, bed.history(&flow, "completed").await), (1, 0));
        let notices = bed.call("notifications", "list", json!({})).await.unwrap();
        assert_eq!((&notices["count"], &notices["notifications"][0]["details"]["flowId"]), (&json!(1), &json!(id)));
        // What comes while it is paused does not run, and it runs again when its owner says so.
        bed.send(2).await;
        bed.control.work_once().await.unwrap();
        bed.call("flows", "resumeFlow", json!({ "flowId": id })).await.unwrap();
        bed.send(3).await;
        bed.control.work_once().await.unwrap();
        assert_eq!(bed.control.next_due_at().await.unwrap(), Some(bed.now() + MINUTE_MS));
    });
}

#[test]
fn nothing_to_do_is_a_success() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let code = "export const handler = () => ({ success: false, noOp: true, reason: 'nothing' });";
        let id = bed.flow(json!({ "title": "idle", "eventType": "a.b", "code": code })).await;
        bed.send(1).await;
        bed.control.work_once().await.unwrap();
        assert_eq!(
            (&bed.get(&id).await["executionResults"][0]["status"], bed.control.next_due_at().await.unwrap()),
            (&json!("success"), None)
        );
    });
}

#[test]
fn what_is_old_is_forgotten() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let code = "export const handler = () => { console.log('hello'); return 1; };";
        let id = bed.flow(json!({ "title": "kept", "eventType": "a.b", "code": code })).await;
        for id in 0..105 {
            bed.send(id).await;
        }
        while bed.control.work_once().await.unwrap() > 0 {}
        let count = |flow: Value| flow["executionResults"].as_array().unwrap().len();
        let logs = |flow: Value| flow["executionResults"][0]["logs"].as_array().unwrap().len();
        assert_eq!(bed.history(&bed.get(&id).await, "completed").await, 105);
        bed.control.tidy().await.unwrap();
        assert_eq!((count(bed.get(&id).await), logs(bed.get(&id).await)), (100, 1));
        bed.advance(30 * DAY_MS - 1);
        bed.control.tidy().await.unwrap();
        assert_eq!(logs(bed.get(&id).await), 1);
        bed.advance(2);
        bed.control.tidy().await.unwrap();
        assert_eq!((count(bed.get(&id).await), logs(bed.get(&id).await)), (100, 0));
        bed.advance(60 * DAY_MS);
        bed.control.tidy().await.unwrap();
        assert_eq!(count(bed.get(&id).await), 0);
        assert_eq!(bed.history(&bed.get(&id).await, "completed").await, 0);
        assert_eq!(bed.get(&id).await["executionCount"], 105);
    });
}

#[test]
fn limits_of_a_day_hold_until_it_is_over() {
    block_on(async {
        let bed = Bed::new(PlatformLimits { flows_created_per_day: 2.try_into().unwrap(), ..PlatformLimits::default() }).await;
        let code = "export const handler = () => 1;";
        let id = bed.flow(json!({ "title": "twice", "eventType": "a.b", "code": code, "config": { "maxExecutionsPerDay": 2 } })).await;
        for id in 0..3 {
            bed.send(id).await;
            bed.control.work_once().await.unwrap();
        }
        let flow = bed.get(&id).await;
        let statuses: Vec<_> = flow["executionResults"].as_array().unwrap().iter().rev().map(|run| &run["status"]).collect();
        assert_eq!(statuses, ["success", "success", "failed"]);
        let error = &flow["executionResults"][0]["error"];
        assert_eq!((&error["code"], &flow["status"]), (&json!("RATE_LIMITED"), &json!("active")), "{error}");
        bed.flow(json!({ "title": "second", "eventType": "c.d", "code": code })).await;
        let third = json!({ "title": "third", "eventType": "c.d", "code": code });
        let refused = bed.call("flows", "createFlow", third.clone()).await.unwrap_err();
        assert!(refused.contains("2 flows a day"), "{refused}");
        bed.advance(DAY_MS);
        bed.send(4).await;
        bed.control.work_once().await.unwrap();
        assert_eq!(bed.get(&id).await["executionResults"][0]["status"], "success");
        bed.flow(third).await;
    });
}

#[test]
fn what_a_failed_try_has_cost_counts_into_its_day() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let code = "export const handler = (event) => ({ success: false, reason: `try ${event.trigger.attempt}` });";
        let config = json!({ "maxCostPerDay": 0.000000001 });
        let id = bed.flow(json!({ "title": "dear", "eventType": "a.b", "code": code, "config": config })).await;
        bed.send(1).await;
        bed.live_until(BEGIN_MS + MINUTE_MS).await;
        let flow = bed.get(&id).await;
        let error = &flow["executionResults"][0]["error"];
        assert_eq!((&error["code"], &flow["status"]), (&json!("COST_LIMIT"), &json!("active")), "{flow}");
    });
}

#[test]
fn a_clock_that_is_set_back_repeats_no_tick() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let id = bed.flow(json!({ "title": "hourly", "schedule": "0 * * * *", "code": AT })).await;
        bed.live_until(BEGIN_MS + 2 * HOUR_MS + MINUTE_MS).await;
        // Somebody sets it an hour back, and the server is started anew.
        let clock = Arc::new(ManualClock::at(Duration::from_millis((BEGIN_MS + HOUR_MS + 30 * MINUTE_MS) as u64)));
        let Bed { control, executor, folder, .. } = bed;
        drop((control, executor));
        let bed = Bed::open(folder, clock, PlatformLimits::default()).await;
        bed.live_until(BEGIN_MS + 3 * HOUR_MS + MINUTE_MS).await;
        let seen = ticks(&bed.get(&id).await);
        assert_eq!(seen, ["2026-01-01T01:00:00.000Z", "2026-01-01T02:00:00.000Z", "2026-01-01T03:00:00.000Z"]);
    });
}

#[test]
fn a_batch_works_through_its_list_part_by_part() {
    block_on(async {
        let bed = Bed::new(PlatformLimits::default()).await;
        let one = |index: u32| json!({ "adapter": "memory", "operation": "create", "args": { "type": "note", "content": format!("note {index}") } });
        let mut operations: Vec<_> = (0..5).map(one).collect();
        operations.push(json!({ "adapter": "memory", "operation": "nothing" }));
        let params = json!({ "title": "notes", "operations": operations, "batchSize": 4, "intervalSeconds": 60 });
        let made = bed.call("flows", "createBatchOperation", params).await.unwrap();
        assert_eq!((&made["operationCount"], &made["estimatedCompletionMinutes"]), (&json!(6), &json!(1)));
        let id = made["flowId"].as_str().unwrap();
        bed.control.work_once().await.unwrap();
        let notes = || async { bed.call("memory", "query", json!({})).await.unwrap()["totalCount"].clone() };
        assert_eq!((notes().await, &bed.get(id).await["status"]), (json!(4), &json!("active")));
        bed.live_until(BEGIN_MS + MINUTE_MS).await;
        let flow = bed.get(id).await;
        assert_eq!((notes().await, &flow["status"], &flow["executionCount"]), (json!(5), &json!("completed"), &json!(2)));
        let results = &flow["executionResults"][0]["result"]["results"];
        assert_eq!((&results[0]["success"], &results[1]["error"]["code"]), (&json!(true), &json!("NOT_FOUND")), "{results}");
        let notices = bed.call("notifications", "list", json!({})).await.unwrap();
        assert_eq!(notices["notifications"][0]["type"], "flow.completed");
        let refused = json!({ "title": "keys", "operations": [{ "adapter": "keys", "operation": "create", "args": { "name": "x" } }] });
        assert!(bed.call("flows", "createBatchOperation", refused).await.unwrap_err().contains("not offered"));
    });
}
