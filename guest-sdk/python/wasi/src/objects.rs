//! What Python cannot do to itself.

use ground::{heap, life};

#[unsafe(export_name = "mirra:python/objects@0.1.0#make-immortal")]
extern "C" fn make_immortal(addresses: *const *mut u32, len: usize) {
    // SAFETY: a list of addresses of live objects, each of which begins with its count.
    unsafe {
        for object in core::slice::from_raw_parts(addresses, len) {
            life::make_immortal(*object);
        }
    }
}

#[unsafe(export_name = "mirra:python/objects@0.1.0#lie-together")]
extern "C" fn lie_together(is_on: u32) {
    heap::use_range(is_on != 0);
}
