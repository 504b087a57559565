//! The JavaScript world of one handler: a QuickJS context with the layer and the handler's module in it.

use std::arch::wasm32::memory_size;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use mirra_engine_node_native::Family;
use rquickjs::{ArrayBuffer, Context, Ctx, Function, Module, Object, Persistent, Runtime, Value, context::EvalOptions, qjs};

use crate::alloc::{self, QuickJs, WASM_PAGE_BYTES};
use crate::bindings::mirra::function::{clocks, hashing, logging, operations, random};
use crate::builtins;
use crate::call;
use crate::files;
use crate::reactions;
use crate::rejections;

/// The layer, bundled into one script whose value is a function `boot(native)` that installs the globals and answers the
/// hooks below.
const LAYER_SOURCE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../layer/dist/layer.js"));

/// In memory that can be written to, so that the source is in no image: it is needed once.
static LAYER: Layer = Layer(UnsafeCell::new(match LAYER_SOURCE.first_chunk() {
    Some(source) => *source,
    None => unreachable!(),
}));

struct Layer(UnsafeCell<[u8; LAYER_SOURCE.len()]>);

// SAFETY: the engine is a single thread.
unsafe impl Sync for Layer {}

impl Layer {
    /// The source, which is gone afterwards.
    fn take(&self) -> Vec<u8> {
        // SAFETY: nobody else ever looks at it.
        let source = unsafe { &mut *self.0.get() };
        let taken = source.to_vec();
        source.fill(0);
        taken
    }
}

/// Whether functions that are compiled now go without their source (1). Those of the layer do, as it would be half of what they
/// take: `toString` calls them native, as it does Node's own. `cc.sh` has QuickJS look.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "C sees it")]
static mirra_drops_source: AtomicI32 = AtomicI32::new(1);

/// QuickJS counts the stack that lies in linear memory; wasm's own, which it cannot see, is given several times as much by
/// the host, so that runaway recursion is a RangeError the handler can catch.
const STACK_BYTES_MAX: usize = 256 * 1024;

/// While a handler is loaded, garbage is collected when there is this much.
const GC_THRESHOLD_BYTES: usize = 4 * 1024 * 1024;

/// And in a call, when it has allocated this much more than there was: looking for garbage writes to every object, so to most pages of the
/// image, which would be more work than reading JSON of a megabyte.
const GC_GROWTH_BYTES: usize = 8 * 1024 * 1024;

/// The file name that the handler's code goes by in stack traces; the host maps its lines to the source.
pub const HANDLER_FILE: &str = "handler.js";

/// The functions of the layer that the engine calls.
#[derive(Clone)]
pub struct Hooks {
    /// `(namespace) -> undefined`: takes the module's `handler`, or throws.
    pub adopt: Persistent<Function<'static>>,
    /// `(event, contextJson) -> result or promise`: calls the handler.
    pub call: Persistent<Function<'static>>,
    /// `(id, isLast, isOk, json or code, message) -> undefined`: settles the promise of an operation.
    pub settle: Persistent<Function<'static>>,
    /// `() -> number`: runs the timers that are due; microseconds to the next, or -1.
    pub run_timers: Persistent<Function<'static>>,
    /// `() -> boolean`: an operation is under way.
    pub is_waiting: Persistent<Function<'static>>,
    /// `(reason) -> undefined`: logs that a promise was rejected and nobody listened.
    pub report_rejection: Persistent<Function<'static>>,
    /// `(thrown) -> [name, message, stack]`.
    pub describe: Persistent<Function<'static>>,
}

pub struct Realm {
    pub context: Context,
    pub hooks: Hooks,
}

thread_local! {
    static REALM: RefCell<Option<Realm>> = const { RefCell::new(None) };
    static SOURCE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static LOADED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body` in the realm. Traps if `boot` has not run: the host never lets that happen.
pub fn with<R>(body: impl for<'js> FnOnce(&Ctx<'js>, &Hooks) -> R) -> R {
    REALM.with(|realm| {
        let realm = realm.borrow();
        let realm = realm.as_ref().expect("the host boots the engine first");
        realm.context.with(|cx| body(&cx, &realm.hooks))
    })
}

pub fn boot() -> usize {
    let realm = start().expect("the layer is part of the engine and was tested with it");
    REALM.with(|cell| *cell.borrow_mut() = Some(realm));
    alloc::booted()
}

fn start() -> rquickjs::Result<Realm> {
    let runtime = Runtime::new_with_alloc(QuickJs)?;
    runtime.set_max_stack_size(STACK_BYTES_MAX);
    let context = Context::full(&runtime)?;
    let (hooks, builtin) = context.with(|cx| -> rquickjs::Result<_> {
        let mut options = EvalOptions::default();
        options.filename = Some("mirra:layer".into());
        let boot: Function = cx.eval_with_options(LAYER.take(), options)?;
        mirra_drops_source.store(0, Relaxed);
        let answer: Object = boot.call((native(&cx)?,))?;
        let hook = |name: &str| -> rquickjs::Result<_> { Ok(Persistent::save(&cx, answer.get::<_, Function>(name)?)) };
        let hooks = Hooks {
            adopt: hook("adopt")?,
            call: hook("call")?,
            settle: hook("settle")?,
            run_timers: hook("runTimers")?,
            is_waiting: hook("isWaiting")?,
            report_rejection: hook("reportRejection")?,
            describe: hook("describe")?,
        };
        Ok((hooks, hook("builtin")?))
    })?;
    builtins::install(&runtime, builtin);
    rejections::track(&runtime);
    runtime.run_gc();
    runtime.set_gc_threshold(GC_THRESHOLD_BYTES);
    context.with(|cx| make_immortal(&cx));
    Ok(Realm { context, hooks })
}

/// What there is now will lie in an image: references to it are counted no more (`immortal.c`).
fn make_immortal(cx: &Ctx<'_>) {
    unsafe extern "C" {
        fn mirra_make_immortal(runtime: *mut qjs::JSRuntime);
    }
    // SAFETY: the runtime of a live context, and nothing of it runs.
    unsafe { mirra_make_immortal(qjs::JS_GetRuntime(cx.as_raw().as_ptr())) }
}

/// What the layer builds on: the imports of the world `function`, and what JavaScript does badly.
fn native<'js>(cx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(cx.clone())?;
    native.set("log", Function::new(cx.clone(), log)?)?;
    native.set("start", Function::new(cx.clone(), |name: String, arguments: String| operations::start(&name, &arguments))?)?;
    native.set("nextPart", Function::new(cx.clone(), operations::next)?)?;
    native.set("cancel", Function::new(cx.clone(), operations::cancel)?)?;
    native.set("elapsedUs", Function::new(cx.clone(), || clocks::elapsed_us() as f64)?)?;
    native.set("unixTimeUs", Function::new(cx.clone(), || clocks::unix_time_us() as f64)?)?;
    native.set("isPreparing", Function::new(cx.clone(), || !LOADED.get())?)?;
    // 52 random bits: what a double holds exactly below one.
    native.set("random52", Function::new(cx.clone(), || (random::next_u64() >> 12) as f64)?)?;
    native.set("randomFill", Function::new(cx.clone(), random_fill)?)?;
    native.set("utf8Encode", Function::new(cx.clone(), |cx: Ctx<'js>, text: String| ArrayBuffer::new(cx, text.into_bytes()))?)?;
    native.set("utf8Decode", Function::new(cx.clone(), utf8_decode)?)?;
    native.set("asyncContext", Function::new(cx.clone(), reactions::current)?)?;
    native.set("enterAsyncContext", Function::new(cx.clone(), reactions::enter)?)?;
    native.set("isProxy", Function::new(cx.clone(), |value: Value<'js>| value.is_proxy())?)?;
    native.set("memoryBytes", Function::new(cx.clone(), || (memory_size::<0>() * WASM_PAGE_BYTES) as f64)?)?;
    files::install(&native)?;
    mirra_engine_node_native::install(&native, random::next_u64, files::whole, compress)?;
    Ok(native)
}

/// By the host, which does not while a handler is loaded.
fn compress(family: Family, [a, b, c, d, e, f, g, h]: [u64; 8], blocks: &[u8]) -> Option<[u64; 8]> {
    if !LOADED.get() {
        return None;
    }
    let hash = match family {
        Family::Sha1 => hashing::Hash::Sha1,
        Family::Sha256 => hashing::Hash::Sha256,
        Family::Sha512 => hashing::Hash::Sha512,
    };
    let (a, b, c, d, e, f, g, h) = hashing::compress(hash, (a, b, c, d, e, f, g, h), blocks)?;
    Some([a, b, c, d, e, f, g, h])
}

fn log(level: u8, message: String) {
    let level = match level {
        0 => logging::Level::Debug,
        1 => logging::Level::Info,
        2 => logging::Level::Warn,
        _ => logging::Level::Error,
    };
    logging::log(level, &message);
}

/// Fills `length` bytes of `buffer` from `offset` on.
fn random_fill(buffer: ArrayBuffer<'_>, offset: usize, length: usize) {
    let Some(raw) = buffer.as_raw() else { return };
    let Some(end) = offset.checked_add(length).filter(|end| *end <= raw.len()) else { return };
    let mut at = offset;
    while at < end {
        let word = random::next_u64().to_le_bytes();
        let count = word.len().min(end - at);
        // SAFETY: `at + count <= end <= raw.len`, and nothing else runs while the engine is in here.
        unsafe { raw.as_ptr().cast::<u8>().add(at).copy_from_nonoverlapping(word.as_ptr(), count) };
        at += count;
    }
}

/// Decodes as the Encoding Standard says: invalid bytes become U+FFFD, or, if `fatal`, null is the answer.
fn utf8_decode(buffer: ArrayBuffer<'_>, offset: usize, length: usize, fatal: bool) -> Option<String> {
    // SAFETY: nothing else runs while the engine is in here.
    let bytes = unsafe { buffer.as_bytes() };
    let bytes = bytes.and_then(|bytes| bytes.get(offset..offset.checked_add(length)?)).unwrap_or(&[]);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(_) if fatal => None,
        Err(_) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Why a handler could not be loaded. The host reads it out of linear memory, so its shape is fixed.
#[repr(C)]
pub struct LoadError {
    kind: LoadErrorKind,
    name: Text,
    message: Text,
    stack: Text,
}

#[repr(u32)]
#[derive(Clone, Copy)]
pub enum LoadErrorKind {
    /// The code does not parse, or its top level threw.
    Thrown = 0,
    /// The top level awaits something that never comes.
    NeverSettles = 1,
    /// The module has no function `handler`.
    NoHandler = 2,
}

#[repr(C)]
struct Text {
    start: *const u8,
    len: usize,
}

impl Text {
    /// The host reads it and then drops the whole memory: leaking is right.
    fn leak(text: String) -> Self {
        let text = text.leak();
        Text { start: text.as_ptr(), len: text.len() }
    }
}

impl LoadError {
    fn leak(kind: LoadErrorKind, (name, message, stack): (String, String, String)) -> *const LoadError {
        Box::leak(Box::new(LoadError { kind, name: Text::leak(name), message: Text::leak(message), stack: Text::leak(stack) }))
    }
}

pub fn source_buffer(len: usize) -> *mut u8 {
    SOURCE.with(|source| {
        let mut source = source.borrow_mut();
        *source = vec![0; len];
        source.as_mut_ptr()
    })
}

pub fn load() -> *const LoadError {
    let source = SOURCE.with(|source| std::mem::take(&mut *source.borrow_mut()));
    let outcome = with(|cx, hooks| evaluate(cx, hooks, source));
    if let Err((kind, description)) = outcome {
        return LoadError::leak(kind, description);
    }
    REALM.with(|realm| {
        if let Some(realm) = realm.borrow().as_ref() {
            let runtime = realm.context.runtime();
            runtime.run_gc();
            runtime.set_gc_threshold(runtime.memory_usage().malloc_size as usize + GC_GROWTH_BYTES);
            realm.context.with(|cx| make_immortal(&cx));
        }
    });
    LOADED.set(true);
    std::ptr::null()
}

type Described = (LoadErrorKind, (String, String, String));

fn evaluate<'js>(cx: &Ctx<'js>, hooks: &Hooks, source: Vec<u8>) -> Result<(), Described> {
    let thrown = |kind: LoadErrorKind| (kind, call::describe(cx, hooks, cx.catch()));
    let module = Module::declare(cx.clone(), HANDLER_FILE, source).map_err(|_| thrown(LoadErrorKind::Thrown))?;
    let (module, promise) = module.eval().map_err(|_| thrown(LoadErrorKind::Thrown))?;
    match call::drive(cx, hooks, &promise) {
        Some(Ok(_)) => {}
        Some(Err(_)) => return Err(thrown(LoadErrorKind::Thrown)),
        None => return Err((LoadErrorKind::NeverSettles, Default::default())),
    }
    let adopt = || -> rquickjs::Result<Value<'js>> { hooks.adopt.clone().restore(cx)?.call((module.namespace()?,)) };
    adopt().map_err(|_| thrown(LoadErrorKind::NoHandler))?;
    rejections::report(cx, &hooks.report_rejection);
    Ok(())
}
