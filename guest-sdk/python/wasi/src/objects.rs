//! What Python cannot do to itself.

use crate::heap;

/// A count of references that the interpreter takes for "immortal, leave alone": `_Py_IMMORTAL_INITIAL_REFCNT` of CPython 3.14
/// where addresses have 32 bits. The engine checks that it is understood (`immortal.py`).
const IMMORTAL: u32 = 5 << 28;

#[unsafe(export_name = "mirra:python/objects@0.1.0#make-immortal")]
extern "C" fn make_immortal(addresses: *const *mut u32, len: usize) {
    // SAFETY: a list of addresses of live objects, each of which begins with its count.
    unsafe {
        for object in core::slice::from_raw_parts(addresses, len) {
            object.write(IMMORTAL);
        }
    }
}

#[unsafe(export_name = "mirra:python/objects@0.1.0#lie-together")]
extern "C" fn lie_together(is_on: u32) {
    heap::use_range(is_on != 0);
}
