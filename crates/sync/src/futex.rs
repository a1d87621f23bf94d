//! Sleeping until a word in memory changes: without allocating, with `errno` kept, and with no
//! point where a thread is cancelled.

#[cfg(loom)]
use loom::sync::atomic::AtomicU32;
#[cfg(not(loom))]
use std::sync::atomic::AtomicU32;
use std::time::Duration;

pub(crate) use imp::{wait, wake};

#[cfg(all(not(loom), target_os = "linux"))]
mod imp {
    use super::*;

    /// Sleeps while `word` is `expected`, until [`wake`] or for `limit`. May return early, for no
    /// reason.
    pub(crate) fn wait(word: *const AtomicU32, expected: u32, limit: Duration) {
        let limit = libc::timespec {
            tv_sec: limit.as_secs() as libc::time_t,
            tv_nsec: limit.subsec_nanos() as _,
        };
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        with_errno_kept(|| {
            // SAFETY: the kernel reads the word and the time, and reports an address that is none.
            unsafe { libc::syscall(libc::SYS_futex, word, operation, expected, &raw const limit) };
        });
    }

    /// Wakes up to `count` threads that sleep on `word`, which may be gone.
    pub(crate) fn wake(word: *const AtomicU32, count: i32) {
        let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        with_errno_kept(|| {
            // SAFETY: the kernel takes the address as a name, and reads nothing.
            unsafe { libc::syscall(libc::SYS_futex, word, operation, count) };
        });
    }

    fn with_errno_kept(call: impl FnOnce()) {
        // SAFETY: `errno` is this thread's, and stays where it is.
        unsafe {
            let errno = libc::__errno_location();
            let before = *errno;
            call();
            *errno = before;
        }
    }
}

/// Elsewhere: who waits looks again after a short sleep.
#[cfg(all(not(loom), not(target_os = "linux")))]
mod imp {
    use super::*;

    pub(crate) fn wait(_: *const AtomicU32, _: u32, limit: Duration) {
        std::thread::sleep(limit.min(Duration::from_micros(50)));
    }

    pub(crate) fn wake(_: *const AtomicU32, _: i32) {}
}

/// In a model nobody sleeps: another thread runs.
#[cfg(loom)]
mod imp {
    use super::*;

    pub(crate) fn wait(_: *const AtomicU32, _: u32, _: Duration) {
        loom::thread::yield_now();
    }

    pub(crate) fn wake(_: *const AtomicU32, _: i32) {}
}
