//! Keeps the pages that calls write to in few runs.
//!
//! When an instance is gone, wasmtime asks the kernel which pages of its memory were written, copies those back from the image,
//! and lets the next instance have them: no page faults. But it asks for 32 runs of pages at most (`MAX_REGIONS` in its
//! `pagemap.rs`), and gives everything behind the last of them back to the kernel, so that the next call has hundreds of pages
//! to fault in again. Handlers with packages write to more runs than that. So before a call ends, small gaps between runs are
//! written to as well, with what is there: they are copied back with the rest from then on, which costs less than a fault.
//!
//! Pages stay written for as long as a slot of wasmtime's pool serves the same handler, so only some calls look: the first, and later
//! ones now and then, since there are other slots, and other events take other ways.

use std::{
    fs::File,
    os::fd::AsFd,
    sync::{
        LazyLock,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
};

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};

use super::config::MEMORY_KEEP_RESIDENT_BYTES;

const PAGE_BYTES: usize = 4096;

/// One less than wasmtime's, for what is written after this looked.
const RUNS_MAX: usize = 31;

/// What is looked at; a memory with more runs is not put in order.
const RUNS_SEEN_MAX: usize = 1024;

/// The first calls of a handler are looked at, then one in so many. Which slot a call has is not remembered: that would take a lock
/// on the path of every call, and a slot that was missed is met again soon.
const FIRST_CALLS: u32 = 4;
const EVERY: u32 = 64;
const EVERY_SCATTERED: u32 = 8;

/// What is known of one handler's memories.
#[derive(Default)]
pub struct Pages {
    calls: AtomicU32,
    /// Calls were seen that write to more runs than wasmtime puts back.
    is_scattered: AtomicBool,
}

/// Pages that were written, one after the other.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

impl Pages {
    /// A call is about to end whose memory begins at `start` and has at most so many bytes. Only its instance uses that memory,
    /// and stands still meanwhile.
    pub fn tidy(&self, start: *const u8, bytes: usize) {
        if !self.is_due() {
            return;
        }
        let runs = written(start as usize, bytes.next_multiple_of(PAGE_BYTES));
        if runs.len() <= RUNS_MAX {
            return;
        }
        self.is_scattered.store(true, Relaxed);
        for gap in gaps_to_fill(&runs) {
            for page in (gap.start..gap.end).step_by(PAGE_BYTES) {
                let byte = std::ptr::with_exposed_provenance_mut::<u8>(page);
                // SAFETY: between pages of the instance's memory that can be written to; nothing else runs on it, and the byte
                // stays what it is.
                unsafe { byte.write_volatile(byte.read_volatile()) };
            }
        }
    }

    fn is_due(&self) -> bool {
        let calls = self.calls.fetch_add(1, Relaxed);
        let every = if self.is_scattered.load(Relaxed) { EVERY_SCATTERED } else { EVERY };
        calls < FIRST_CALLS || calls.is_multiple_of(every)
    }
}

/// The smallest gaps that leave no more than `RUNS_MAX` runs, as far as wasmtime keeps so many pages.
fn gaps_to_fill(runs: &[Run]) -> Vec<Run> {
    let mut gaps: Vec<Run> = runs.windows(2).map(|pair| Run { start: pair[0].end, end: pair[1].start }).collect();
    gaps.sort_by_key(|gap| gap.end - gap.start);
    let written: usize = runs.iter().map(|run| run.end - run.start).sum();
    let mut room = MEMORY_KEEP_RESIDENT_BYTES.saturating_sub(written);
    let fill = gaps.iter().take(runs.len() - RUNS_MAX).take_while(|gap| {
        let bytes = gap.end - gap.start;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    });
    let count = fill.count();
    gaps.truncate(count);
    gaps
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// `PAGEMAP_SCAN`, which answers how many regions it found.
struct Ask<'a>(&'a mut Scan);

// SAFETY: the opcode is the structure's, which the kernel reads and writes.
unsafe impl Ioctl for Ask<'_> {
    type Output = usize;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<Scan>(b'f', 16)
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::from_mut(self.0).cast()
    }

    unsafe fn output_from_ptr(output: IoctlOutput, _: *mut std::ffi::c_void) -> rustix::io::Result<usize> {
        usize::try_from(output).map_err(|_| rustix::io::Errno::INVAL)
    }
}

const WRITTEN: u64 = 1 << 1;
const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const PFNZERO: u64 = 1 << 5;

/// Runs of pages that are no longer the file's or the kernel's zeros, as wasmtime asks for them. None where the kernel cannot tell
/// (before Linux 6.7), and wasmtime does not ask then either.
fn written(start: usize, bytes: usize) -> Vec<Run> {
    static PAGEMAP: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/pagemap").ok());
    let Some(pagemap) = PAGEMAP.as_ref() else { return Vec::new() };
    let mut regions = vec![Region::default(); RUNS_SEEN_MAX];
    let mut scan = Scan {
        size: size_of::<Scan>() as u64,
        flags: 0,
        start: start as u64,
        end: (start + bytes) as u64,
        walk_end: 0,
        vec: regions.as_mut_ptr().expose_provenance() as u64,
        vec_len: regions.len() as u64,
        max_pages: 0,
        category_inverted: PFNZERO | FILE,
        category_mask: WRITTEN | PRESENT | PFNZERO | FILE,
        category_anyof_mask: 0,
        return_mask: 0,
    };
    // SAFETY: PAGEMAP_SCAN takes this structure, and writes as many regions as there is room for.
    let found = unsafe { ioctl(pagemap.as_fd(), Ask(&mut scan)) };
    let Ok(found) = found else { return Vec::new() };
    if found >= RUNS_SEEN_MAX {
        return Vec::new();
    }
    regions[..found].iter().map(|region| Run { start: region.start as usize, end: region.end as usize }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_gaps_are_filled_until_few_runs_are_left() {
        // Gaps of 1, 2, 3, … pages, in no order.
        let mut start = 0;
        let runs: Vec<Run> = (0..50)
            .map(|number| {
                let run = Run { start, end: start + PAGE_BYTES };
                start = run.end + PAGE_BYTES * (1 + number * 7 % 50);
                run
            })
            .collect();
        let mut filled: Vec<usize> = gaps_to_fill(&runs).iter().map(|gap| (gap.end - gap.start) / PAGE_BYTES).collect();
        filled.sort_unstable();
        assert_eq!(filled.len(), runs.len() - RUNS_MAX);
        assert_eq!(filled, (1..=filled.len()).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_is_filled_than_stays_resident() {
        let far = MEMORY_KEEP_RESIDENT_BYTES / 4;
        let runs: Vec<Run> = (0..40).map(|number| Run { start: number * far, end: number * far + PAGE_BYTES }).collect();
        let filled: usize = gaps_to_fill(&runs).iter().map(|gap| gap.end - gap.start).sum();
        assert!(filled + runs.len() * PAGE_BYTES <= MEMORY_KEEP_RESIDENT_BYTES);
        assert!(filled > 0);
    }

    #[test]
    fn what_was_written_is_found() {
        let mut map = memmap2::MmapMut::map_anon(64 * PAGE_BYTES).unwrap();
        for page in [3, 4, 9] {
            map[page * PAGE_BYTES] = 1;
        }
        let start = map.as_ptr() as usize;
        let runs: Vec<_> =
            written(start, map.len()).iter().map(|run| ((run.start - start) / PAGE_BYTES, (run.end - start) / PAGE_BYTES)).collect();
        // Or nothing, where the kernel cannot tell.
        assert!(runs.is_empty() || runs == [(3, 5), (9, 10)], "{runs:?}");
    }
}
