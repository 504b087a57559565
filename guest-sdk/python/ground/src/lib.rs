//! What stands under every Python engine, whichever WASI its C library wants: what the host gives, and where the objects of calls
//! lie.

#![no_std]

pub mod heap;
pub mod host;
pub mod life;

/// State of the only thread there is.
#[repr(transparent)]
pub struct Single<T>(pub core::cell::UnsafeCell<T>);

// SAFETY: the engine is a single thread.
unsafe impl<T> Sync for Single<T> {}

impl<T> Single<T> {
    pub const fn new(value: T) -> Single<T> {
        Single(core::cell::UnsafeCell::new(value))
    }

    /// Nothing that is called with it calls back into this module.
    pub fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: one thread, and no re-entrance.
        body(unsafe { &mut *self.0.get() })
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
