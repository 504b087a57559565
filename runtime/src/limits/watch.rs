//! Looks at the clock and the budget whenever the guest lets go of the CPU: after every slice of fuel, and while it waits.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::atomic::Ordering::Relaxed,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::Sleep;

use super::{FUEL_SLICE, LimitHit, Meter};
use crate::engine::config::Fuel;

/// A poll shorter than this has hardly burnt a slice of wasmtime's fuel: the guest waits for something.
const SLICE_MIN: Duration = Duration::from_micros(100);

/// Longer than any timeout, and still a point in time that a clock can name.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Runs `call` until it ends or a limit does. On a limit the call is dropped where it stands.
pub async fn watch<T>(call: impl Future<Output = T>, meter: &Meter) -> Result<T, LimitHit> {
    let mut call = pin!(call);
    let mut watch = Watch { meter, alarm: None };
    poll_fn(|cx| watch.poll(call.as_mut(), cx)).await
}

struct Watch<'a> {
    meter: &'a Meter,
    /// Set the first time the call lets go; most never do.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Watch<'_> {
    fn poll<T>(&mut self, call: Pin<&mut impl Future<Output = T>>, cx: &mut Context<'_>) -> Poll<Result<T, LimitHit>> {
        let began = Instant::now();
        let polled = call.poll(cx);
        let took = began.elapsed();
        self.meter.cpu_us.fetch_add(took.as_micros() as u64, Relaxed);
        if let Poll::Ready(done) = polled {
            return Poll::Ready(Ok(done));
        }
        if took >= SLICE_MIN && self.meter.who_counts == Fuel::CountedByWasmtime {
            self.meter.guest_fuel.fetch_add(FUEL_SLICE, Relaxed);
        }
        if let Some(hit) = self.limit_passed(began + took) {
            return Poll::Ready(Err(hit));
        }
        let (hit, alarm) = self.alarm();
        alarm.poll(cx).map(|()| Err(hit))
    }

    fn limit_passed(&self, now: Instant) -> Option<LimitHit> {
        let wall = now - self.meter.started;
        if wall >= Duration::from_millis(self.meter.limits.timeout_ms) {
            return Some(LimitHit::WallTime);
        }
        (self.meter.cost(wall) > self.meter.limits.cost_usd_max).then_some(LimitHit::Cost)
    }

    /// Rings when the timeout passes or when memory-time will have eaten up the budget, whichever is first. Set anew whenever the
    /// call has spent on something else meanwhile.
    fn alarm(&mut self) -> (LimitHit, Pin<&mut Sleep>) {
        let (hit, after) = self.first_limit();
        let deadline = tokio::time::Instant::from_std(self.meter.started + after);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        (hit, alarm.as_mut())
    }

    /// Which limit a call that only waits from here on hits first, and how long after its start.
    fn first_limit(&self) -> (LimitHit, Duration) {
        let timeout = Duration::from_millis(self.meter.limits.timeout_ms).min(FOREVER);
        let budget = self.meter.limits.cost_usd_max.picodollars() as u128;
        let spent_without_memory = self.meter.prices.running(self.meter.fuel(), 0, 0) + self.meter.operations();
        let memory_second =
            self.meter.prices.running(0, self.meter.limits.memory_bytes_max, 1_000_000).saturating_sub(self.meter.prices.call_usd);
        let left = budget.saturating_sub(spent_without_memory.picodollars() as u128);
        let payable_us = (left * 1_000_000).checked_div(memory_second.picodollars() as u128).unwrap_or(u128::MAX);
        let payable = Duration::from_micros(u64::try_from(payable_us).unwrap_or(u64::MAX));
        if payable < timeout { (LimitHit::Cost, payable) } else { (LimitHit::WallTime, timeout) }
    }
}
