//! Sleeping until a word in memory changes, without allocating.

#[cfg(loom)]
use loom::sync::atomic::AtomicU32;
#[cfg(not(loom))]
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps while `word` is `expected`, until [`wake`] or for `limit`. May return early, for no reason.
#[cfg(all(not(loom), any(target_os = "linux", target_os = "android")))]
pub(crate) fn wait(word: *const AtomicU32, expected: u32, limit: Duration) {
    let limit = libc::timespec {
        tv_sec: limit.as_secs() as libc::time_t,
        tv_nsec: limit.subsec_nanos() as _,
    };
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel reads the word and the time, and reports an address that is none.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, expected, &raw const limit) };
}

/// Wakes up to `count` threads that sleep on `word`, which may be gone.
#[cfg(all(not(loom), any(target_os = "linux", target_os = "android")))]
pub(crate) fn wake(word: *const AtomicU32, count: i32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel takes the address as a name, and reads nothing.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, count) };
}

/// Elsewhere a short sleep: who waits looks again.
#[cfg(all(not(loom), not(any(target_os = "linux", target_os = "android"))))]
pub(crate) fn wait(_: *const AtomicU32, _: u32, limit: Duration) {
    std::thread::sleep(limit.min(Duration::from_micros(50)));
}

/// Whoever waits looks again by itself.
#[cfg(all(not(loom), not(any(target_os = "linux", target_os = "android"))))]
pub(crate) fn wake(_: *const AtomicU32, _: i32) {}

/// In a model another thread runs.
#[cfg(loom)]
pub(crate) fn wait(_: *const AtomicU32, _: u32, _: Duration) {
    loom::thread::yield_now();
}

/// In a model nobody sleeps.
#[cfg(loom)]
pub(crate) fn wake(_: *const AtomicU32, _: i32) {}
