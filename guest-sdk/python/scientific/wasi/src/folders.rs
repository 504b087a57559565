//! What is in a folder.

use ground::host;

use crate::{
    Errno, NOT_DIRECTORY, answer, engine,
    files::{DIRECTORY, REGULAR_FILE, errno, open},
    scratch,
};

/// Entries from the `cookie`th on, each as much of it as there is room for; less than all of the room is the end.
#[unsafe(export_name = "wasi_snapshot_preview1#fd_readdir")]
extern "C" fn fd_readdir(descriptor: u32, buffer: *mut u8, room: usize, cookie: u64, used: *mut u8) -> Errno {
    const HEADER_BYTES: usize = 24;
    errno((|| {
        let open = open(descriptor)?;
        if !open.file.is_folder {
            return Err(NOT_DIRECTORY);
        }
        let (mut end, mut index) = (0, 0);
        let mut entry = |name: &[u8], is_folder: bool| {
            index += 1;
            if index <= cookie {
                return;
            }
            let mut header = [0_u8; HEADER_BYTES];
            header[..8].copy_from_slice(&index.to_le_bytes());
            // The number of a file is not asked for here by anybody.
            header[8..16].copy_from_slice(&1_u64.to_le_bytes());
            header[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
            header[20] = if is_folder { DIRECTORY } else { REGULAR_FILE };
            for bytes in [&header, name] {
                let count = bytes.len().min(room - end);
                // SAFETY: within the buffer.
                unsafe { buffer.add(end).copy_from_nonoverlapping(bytes.as_ptr(), count) };
                end += count;
            }
        };
        if scratch::is_here(open.file.id) {
            scratch::for_each(open.file.id, entry);
        } else {
            // SAFETY: the host answers a list of strings, each of which is read once.
            unsafe {
                let names = engine::List::<engine::List<u8>>::of(|place| host::names(open.file.id, place));
                for name in names.as_slice() {
                    let name = core::ptr::from_ref(name).read();
                    match name.as_slice() {
                        [name @ .., b'/'] => entry(name, true),
                        name => entry(name, false),
                    }
                }
            }
        }
        // SAFETY: room for a number.
        unsafe { answer(used, 0, end as u32) };
        Ok(())
    })())
}
