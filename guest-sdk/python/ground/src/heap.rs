//! Where the objects of a call lie: side by side, and not among those of the image.
//!
//! A call is charged for every page it writes to: 4 KiB are copied for the first byte. CPython's allocator keeps objects of a size
//! together, so a call that makes forty kinds of objects writes to forty pages, each somewhere else; and a host that puts pages
//! back after the call does that best for few runs of them. So while calls are served, small blocks come from one range, whatever
//! their size. It lasts for short calls. What a call needs beyond it comes from CPython's own allocator, which is as fast, and
//! better at giving back.

use core::{ffi::c_void, ptr::null_mut};

use crate::Single;

/// Bytes of blocks that calls begin with.
const RANGE_BYTES: usize = if cfg!(feature = "wide-range") { 1 << 20 } else { 192 << 10 };

/// Larger blocks are the C library's. CPython draws that line at 512; the code of most functions is between the two.
const SMALL_BYTES_MAX: usize = 2048;
const ALIGN: usize = 8;
const CLASSES: usize = class(SMALL_BYTES_MAX) + 1;

/// In front of every block: its class, the number of `ALIGN` that it takes with this.
const HEADER_BYTES: usize = 4;

#[repr(C, align(4096))]
struct Range(core::cell::UnsafeCell<[u8; RANGE_BYTES]>);

// SAFETY: the engine is a single thread.
unsafe impl Sync for Range {}

static RANGE: Range = Range(core::cell::UnsafeCell::new([0; RANGE_BYTES]));

struct Heap {
    is_range_used: bool,
    /// Bytes of the range that were cut off, the first header so that blocks are aligned.
    used: usize,
    /// The first free block of each class; each holds the address of the next.
    free: [*mut u8; CLASSES],
    /// CPython's allocators of objects and of everything else.
    original: [Allocator; 2],
}

static HEAP: Single<Heap> =
    Single::new(Heap { is_range_used: false, used: ALIGN - HEADER_BYTES, free: [null_mut(); CLASSES], original: [Allocator::NONE; 2] });

/// `PyMemAllocatorEx`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Allocator {
    context: *mut c_void,
    malloc: Option<extern "C" fn(*mut c_void, usize) -> *mut u8>,
    calloc: Option<extern "C" fn(*mut c_void, usize, usize) -> *mut u8>,
    realloc: Option<extern "C" fn(*mut c_void, *mut u8, usize) -> *mut u8>,
    free: Option<extern "C" fn(*mut c_void, *mut u8)>,
}

impl Allocator {
    const NONE: Allocator = Allocator { context: null_mut(), malloc: None, calloc: None, realloc: None, free: None };
}

#[link(wasm_import_module = "engine")]
unsafe extern "C" {
    #[link_name = "PyMem_GetAllocator"]
    fn get_allocator(domain: u32, allocator: *mut Allocator);
    #[link_name = "PyMem_SetAllocator"]
    fn set_allocator(domain: u32, allocator: *const Allocator);
}

/// `PYMEM_DOMAIN_MEM` and `PYMEM_DOMAIN_OBJ`.
const DOMAINS: [u32; 2] = [1, 2];

/// Puts this in front of CPython's allocators.
pub fn install() {
    for (index, domain) in DOMAINS.into_iter().enumerate() {
        let mut original = Allocator::NONE;
        // SAFETY: a struct that is filled, and then one that is copied. CPython allows that at any time, as long as what was
        // allocated before can be freed, which it can.
        unsafe {
            get_allocator(domain, &mut original);
            HEAP.with(|heap| heap.original[index] = original);
            let context = core::ptr::without_provenance_mut(index);
            let ours = Allocator { context, malloc: Some(malloc), calloc: Some(calloc), realloc: Some(realloc), free: Some(free) };
            set_allocator(domain, &ours);
        }
    }
}

/// Whether small blocks come from the range from here on: while calls are served, and while the objects are made that they
/// write to.
pub fn use_range(is_used: bool) {
    HEAP.with(|heap| heap.is_range_used = is_used);
}

fn is_ours(block: *mut u8) -> bool {
    (block as usize).wrapping_sub(RANGE.0.get() as usize) < RANGE_BYTES
}

/// The class of blocks for `size` bytes.
const fn class(size: usize) -> usize {
    (size + HEADER_BYTES).div_ceil(ALIGN)
}

impl Heap {
    /// None: not for a block of this size, or not any more.
    fn allocate(&mut self, size: usize) -> Option<*mut u8> {
        if !self.is_range_used || size > SMALL_BYTES_MAX {
            return None;
        }
        let class = class(size);
        let free = self.free[class];
        if !free.is_null() {
            // SAFETY: a free block holds the address of the next one.
            self.free[class] = unsafe { free.cast::<*mut u8>().read() };
            return Some(free);
        }
        let end = self.used + class * ALIGN;
        if end > RANGE_BYTES {
            return None;
        }
        // SAFETY: within the range, of which nobody has this part.
        let block = unsafe {
            let header = RANGE.0.get().cast::<u8>().add(self.used);
            header.cast::<u32>().write(class as u32);
            header.add(HEADER_BYTES)
        };
        self.used = end;
        Some(block)
    }

    /// # Safety
    /// `block` is one of ours, and nobody has it any more.
    unsafe fn free(&mut self, block: *mut u8) {
        // SAFETY: as the caller says, and every block has a header and room for an address.
        unsafe {
            let class = block.sub(HEADER_BYTES).cast::<u32>().read() as usize;
            block.cast::<*mut u8>().write(self.free[class]);
            self.free[class] = block;
        }
    }
}

fn original(context: *mut c_void) -> Allocator {
    HEAP.with(|heap| heap.original[context.addr() & 1])
}

extern "C" fn malloc(context: *mut c_void, size: usize) -> *mut u8 {
    if let Some(block) = HEAP.with(|heap| heap.allocate(size)) {
        return block;
    }
    let original = original(context);
    original.malloc.map_or(null_mut(), |malloc| malloc(original.context, size))
}

extern "C" fn calloc(context: *mut c_void, count: usize, size: usize) -> *mut u8 {
    let bytes = count.saturating_mul(size);
    if let Some(block) = HEAP.with(|heap| heap.allocate(bytes)) {
        // SAFETY: a block of so many bytes.
        unsafe { block.write_bytes(0, bytes) };
        return block;
    }
    let original = original(context);
    original.calloc.map_or(null_mut(), |calloc| calloc(original.context, count, size))
}

extern "C" fn realloc(context: *mut c_void, block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return malloc(context, size);
    }
    if !is_ours(block) {
        let original = original(context);
        return original.realloc.map_or(null_mut(), |realloc| realloc(original.context, block, size));
    }
    // SAFETY: one of ours has a header.
    let room = unsafe { block.sub(HEADER_BYTES).cast::<u32>().read() } as usize * ALIGN - HEADER_BYTES;
    if size <= room && size >= room / 2 {
        return block;
    }
    let moved = malloc(context, size);
    if !moved.is_null() {
        // SAFETY: two blocks, each of at least so many bytes.
        unsafe { moved.copy_from_nonoverlapping(block, room.min(size)) };
        free(context, block);
    }
    moved
}

extern "C" fn free(context: *mut c_void, block: *mut u8) {
    if is_ours(block) {
        // SAFETY: CPython frees what it was given, once.
        return HEAP.with(|heap| unsafe { heap.free(block) });
    }
    let original = original(context);
    if let Some(free) = original.free {
        free(original.context, block);
    }
}
