//! What is called when a promise settles can be bound to what holds where it was given: so AsyncLocalStorage goes with every
//! `then` and every `await` (`layer/src/async-context.mjs`). `cc.sh` has QuickJS ask here.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use rquickjs::{Ctx, Function, Persistent, Value, qjs};

thread_local! {
    /// `(callback) -> callback`, as long as there is something to bind to.
    static BIND: RefCell<Option<Persistent<Function<'static>>>> = const { RefCell::new(None) };
    static IS_BINDING: Cell<bool> = const { Cell::new(false) };
}

pub fn bind_with<'js>(cx: Ctx<'js>, bind: Option<Function<'js>>) {
    IS_BINDING.set(bind.is_some());
    let bind = bind.map(|bind| Persistent::save(&cx, bind));
    let _former = BIND.with(|cell| cell.replace(bind));
}

/// The reaction, bound; a new reference.
///
/// # Safety
/// QuickJS calls it with a context of its own and a value that lives as long as the call.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_bound_reaction(context: *mut qjs::JSContext, reaction: qjs::JSValue) -> qjs::JSValue {
    // SAFETY: as above.
    let own = unsafe { qjs::JS_DupValue(context, reaction) };
    let Some(context) = NonNull::new(context).filter(|_| IS_BINDING.get()) else { return own };
    // SAFETY: the context is alive; the reference is ours and passes to the value.
    let (cx, reaction) = unsafe {
        let cx = Ctx::from_raw(context);
        (cx.clone(), Value::from_raw(cx, own))
    };
    let bind = BIND.with_borrow(Clone::clone);
    let bound = match bind.filter(|_| reaction.is_function()) {
        Some(bind) => bind.restore(&cx).and_then(|bind| bind.call::<_, Value>((reaction.clone(),))).unwrap_or(reaction),
        None => reaction,
    };
    // SAFETY: the value goes at the end of this function, its reference stays for QuickJS.
    unsafe { qjs::JS_DupValue(context.as_ptr(), bound.as_raw()) }
}
