//! Promises that were rejected while nobody listened: most often an `await` was forgotten. They do not fail the call, as its
//! result may be fine, but its author hears of them.

use std::cell::RefCell;

use rquickjs::{Ctx, Function, Persistent, Runtime, Value};

/// More are one mistake, made many times.
const REPORTED_MAX: usize = 10;

struct Rejection {
    promise: Persistent<Value<'static>>,
    reason: Persistent<Value<'static>>,
    id: u64,
}

thread_local! {
    static UNHEARD: RefCell<Vec<Rejection>> = const { RefCell::new(Vec::new()) };
}

/// Takes note of promises that are rejected from now on.
pub fn track(runtime: &Runtime) {
    runtime.set_host_promise_rejection_tracker(Some(Box::new(|cx, promise, reason, is_heard| {
        forget(&promise);
        if !is_heard {
            let id = identity(&promise);
            let rejection = Rejection { promise: Persistent::save(&cx, promise), reason: Persistent::save(&cx, reason), id };
            UNHEARD.with_borrow_mut(|unheard| unheard.push(rejection));
        }
    })));
}

/// Somebody listens to this one after all.
pub fn forget(promise: &Value<'_>) {
    let id = identity(promise);
    UNHEARD.with_borrow_mut(|unheard| unheard.retain(|rejection| rejection.id != id));
}

/// Passes what nobody heard of to `report`.
pub fn report<'js>(cx: &Ctx<'js>, report: &Persistent<Function<'static>>) {
    let unheard = UNHEARD.with_borrow_mut(std::mem::take);
    for Rejection { promise, reason, .. } in unheard.into_iter().take(REPORTED_MAX) {
        drop(promise);
        let report = || -> rquickjs::Result<()> { report.clone().restore(cx)?.call((reason.restore(cx)?,)) };
        if report().is_err() {
            // What it holds cannot be shown, or memory is short.
            cx.catch();
        }
    }
}

/// A promise that is kept is the only one at its address.
fn identity(promise: &Value<'_>) -> u64 {
    promise.as_raw()
}
