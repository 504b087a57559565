//! Imports of the world.

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

#[link(wasm_import_module = "mirra:function/files@0.1.0")]
unsafe extern "C" {
    #[link_name = "find"]
    fn find_file(folder: u32, path: *const u8, len: usize, answer: *mut u8);
    pub fn read(id: u32, offset: u64, length: u32, answer: *mut u8);
    pub fn names(id: u32, answer: *mut u8);
}

/// # Safety
/// There is room for so many bytes.
pub unsafe fn random(bytes: *mut u8, len: usize) {
    for start in (0..len).step_by(8) {
        let drawn = next_u64().to_le_bytes();
        let count = drawn.len().min(len - start);
        // SAFETY: `start + count` is at most `len`, which is how much there is room for.
        unsafe { bytes.add(start).copy_from_nonoverlapping(drawn.as_ptr(), count) };
    }
}

/// Levels of `mirra:function/logging`.
const INFO: u32 = 1;
const ERROR: u32 = 3;

/// Logs what the C library writes to its own streams. Python's are objects of the engine and never come here: this is for what
/// the interpreter says when it cannot go on.
pub fn write(is_error: bool, bytes: &[u8]) {
    // The host takes nothing but text; what is none is nobody's to read.
    if let Ok(text) = core::str::from_utf8(bytes) {
        let line = text.trim_end_matches('\n');
        if !line.is_empty() {
            // SAFETY: text, which the host copies.
            unsafe { log(if is_error { ERROR } else { INFO }, line.as_ptr(), line.len()) };
        }
    }
}

/// A file or a folder of the host's.
#[derive(Clone, Copy)]
pub struct Found {
    pub id: u32,
    pub is_folder: bool,
    pub size: u64,
}

/// `option<record { id: u32, is-folder: bool, size: u64 }>` as the canonical ABI lays it out.
#[repr(C)]
struct FoundAnswer {
    is_some: u8,
    _padding: [u8; 7],
    id: u32,
    is_folder: u8,
    size: u64,
}

/// What lies at a path, seen from a folder.
///
/// # Safety
/// There is a path of so many bytes.
pub unsafe fn find(folder: u32, path: *const u8, len: usize) -> Option<Found> {
    let mut answer = core::mem::MaybeUninit::<FoundAnswer>::zeroed();
    // SAFETY: a path, and room for the answer.
    let answer = unsafe {
        find_file(folder, path, len, answer.as_mut_ptr().cast());
        answer.assume_init()
    };
    (answer.is_some != 0).then_some(Found { id: answer.id, is_folder: answer.is_folder != 0, size: answer.size })
}
