//! Files: of one tree, which is the host's and read-only; and `/tmp`, which is the engine's own (`scratch.rs`).

use ground::{Single, host};

use crate::{
    BAD_DESCRIPTOR, Errno, ILLEGAL_SEEK, INVALID, IS_DIRECTORY, NO_ENTRY, NOT_DIRECTORY, READ_ONLY, SUCCESS, TOO_MANY_OPEN, answer, engine,
    scratch::{self, Target},
};

const STDOUT: u32 = 1;
const STDERR: u32 = 2;
/// The folder `/`, open from the start.
const ROOT: u32 = 3;
const FIRST_FREE: u32 = 4;
const OPEN_MAX: usize = 256;

/// The host's id of the folder `/`.
const ROOT_ID: u32 = 0;

// Of `filetype`.
const CHARACTER_DEVICE: u8 = 2;
pub const DIRECTORY: u8 = 3;
pub const REGULAR_FILE: u8 = 4;

// Of `oflags`.
const OPEN_CREATE: u32 = 1;
const OPEN_DIRECTORY: u32 = 2;
const OPEN_EXCLUSIVE: u32 = 4;
const OPEN_TRUNCATE: u32 = 8;

/// Of `fdflags`.
const APPEND: u32 = 1;

// Of `rights`.
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_SEEK: u64 = 1 << 2;
const RIGHT_TELL: u64 = 1 << 5;
const RIGHT_WRITE: u64 = 1 << 6;
const RIGHTS_OF_FILES: u64 = RIGHT_READ | RIGHT_SEEK | RIGHT_TELL | 1 << 21;

#[derive(Clone, Copy)]
pub struct Found {
    pub id: u32,
    pub is_folder: bool,
    pub size: u64,
    pub time_us: u64,
}

/// Of files that never change: the first that archives can have (1980-01-01).
const NO_TIME_US: u64 = 315_532_800_000_000;

#[derive(Clone, Copy)]
pub struct Open {
    pub file: Found,
    pub offset: u64,
    pub is_appending: bool,
}

static OPEN: Single<[Option<Open>; OPEN_MAX]> = Single::new([None; OPEN_MAX]);

const ROOT_FOLDER: Open =
    Open { file: Found { id: ROOT_ID, is_folder: true, size: 0, time_us: NO_TIME_US }, offset: 0, is_appending: false };

pub fn open(descriptor: u32) -> Result<Open, Errno> {
    if descriptor == ROOT {
        return Ok(ROOT_FOLDER);
    }
    let place = descriptor.checked_sub(FIRST_FREE).ok_or(BAD_DESCRIPTOR)? as usize;
    let mut open = OPEN.with(|open| open.get(place).copied().flatten()).ok_or(BAD_DESCRIPTOR)?;
    // Those of the host never change; these do.
    if scratch::is_here(open.file.id) {
        open.file = found_in_scratch(open.file.id)?;
    }
    Ok(open)
}

fn found_in_scratch(id: u32) -> Result<Found, Errno> {
    let (is_folder, size, time_us) = scratch::describe(id).ok_or(NO_ENTRY)?;
    Ok(Found { id, is_folder, size, time_us })
}

/// Where a path leads, if that is into `/tmp`.
fn in_scratch<'a>(folder: u32, path: *const u8, len: usize) -> Result<Option<Target<'a>>, Errno> {
    let open = open(folder)?;
    // SAFETY: a path, which stays what it is during the call.
    let path: &[u8] = if len == 0 { &[] } else { unsafe { core::slice::from_raw_parts(path, len) } };
    if scratch::is_here(open.file.id) {
        return scratch::find(open.file.id, path).map(Some);
    }
    if open.file.id != ROOT_ID {
        return Ok(None);
    }
    let mut rest = path;
    loop {
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (part, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        match part {
            b"" | b"." if !rest.is_empty() => rest = after,
            part if part == scratch::NAME => return scratch::find(scratch::TOP, after).map(Some),
            _ => return Ok(None),
        }
    }
}

/// As above, where something is to be changed.
fn writable<'a>(folder: u32, path: *const u8, len: usize) -> Result<Target<'a>, Errno> {
    in_scratch(folder, path, len)?.ok_or(READ_ONLY)
}

fn set_offset(descriptor: u32, offset: u64) {
    OPEN.with(|open| {
        if let Some(Some(open)) = open.get_mut(descriptor.wrapping_sub(FIRST_FREE) as usize) {
            open.offset = offset;
        }
    });
}

fn find(folder: u32, path: *const u8, len: usize) -> Result<Found, Errno> {
    if let Some(target) = in_scratch(folder, path, len)? {
        return found_in_scratch(target.id().ok_or(NO_ENTRY)?);
    }
    let open = open(folder)?;
    if !open.file.is_folder {
        return Err(NOT_DIRECTORY);
    }
    // SAFETY: the C library's own path.
    let found = unsafe { host::find(open.file.id, path, len) }.ok_or(NO_ENTRY)?;
    Ok(Found { id: found.id, is_folder: found.is_folder, size: found.size, time_us: NO_TIME_US })
}

/// What a function of WASI answers for a result of ours.
pub fn errno(result: Result<(), Errno>) -> Errno {
    result.err().unwrap_or(SUCCESS)
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_prestat_get")]
extern "C" fn fd_prestat_get(descriptor: u32, prestat: *mut u8) -> Errno {
    if descriptor != ROOT {
        return BAD_DESCRIPTOR;
    }
    // SAFETY: room for a `prestat`: a folder with a name of one byte.
    unsafe {
        answer(prestat, 0, 0_u8);
        answer(prestat, 4, 1_u32);
    }
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_prestat_dir_name")]
extern "C" fn fd_prestat_dir_name(descriptor: u32, name: *mut u8, len: usize) -> Errno {
    if descriptor != ROOT || len == 0 {
        return BAD_DESCRIPTOR;
    }
    // SAFETY: room for the name.
    unsafe { answer(name, 0, b'/') };
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_open")]
#[allow(clippy::too_many_arguments)]
extern "C" fn path_open(
    folder: u32,
    _lookup: u32,
    path: *const u8,
    len: usize,
    how: u32,
    rights: u64,
    _inheriting: u64,
    flags: u32,
    descriptor: *mut u8,
) -> Errno {
    errno((|| {
        let scratch = in_scratch(folder, path, len)?;
        let file = match (scratch, find(folder, path, len)) {
            (_, Ok(_)) if how & OPEN_CREATE != 0 && how & OPEN_EXCLUSIVE != 0 => return Err(scratch::EXISTS),
            (Some(target), Err(NO_ENTRY)) if how & OPEN_CREATE != 0 => found_in_scratch(scratch::create(target, false)?)?,
            (None, Err(NO_ENTRY)) if how & OPEN_CREATE != 0 => return Err(READ_ONLY),
            (_, found) => found?,
        };
        if how & OPEN_DIRECTORY != 0 && !file.is_folder {
            return Err(NOT_DIRECTORY);
        }
        // Folders are opened with every right that there may be.
        if how & OPEN_TRUNCATE != 0 || (rights & RIGHT_WRITE != 0 && how & OPEN_DIRECTORY == 0) {
            if file.is_folder {
                return Err(IS_DIRECTORY);
            }
            if scratch.is_none() {
                return Err(READ_ONLY);
            }
        }
        if how & OPEN_TRUNCATE != 0 {
            scratch::set_size(file.id, 0)?;
        }
        let place = OPEN.with(|open| {
            let place = open.iter().position(Option::is_none)?;
            open[place] = Some(Open { file, offset: 0, is_appending: flags & APPEND != 0 });
            Some(place)
        });
        let place = place.ok_or(TOO_MANY_OPEN)?;
        if scratch::is_here(file.id) {
            scratch::opened(file.id);
        }
        // SAFETY: room for a number.
        unsafe { answer(descriptor, 0, place as u32 + FIRST_FREE) };
        Ok(())
    })())
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_close")]
extern "C" fn fd_close(descriptor: u32) -> Errno {
    if descriptor <= STDERR {
        return SUCCESS;
    }
    let place = descriptor.wrapping_sub(FIRST_FREE) as usize;
    let closed = OPEN.with(|open| open.get_mut(place).and_then(Option::take));
    let Some(closed) = closed else { return BAD_DESCRIPTOR };
    if scratch::is_here(closed.file.id) {
        scratch::closed(closed.file.id);
    }
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_fdstat_get")]
extern "C" fn fd_fdstat_get(descriptor: u32, stat: *mut u8) -> Errno {
    let (kind, rights, inheriting) = match open(descriptor) {
        _ if descriptor <= STDERR => (CHARACTER_DEVICE, if descriptor == 0 { RIGHT_READ } else { RIGHT_WRITE }, 0),
        Ok(open) if scratch::is_here(open.file.id) => (if open.file.is_folder { DIRECTORY } else { REGULAR_FILE }, u64::MAX, u64::MAX),
        // What cannot be written says so when somebody tries.
        Ok(open) if open.file.is_folder => (DIRECTORY, u64::MAX, u64::MAX),
        Ok(_) => (REGULAR_FILE, RIGHTS_OF_FILES, 0),
        Err(error) => return error,
    };
    // SAFETY: room for an `fdstat`.
    unsafe {
        answer(stat, 0, kind);
        answer(stat, 2, 0_u16);
        answer(stat, 8, rights);
        answer(stat, 16, inheriting);
    }
    SUCCESS
}

/// # Safety
/// `stat` is room for a `filestat`.
unsafe fn describe(stat: *mut u8, ino: u64, kind: u8, size: u64, time_us: u64) {
    // SAFETY: as the caller says.
    unsafe {
        stat.write_bytes(0, 64);
        answer(stat, 8, ino);
        answer(stat, 16, kind);
        answer(stat, 24, 1_u64);
        answer(stat, 32, size);
        for time in [40, 48, 56] {
            answer(stat, time, time_us * 1000);
        }
    }
}

fn describe_file(stat: *mut u8, file: Found) {
    // SAFETY: the C library's own struct.
    unsafe { describe(stat, u64::from(file.id) + 1, if file.is_folder { DIRECTORY } else { REGULAR_FILE }, file.size, file.time_us) }
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_filestat_get")]
extern "C" fn fd_filestat_get(descriptor: u32, stat: *mut u8) -> Errno {
    if descriptor <= STDERR {
        // SAFETY: the C library's own struct.
        unsafe { describe(stat, 0, CHARACTER_DEVICE, 0, 0) };
        return SUCCESS;
    }
    errno(open(descriptor).map(|open| describe_file(stat, open.file)))
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_filestat_get")]
extern "C" fn path_filestat_get(folder: u32, _lookup: u32, path: *const u8, len: usize, stat: *mut u8) -> Errno {
    errno(find(folder, path, len).map(|file| describe_file(stat, file)))
}

/// A part of the memory that is read into, or written from.
#[repr(C)]
struct Vector {
    start: *mut u8,
    len: usize,
}

/// Answers how many bytes were read.
fn read_into(file: Found, mut offset: u64, vectors: *const Vector, len: usize) -> Result<u64, Errno> {
    if file.is_folder {
        return Err(IS_DIRECTORY);
    }
    let first = offset;
    // SAFETY: the C library's own.
    for vector in unsafe { core::slice::from_raw_parts(vectors, len) } {
        if vector.len == 0 {
            continue;
        }
        if scratch::is_here(file.id) {
            // SAFETY: the C library's own.
            let read = scratch::read(file.id, offset, unsafe { core::slice::from_raw_parts_mut(vector.start, vector.len) });
            offset += read as u64;
            continue;
        }
        // SAFETY: the host answers a list of bytes.
        let bytes = unsafe { engine::List::<u8>::of(|place| host::read(file.id, offset, vector.len as u32, place)) };
        let bytes = bytes.as_slice();
        // SAFETY: no more than there is room for.
        unsafe { vector.start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        offset += bytes.len() as u64;
        if bytes.len() < vector.len {
            break;
        }
    }
    Ok(offset - first)
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_read")]
extern "C" fn fd_read(descriptor: u32, vectors: *const Vector, len: usize, count: *mut u8) -> Errno {
    if descriptor == 0 {
        // Input has ended.
        // SAFETY: room for a number.
        unsafe { answer(count, 0, 0_u32) };
        return SUCCESS;
    }
    errno((|| {
        let open = open(descriptor)?;
        let read = read_into(open.file, open.offset, vectors, len)?;
        set_offset(descriptor, open.offset + read);
        // SAFETY: room for a number.
        unsafe { answer(count, 0, read as u32) };
        Ok(())
    })())
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_pread")]
extern "C" fn fd_pread(descriptor: u32, vectors: *const Vector, len: usize, offset: u64, count: *mut u8) -> Errno {
    errno((|| {
        let read = read_into(open(descriptor)?.file, offset, vectors, len)?;
        // SAFETY: room for a number.
        unsafe { answer(count, 0, read as u32) };
        Ok(())
    })())
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_seek")]
extern "C" fn fd_seek(descriptor: u32, distance: i64, whence: u32, offset: *mut u8) -> Errno {
    const SET: u32 = 0;
    const CURRENT: u32 = 1;
    if descriptor <= STDERR {
        return ILLEGAL_SEEK;
    }
    errno((|| {
        let open = open(descriptor)?;
        let from = match whence {
            SET => 0,
            CURRENT => open.offset,
            _ => open.file.size,
        };
        let target = from.checked_add_signed(distance).ok_or(INVALID)?;
        set_offset(descriptor, target);
        // SAFETY: room for a number.
        unsafe { answer(offset, 0, target) };
        Ok(())
    })())
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_tell")]
extern "C" fn fd_tell(descriptor: u32, offset: *mut u8) -> Errno {
    fd_seek(descriptor, 0, 1, offset)
}

/// Answers how many bytes were written.
fn write_from(file: Found, mut offset: u64, vectors: *const Vector, len: usize) -> Result<u64, Errno> {
    if !scratch::is_here(file.id) {
        return Err(READ_ONLY);
    }
    let first = offset;
    // SAFETY: the C library's own.
    for vector in unsafe { core::slice::from_raw_parts(vectors, len) } {
        if vector.len > 0 {
            // SAFETY: as above.
            scratch::write(file.id, offset, unsafe { core::slice::from_raw_parts(vector.start, vector.len) })?;
            offset += vector.len as u64;
        }
    }
    Ok(offset - first)
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_pwrite")]
extern "C" fn fd_pwrite(descriptor: u32, vectors: *const Vector, len: usize, offset: u64, count: *mut u8) -> Errno {
    errno((|| {
        let written = write_from(open(descriptor)?.file, offset, vectors, len)?;
        // SAFETY: room for a number.
        unsafe { answer(count, 0, written as u32) };
        Ok(())
    })())
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_filestat_set_size")]
extern "C" fn fd_filestat_set_size(descriptor: u32, size: u64) -> Errno {
    errno((|| {
        let file = open(descriptor)?.file;
        if scratch::is_here(file.id) { scratch::set_size(file.id, size) } else { Err(READ_ONLY) }
    })())
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_fdstat_set_flags")]
extern "C" fn fd_fdstat_set_flags(descriptor: u32, flags: u32) -> Errno {
    OPEN.with(|open| match open.get_mut(descriptor.wrapping_sub(FIRST_FREE) as usize) {
        Some(Some(open)) => {
            open.is_appending = flags & APPEND != 0;
            SUCCESS
        }
        _ => BAD_DESCRIPTOR,
    })
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_create_directory")]
extern "C" fn path_create_directory(folder: u32, path: *const u8, len: usize) -> Errno {
    errno(writable(folder, path, len).and_then(|target| scratch::create(target, true)).map(|_| ()))
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_remove_directory")]
extern "C" fn path_remove_directory(folder: u32, path: *const u8, len: usize) -> Errno {
    errno(writable(folder, path, len).and_then(|target| scratch::remove(target, true)))
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_unlink_file")]
extern "C" fn path_unlink_file(folder: u32, path: *const u8, len: usize) -> Errno {
    errno(writable(folder, path, len).and_then(|target| scratch::remove(target, false)))
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_rename")]
extern "C" fn path_rename(folder: u32, path: *const u8, len: usize, to_folder: u32, to: *const u8, to_len: usize) -> Errno {
    errno((|| scratch::rename(writable(folder, path, len)?, writable(to_folder, to, to_len)?))())
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_filestat_set_times")]
extern "C" fn path_filestat_set_times(folder: u32, _lookup: u32, path: *const u8, len: usize, _a: u64, _m: u64, _flags: u32) -> Errno {
    // No file has a time.
    errno(writable(folder, path, len).and_then(|target| target.id().map(|_| ()).ok_or(NO_ENTRY)))
}

#[unsafe(export_name = "wasi_snapshot_preview1#fd_write")]
extern "C" fn fd_write(descriptor: u32, vectors: *const Vector, len: usize, count: *mut u8) -> Errno {
    if descriptor != STDOUT && descriptor != STDERR {
        return errno((|| {
            let open = open(descriptor)?;
            let offset = if open.is_appending { open.file.size } else { open.offset };
            let written = write_from(open.file, offset, vectors, len)?;
            set_offset(descriptor, offset + written);
            // SAFETY: room for a number.
            unsafe { answer(count, 0, written as u32) };
            Ok(())
        })());
    }
    let mut written = 0;
    // SAFETY: the C library's own.
    for vector in unsafe { core::slice::from_raw_parts(vectors, len) } {
        if vector.len > 0 {
            // SAFETY: as above.
            host::write(descriptor == STDERR, unsafe { core::slice::from_raw_parts(vector.start, vector.len) });
            written += vector.len as u32;
        }
    }
    // SAFETY: room for a number.
    unsafe { answer(count, 0, written) };
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#path_readlink")]
extern "C" fn path_readlink(folder: u32, path: *const u8, len: usize, _buffer: u32, _room: u32, _used: u32) -> Errno {
    // What is there is no link.
    find(folder, path, len).err().unwrap_or(INVALID)
}
