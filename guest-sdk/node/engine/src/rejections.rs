//! Promises that were rejected while nobody listened: most often an `await` was forgotten. They are no failure of the call, as
//! its result may be fine, but its author hears of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use rquickjs::{Ctx, Function, Persistent, Runtime, Value};

/// More are one mistake, made many times.
const REPORTED_MAX: usize = 10;
/// Of so many it is remembered whether somebody came to listen.
const KEPT_MAX: usize = 1000;

struct Rejection {
    /// Kept, so that no other promise comes to lie at its address.
    _promise: Persistent<Value<'static>>,
    reason: Persistent<Value<'static>>,
    number: u32,
}

thread_local! {
    /// By address.
    static UNHEARD: RefCell<BTreeMap<u64, Rejection>> = const { RefCell::new(BTreeMap::new()) };
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// Takes note of promises that are rejected from now on.
pub fn track(runtime: &Runtime) {
    runtime.set_host_promise_rejection_tracker(Some(Box::new(|cx, promise, reason, is_heard| {
        if is_heard {
            forget(&promise);
        } else if UNHEARD.with_borrow(BTreeMap::len) < KEPT_MAX {
            let (address, number) = (promise.as_raw(), COUNT.replace(COUNT.get() + 1));
            let (_promise, reason) = (Persistent::save(&cx, promise), Persistent::save(&cx, reason));
            UNHEARD.with_borrow_mut(|unheard| unheard.insert(address, Rejection { _promise, reason, number }));
        }
    })));
}

/// Somebody listens to this one after all.
pub fn forget(promise: &Value<'_>) {
    // Dropped when the map can be used again.
    let _heard = UNHEARD.with_borrow_mut(|unheard| unheard.remove(&promise.as_raw()));
}

/// Passes what nobody heard of to `report`.
pub fn report<'js>(cx: &Ctx<'js>, report: &Persistent<Function<'static>>) {
    let mut unheard: Vec<Rejection> = UNHEARD.with_borrow_mut(std::mem::take).into_values().collect();
    unheard.sort_by_key(|rejection| rejection.number);
    for rejection in unheard.into_iter().take(REPORTED_MAX) {
        let report = || -> rquickjs::Result<()> { report.clone().restore(cx)?.call((rejection.reason.restore(cx)?,)) };
        if report().is_err() {
            // What it holds cannot be shown, or memory is short.
            cx.catch();
        }
    }
}
