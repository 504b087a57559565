//! Runs handlers in QuickJS as compiled for this machine, beside the same QuickJS in wasm. Speaks as benches/handlers/node/peer.mjs
//! does: a line of stdin is `{"handler": FILE, "event": EVENT}`, the answer is a line `{"ms": CPU TIME, "result": RESULT}`.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
};

use anyhow::{Context as _, Result, anyhow};
use rquickjs::{CatchResultExt, Context, Ctx, Function, Module, Persistent, Runtime, Value};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::value::RawValue;

/// As in the engine (`engine/src/realm.rs`).
const GC_THRESHOLD_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Call<'a> {
    handler: String,
    #[serde(borrow)]
    event: &'a RawValue,
}

fn main() -> Result<()> {
    let runtime = Runtime::new()?;
    runtime.set_gc_threshold(GC_THRESHOLD_BYTES);
    let context = Context::full(&runtime)?;
    let mut handlers = HashMap::new();
    for line in io::stdin().lines() {
        let line = line?;
        let call: Call = serde_json::from_str(&line)?;
        let answer = context.with(|cx| {
            let handler = match handlers.get(&call.handler) {
                Some(handler) => Persistent::clone(handler),
                None => handlers.entry(call.handler.clone()).or_insert(load(&cx, &call.handler)?).clone(),
            };
            run(&cx, handler.restore(&cx)?, call.event.get())
        })?;
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}

fn load<'js>(cx: &Ctx<'js>, path: &str) -> Result<Persistent<Function<'static>>> {
    let source = fs::read(path).with_context(|| format!("cannot read {path}"))?;
    let load = || -> rquickjs::Result<_> {
        let (module, promise) = Module::declare(cx.clone(), path, source)?.eval()?;
        promise.finish::<()>()?;
        Ok(Persistent::save(cx, module.get::<_, Function<'js>>("handler")?))
    };
    load().catch(cx).map_err(|error| anyhow!("{path}: {error}"))
}

fn run<'js>(cx: &Ctx<'js>, handler: Function<'js>, event: &str) -> Result<String> {
    let run = || -> rquickjs::Result<String> {
        let event = cx.json_parse(event)?;
        let began = cpu_time_ms();
        let result: Value<'js> = handler.call((event,))?;
        let took = cpu_time_ms() - began;
        let result = cx.json_stringify(result)?.map(|text| text.to_string()).transpose()?;
        Ok(format!(r#"{{"ms":{took},"result":{}}}"#, result.as_deref().unwrap_or("null")))
    };
    run().catch(cx).map_err(|error| anyhow!("a call failed: {error}"))
}

fn cpu_time_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
