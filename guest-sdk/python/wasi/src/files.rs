//! Files: all of one tree, which is the host's, and none to be written.

use ground::{
    Single,
    host::{self, Found},
};

use crate::{Answer, Table, engine};

// Cases of `error-code`.
const BAD_DESCRIPTOR: u8 = 3;
const INSUFFICIENT_MEMORY: u8 = 22;
const INVALID: u8 = 12;
const NO_ENTRY: u8 = 20;
const NOT_DIRECTORY: u8 = 24;
const READ_ONLY: u8 = 33;

// Cases of `descriptor-type`.
const DIRECTORY: u8 = 3;
const REGULAR_FILE: u8 = 6;

/// `stream-error::closed`: the end of a file.
const CLOSED: u8 = 1;

/// The host's id of the folder `/`.
const ROOT: u32 = 0;

/// A descriptor is the host's id of its file and this, so that none is 0.
const DESCRIPTOR: u32 = 1;

// Flags of `open-at`.
const OPEN_CREATE: u32 = 1;
const OPEN_DIRECTORY: u32 = 2;
const OPEN_TRUNCATE: u32 = 8;
const DESCRIPTOR_READ: u8 = 1;
const DESCRIPTOR_WRITE: u32 = 2;

/// Input streams begin above those of the program itself.
const STREAM_BASE: u32 = 16;

struct Stream {
    id: u32,
    offset: u64,
}

/// What of a folder's names was not handed out yet: (start, length) of each, in a block that is to be freed.
struct Names {
    block: *mut [*mut u8; 2],
    len: usize,
    next: usize,
}

static STREAMS: Single<Table<Stream, 256>> = Single::new(Table([const { None }; 256]));
static FOLDERS: Single<Table<Names, 64>> = Single::new(Table([const { None }; 64]));

fn find(folder: u32, path: *const u8, len: usize) -> Option<Found> {
    // SAFETY: the C library's own path.
    unsafe { host::find(folder, path, len) }
}

/// What a descriptor stands for; a descriptor is one only as long as it stays open, which the host need not know.
fn file_of(descriptor: u32) -> Option<Found> {
    let id = descriptor.checked_sub(DESCRIPTOR)?;
    find(id, core::ptr::null(), 0)
}

#[unsafe(export_name = "wasi:filesystem/preopens@0.2.0#get-directories")]
extern "C" fn get_directories(answer: Answer) {
    let path = engine::allocate(1, 1);
    let entry = Answer(engine::allocate(12, 4));
    // SAFETY: a block of one byte.
    unsafe { path.write(b'/') };
    entry.word(0, ROOT + DESCRIPTOR);
    entry.list(4, path, 1);
    answer.list(0, entry.0, 1);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.open-at")]
extern "C" fn open_at(descriptor: u32, _path_flags: u32, path: *const u8, len: usize, open_flags: u32, flags: u32, answer: Answer) {
    let found = descriptor.checked_sub(DESCRIPTOR).and_then(|folder| find(folder, path, len));
    let error = match found {
        _ if flags & DESCRIPTOR_WRITE != 0 || open_flags & OPEN_TRUNCATE != 0 => READ_ONLY,
        None if open_flags & OPEN_CREATE != 0 => READ_ONLY,
        None => NO_ENTRY,
        Some(file) if open_flags & OPEN_DIRECTORY != 0 && !file.is_folder => NOT_DIRECTORY,
        Some(file) => {
            answer.byte(0, 0);
            return answer.word(4, file.id + DESCRIPTOR);
        }
    };
    answer.error(4, error);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[resource-drop]descriptor")]
extern "C" fn drop_descriptor(_descriptor: u32) {}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.get-flags")]
extern "C" fn get_flags(_descriptor: u32, answer: Answer) {
    answer.byte(0, 0);
    answer.byte(1, DESCRIPTOR_READ);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.stat")]
extern "C" fn stat(descriptor: u32, answer: Answer) {
    stat_of(file_of(descriptor), BAD_DESCRIPTOR, answer);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.stat-at")]
extern "C" fn stat_at(descriptor: u32, _path_flags: u32, path: *const u8, len: usize, answer: Answer) {
    let found = descriptor.checked_sub(DESCRIPTOR).and_then(|folder| find(folder, path, len));
    stat_of(found, NO_ENTRY, answer);
}

fn stat_of(found: Option<Found>, error: u8, answer: Answer) {
    let Some(file) = found else { return answer.error(8, error) };
    answer.byte(0, 0);
    answer.byte(8, if file.is_folder { DIRECTORY } else { REGULAR_FILE });
    answer.long(16, 1);
    answer.long(24, file.size);
    // No file has a time.
    for option in [32, 56, 80] {
        answer.byte(option, 0);
    }
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.metadata-hash")]
extern "C" fn metadata_hash(descriptor: u32, answer: Answer) {
    hash_of(file_of(descriptor), BAD_DESCRIPTOR, answer);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.metadata-hash-at")]
extern "C" fn metadata_hash_at(descriptor: u32, _path_flags: u32, path: *const u8, len: usize, answer: Answer) {
    let found = descriptor.checked_sub(DESCRIPTOR).and_then(|folder| find(folder, path, len));
    hash_of(found, NO_ENTRY, answer);
}

/// What `st_ino` is made of.
fn hash_of(found: Option<Found>, error: u8, answer: Answer) {
    let Some(file) = found else { return answer.error(8, error) };
    answer.byte(0, 0);
    answer.long(8, u64::from(file.id) + 1);
    answer.long(16, 0);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.read")]
extern "C" fn read(descriptor: u32, length: u64, offset: u64, answer: Answer) {
    let Some(file) = file_of(descriptor) else { return answer.error(4, BAD_DESCRIPTOR) };
    answer.byte(0, 0);
    let len = read_into(file.id, offset, length, answer, 4);
    answer.byte(12, u8::from(len == 0));
}

/// Leaves a list of bytes at `answer + at`, and answers its length.
fn read_into(id: u32, offset: u64, length: u64, answer: Answer, at: usize) -> usize {
    // SAFETY: room for a list.
    unsafe {
        host::read(id, offset, length.min(u64::from(u32::MAX)) as u32, answer.0.add(at));
        answer.0.add(at + 4).cast::<u32>().read() as usize
    }
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.read-via-stream")]
extern "C" fn read_via_stream(descriptor: u32, offset: u64, answer: Answer) {
    let Some(file) = file_of(descriptor) else { return answer.error(4, BAD_DESCRIPTOR) };
    match STREAMS.with(|streams| streams.insert(Stream { id: file.id, offset })) {
        Some(stream) => {
            answer.byte(0, 0);
            answer.word(4, stream + STREAM_BASE);
        }
        None => answer.error(4, INSUFFICIENT_MEMORY),
    }
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[method]input-stream.read")]
extern "C" fn read_stream(stream: u32, length: u64, answer: Answer) {
    let place = stream.wrapping_sub(STREAM_BASE);
    let Some((id, offset)) = STREAMS.with(|streams| streams.get(place).map(|stream| (stream.id, stream.offset))) else {
        return answer.error(4, CLOSED);
    };
    let len = read_into(id, offset, length, answer, 4);
    if len == 0 && length != 0 {
        return answer.error(4, CLOSED);
    }
    answer.byte(0, 0);
    STREAMS.with(|streams| {
        if let Some(stream) = streams.get(place) {
            stream.offset += len as u64;
        }
    });
}

#[unsafe(export_name = "wasi:io/streams@0.2.0#[resource-drop]input-stream")]
extern "C" fn drop_input_stream(stream: u32) {
    STREAMS.with(|streams| streams.remove(stream.wrapping_sub(STREAM_BASE)));
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.read-directory")]
extern "C" fn read_directory(descriptor: u32, answer: Answer) {
    let Some(file) = file_of(descriptor) else { return answer.error(4, BAD_DESCRIPTOR) };
    if !file.is_folder {
        return answer.error(4, NOT_DIRECTORY);
    }
    // SAFETY: room for a list; which is one of strings.
    let names = unsafe {
        host::names(file.id, answer.0);
        Names { block: answer.0.cast::<*mut [*mut u8; 2]>().read(), len: answer.0.add(4).cast::<usize>().read(), next: 0 }
    };
    match FOLDERS.with(|folders| folders.insert(names)) {
        Some(folder) => {
            answer.byte(0, 0);
            answer.word(4, folder);
        }
        None => answer.error(4, INSUFFICIENT_MEMORY),
    }
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]directory-entry-stream.read-directory-entry")]
extern "C" fn read_directory_entry(folder: u32, answer: Answer) {
    let name = FOLDERS.with(|folders| {
        let names = folders.get(folder)?;
        // SAFETY: there are `len` names in the block.
        let name = (names.next < names.len).then(|| unsafe { names.block.add(names.next).read() })?;
        names.next += 1;
        Some(name)
    });
    answer.byte(0, 0);
    let Some([start, len]) = name else { return answer.byte(4, 0) };
    let mut len = len as usize;
    // SAFETY: a string, of which a name has at least one byte.
    let is_folder = unsafe { start.add(len - 1).read() } == b'/';
    len -= usize::from(is_folder);
    answer.byte(4, 1);
    answer.byte(8, if is_folder { DIRECTORY } else { REGULAR_FILE });
    // The name is whose who asked from here on.
    answer.list(12, start, len);
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[resource-drop]directory-entry-stream")]
extern "C" fn drop_directory_entry_stream(folder: u32) {
    let Some(names) = FOLDERS.with(|folders| folders.remove(folder)) else { return };
    if names.len == 0 {
        return;
    }
    // SAFETY: blocks that the host asked the engine for, and that nobody has any more.
    unsafe {
        for index in names.next..names.len {
            engine::free(names.block.add(index).read()[0]);
        }
        engine::free(names.block.cast());
    }
}

#[unsafe(export_name = "wasi:filesystem/types@0.2.0#[method]descriptor.readlink-at")]
extern "C" fn readlink_at(_descriptor: u32, _path: *const u8, _len: usize, answer: Answer) {
    answer.error(4, INVALID);
}

/// Functions that would change something: each answers that it cannot. `at` is where the error of its result lies.
macro_rules! refused {
    ($($name:ident($($argument:ident: $type:ty),*) at $at:literal = $export:literal;)*) => {
        $(
            #[unsafe(export_name = concat!("wasi:filesystem/types@0.2.0#[method]descriptor.", $export))]
            extern "C" fn $name(_descriptor: u32, $($argument: $type,)* answer: Answer) {
                answer.error($at, READ_ONLY);
            }
        )*
    };
}

refused! {
    write_via_stream(_offset: u64) at 4 = "write-via-stream";
    append_via_stream() at 4 = "append-via-stream";
    write(_start: u32, _len: u32, _offset: u64) at 8 = "write";
    set_size(_size: u64) at 1 = "set-size";
    set_times(_a: u32, _as: u64, _an: u32, _m: u32, _ms: u64, _mn: u32) at 1 = "set-times";
    set_times_at(_f: u32, _p: u32, _l: u32, _a: u32, _as: u64, _an: u32, _m: u32, _ms: u64, _mn: u32) at 1 = "set-times-at";
    create_directory_at(_path: u32, _len: u32) at 1 = "create-directory-at";
    remove_directory_at(_path: u32, _len: u32) at 1 = "remove-directory-at";
    unlink_file_at(_path: u32, _len: u32) at 1 = "unlink-file-at";
    symlink_at(_old: u32, _old_len: u32, _new: u32, _new_len: u32) at 1 = "symlink-at";
    link_at(_flags: u32, _old: u32, _old_len: u32, _folder: u32, _new: u32, _new_len: u32) at 1 = "link-at";
    rename_at(_old: u32, _old_len: u32, _folder: u32, _new: u32, _new_len: u32) at 1 = "rename-at";
}

/// Functions that have nothing to do on files that never change.
macro_rules! nothing_to_do {
    ($($name:ident($($argument:ident: $type:ty),*) = $export:literal;)*) => {
        $(
            #[unsafe(export_name = concat!("wasi:filesystem/types@0.2.0#[method]descriptor.", $export))]
            extern "C" fn $name(_descriptor: u32, $($argument: $type,)* answer: Answer) {
                answer.byte(0, 0);
            }
        )*
    };
}

nothing_to_do! {
    sync() = "sync";
    sync_data() = "sync-data";
    advise(_offset: u64, _len: u64, _advice: u32) = "advise";
}
