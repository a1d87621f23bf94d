//! A sequence lock: values are read without waiting, while at most one thread writes.
//!
//! The lock is a number. The writing thread:
//! 1. makes it odd;
//! 2. writes the values;
//! 3. makes it even again, two more than before.
//!
//! A reading thread:
//! 1. reads the number;
//! 2. reads the values;
//! 3. reads the number again. If it is even and the same, the values belong together; if not, they
//!    are to be discarded.
//!
//! So the values must be atomic (relaxed will do), and writers must be serialised by an outer lock.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// The number.
pub struct SeqLock(AtomicU64);

/// A write; it ends when this is dropped.
pub struct Writing<'a> {
    number: &'a AtomicU64,
    odd: u64,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.number.store(self.odd + 1, Ordering::Release);
    }
}

impl Default for SeqLock {
    fn default() -> Self {
        Self::new()
    }
}

impl SeqLock {
    /// Nothing is being written.
    pub fn new() -> Self {
        SeqLock(AtomicU64::new(0))
    }

    /// Begins a write. Call only while holding the lock of the writers.
    #[inline]
    pub fn write(&self) -> Writing<'_> {
        let odd = self.0.load(Ordering::Relaxed) | 1;
        self.0.store(odd, Ordering::Relaxed);
        // A reader that sees what is written after this also sees that the number is odd.
        fence(Ordering::Release);
        Writing { number: &self.0, odd }
    }

    /// Begins a write that never ends: from now on whatever is read is to be discarded.
    pub fn close(&self) {
        std::mem::forget(self.write());
    }

    /// Returns `true` after [`close`](Self::close). Call only while holding the lock of the
    /// writers.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) % 2 == 1
    }

    /// Begins a read. Returns the number for [`is_valid`](Self::is_valid).
    #[inline(always)]
    pub fn begin_read(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Returns `true` if nothing was written since [`begin_read`](Self::begin_read) returned
    /// `number`.
    #[inline(always)]
    pub fn is_valid(&self, number: u64) -> bool {
        fence(Ordering::Acquire);
        (self.0.load(Ordering::Relaxed) == number) & (number % 2 == 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_while_it_is_read_is_not_valid() {
        let lock = SeqLock::new();
        let before = lock.begin_read();
        assert!(lock.is_valid(before));
        let writing = lock.write();
        let meanwhile = lock.begin_read();
        assert!(!lock.is_valid(before), "a write has begun");
        assert!(!lock.is_valid(meanwhile), "being written");
        drop(writing);
        assert!(!lock.is_valid(before), "written");
        assert!(!lock.is_valid(meanwhile), "the write has ended");
        let after = lock.begin_read();
        assert!(lock.is_valid(after) && !lock.is_closed());
        lock.close();
        assert!(lock.is_closed());
        assert!(!lock.is_valid(after) && !lock.is_valid(lock.begin_read()));
    }
}
