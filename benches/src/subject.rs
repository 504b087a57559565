//! The same handlers in each language, and what is promised of them.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// TypeScript and JavaScript
    Js,
    /// Python
    Py,
}

pub const SMALL_EVENT: &str = r#"{"name":"Ada","items":[1,2,3]}"#;

/// A floor and an aim.
pub type Promise = (f64, f64);

pub struct Subject {
    pub extension: &'static str,
    /// Answers something made of `SMALL_EVENT`. The peers run it too.
    pub small: &'static str,
    /// Waits for `event.ms`.
    pub waiting: &'static str,
    /// Computes until its time is over.
    pub busy: &'static str,
    /// Answers `"{number}: {name}"` for an event with a name.
    pub numbered: fn(usize) -> String,
    /// Does `event.work`, one of `KINDS`.
    pub cpu: &'static str,
    pub cold_p50_us: Promise,
    pub cold_p99_us: Promise,
    pub redeploy_ms: Promise,
    pub requests_per_s: Promise,
    pub instance_kb: Promise,
}

pub const KINDS: [&str; 7] = ["fib", "loop", "json", "regex", "sort", "strings", "objects"];

static JAVASCRIPT: Subject = Subject {
    extension: "ts",
    small: "export async function handler(event: any) {
  return { success: true, hello: event.name, n: event.items.length };
}
",
    waiting: "export async function handler(event: any) {
  await new Promise((resolve) => setTimeout(resolve, event.ms));
  return { success: true };
}
",
    busy: "export function handler() { for (;;) { } }\n",
    numbered: |number| format!("export const handler = (event: any) => `{number}: ${{event.name}}`;\n"),
    cpu: include_str!("../handlers/cpu.js"),
    cold_p50_us: (40.0, 15.0),
    cold_p99_us: (100.0, 30.0),
    redeploy_ms: (50.0, 10.0),
    requests_per_s: (5_000.0, 20_000.0),
    instance_kb: (250.0, 100.0),
};

static PYTHON: Subject = Subject {
    extension: "py",
    small: "async def handler(event, context):
    return {\"success\": True, \"hello\": event[\"name\"], \"n\": len(event[\"items\"])}
",
    waiting: "import asyncio


async def handler(event, context):
    await asyncio.sleep(event[\"ms\"] / 1000)
    return {\"success\": True}
",
    busy: "def handler(event, context):
    while True:
        pass
",
    numbered: |number| format!("def handler(event, context):\n    return f\"{number}: {{event['name']}}\"\n"),
    cpu: include_str!("../handlers/cpu.py"),
    cold_p50_us: (600.0, 150.0),
    cold_p99_us: (1_200.0, 300.0),
    redeploy_ms: (500.0, 100.0),
    requests_per_s: (800.0, 4_000.0),
    instance_kb: (1_000.0, 400.0),
};

impl Lang {
    pub fn subject(self) -> &'static Subject {
        match self {
            Lang::Js => &JAVASCRIPT,
            Lang::Py => &PYTHON,
        }
    }
}

impl Subject {
    /// The name of a handler's file.
    pub fn file(&self, name: &str) -> String {
        format!("{name}.{}", self.extension)
    }
}
