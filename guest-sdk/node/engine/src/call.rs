//! One call of the handler, and the event loop under it.

use rquickjs::{Ctx, Function, Persistent, Promise, Value, promise::PromiseState};

use crate::bindings::exports::mirra::function::handler::{Failure, FailureKind};
use crate::bindings::mirra::function::operations::{self, Completion};
use crate::realm::{self, Hooks};
use crate::rejections;

pub fn handle(event: &str, context: &str) -> Result<String, Failure> {
    realm::with(|cx, hooks| {
        let answer = answer(cx, hooks, event, context);
        rejections::report(cx, &hooks.report_rejection);
        answer
    })
}

fn answer(cx: &Ctx<'_>, hooks: &Hooks, event: &str, context: &str) -> Result<String, Failure> {
    let thrown = |kind: FailureKind| failure(kind, describe(cx, hooks, cx.catch()));
    let event = cx.json_parse(event).map_err(|_| thrown(FailureKind::BadEvent))?;
    let call = restore(cx, &hooks.call);
    let returned: Value = call.and_then(|call| call.call((event, context))).map_err(|_| thrown(FailureKind::Thrown))?;
    let result = match returned.as_promise() {
        None => returned,
        Some(promise) => {
            let settled = drive(cx, hooks, promise);
            rejections::forget(&returned);
            match settled {
                Some(result) => result.map_err(|_| thrown(FailureKind::Thrown))?,
                None => return Err(failure(FailureKind::NeverSettles, Default::default())),
            }
        }
    };
    serialize(cx, hooks, result)
}

/// Runs jobs, timers and operations until the promise settles. None: nothing is left that could settle it. An error is
/// pending in `cx`.
pub fn drive<'js>(cx: &Ctx<'js>, hooks: &Hooks, promise: &Promise<'js>) -> Option<rquickjs::Result<Value<'js>>> {
    loop {
        while promise.state() == PromiseState::Pending && cx.execute_pending_job() {}
        if let Some(result) = promise.result::<Value>() {
            return Some(result);
        }
        match wait(cx, hooks) {
            Ok(true) => {}
            // The last timer may have settled it.
            Ok(false) if promise.state() != PromiseState::Pending => {}
            Ok(false) => return None,
            Err(thrown) => return Some(Err(thrown)),
        }
    }
}

/// Lets one thing happen: a timer that is due, or the next completion. Answers whether anything can still happen.
///
/// The host is asked even while jobs are pending: a handler that spins through timers must still hear of its operations.
fn wait(cx: &Ctx<'_>, hooks: &Hooks) -> rquickjs::Result<bool> {
    let next_timer_us: f64 = restore(cx, &hooks.run_timers)?.call(())?;
    let is_waiting: bool = restore(cx, &hooks.is_waiting)?.call(())?;
    let has_jobs = has_jobs(cx);
    if !is_waiting {
        if has_jobs || next_timer_us == 0.0 {
            return Ok(true);
        }
        if next_timer_us < 0.0 {
            return Ok(false);
        }
    }
    let timeout_us = if has_jobs { Some(0) } else { (next_timer_us >= 0.0).then_some(next_timer_us as u64) };
    if let Some(Completion { id, is_last, outcome }) = operations::wait(timeout_us) {
        let settle = restore(cx, &hooks.settle)?;
        match outcome {
            Ok(json) => settle.call::<_, ()>((id, is_last, true, json))?,
            Err(error) => settle.call::<_, ()>((id, is_last, false, error.code, error.message))?,
        }
    }
    Ok(true)
}

fn has_jobs(cx: &Ctx<'_>) -> bool {
    // SAFETY: the runtime of a live context.
    unsafe { rquickjs::qjs::JS_IsJobPending(rquickjs::qjs::JS_GetRuntime(cx.as_raw().as_ptr())) }
}

/// The result as JSON. `undefined` is null, as in every JSON answer; what else JSON leaves out at the top is an error.
fn serialize<'js>(cx: &Ctx<'js>, hooks: &Hooks, result: Value<'js>) -> Result<String, Failure> {
    if result.is_undefined() {
        return Ok("null".into());
    }
    let kind = if result.is_function() { "function" } else { "symbol" };
    match cx.json_stringify(result) {
        Ok(Some(json)) => json.to_string().map_err(|_| failure(FailureKind::NotSerializable, describe(cx, hooks, cx.catch()))),
        Ok(None) => Err(failure(
            FailureKind::NotSerializable,
            ("TypeError".into(), format!("the handler returned a {kind}, which JSON cannot carry"), String::new()),
        )),
        Err(_) => Err(failure(FailureKind::NotSerializable, describe(cx, hooks, cx.catch()))),
    }
}

/// Name, message and stack of something thrown.
pub fn describe<'js>(cx: &Ctx<'js>, hooks: &Hooks, thrown: Value<'js>) -> (String, String, String) {
    let describe = |thrown: Value<'js>| -> rquickjs::Result<Vec<String>> { restore(cx, &hooks.describe)?.call((thrown,)) };
    match describe(thrown).map(<[String; 3]>::try_from) {
        Ok(Ok([name, message, stack])) => (name, message, stack),
        // Memory or stack ran out while describing: say so rather than nothing.
        _ => ("Error".into(), "an error that could not be described".into(), String::new()),
    }
}

fn failure(kind: FailureKind, (name, message, stack): (String, String, String)) -> Failure {
    Failure { kind, name, message, stack }
}

fn restore<'js>(cx: &Ctx<'js>, function: &Persistent<Function<'static>>) -> rquickjs::Result<Function<'js>> {
    function.clone().restore(cx)
}
