//! The engine's life, as its host expects it of every engine.

use core::ptr::null;

use ground::{Single, heap, life};

use crate::{
    engine,
    python::{self, Object},
    world,
};

struct Functions {
    load: Object,
    handle: Object,
}

static FUNCTIONS: Single<Option<Functions>> = Single::new(None);

fn functions() -> &'static Functions {
    // SAFETY: one thread, and written once, by `boot`.
    match unsafe { &*FUNCTIONS.0.get() } {
        Some(functions) => functions,
        None => core::arch::wasm32::unreachable(),
    }
}

/// Answers how many bytes of the memory are of use from then on.
#[unsafe(no_mangle)]
extern "C" fn boot() -> usize {
    // SAFETY: called once, before anything else.
    unsafe { engine::initialize() };
    python::start(&world::METHODS);
    heap::install();
    let boot = python::import(c"mirra_engine.boot", c"boot");
    let load = python::import(c"mirra_engine.load", c"load");
    let handle = python::import(c"mirra_engine.call", c"handle");
    FUNCTIONS.with(|functions| *functions = Some(Functions { load, handle }));
    python::call(boot, &[]);
    life::memory_bytes()
}

/// Room for the path of the handler's file, to be filled by the host before `load`.
#[unsafe(no_mangle)]
extern "C" fn source_buffer(len: usize) -> *mut u8 {
    life::set_source(engine::allocate(len), len)
}

/// A text as the canonical ABI has it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Text {
    start: *const u8,
    len: usize,
}

const EMPTY: Text = Text { start: core::ptr::without_provenance(1), len: 0 };

/// The text that an object is; empty if it is none.
fn text_of(object: Option<Object>) -> Text {
    object.and_then(python::bytes_of).map_or(EMPTY, |(start, len)| Text { start, len })
}

/// What the host reads of `load`, if it fails.
#[repr(C)]
struct LoadError {
    kind: u32,
    texts: [Text; 3],
}

static LOAD_ERROR: Single<LoadError> = Single::new(LoadError { kind: 0, texts: [EMPTY; 3] });

/// Answers null, or where a `LoadError` lies.
#[unsafe(no_mangle)]
extern "C" fn load() -> *const LoadError {
    let (entry, len) = life::source();
    // SAFETY: the buffer of `source_buffer`, which the host has filled with text.
    let answer = python::call(functions().load, &[unsafe { python::text_from(entry, len) }]);
    heap::use_range(true);
    let Some((kind, texts)) = failure(answer) else { return null() };
    LOAD_ERROR.with(|error| {
        *error = LoadError { kind, texts };
        core::ptr::from_ref(error)
    })
}

/// Of a tuple (kind, name, message, stack). None: it is Python's None.
fn failure(told: Object) -> Option<(u32, [Text; 3])> {
    let kind = python::value_of(python::item(told, 0)?) as u32;
    let text = |index| text_of(python::item(told, index));
    Some((kind, [text(1), text(2), text(3)]))
}

/// `result<string, failure>` as the canonical ABI lays it out.
#[repr(C)]
struct Outcome {
    is_error: u8,
    outcome: OutcomeUnion,
}

#[repr(C)]
union OutcomeUnion {
    result: Text,
    failure: Failure,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Failure {
    kind: u8,
    texts: [Text; 3],
}

static OUTCOME: Single<Outcome> = Single::new(Outcome { is_error: 0, outcome: OutcomeUnion { result: EMPTY } });

#[unsafe(export_name = "mirra:function/handler@0.1.0#handle")]
extern "C" fn handle(event: *const u8, event_len: usize, context: *const u8, context_len: usize) -> *const Outcome {
    // SAFETY: texts of the host's.
    let arguments = unsafe { [python::text_from(event, event_len), python::text_from(context, context_len)] };
    let told = python::call(functions().handle, &arguments);
    // (failure or None, result or None)
    let outcome = match python::item(told, 0).and_then(failure) {
        Some((kind, texts)) => Outcome { is_error: 1, outcome: OutcomeUnion { failure: Failure { kind: kind as u8, texts } } },
        None => {
            let result = text_of(python::item(told, 1));
            Outcome { is_error: 0, outcome: OutcomeUnion { result } }
        }
    };
    OUTCOME.with(|place| {
        *place = outcome;
        core::ptr::from_ref(place)
    })
}

/// What a call leaves is never used again.
#[unsafe(export_name = "cabi_post_mirra:function/handler@0.1.0#handle")]
extern "C" fn handled(_outcome: *const Outcome) {}
