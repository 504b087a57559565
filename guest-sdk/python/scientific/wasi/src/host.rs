//! What this is built on: imports of the world, and the C library of the engine. CPython's own functions are in `python.rs`.

#[link(wasm_import_module = "mirra:function/clocks@0.1.0")]
unsafe extern "C" {
    #[link_name = "unix-time-us"]
    pub safe fn unix_time_us() -> u64;
    #[link_name = "elapsed-us"]
    pub safe fn elapsed_us() -> u64;
    #[link_name = "sleep-us"]
    pub safe fn sleep_us(duration: u64);
}

#[link(wasm_import_module = "mirra:function/random@0.1.0")]
unsafe extern "C" {
    #[link_name = "next-u64"]
    pub safe fn next_u64() -> u64;
}

#[link(wasm_import_module = "mirra:function/logging@0.1.0")]
unsafe extern "C" {
    pub fn log(level: u32, message: *const u8, len: usize);
}

#[link(wasm_import_module = "mirra:function/operations@0.1.0")]
unsafe extern "C" {
    pub fn start(name: *const u8, name_len: usize, arguments: *const u8, arguments_len: usize) -> u32;
    pub fn wait(has_timeout: u32, timeout_us: u64, answer: *mut u8);
}

#[link(wasm_import_module = "mirra:function/files@0.1.0")]
unsafe extern "C" {
    pub fn find(folder: u32, path: *const u8, len: usize, answer: *mut u8);
    pub fn read(id: u32, offset: u64, length: u32, answer: *mut u8);
    pub fn names(id: u32, answer: *mut u8);
}

// By their names in the engine's module.
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
