//! Time, and waiting for it to pass.

use ground::host;

use crate::{Errno, INVALID, SUCCESS, answer};

const REALTIME: u32 = 0;

fn now_ns(clock: u32) -> u64 {
    // What a thread or the process has used up is what has passed, as far as a program may know.
    if clock == REALTIME { host::unix_time_us() * 1000 } else { host::elapsed_us() * 1000 }
}

#[unsafe(export_name = "wasi_snapshot_preview1#clock_time_get")]
extern "C" fn clock_time_get(clock: u32, _precision: u64, time: *mut u8) -> Errno {
    // SAFETY: room for a number.
    unsafe { answer(time, 0, now_ns(clock)) };
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#clock_res_get")]
extern "C" fn clock_res_get(_clock: u32, resolution: *mut u8) -> Errno {
    // SAFETY: room for a number.
    unsafe { answer(resolution, 0, 1000_u64) };
    SUCCESS
}

#[repr(C)]
struct Subscription {
    user_data: u64,
    tag: u8,
    clock: u32,
    timeout_ns: u64,
    precision_ns: u64,
    flags: u16,
}

#[repr(C)]
struct Event {
    user_data: u64,
    error: u16,
    kind: u8,
    bytes: u64,
    flags: u16,
}

const CLOCK: u8 = 0;
const ABSOLUTE: u16 = 1;

impl Subscription {
    /// What is left until it is due. Files and streams always are.
    fn left_ns(&self) -> u64 {
        match self.tag {
            CLOCK if self.flags & ABSOLUTE != 0 => self.timeout_ns.saturating_sub(now_ns(self.clock)),
            CLOCK => self.timeout_ns,
            _ => 0,
        }
    }
}

#[unsafe(export_name = "wasi_snapshot_preview1#poll_oneoff")]
extern "C" fn poll_oneoff(subscriptions: *const Subscription, events: *mut Event, len: usize, count: *mut u8) -> Errno {
    if len == 0 {
        return INVALID;
    }
    // SAFETY: so many subscriptions.
    let subscriptions = unsafe { core::slice::from_raw_parts(subscriptions, len) };
    let first_ns = subscriptions.iter().map(Subscription::left_ns).min().unwrap_or(0);
    if first_ns > 0 {
        host::sleep_us(first_ns.div_ceil(1000));
    }
    let mut due = 0;
    for subscription in subscriptions.iter().filter(|subscription| subscription.tag != CLOCK || subscription.left_ns() <= first_ns) {
        let event = Event { user_data: subscription.user_data, error: 0, kind: subscription.tag, bytes: 0, flags: 0 };
        // SAFETY: there is room for as many events as there are subscriptions.
        unsafe { events.add(due).write(event) };
        due += 1;
    }
    // SAFETY: room for a number.
    unsafe { answer(count, 0, due as u32) };
    SUCCESS
}

#[unsafe(export_name = "wasi_snapshot_preview1#sched_yield")]
extern "C" fn sched_yield() -> Errno {
    SUCCESS
}
