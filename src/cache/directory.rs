//! What of a shard can be read without its lock: from a key to an entry.
//!
//! A sequence lock. Who holds the shard's lock makes the version odd, changes index and keys, and
//! makes it even again. Who reads without the lock does so between two looks at the version: if it
//! was even, and is the same afterwards, nothing was changed meanwhile, and what was read is as good as
//! if read under the lock. Otherwise it is forgotten. A look-up so writes nothing that another
//! processor reads, and waits for nobody.
//!
//! Everything read this way is atomic, and no memory goes before the shard does: what is read at the wrong
//! moment is nonsense, but no more.

use super::index::Index;
use super::key::{Hash, Key};
use super::lines::Lines;
use super::slab::Entry;
use std::sync::atomic::{AtomicU64, Ordering, fence};

#[repr(C)]
pub(super) struct Directory {
    /// Odd while index or keys are being changed.
    version: AtomicU64,
    pub(super) index: Index,
    pub(super) entries: Lines<Entry>,
}

/// Index and keys are being changed.
pub(super) struct Writing<'a> {
    version: &'a AtomicU64,
    odd: u64,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.version.store(self.odd + 1, Ordering::Release);
    }
}

impl Directory {
    pub(super) const fn new() -> Self {
        Directory { version: AtomicU64::new(0), index: Index::new(), entries: Lines::new() }
    }

    /// Is the key there? `None` if that cannot be told without the lock.
    #[inline(always)]
    pub(super) fn contains(&self, hash: Hash, key: &Key) -> Option<bool> {
        let version = self.begin_reading();
        let found = self.find(hash, key).is_some();
        self.has_kept(version).then_some(found)
    }

    #[inline(always)]
    fn begin_reading(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Is what was read since then to be believed?
    #[inline(always)]
    fn has_kept(&self, version: u64) -> bool {
        fence(Ordering::Acquire);
        (self.version.load(Ordering::Relaxed) == version) & version.is_multiple_of(2)
    }

    /// The entry with this key. To be believed only under the lock, or if the version was kept.
    #[inline(always)]
    pub(super) fn find(&self, hash: Hash, key: &Key) -> Option<u32> {
        self.index
            .find(hash, |number| self.entries.get(number).is_some_and(|entry| entry.has_key(key)))
    }

    /// Begins a change; it ends when this is dropped. Only for who holds the lock.
    #[inline]
    pub(super) fn write(&self) -> Writing<'_> {
        let odd = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(odd, Ordering::Relaxed);
        // Nobody sees what is written after this without seeing that it is odd.
        fence(Ordering::Release);
        Writing { version: &self.version, odd }
    }

    /// From now on nothing can be told without the lock.
    pub(super) fn close(&self) {
        std::mem::forget(self.write());
    }

    pub(super) fn is_closed(&self) -> bool {
        !self.version.load(Ordering::Relaxed).is_multiple_of(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_while_it_is_read_is_not_believed() {
        let directory = Directory::new();
        let before = directory.begin_reading();
        assert!(directory.has_kept(before));
        let writing = directory.write();
        let meanwhile = directory.begin_reading();
        assert!(!directory.has_kept(before), "a change has begun");
        assert!(!directory.has_kept(meanwhile), "being changed");
        drop(writing);
        assert!(!directory.has_kept(before), "changed");
        assert!(!directory.has_kept(meanwhile), "the change has ended");
        let after = directory.begin_reading();
        assert!(directory.has_kept(after));
        directory.close();
        assert!(!directory.has_kept(after) && !directory.has_kept(directory.begin_reading()));
    }
}
