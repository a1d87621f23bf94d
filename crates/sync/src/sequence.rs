//! A sequence lock: values read without waiting, while at most one thread changes them.
//!
//! Who changes them makes the number odd before and even again after. Who reads them does so between two
//! looks at the number: if it was even, and is the same afterwards, nothing was changed meanwhile;
//! otherwise what was read is nonsense, to be forgotten. So all values must be atomic, and whoever
//! makes sure that one thread at a time changes them is somebody else: a lock.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// The number.
pub struct Sequence(AtomicU64);

/// A change; it ends when this is dropped.
pub struct Writing<'a> {
    sequence: &'a AtomicU64,
    odd: u64,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.sequence.store(self.odd + 1, Ordering::Release);
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new()
    }
}

impl Sequence {
    /// Nothing is being changed.
    pub fn new() -> Self {
        Sequence(AtomicU64::new(0))
    }

    /// Begins a change.
    #[inline]
    pub fn write(&self) -> Writing<'_> {
        let odd = self.0.load(Ordering::Relaxed) | 1;
        self.0.store(odd, Ordering::Relaxed);
        // Nobody sees what is written after this without seeing that it is odd.
        fence(Ordering::Release);
        Writing { sequence: &self.0, odd }
    }

    /// From now on nothing that is read is believed.
    pub fn close(&self) {
        std::mem::forget(self.write());
    }

    /// Has it been closed? For who is the only one to change anything.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) % 2 == 1
    }

    /// The number to read under.
    #[inline(always)]
    pub fn begin_reading(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Is what was read under this number to be believed?
    #[inline(always)]
    pub fn has_kept(&self, number: u64) -> bool {
        fence(Ordering::Acquire);
        (self.0.load(Ordering::Relaxed) == number) & (number % 2 == 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_changes_while_it_is_read_is_not_believed() {
        let sequence = Sequence::new();
        let before = sequence.begin_reading();
        assert!(sequence.has_kept(before));
        let writing = sequence.write();
        let meanwhile = sequence.begin_reading();
        assert!(!sequence.has_kept(before), "a change has begun");
        assert!(!sequence.has_kept(meanwhile), "being changed");
        drop(writing);
        assert!(!sequence.has_kept(before), "changed");
        assert!(!sequence.has_kept(meanwhile), "the change has ended");
        let after = sequence.begin_reading();
        assert!(sequence.has_kept(after) && !sequence.is_closed());
        sequence.close();
        assert!(sequence.is_closed());
        assert!(!sequence.has_kept(after) && !sequence.has_kept(sequence.begin_reading()));
    }
}
