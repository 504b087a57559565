//! Time, and waiting for it to pass.

use ground::{Single, host};

use crate::{Answer, Table, engine};

/// Points in time that something waits for, by the host's clock in microseconds.
static POLLABLES: Single<Table<u64, 64>> = Single::new(Table([const { None }; 64]));

/// Of what is always ready, such as a stream.
pub const READY: u32 = 0;

#[unsafe(export_name = "wasi:clocks/monotonic-clock@0.2.0#now")]
extern "C" fn monotonic_now() -> u64 {
    host::elapsed_us() * 1000
}

#[unsafe(export_name = "wasi:clocks/monotonic-clock@0.2.0#resolution")]
extern "C" fn monotonic_resolution() -> u64 {
    1000
}

#[unsafe(export_name = "wasi:clocks/wall-clock@0.2.0#now")]
extern "C" fn wall_now(answer: Answer) {
    let now_us = host::unix_time_us();
    answer.long(0, now_us / 1_000_000);
    answer.word(8, (now_us % 1_000_000) as u32 * 1000);
}

#[unsafe(export_name = "wasi:clocks/wall-clock@0.2.0#resolution")]
extern "C" fn wall_resolution(answer: Answer) {
    answer.long(0, 0);
    answer.word(8, 1000);
}

#[unsafe(export_name = "wasi:clocks/monotonic-clock@0.2.0#subscribe-duration")]
extern "C" fn subscribe_duration(duration_ns: u64) -> u32 {
    pollable(host::elapsed_us().saturating_add(duration_ns.div_ceil(1000)))
}

#[unsafe(export_name = "wasi:clocks/monotonic-clock@0.2.0#subscribe-instant")]
extern "C" fn subscribe_instant(instant_ns: u64) -> u32 {
    pollable(instant_ns.div_ceil(1000))
}

fn pollable(at_us: u64) -> u32 {
    POLLABLES.with(|pollables| pollables.insert(at_us)).unwrap_or(READY)
}

#[unsafe(export_name = "wasi:io/poll@0.2.0#[resource-drop]pollable")]
extern "C" fn drop_pollable(pollable: u32) {
    POLLABLES.with(|pollables| pollables.remove(pollable));
}

fn due_us(pollable: u32) -> u64 {
    POLLABLES.with(|pollables| pollables.get(pollable).copied()).unwrap_or(0)
}

fn sleep_until(at_us: u64) {
    let now_us = host::elapsed_us();
    if at_us > now_us {
        host::sleep_us(at_us - now_us);
    }
}

#[unsafe(export_name = "wasi:io/poll@0.2.0#[method]pollable.block")]
extern "C" fn block(pollable: u32) {
    sleep_until(due_us(pollable));
}

/// Answers the indices of those that are ready, which is at least one.
#[unsafe(export_name = "wasi:io/poll@0.2.0#poll")]
extern "C" fn poll(pollables: *const u32, len: usize, answer: Answer) {
    // SAFETY: a list of handles.
    let pollables = unsafe { core::slice::from_raw_parts(pollables, len) };
    let first_us = pollables.iter().map(|pollable| due_us(*pollable)).min().unwrap_or(0);
    sleep_until(first_us);
    let ready = engine::allocate(len * 4, 4).cast::<u32>();
    let mut count = 0;
    for (index, pollable) in pollables.iter().enumerate() {
        if due_us(*pollable) <= first_us {
            // SAFETY: there is room for all of them.
            unsafe { ready.add(count).write(index as u32) };
            count += 1;
        }
    }
    answer.list(0, ready.cast(), count);
}
