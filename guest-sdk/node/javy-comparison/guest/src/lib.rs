//! The least that a mirra guest does, on `javy` or on `rquickjs`: `boot`, `load` a module, `handle` an event.
//!
//! What differs between the two is `new_context` and nothing else.

use std::cell::RefCell;

#[cfg(feature = "javy")]
use javy::quickjs as rquickjs;
use rquickjs::{Context, Ctx, Function, Module, Persistent, Value, promise::MaybePromise};

/// Stands in for the globals that `guest-sdk/node/layer` installs.
const LAYER: &str = "globalThis.structuredClone = (value) => JSON.parse(JSON.stringify(value));";

thread_local! {
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
    static HANDLER: RefCell<Option<Persistent<Function<'static>>>> = const { RefCell::new(None) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[cfg(feature = "javy")]
fn new_context() -> Context {
    javy::Runtime::default().context().clone()
}

#[cfg(not(feature = "javy"))]
fn new_context() -> Context {
    let runtime = rquickjs::Runtime::new().expect("memory is there");
    // What javy sets too; rquickjs says that wasm needs it.
    runtime.set_max_stack_size(256 * 1024);
    Context::full(&runtime).expect("memory is there")
}

#[unsafe(no_mangle)]
pub extern "C" fn boot() {
    let context = new_context();
    context.with(|cx| cx.eval::<Value, _>(LAYER).map(|_| ())).expect("the layer is fine");
    CONTEXT.set(Some(context));
}

/// Room for `len` bytes of input, to be filled by the host before `load` and `handle`.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(len: usize) -> *mut u8 {
    BUFFER.set(vec![0; len]);
    BUFFER.with_borrow_mut(|buffer| buffer.as_mut_ptr())
}

/// Evaluates the module in the buffer and keeps its `handler`.
#[unsafe(no_mangle)]
pub extern "C" fn load() {
    with_input(|cx, source| {
        let (module, evaluated) = Module::declare(cx.clone(), "handler.js", source)?.eval()?;
        evaluated.finish::<()>()?;
        let handler: Function = module.get("handler")?;
        HANDLER.set(Some(Persistent::save(cx, handler)));
        Ok(())
    });
}

/// Calls the handler with the event in the buffer and runs jobs until it has settled. Answers the address of the JSON in the
/// upper half, its length in the lower.
#[unsafe(no_mangle)]
pub extern "C" fn handle() -> u64 {
    let json = with_input(|cx, event| {
        let handler = HANDLER.with_borrow(|handler| handler.clone()).expect("the host loads a module first").restore(cx)?;
        let returned: MaybePromise = handler.call((cx.json_parse(event)?,))?;
        cx.json_stringify(returned.finish::<Value>()?)?.expect("handlers here answer objects").to_string()
    });
    // The instance ends with this call.
    let json = json.leak();
    (json.as_ptr() as u64) << 32 | json.len() as u64
}

fn with_input<R>(body: impl for<'js> FnOnce(&Ctx<'js>, Vec<u8>) -> rquickjs::Result<R>) -> R {
    CONTEXT.with_borrow(|context| {
        let context = context.as_ref().expect("the host boots first");
        context.with(|cx| body(&cx, BUFFER.take())).expect("handlers here do not throw")
    })
}
