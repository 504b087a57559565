//! One allocator for QuickJS and Rust. It decides where things lie, and that decides what a call costs: an instance pays
//! for every page of memory that its call writes, and a little for every page that it reads. Booting makes 360,000
//! allocations, of which 25,000 stay, of which a call reads a few thousand and writes to a few hundred, if only to count a
//! reference.
//!
//! So what calls write to lies together in a heap of its own, what they read in another, and what they leave alone in a
//! third. Which allocations those are is known by their number, as booting allocates in the same order every time:
//! `cargo xtask engines` finds out. While a call is served, what is small is allocated beside what calls write to, until it
//! is so much that speed counts for more and QuickJS's own arenas take over (`cc.sh`). The rest is left to the libc.
//!
//! What does not stay of booting is allocated at the end of the memory, where it is cut off afterwards.
//!
//! What is freed while a handler is prepared is zeroed: a snapshot keeps every byte, and zeros cost it nothing. During a call
//! nothing outlives the instance, so nothing is zeroed.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::Cell;
use std::hint::black_box;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use crate::heap::{BLOCK_ALIGN, Heap, REUSED_BYTES_MAX};

unsafe extern "C" {
    safe fn malloc(size: usize) -> *mut u8;
    safe fn aligned_alloc(align: usize, size: usize) -> *mut u8;
    fn free(block: *mut u8);
    fn realloc(block: *mut u8, size: usize) -> *mut u8;
    fn malloc_usable_size(block: *mut u8) -> usize;
}

/// The allocations of booting that stay, each as four times the number of those since the one before, plus the number of its
/// place, in LEB128.
const PLACEMENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/placement"));

/// More than what stays of booting: with so much in its hands, the libc need not grow the memory while what passes lies at
/// the end of it.
const LASTING_BYTES_MAX: usize = 4096 << 10;

/// When a call has allocated so much in small blocks, speed counts for more than where they lie.
const PLACED_BYTES_MAX: usize = 128 << 10;

const PAGE_BYTES: usize = 4096;
pub const WASM_PAGE_BYTES: usize = 64 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Booting,
    Loading,
    Serving,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Place {
    /// Calls write to it.
    Hot = 0,
    /// Calls read it.
    Warm = 1,
    /// It stays of booting, but calls leave it alone.
    Cold = 2,
    /// It does not stay of booting.
    Passing = 3,
    /// It is the libc's.
    Libc = 4,
}

struct Allocator {
    phase: Cell<Phase>,
    placement: Placement,
    hot: Heap,
    warm: Heap,
    cold: Heap,
    passing: Heap,
    /// Where what passes begins, and how much memory was made for it.
    passing_start: Cell<usize>,
    passing_bytes: Cell<usize>,
    /// What the call has allocated in small blocks.
    served_bytes: Cell<usize>,
}

/// In front of each block.
#[repr(C, align(8))]
struct Header {
    place: Place,
    /// In its heap.
    class: u32,
}

const HEADER_BYTES: usize = size_of::<Header>();

// SAFETY: the engine is a single thread.
unsafe impl Sync for Allocator {}

/// Whether QuickJS asks this allocator for every block (1), or allocates small ones in arenas of its own (0).
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "C sees it")]
static mirra_places_blocks: AtomicI32 = AtomicI32::new(1);

#[global_allocator]
static ALLOCATOR: Allocator = Allocator {
    phase: Cell::new(Phase::Starting),
    placement: Placement::new(),
    hot: Heap::new(pages_of_libc, 64 << 10),
    warm: Heap::new(pages_of_libc, 64 << 10),
    cold: Heap::new(pages_of_libc, 256 << 10),
    passing: Heap::new(pages_at_the_end, 256 << 10),
    passing_start: Cell::new(0),
    passing_bytes: Cell::new(0),
    served_bytes: Cell::new(0),
};

/// Whole pages, so that what lies in them touches no more than it needs.
fn pages_of_libc(bytes: usize) -> *mut u8 {
    aligned_alloc(PAGE_BYTES, bytes.next_multiple_of(PAGE_BYTES))
}

fn pages_at_the_end(bytes: usize) -> *mut u8 {
    let pages = bytes.div_ceil(WASM_PAGE_BYTES);
    let start = match memory_grow::<0>(pages) {
        usize::MAX => return null_mut(),
        page => page * WASM_PAGE_BYTES,
    };
    if ALLOCATOR.passing_bytes.get() == 0 {
        ALLOCATOR.passing_start.set(start);
    }
    ALLOCATOR.passing_bytes.set(ALLOCATOR.passing_bytes.get() + pages * WASM_PAGE_BYTES);
    without_provenance_mut(start)
}

/// The engine has booted: what comes now belongs to a handler. Answers how much of the memory is of use.
pub fn booted() -> usize {
    // Once, so that the linker keeps the imports.
    #[cfg(feature = "trace-allocations")]
    {
        trace::loaded(null_mut(), 0);
        trace::stored(null_mut(), 0);
    }
    ALLOCATOR.phase.set(Phase::Loading);
    let end = memory_size::<0>() * WASM_PAGE_BYTES;
    let start = ALLOCATOR.passing_start.get();
    // Unless the placement is wrong, or there is none.
    let is_useless = ALLOCATOR.passing.is_empty() && start + ALLOCATOR.passing_bytes.get() == end;
    if is_useless { start } else { end }
}

/// The call begins.
pub fn serving() {
    ALLOCATOR.phase.set(Phase::Serving);
}

impl Allocator {
    fn allocate(&self, size: usize) -> *mut u8 {
        let size_with_header = size.saturating_add(HEADER_BYTES);
        let place = match self.phase.get() {
            Phase::Starting => {
                // SAFETY: it was allocated just now. The compiler, which knows both, would leave them out.
                unsafe { free(black_box(malloc(LASTING_BYTES_MAX))) };
                self.phase.set(Phase::Booting);
                self.placement.of_next()
            }
            Phase::Booting => self.placement.of_next(),
            Phase::Serving if size_with_header <= REUSED_BYTES_MAX && self.is_placing(size_with_header) => Place::Hot,
            Phase::Loading | Phase::Serving => Place::Libc,
        };
        let class = Heap::class(size_with_header);
        let start = match self.heap(place) {
            Some(heap) => heap.allocate(class),
            None => malloc(size_with_header),
        };
        if start.is_null() {
            return null_mut();
        }
        // SAFETY: room for a header was asked for, too.
        let block = unsafe {
            start.cast::<Header>().write(Header { place, class: class as u32 });
            start.add(HEADER_BYTES)
        };
        trace::allocated(block, size);
        block
    }

    /// Whether the call has allocated so little that this block is placed, too.
    fn is_placing(&self, bytes: usize) -> bool {
        let served_bytes = self.served_bytes.get().saturating_add(bytes);
        self.served_bytes.set(served_bytes);
        if served_bytes > PLACED_BYTES_MAX {
            mirra_places_blocks.store(0, Relaxed);
        }
        served_bytes <= PLACED_BYTES_MAX
    }

    fn heap(&self, place: Place) -> Option<&Heap> {
        match place {
            Place::Hot => Some(&self.hot),
            Place::Warm => Some(&self.warm),
            Place::Cold => Some(&self.cold),
            Place::Passing => Some(&self.passing),
            Place::Libc => None,
        }
    }

    /// # Safety
    /// `block` is null or one of this allocator's.
    unsafe fn release(&self, block: *mut u8) {
        if block.is_null() {
            return;
        }
        trace::freed(block);
        // SAFETY: as the caller promises; the block is nobody's from here on.
        unsafe {
            if self.phase.get() != Phase::Serving {
                wipe(block, usable_size(block));
            }
            let start = block.sub(HEADER_BYTES);
            let Header { place, class } = start.cast::<Header>().read();
            match self.heap(place) {
                Some(heap) => heap.free(start, class as usize),
                None => free(start),
            }
        }
    }

    /// # Safety
    /// As for `release`.
    unsafe fn resize(&self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return self.allocate(size);
        }
        // SAFETY: as the caller promises; both blocks are at least as large as what is copied.
        unsafe {
            let start = block.sub(HEADER_BYTES);
            if start.cast::<Header>().read().place == Place::Libc && self.phase.get() == Phase::Serving {
                // The libc may find room behind the block, and takes back what is not needed of it.
                let start = realloc(start, size.saturating_add(HEADER_BYTES));
                return if start.is_null() { null_mut() } else { start.add(HEADER_BYTES) };
            }
            let usable = usable_size(block);
            if size <= usable && size > usable / 2 {
                return block;
            }
            let fresh = self.allocate(size);
            if !fresh.is_null() {
                block.copy_to_nonoverlapping(fresh, size.min(usable));
                self.release(block);
            }
            fresh
        }
    }
}

/// # Safety
/// `start` is the start of so many bytes.
unsafe fn wipe(start: *mut u8, bytes: usize) {
    // SAFETY: as the caller promises.
    unsafe { start.write_bytes(0, bytes) };
    // Else the compiler, which knows `free`, leaves it out.
    black_box(start);
}

/// # Safety
/// `block` is one of the allocator's.
unsafe fn usable_size(block: *mut u8) -> usize {
    // SAFETY: as the caller promises, its header stands in front of it.
    unsafe {
        let start = block.sub(HEADER_BYTES);
        let bytes = match start.cast::<Header>().read() {
            Header { place: Place::Libc, .. } => malloc_usable_size(start),
            Header { class, .. } => class as usize * BLOCK_ALIGN,
        };
        bytes - HEADER_BYTES
    }
}

// SAFETY: blocks are as large and as aligned as asked for, and nobody else's.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match layout.align() {
            ..=BLOCK_ALIGN => self.allocate(layout.size()),
            align => aligned_alloc(align, layout.size().next_multiple_of(align)),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: Rust frees what it allocated here, in the same layout.
        unsafe {
            match layout.align() {
                ..=BLOCK_ALIGN => self.release(block),
                _ => free(block),
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match layout.align() {
                ..=BLOCK_ALIGN => self.resize(block, size),
                align => {
                    let fresh = aligned_alloc(align, size.next_multiple_of(align));
                    if !fresh.is_null() {
                        block.copy_to_nonoverlapping(fresh, size.min(layout.size()));
                        free(block);
                    }
                    fresh
                }
            }
        }
    }
}

/// The same for QuickJS, which asks for a block's usable size.
pub struct QuickJs;

// SAFETY: the same allocator, as `GlobalAlloc` has it.
unsafe impl rquickjs::allocator::Allocator for QuickJs {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        ALLOCATOR.allocate(size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(size) = count.checked_mul(size) else { return null_mut() };
        let block = ALLOCATOR.allocate(size);
        if !block.is_null() {
            // SAFETY: that many bytes were just allocated.
            unsafe { block.write_bytes(0, size) };
        }
        block
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        // SAFETY: QuickJS frees what it allocated here.
        unsafe { ALLOCATOR.release(block) }
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if size == 0 {
                ALLOCATOR.release(block);
                return null_mut();
            }
            ALLOCATOR.resize(block, size)
        }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        // SAFETY: as above.
        if block.is_null() { 0 } else { unsafe { usable_size(block) } }
    }
}

/// What QuickJS calls by name (`cc.sh`), where it would go through `QuickJs` otherwise.
#[unsafe(no_mangle)]
extern "C" fn mirra_malloc(size: usize) -> *mut u8 {
    ALLOCATOR.allocate(size)
}

#[unsafe(no_mangle)]
extern "C" fn mirra_calloc(count: usize, size: usize) -> *mut u8 {
    rquickjs::allocator::Allocator::calloc(&mut QuickJs, count, size)
}

/// # Safety
/// `block` is null or one of this allocator's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_realloc(block: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: as the caller promises.
    unsafe { rquickjs::allocator::Allocator::realloc(&mut QuickJs, block, size) }
}

/// # Safety
/// As for `mirra_realloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_free(block: *mut u8) {
    // SAFETY: as the caller promises.
    unsafe { ALLOCATOR.release(block) }
}

/// # Safety
/// `block` is one of this allocator's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mirra_usable_size(block: *mut u8) -> usize {
    // SAFETY: as the caller promises.
    unsafe { usable_size(block) }
}

/// Reads `PLACEMENT` while the engine boots.
struct Placement {
    rest: Cell<&'static [u8]>,
    /// Where the next allocation that stays belongs, and how many come before it.
    next: Cell<Option<(u32, Place)>>,
}

impl Placement {
    const fn new() -> Placement {
        Placement { rest: Cell::new(PLACEMENT), next: Cell::new(None) }
    }

    /// Where the next allocation of booting belongs.
    fn of_next(&self) -> Place {
        match self.next.get().unwrap_or_else(|| self.read()) {
            (0, place) => {
                self.next.set(None);
                place
            }
            (before, place) => {
                self.next.set(Some((before - 1, place)));
                Place::Passing
            }
        }
    }

    fn read(&self) -> (u32, Place) {
        let mut entry = 0;
        let mut rest = self.rest.get();
        for shift in (0..u32::BITS).step_by(7) {
            let Some((byte, after)) = rest.split_first() else { return (u32::MAX, Place::Passing) };
            rest = after;
            entry |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        self.rest.set(rest);
        (entry >> 2, [Place::Hot, Place::Warm, Place::Cold, Place::Passing][entry as usize & 3])
    }
}

/// Tells `cargo xtask engines`, which listens with the feature, what is allocated where. `loaded` and `stored` are called by
/// code that is put in afterwards (`xtask/src/engines/placement.rs`).
mod trace {
    #[cfg(feature = "trace-allocations")]
    #[link(wasm_import_module = "trace")]
    unsafe extern "C" {
        pub safe fn allocated(block: *mut u8, size: usize);
        pub safe fn freed(block: *mut u8);
        pub safe fn loaded(start: *mut u8, length: usize);
        pub safe fn stored(start: *mut u8, length: usize);
    }

    #[cfg(not(feature = "trace-allocations"))]
    pub fn allocated(_block: *mut u8, _size: usize) {}

    #[cfg(not(feature = "trace-allocations"))]
    pub fn freed(_block: *mut u8) {}
}
