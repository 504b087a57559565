//! One allocator for QuickJS and Rust: the libc's, which zeroes what is freed while a handler is prepared.
//!
//! A snapshot keeps every byte of memory, also of blocks that were freed. Parsing leaves many; zeroed, they cost the image
//! nothing. During a call nothing outlives the instance, so nothing is zeroed.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ZEROING: AtomicBool = AtomicBool::new(true);

pub fn stop_zeroing() {
    ZEROING.store(false, Relaxed);
}

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn calloc(count: usize, size: usize) -> *mut u8;
    fn free(block: *mut u8);
    fn realloc(block: *mut u8, size: usize) -> *mut u8;
    fn aligned_alloc(align: usize, size: usize) -> *mut u8;
    fn malloc_usable_size(block: *mut u8) -> usize;
}

/// What malloc aligns to on wasm32.
const MALLOC_ALIGN: usize = 16;

unsafe fn release(block: *mut u8) {
    unsafe {
        if ZEROING.load(Relaxed) && !block.is_null() {
            block.write_bytes(0, malloc_usable_size(block));
        }
        free(block);
    }
}

unsafe fn resize(block: *mut u8, size: usize) -> *mut u8 {
    unsafe {
        if !ZEROING.load(Relaxed) || block.is_null() {
            return realloc(block, size);
        }
        let fresh = malloc(size);
        if !fresh.is_null() {
            block.copy_to_nonoverlapping(fresh, size.min(malloc_usable_size(block)));
            release(block);
        }
        fresh
    }
}

struct Libc;

unsafe impl GlobalAlloc for Libc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe {
            if layout.align() <= MALLOC_ALIGN {
                malloc(layout.size())
            } else {
                aligned_alloc(layout.align(), layout.size().next_multiple_of(layout.align()))
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        unsafe { release(block) }
    }
}

#[global_allocator]
static GLOBAL: Libc = Libc;

/// The same for QuickJS, which asks for a block's usable size.
pub struct QuickJs;

unsafe impl rquickjs::allocator::Allocator for QuickJs {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        unsafe { malloc(size) }
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        unsafe { calloc(count, size) }
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        unsafe { release(block) }
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        unsafe {
            if size == 0 {
                release(block);
                return std::ptr::null_mut();
            }
            resize(block, size)
        }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        if block.is_null() { 0 } else { unsafe { malloc_usable_size(block) } }
    }
}
