//! The module `_mirra`: what the engine's Python code reaches of the world. `wit_world` puts it into the shape that it knows.

use core::ffi::c_void;

use ground::{heap, host, life};

use crate::python::{self, Method, Object};

#[link(wasm_import_module = "mirra:function/operations@0.1.0")]
unsafe extern "C" {
    #[link_name = "start"]
    fn start_operation(name: *const u8, name_len: usize, arguments: *const u8, arguments_len: usize) -> u32;
    #[link_name = "next"]
    fn next_of_operation(id: u32);
    #[link_name = "cancel"]
    fn cancel_operation(id: u32);
    #[link_name = "wait"]
    fn wait_for_operation(has_timeout: u32, timeout_us: u64, answer: *mut u8);
}

pub static METHODS: [Method; 9] = [
    Method::new(c"next_u64", next_u64),
    Method::new(c"log", log),
    Method::new(c"start", start),
    Method::new(c"next", next),
    Method::new(c"cancel", cancel),
    Method::new(c"wait", wait),
    Method::new(c"make_immortal", make_immortal),
    Method::new(c"lie_together", lie_together),
    Method::END,
];

/// # Safety
/// `arguments` are `N` objects, as the engine's own code calls these functions.
unsafe fn take<'a, const N: usize>(arguments: *const Object) -> &'a [Object; N] {
    // SAFETY: as the caller says.
    unsafe { &*arguments.cast() }
}

unsafe extern "C" fn next_u64(_module: *mut c_void, _arguments: *const Object, _count: usize) -> Option<Object> {
    python::number(host::next_u64())
}

/// `log(level, message)` answers an empty tuple: there is no need to know where None lies.
unsafe extern "C" fn log(_module: *mut c_void, arguments: *const Object, _count: usize) -> Option<Object> {
    // SAFETY: called with two arguments.
    let [level, message] = unsafe { take(arguments) };
    let (start, len) = python::bytes_of(*message)?;
    // SAFETY: a text, which the host copies.
    unsafe { host::log(python::value_of(*level) as u32, start, len) };
    python::tuple(&[])
}

/// `start(name, arguments)` answers the number of the operation.
unsafe extern "C" fn start(_module: *mut c_void, arguments: *const Object, _count: usize) -> Option<Object> {
    // SAFETY: called with two arguments.
    let [name, parameters] = unsafe { take(arguments) };
    let (name, name_len) = python::bytes_of(*name)?;
    let (parameters, parameters_len) = python::bytes_of(*parameters)?;
    // SAFETY: texts, which the host copies.
    python::number(u64::from(unsafe { start_operation(name, name_len, parameters, parameters_len) }))
}

/// `next(id)` asks for the next part of an operation.
unsafe extern "C" fn next(_module: *mut c_void, arguments: *const Object, _count: usize) -> Option<Object> {
    // SAFETY: called with one argument, and the host takes any number.
    unsafe { next_of_operation(python::value_of(take::<1>(arguments)[0]) as u32) };
    python::tuple(&[])
}

/// `cancel(id)` ends an operation.
unsafe extern "C" fn cancel(_module: *mut c_void, arguments: *const Object, _count: usize) -> Option<Object> {
    // SAFETY: called with one argument, and the host takes any number.
    unsafe { cancel_operation(python::value_of(take::<1>(arguments)[0]) as u32) };
    python::tuple(&[])
}

/// `option<completion>` as the canonical ABI lays it out.
#[repr(C)]
struct Waited {
    is_some: u32,
    id: u32,
    is_last: u32,
    is_error: u32,
    /// The result; or an error's code, and after it its message.
    first: [usize; 2],
    second: [usize; 2],
}

/// `wait(timeout_us)`, or `wait()`, which waits for as long as it takes. Answers (), (id, is_last, result) or
/// (id, is_last, code, message).
unsafe extern "C" fn wait(_module: *mut c_void, arguments: *const Object, count: usize) -> Option<Object> {
    // SAFETY: called with one argument or none.
    let timeout_us = (count > 0).then(|| python::value_of(unsafe { take::<1>(arguments) }[0]));
    let mut waited = core::mem::MaybeUninit::<Waited>::zeroed();
    // SAFETY: room for the answer.
    let waited = unsafe {
        wait_for_operation(u32::from(timeout_us.is_some()), timeout_us.unwrap_or(0), waited.as_mut_ptr().cast());
        waited.assume_init()
    };
    // SAFETY: texts of the host's, of which CPython makes copies.
    unsafe {
        let text = |[start, len]: [usize; 2]| Some(python::text_from(core::ptr::with_exposed_provenance(start), len));
        let number = |value: u32| python::number(u64::from(value));
        let (id, is_last) = (|| number(waited.id), || number(waited.is_last & 0xff));
        match (waited.is_some & 0xff, waited.is_error & 0xff) {
            (0, _) => python::tuple(&[]),
            (_, 0) => python::tuple(&[id(), is_last(), text(waited.first)]),
            _ => python::tuple(&[id(), is_last(), text(waited.first), text(waited.second)]),
        }
    }
}

/// `make_immortal(addresses)`, a list of the numbers of objects.
unsafe extern "C" fn make_immortal(_module: *mut c_void, arguments: *const Object, _count: usize) -> Option<Object> {
    // SAFETY: called with one argument.
    let [addresses] = unsafe { take(arguments) };
    // SAFETY: the engine's own code gives addresses of live objects.
    python::for_each(*addresses, |address| unsafe { life::make_immortal(python::value_of(address) as usize as *mut u32) });
    python::tuple(&[])
}

/// `lie_together(is_on)`: whether objects that are made from now on lie where those of calls will.
unsafe extern "C" fn lie_together(_module: *mut c_void, arguments: *const Object, _count: usize) -> Option<Object> {
    // SAFETY: called with one argument.
    let [is_on] = unsafe { take(arguments) };
    heap::use_range(python::value_of(*is_on) != 0);
    python::tuple(&[])
}
