//! Small blocks, side by side in the order in which they are asked for, and reused by size.

use std::cell::Cell;
use std::ptr::null_mut;

use crate::alloc::{aligned_alloc, free, wipe};

/// What blocks are aligned to: enough for a double, which is the most that QuickJS asks for.
pub const BLOCK_ALIGN: usize = 8;

/// Larger blocks are not for these heaps: they would fill pages by themselves.
const BLOCK_BYTES_MAX: usize = 1 << 10;

const CLASSES: usize = BLOCK_BYTES_MAX / BLOCK_ALIGN + 1;

/// Chunks begin with a page, so that what lies in one touches no more pages than it needs.
const PAGE_BYTES: usize = 4096;

/// Cuts blocks off chunks, and keeps a list of free blocks of every size. A block's class, which is its size in units of
/// `BLOCK_ALIGN`, is the owner's to remember.
pub struct Heap {
    chunk_bytes: usize,
    /// The last chunk, which begins with the address of the one before.
    chunk: Cell<*mut u8>,
    /// What of it is not cut off yet.
    unused: Cell<*mut u8>,
    unused_bytes: Cell<usize>,
    /// The first free block of each class; each holds the address of the next.
    free: [Cell<*mut u8>; CLASSES],
    /// Blocks in use.
    count: Cell<usize>,
}

impl Heap {
    /// `chunk_bytes`: what is asked of the libc at a time.
    pub const fn new(chunk_bytes: usize) -> Heap {
        Heap {
            chunk_bytes,
            chunk: Cell::new(null_mut()),
            unused: Cell::new(null_mut()),
            unused_bytes: Cell::new(0),
            free: [const { Cell::new(null_mut()) }; CLASSES],
            count: Cell::new(0),
        }
    }

    /// The class of blocks that hold `size` bytes. None: too large.
    pub fn class(size: usize) -> Option<usize> {
        (size <= BLOCK_BYTES_MAX).then(|| size.div_ceil(BLOCK_ALIGN))
    }

    /// Null: no room for another chunk.
    pub fn allocate(&self, class: usize) -> *mut u8 {
        let block = match self.free[class].get() {
            free if free.is_null() => self.cut(class * BLOCK_ALIGN),
            free => {
                // SAFETY: a free block holds the address of the next one.
                self.free[class].set(unsafe { free.cast::<*mut u8>().read() });
                free
            }
        };
        self.count.set(self.count.get() + usize::from(!block.is_null()));
        block
    }

    fn cut(&self, bytes: usize) -> *mut u8 {
        if self.unused_bytes.get() < bytes {
            let chunk = aligned_alloc(PAGE_BYTES, self.chunk_bytes);
            if chunk.is_null() {
                return null_mut();
            }
            // SAFETY: the chunk is new, and large enough for an address.
            unsafe { chunk.cast::<*mut u8>().write(self.chunk.get()) };
            self.chunk.set(chunk);
            self.unused.set(chunk.wrapping_add(BLOCK_ALIGN));
            self.unused_bytes.set(self.chunk_bytes - BLOCK_ALIGN);
        }
        let block = self.unused.get();
        self.unused.set(block.wrapping_add(bytes));
        self.unused_bytes.set(self.unused_bytes.get() - bytes);
        block
    }

    /// # Safety
    /// `block` was allocated by this heap as one of `class`, and is not in use any more.
    pub unsafe fn free(&self, block: *mut u8, class: usize) {
        // SAFETY: every block has room for an address.
        unsafe { block.cast::<*mut u8>().write(self.free[class].get()) };
        self.free[class].set(block);
        self.count.set(self.count.get() - 1);
    }

    /// Gives back all chunks, full of zeros, unless blocks are in use.
    pub fn clear(&self) {
        if self.count.get() > 0 {
            return;
        }
        for class in &self.free {
            class.set(null_mut());
        }
        self.unused_bytes.set(0);
        let mut chunk = self.chunk.replace(null_mut());
        while !chunk.is_null() {
            // SAFETY: the chunk is this heap's, and no block in it is in use.
            unsafe {
                let before = chunk.cast::<*mut u8>().read();
                wipe(chunk, self.chunk_bytes);
                free(chunk);
                chunk = before;
            }
        }
    }
}
