//! What `/metrics` tells, in the text format of Prometheus.

use std::{sync::OnceLock, time::Duration};

use mirra_host_sdk::{ErrorCode, Outcome};
use mirra_runtime::Load;
use prometheus::{
    Counter, CounterVec, Encoder, Error, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

/// From ten microseconds, in steps of about three, to the longest timeout.
const DURATION_BUCKETS_S: [f64; 16] = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];
const COLD_START_BUCKETS_S: [f64; 10] = [5e-6, 1e-5, 2e-5, 4e-5, 8e-5, 1.6e-4, 5e-4, 2e-3, 1e-2, 0.1];

pub struct Metrics {
    registry: Registry,
    calls: IntCounterVec,
    duration: HistogramVec,
    cold_start: HistogramVec,
    fuel: IntCounterVec,
    cost: CounterVec,
    instances: IntGauge,
    queue: IntGauge,
    handlers: IntGauge,
}

impl Metrics {
    /// Fails only for names that are no metric names or that are used twice.
    pub fn new() -> Result<Metrics, Error> {
        let by_handler = &["handler"];
        let duration = HistogramOpts::new("mirra_call_duration_seconds", "Wall time of a call, its cold start included");
        let cold_start = HistogramOpts::new("mirra_cold_start_seconds", "From the wish for an instance to its first instruction");
        let metrics = Metrics {
            registry: Registry::new(),
            calls: IntCounterVec::new(
                Opts::new("mirra_calls_total", "Calls that ended, by outcome: OK, an error code, or CANCELLED by the client"),
                &["handler", "code"],
            )?,
            duration: HistogramVec::new(duration.buckets(DURATION_BUCKETS_S.into()), by_handler)?,
            cold_start: HistogramVec::new(cold_start.buckets(COLD_START_BUCKETS_S.into()), by_handler)?,
            fuel: IntCounterVec::new(Opts::new("mirra_fuel_units_total", "CPU work of calls that ended"), by_handler)?,
            cost: CounterVec::new(Opts::new("mirra_cost_usd_total", "What calls that ended have cost"), by_handler)?,
            instances: IntGauge::new("mirra_instances_live", "Calls that run now, each in an instance of its own")?,
            queue: IntGauge::new("mirra_queue_calls", "Calls that wait for a place")?,
            handlers: IntGauge::new("mirra_handlers", "Handlers that are served")?,
        };
        let Metrics { registry, calls, duration, cold_start, fuel, cost, instances, queue, handlers } = &metrics;
        registry.register(Box::new(calls.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        registry.register(Box::new(cold_start.clone()))?;
        registry.register(Box::new(fuel.clone()))?;
        registry.register(Box::new(cost.clone()))?;
        registry.register(Box::new(instances.clone()))?;
        registry.register(Box::new(queue.clone()))?;
        registry.register(Box::new(handlers.clone()))?;
        Ok(metrics)
    }

    /// The series of one handler, looked up once and not for every call.
    pub fn of_handler(&self, name: &str) -> HandlerMetrics {
        HandlerMetrics {
            name: name.to_owned(),
            calls: self.calls.clone(),
            calls_by_code: Default::default(),
            duration: self.duration.with_label_values(&[name]),
            cold_start: self.cold_start.with_label_values(&[name]),
            fuel: self.fuel.with_label_values(&[name]),
            cost: self.cost.with_label_values(&[name]),
        }
    }

    /// Everything as text, with the load of this moment.
    pub fn render(&self, load: Load, handlers: usize) -> Result<Vec<u8>, Error> {
        self.instances.set(load.running as i64);
        self.queue.set(load.queued as i64);
        self.handlers.set(handlers as i64);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

pub struct HandlerMetrics {
    name: String,
    calls: IntCounterVec,
    /// Made when they are first needed, so that a handler has no series for the dozen outcomes it never had.
    calls_by_code: [OnceLock<IntCounter>; OUTCOMES],
    duration: Histogram,
    cold_start: Histogram,
    fuel: IntCounter,
    cost: Counter,
}

/// Outcomes as indices: that of an error is its place in `ErrorCode::ALL`, which is the order it is declared in.
const OUTCOMES: usize = ErrorCode::ALL.len() + 2;
const OK: usize = ErrorCode::ALL.len();
const CANCELLED: usize = OK + 1;

impl HandlerMetrics {
    /// A call begins.
    pub fn begin(&self) -> InFlight<'_> {
        InFlight { metrics: self, outcome: CANCELLED }
    }

    fn count(&self, outcome: usize) {
        let code = match outcome {
            OK => "OK",
            CANCELLED => "CANCELLED",
            error => ErrorCode::ALL[error].as_str(),
        };
        self.calls_by_code[outcome].get_or_init(|| self.calls.with_label_values(&[self.name.as_str(), code])).inc();
    }
}

/// A call that runs. Dropped before it ended, it counts as cancelled.
pub struct InFlight<'a> {
    metrics: &'a HandlerMetrics,
    outcome: usize,
}

impl InFlight<'_> {
    pub fn end(mut self, outcome: &Outcome) {
        const PICODOLLARS: f64 = 1e12;
        let usage = &outcome.usage;
        self.outcome = outcome.result.as_ref().map_or_else(|error| error.code as usize, |_| OK);
        // A call that was refused had no instance, and so no times.
        if usage.wall_us > 0 {
            self.metrics.duration.observe(Duration::from_micros(usage.wall_us).as_secs_f64());
            self.metrics.cold_start.observe(Duration::from_micros(usage.cold_start_us).as_secs_f64());
        }
        self.metrics.fuel.inc_by(usage.fuel);
        self.metrics.cost.inc_by(usage.cost_usd.picodollars() as f64 / PICODOLLARS);
    }

    pub fn fail(mut self, code: ErrorCode) {
        self.outcome = code as usize;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.metrics.count(self.outcome);
    }
}
