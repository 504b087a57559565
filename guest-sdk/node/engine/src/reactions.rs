//! What AsyncLocalStorage keeps goes with what is called when a promise settles, `await` included: `cc.sh` has QuickJS ask here
//! what to call. A callback becomes a function that calls it in the context that there was when it was given, and nothing
//! happens as long as there is none. In JavaScript (`layer/src/async-context.mjs`) the same took five times as long.

use std::cell::Cell;

use rquickjs::{Ctx, Value, qjs};

thread_local! {
    /// What holds now: the layer's map of stores, a reference of ours.
    static CURRENT: Cell<Option<qjs::JSValue>> = const { Cell::new(None) };
}

pub fn current<'js>(cx: Ctx<'js>) -> Value<'js> {
    match CURRENT.get() {
        // SAFETY: the value is alive as long as it is kept here; the new reference is the caller's.
        Some(context) => unsafe { Value::from_raw(cx.clone(), qjs::JS_DupValue(cx.as_raw().as_ptr(), context)) },
        None => Value::new_undefined(cx),
    }
}

/// From now on `context` holds; undefined is none.
pub fn enter<'js>(cx: Ctx<'js>, context: Value<'js>) {
    let raw = cx.as_raw().as_ptr();
    // SAFETY: both values are alive; references are counted.
    unsafe {
        let entered = (!context.is_undefined()).then(|| qjs::JS_DupValue(raw, context.as_raw()));
        if let Some(left) = CURRENT.replace(entered) {
            qjs::JS_FreeValue(raw, left);
        }
    }
}

/// The reaction, bound to what holds now; a new reference.
///
/// # Safety
/// QuickJS calls it with a context of its own and a value that lives as long as the call.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_bound_reaction(cx: *mut qjs::JSContext, reaction: qjs::JSValue) -> qjs::JSValue {
    // SAFETY: as above; what is passed as data is counted by QuickJS.
    unsafe {
        if let Some(context) = CURRENT.get().filter(|_| qjs::JS_IsFunction(cx, reaction)) {
            let mut data = [reaction, context];
            let bound = qjs::JS_NewCFunctionData(cx, Some(call_bound), 1, 0, 2, data.as_mut_ptr());
            if !qjs::JS_IsException(bound) {
                return bound;
            }
            // Memory is short: it is called all the same.
            qjs::JS_FreeValue(cx, qjs::JS_GetException(cx));
        }
        qjs::JS_DupValue(cx, reaction)
    }
}

/// Calls the first of `data` while the second holds.
unsafe extern "C" fn call_bound(
    cx: *mut qjs::JSContext,
    this: qjs::JSValue,
    count: i32,
    arguments: *mut qjs::JSValue,
    _magic: i32,
    data: *mut qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: QuickJS passes the data that the function was made with, and as many arguments as it says.
    unsafe {
        let outer = CURRENT.replace(Some(qjs::JS_DupValue(cx, *data.add(1))));
        let result = qjs::JS_Call(cx, *data, this, count, arguments);
        if let Some(inner) = CURRENT.replace(outer) {
            qjs::JS_FreeValue(cx, inner);
        }
        result
    }
}
