//! The C library's own streams. Python's are objects of the engine and never come here: this is for what the interpreter says
//! when it cannot go on.

use crate::host;

/// Levels of `mirra:function/logging`.
const INFO: u32 = 1;
const ERROR: u32 = 3;

pub fn write(is_error: bool, bytes: &[u8]) {
    // The host takes nothing but text; what is none is nobody's to read.
    if let Ok(text) = core::str::from_utf8(bytes) {
        let line = text.trim_end_matches('\n');
        if !line.is_empty() {
            // SAFETY: text, which the host copies.
            unsafe { host::log(if is_error { ERROR } else { INFO }, line.as_ptr(), line.len()) };
        }
    }
}
