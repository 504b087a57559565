use std::fmt;

use serde::Serialize;

/// One bench's figures.
#[derive(Debug, Serialize)]
pub struct Report {
    pub bench: &'static str,
    pub figures: Vec<Figure>,
}

/// One number, and what was promised of it.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// What must be reached; whether more or less is better is in `is_higher_better`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<f64>,
    pub is_higher_better: bool,
}

impl Figure {
    /// A figure of which less is better.
    pub fn low(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure { name: name.into(), value, unit, floor: None, aim: None, is_higher_better: false }
    }

    pub fn high(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure { is_higher_better: true, ..Figure::low(name, value, unit) }
    }

    /// A floor and an aim.
    pub fn promised(mut self, (floor, aim): (f64, f64)) -> Figure {
        (self.floor, self.aim) = (Some(floor), Some(aim));
        self
    }

    fn meets(&self, promise: f64) -> bool {
        if self.is_higher_better { self.value >= promise } else { self.value <= promise }
    }

    fn verdict(&self) -> &'static str {
        match (self.floor, self.aim) {
            (_, Some(aim)) if self.meets(aim) => "aim met",
            (Some(floor), _) if self.meets(floor) => "floor met",
            (Some(_), _) => "MISSED",
            _ => "",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map(short).unwrap_or_default();
        writeln!(f, "{:<58} {:>12} {:<7} {:>9} {:>9}", self.bench, "", "", "floor", "aim")?;
        for figure in &self.figures {
            let (value, floor, aim) = (short(figure.value), number(figure.floor), number(figure.aim));
            writeln!(f, "  {:<56} {value:>12} {:<7} {floor:>9} {aim:>9}  {}", figure.name, figure.unit, figure.verdict())?;
        }
        Ok(())
    }
}

fn short(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// The value below which `share` of the samples lie.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let index = ((samples.len() as f64 - 1.0) * share).round() as usize;
    samples.get(index).copied().unwrap_or(f64::NAN)
}

/// CPU time of this process: unlike wall time, a neighbour's load does not count.
pub fn cpu_time_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
