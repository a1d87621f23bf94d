//! A value that follows from what is the same all the time.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU8, Ordering};

const MISSING: u8 = 0;
const BEING_WRITTEN: u8 = 1;
const KEPT: u8 = 2;

/// A value that any thread can derive at any time, kept once it was. Unlike with `OnceLock` nobody
/// waits: in the child of a fork the thread to wait for might not exist. Meanwhile others derive it
/// for themselves.
pub struct Derived<T> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written once, by the one thread that has claimed it, and read only after
// that.
unsafe impl<T: Copy + Send + Sync> Sync for Derived<T> {}

impl<T: Copy> Derived<T> {
    /// Not derived yet.
    pub const fn new() -> Self {
        let value = UnsafeCell::new(MaybeUninit::uninit());
        Derived { state: AtomicU8::new(MISSING), value }
    }

    /// What `read` makes of the value. `derive` always gives the same.
    #[inline(always)]
    pub fn with<R>(&self, derive: impl FnOnce() -> T, read: impl FnOnce(&T) -> R) -> R {
        if self.state.load(Ordering::Acquire) == KEPT {
            // SAFETY: it was written before that, and is never written again.
            return read(unsafe { (*self.value.get()).assume_init_ref() });
        }
        read(&self.keep(derive))
    }

    #[cold]
    fn keep(&self, derive: impl FnOnce() -> T) -> T {
        let value = derive();
        let (relaxed, claim) = (Ordering::Relaxed, BEING_WRITTEN);
        if self.state.compare_exchange(MISSING, claim, relaxed, relaxed).is_ok() {
            // SAFETY: this thread alone has claimed it, and nobody reads it yet.
            unsafe { (*self.value.get()).write(value) };
            self.state.store(KEPT, Ordering::Release);
        }
        value
    }
}

impl<T: Copy> Default for Derived<T> {
    fn default() -> Self {
        Derived::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_derived_until_it_is_kept() {
        static VALUE: Derived<[u64; 8]> = Derived::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        assert_eq!(VALUE.with(|| [7; 8], |value| *value), [7; 8]);
                    }
                });
            }
        });
        assert_eq!(VALUE.with(|| unreachable!(), |value| value[0]), 7);
    }

    #[test]
    fn nobody_waits_for_a_thread_that_is_gone() {
        let value = Derived::new();
        value.state.store(BEING_WRITTEN, Ordering::Relaxed);
        assert_eq!(value.with(|| 7, |value| *value), 7);
        assert_eq!(value.with(|| 7, |value| *value), 7);
    }
}
