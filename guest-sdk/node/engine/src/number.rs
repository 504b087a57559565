//! Numbers as JSON writes them (`json/`): what QuickJS has for that computes with long numbers.

use std::slice;

/// The number that so many bytes say.
///
/// # Safety
/// They are there, and are a number by JSON's grammar.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_parse_number(text: *const u8, length: usize) -> f64 {
    // SAFETY: as the caller promises.
    let text = unsafe { slice::from_raw_parts(text, length) };
    // JSON's grammar is part of Rust's.
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// Writes the number as `String(number)` is, and answers how many bytes that were.
///
/// # Safety
/// There is room for `ryu_js::Buffer`'s 25 bytes, and the number is finite.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_print_number(number: f64, text: *mut u8) -> usize {
    let mut buffer = ryu_js::Buffer::new();
    let printed = buffer.format_finite(number);
    // SAFETY: as the caller promises.
    unsafe { text.copy_from_nonoverlapping(printed.as_ptr(), printed.len()) };
    printed.len()
}
