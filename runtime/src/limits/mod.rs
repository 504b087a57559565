//! One guard per call: armed before the instance exists, asked at every turn, and at the end the one place that says which
//! limit was hit and what was used.

mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use mirra_host_sdk::{Budget, ErrorCode, InvocationError, Limits, PriceTable, Usage, Usd};
use wasmtime::ResourceLimiter;

use crate::engine::config::Fuel;

pub use watch::watch;

/// The limit that ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitHit {
    WallTime,
    CpuTime,
    Memory,
    Cost,
    Output { bytes: u64 },
}

/// Fuel between two looks at the clock and the budget: well under a millisecond of work.
pub const FUEL_SLICE: u64 = 1_000_000;

/// What the host does for a guest is charged by the byte: a processor without instructions for hashing takes as long for four as for a
/// turn of a loop.
const BYTES_PER_FUEL: u64 = 4;

/// Passing from the guest to the host and back takes as long as work on so many bytes.
const PASSAGE_BYTES: u64 = 400;

/// After work on so many bytes, well under a millisecond, others have their turn.
const WORK_SLICE_BYTES: u64 = 512 << 10;

/// What a table's element occupies in the host.
const TABLE_ELEMENT_BYTES: usize = 8;

/// Owned by the store, so that every host function can ask it. What the watch outside of the store must see is in `Meter`.
pub struct Guard {
    meter: Arc<Meter>,
    memory_bytes: u64,
    memory_bytes_peak: u64,
    /// What the host has worked on since others had their turn.
    worked_bytes: u64,
    hit: Option<LimitHit>,
}

/// What is shared between the store, which only runs while it is polled, the watch around it, and the operations under way.
#[derive(Debug)]
pub struct Meter {
    pub started: Instant,
    limits: Limits,
    prices: Arc<PriceTable>,
    /// Whose fuel wasmtime counts: exact at the last look from inside, and the watch adds a slice for every one that passed
    /// since. Otherwise exact at every tick.
    guest_fuel: AtomicU64,
    /// For what the host did in its stead.
    host_fuel: AtomicU64,
    pub who_counts: Fuel,
    /// What priced operations cost so far, in picodollars.
    operations: AtomicU64,
    cpu_us: AtomicU64,
}

impl Guard {
    /// The call begins now.
    pub fn arm(limits: Limits, prices: Arc<PriceTable>, who_counts: Fuel) -> Guard {
        let started = Instant::now();
        let zero = || AtomicU64::new(0);
        let meter =
            Meter { started, limits, prices, guest_fuel: zero(), host_fuel: zero(), who_counts, operations: zero(), cpu_us: zero() };
        Guard { meter: Arc::new(meter), memory_bytes: 0, memory_bytes_peak: 0, worked_bytes: 0, hit: None }
    }

    pub fn limits(&self) -> &Limits {
        &self.meter.limits
    }

    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub fn elapsed(&self) -> Duration {
        self.meter.started.elapsed()
    }

    pub fn time_left(&self) -> Duration {
        Duration::from_millis(self.limits().timeout_ms).saturating_sub(self.elapsed())
    }

    /// The fuel to start with: as much as the CPU limit allows and the budget can pay.
    pub fn fuel_budget(&self) -> u64 {
        self.limits().fuel_max.min(self.fuel_payable())
    }

    fn fuel_payable(&self) -> u64 {
        let price = self.meter.prices.fuel_billion_usd.picodollars();
        if price == 0 {
            return u64::MAX;
        }
        let budget = self.limits().cost_usd_max.saturating_sub(self.meter.prices.call_usd).picodollars();
        u64::try_from(budget as u128 * 1_000_000_000 / price as u128).unwrap_or(u64::MAX)
    }

    /// The guest counted its own work: takes it off. An error, which ends the call, when it was more than the call may use.
    pub fn burn(&mut self, fuel: u64) -> wasmtime::Result<()> {
        self.meter.guest_fuel.fetch_add(fuel, Relaxed);
        self.check_fuel()
    }

    /// The host is about to work for the guest on so many bytes. True: it has done so for long enough that others should have their turn
    /// first. The same error.
    pub fn work(&mut self, bytes: u64) -> wasmtime::Result<bool> {
        let bytes = bytes + PASSAGE_BYTES;
        self.meter.host_fuel.fetch_add(bytes / BYTES_PER_FUEL, Relaxed);
        self.check_fuel()?;
        self.worked_bytes += bytes;
        let is_over = self.worked_bytes >= WORK_SLICE_BYTES;
        if is_over {
            self.worked_bytes = 0;
        }
        Ok(is_over)
    }

    fn check_fuel(&mut self) -> wasmtime::Result<()> {
        if self.meter.fuel() > self.fuel_budget() {
            self.ran_out_of_fuel();
            return Err(wasmtime::Error::msg("out of fuel"));
        }
        Ok(())
    }

    /// Takes note of what wasmtime says is left of `fuel_budget`, where it is wasmtime that counts.
    pub fn note_fuel_left(&self, left: Option<u64>) {
        if let Some(left) = left {
            self.meter.guest_fuel.store(self.fuel_budget().saturating_sub(left), Relaxed);
        }
    }

    /// What its memories and tables have together.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    pub fn output_fits(&mut self, bytes: usize) -> bool {
        let fits = bytes as u64 <= self.limits().output_bytes_max;
        if !fits {
            self.hit = Some(LimitHit::Output { bytes: bytes as u64 });
        }
        fits
    }

    /// Called when the instance ran out of the fuel of `fuel_budget`.
    pub fn ran_out_of_fuel(&mut self) {
        self.hit = Some(if self.fuel_payable() < self.limits().fuel_max { LimitHit::Cost } else { LimitHit::CpuTime });
    }

    pub fn hit(&mut self, hit: LimitHit) {
        self.hit.get_or_insert(hit);
    }

    pub fn is_hit(&self) -> bool {
        self.hit.is_some()
    }

    /// The call is over: what it used, and the limit that ended it, if one did.
    pub fn finish(&self, cold_start: Duration) -> (Usage, Option<LimitHit>) {
        let wall = self.elapsed();
        let usage = Usage {
            cold_start_us: cold_start.as_micros() as u64,
            wall_us: wall.as_micros() as u64,
            cpu_us: self.meter.cpu_us.load(Relaxed),
            fuel: self.meter.fuel(),
            memory_bytes_peak: self.memory_bytes_peak,
            log_lines_dropped: 0,
            cost_usd: self.meter.cost(wall),
        };
        (usage, self.hit)
    }

    fn grow(&mut self, current: usize, desired: usize, unit: usize) -> wasmtime::Result<bool> {
        let grown = (desired.saturating_sub(current) as u64).saturating_mul(unit as u64);
        let total = self.memory_bytes.saturating_add(grown);
        if total > self.limits().memory_bytes_max {
            self.hit(LimitHit::Memory);
            // A trap instead of a failed growth: an interpreter that is denied memory may go on in any state.
            return Err(wasmtime::Error::msg("out of memory"));
        }
        self.memory_bytes = total;
        self.memory_bytes_peak = self.memory_bytes_peak.max(total);
        Ok(true)
    }
}

impl Meter {
    /// Of the guest and of the host for it.
    fn fuel(&self) -> u64 {
        self.guest_fuel.load(Relaxed).saturating_add(self.host_fuel.load(Relaxed))
    }

    fn operations(&self) -> Usd {
        Usd::from_picodollars(self.operations.load(Relaxed))
    }

    /// What the call costs without its operations.
    fn running(&self, wall: Duration) -> Usd {
        self.prices.running(self.fuel(), self.limits.memory_bytes_max, wall.as_micros() as u64)
    }

    fn cost(&self, wall: Duration) -> Usd {
        self.running(wall) + self.operations()
    }
}

impl Budget for Meter {
    fn left(&self) -> Usd {
        self.limits.cost_usd_max.saturating_sub(self.cost(self.started.elapsed()))
    }

    fn charge(&self, price: Usd) -> bool {
        let payable = self.limits.cost_usd_max.saturating_sub(self.running(self.started.elapsed())).picodollars();
        // Operations may be under way on several threads: none may spend what another has.
        let with_price = |spent: u64| Some(spent.saturating_add(price.picodollars())).filter(|total| *total <= payable);
        self.operations.fetch_update(Relaxed, Relaxed, with_price).is_ok()
    }

    fn spend(&self, amount: Usd) {
        let _ = self.operations.fetch_update(Relaxed, Relaxed, |spent| Some(spent.saturating_add(amount.picodollars())));
    }

    fn refund(&self, amount: Usd) {
        let _ = self.operations.fetch_update(Relaxed, Relaxed, |spent| Some(spent.saturating_sub(amount.picodollars())));
    }
}

/// Wasmtime asks for every memory and every table of the store, at the start and when they grow; the sum is what is limited.
impl ResourceLimiter for Guard {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, TABLE_ELEMENT_BYTES)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}

impl LimitHit {
    /// The contract's code, which limit it was, and what its author can do.
    pub fn explain(self, limits: &Limits) -> InvocationError {
        let memory_mb = limits.memory_bytes_max >> 20;
        let (code, message) = match self {
            LimitHit::WallTime => {
                let timeout_s = limits.timeout_ms as f64 / 1000.0;
                let unit = if timeout_s == 1.0 { "second" } else { "seconds" };
                let max_s = Limits::TIMEOUT_S.end();
                let said = format!("Execution exceeded maximum duration of {timeout_s} {unit}");
                (ErrorCode::Timeout, format!("{said}: raise the timeout (at most {max_s} s) or do less in one call"))
            }
            LimitHit::CpuTime => (
                ErrorCode::Timeout,
                format!("the handler used more CPU than a call may ({} units of fuel); do less in one call", limits.fuel_max),
            ),
            LimitHit::Memory => (
                ErrorCode::MemoryLimit,
                format!(
                    "the handler needed more than its {memory_mb} MB of memory; raise the memory (at most {} MB) or hold less at a time",
                    Limits::MEMORY_MB.end()
                ),
            ),
            LimitHit::Cost => (
                ErrorCode::CostLimit,
                format!("the call reached its cost limit of {} USD (CPU, memory-time and operations together)", limits.cost_usd_max),
            ),
            LimitHit::Output { bytes } => (
                ErrorCode::OutputTooLarge,
                format!("the result has {bytes} bytes as JSON, and {} are allowed; return less, or a reference", limits.output_bytes_max),
            ),
        };
        InvocationError::new(code, message)
    }
}
