//! The C library of the engine, by its names in the engine's module; and what the host answers in blocks of that. CPython's own
//! functions are in `python.rs`.

#[link(wasm_import_module = "engine")]
unsafe extern "C" {
    /// Constructors of C and C++.
    #[link_name = "_initialize"]
    pub fn initialize();
    fn realloc(block: *mut u8, len: usize) -> *mut u8;
    pub fn free(block: *mut u8);
}

/// What the C library aligns every block to.
const ALIGN: usize = 16;

/// Room for what the host answers. Never null: where there is no memory left, the engine traps.
#[unsafe(no_mangle)]
extern "C" fn cabi_realloc(old: *mut u8, _old_len: usize, align: usize, len: usize) -> *mut u8 {
    if len == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: null, or a block that this has given out.
    let block = unsafe { realloc(old, len) };
    if block.is_null() || align > ALIGN {
        core::arch::wasm32::unreachable()
    }
    block
}

/// A list that the host has answered with.
#[repr(C)]
pub struct List<T> {
    start: *mut T,
    len: usize,
}

impl<T> List<T> {
    /// # Safety
    /// `fill` writes a list to where it is told to.
    pub unsafe fn of(fill: impl FnOnce(*mut u8)) -> List<T> {
        let mut list = core::mem::MaybeUninit::<List<T>>::uninit();
        fill(list.as_mut_ptr().cast());
        // SAFETY: as the caller says.
        unsafe { list.assume_init() }
    }

    pub fn as_slice(&self) -> &[T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the host's list, in a block that is ours.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: a block from `cabi_realloc`, and nobody has it any more.
            unsafe { free(self.start.cast()) }
        }
    }
}

/// Room for something that lasts.
pub fn allocate(len: usize) -> *mut u8 {
    cabi_realloc(core::ptr::null_mut(), 0, ALIGN, len)
}

/// Another size for a block, or a new one for null. None: there is no memory left.
pub fn resize(block: *mut u8, len: usize) -> Option<*mut u8> {
    // SAFETY: null, or a block of the C library's.
    let resized = unsafe { realloc(block, len) };
    (!resized.is_null()).then_some(resized)
}
