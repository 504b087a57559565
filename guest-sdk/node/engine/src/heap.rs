//! Blocks, side by side in the order in which they are asked for, the small ones reused by size.

use std::cell::Cell;
use std::ptr::null_mut;

/// What blocks are aligned to: enough for a double, which is the most that QuickJS asks for.
pub const BLOCK_ALIGN: usize = 8;

/// Larger blocks are not used again once they are free.
pub const REUSED_BYTES_MAX: usize = 1 << 10;

const CLASSES: usize = REUSED_BYTES_MAX / BLOCK_ALIGN + 1;

/// Makes room for at least so many bytes, or answers null.
type Source = fn(usize) -> *mut u8;

/// Cuts blocks off chunks, and keeps a list of free blocks of every size. A block's class, which is its size in units of
/// `BLOCK_ALIGN`, is the owner's to remember.
pub struct Heap {
    source: Source,
    chunk_bytes: usize,
    /// What of the last chunk is not cut off yet.
    unused: Cell<*mut u8>,
    unused_bytes: Cell<usize>,
    /// The first free block of each class; each holds the address of the next.
    free: [Cell<*mut u8>; CLASSES],
    /// Blocks in use.
    count: Cell<usize>,
}

impl Heap {
    /// `chunk_bytes`: what is asked of `source` at a time.
    pub const fn new(source: Source, chunk_bytes: usize) -> Heap {
        Heap {
            source,
            chunk_bytes,
            unused: Cell::new(null_mut()),
            unused_bytes: Cell::new(0),
            free: [const { Cell::new(null_mut()) }; CLASSES],
            count: Cell::new(0),
        }
    }

    /// The class of blocks that hold `size` bytes.
    pub fn class(size: usize) -> usize {
        size.div_ceil(BLOCK_ALIGN)
    }

    /// Null: no room for another chunk.
    pub fn allocate(&self, class: usize) -> *mut u8 {
        let block = match self.free.get(class).map_or(null_mut(), Cell::get) {
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
            let chunk_bytes = self.chunk_bytes.max(bytes);
            let chunk = (self.source)(chunk_bytes);
            if chunk.is_null() {
                return null_mut();
            }
            self.unused.set(chunk);
            self.unused_bytes.set(chunk_bytes);
        }
        let block = self.unused.get();
        self.unused.set(block.wrapping_add(bytes));
        self.unused_bytes.set(self.unused_bytes.get() - bytes);
        block
    }

    /// # Safety
    /// `block` was allocated by this heap as one of `class`, and is not in use any more.
    pub unsafe fn free(&self, block: *mut u8, class: usize) {
        self.count.set(self.count.get() - 1);
        if let Some(first) = self.free.get(class) {
            // SAFETY: every block has room for an address.
            unsafe { block.cast::<*mut u8>().write(first.get()) };
            first.set(block);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count.get() == 0
    }
}
