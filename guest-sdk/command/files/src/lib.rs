//! `mirra:function/files` for commands of WASI, which have a handler's files with them: what `guest-sdk/command/command.wat` makes
//! a component of.
//!
//! The memory is imported, with the archive in it. Functions answer as the canonical ABI says.

#![no_std]

mod archive;

use core::{
    arch::wasm32,
    ptr::{with_exposed_provenance, with_exposed_provenance_mut},
    slice,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use archive::Archive;

/// Where the archive begins. The linker puts everything of ours below (`xtask/src/engines/command.rs`), and the runtime leaves as
/// much room in front of it (`runtime/src/engine/command.rs`).
const ARCHIVE_START: usize = 128 << 10;

const PAGE_BYTES: usize = 64 << 10;

/// How large the memory was at first, which is where the archive ends. 0: nobody has asked yet.
static ARCHIVE_END: AtomicUsize = AtomicUsize::new(0);

/// Bytes behind the archive that the call under way has taken.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

fn archive_end() -> usize {
    if ARCHIVE_END.load(Relaxed) == 0 {
        ARCHIVE_END.store(memory_bytes(), Relaxed);
    }
    ARCHIVE_END.load(Relaxed)
}

fn archive() -> Archive<'static> {
    // SAFETY: within the memory, and never written to.
    Archive(unsafe { slice::from_raw_parts(with_exposed_provenance(ARCHIVE_START), archive_end() - ARCHIVE_START) })
}

fn memory_bytes() -> usize {
    wasm32::memory_size(0) * PAGE_BYTES
}

/// A block that is the call's until its answer was read.
fn allocate(len: usize, align: usize) -> *mut u8 {
    let start = (archive_end() + TAKEN.load(Relaxed)).next_multiple_of(align);
    let end = start.saturating_add(len);
    let missing = end.saturating_sub(memory_bytes()).div_ceil(PAGE_BYTES);
    if missing > 0 && wasm32::memory_grow(0, missing) == usize::MAX {
        wasm32::unreachable();
    }
    TAKEN.store(end - archive_end(), Relaxed);
    with_exposed_provenance_mut(start)
}

fn slots<'a, T: Copy + 'a>(count: usize, value: T) -> &'a mut [T] {
    let start = allocate(count * size_of::<T>(), align_of::<T>()).cast::<T>();
    for index in 0..count {
        // SAFETY: a new block with room for so many.
        unsafe { start.add(index).write(value) };
    }
    // SAFETY: the block, whose values were all written.
    unsafe { slice::from_raw_parts_mut(start, count) }
}

fn place<T: Copy>(value: T) -> *const T {
    slots(1, value).as_ptr()
}

/// For paths, which nobody makes longer once they lie here.
#[unsafe(no_mangle)]
extern "C" fn realloc(_old: *mut u8, _old_len: usize, align: usize, len: usize) -> *mut u8 {
    allocate(len, align)
}

/// Called when an answer was read.
#[unsafe(no_mangle)]
extern "C" fn forget(_answer: usize) {
    TAKEN.store(0, Relaxed);
}

/// `option<file>`
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Found {
    is_some: u64,
    id: u32,
    is_folder: u32,
    size: u64,
}

/// `list<T>`, or a string.
#[repr(C)]
#[derive(Clone, Copy)]
struct List<T> {
    start: *const T,
    len: usize,
}

impl<T> List<T> {
    fn of(slice: &[T]) -> List<T> {
        List { start: slice.as_ptr(), len: slice.len() }
    }
}

/// # Safety
/// `path` is where so many bytes lie.
#[unsafe(no_mangle)]
unsafe extern "C" fn find(folder: u32, path: *const u8, len: usize) -> *const Found {
    // SAFETY: as the caller says.
    let path = unsafe { slice::from_raw_parts(path, len) };
    let found = archive().find(folder, path);
    place(found.map_or(Found::default(), |file| Found { is_some: 1, id: file.id, is_folder: u32::from(file.is_folder), size: file.size }))
}

/// The bytes stay where they are, in the archive.
#[unsafe(no_mangle)]
extern "C" fn read(id: u32, offset: u64, length: u32) -> *const List<u8> {
    place(List::of(archive().read(id, offset, length)))
}

#[unsafe(no_mangle)]
extern "C" fn names(id: u32) -> *const List<List<u8>> {
    let archive = archive();
    let names = archive.names(id, slots(archive.names_max(id), &[][..]));
    let list = slots(names.len(), List::of(&[]));
    for (slot, name) in list.iter_mut().zip(names) {
        *slot = List::of(name);
    }
    place(List::of(list))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
