//! What of a shard can be read without its lock: from a key to an entry.
//!
//! Who holds the shard's lock changes index and keys under a sequence number, and who does not reads
//! them under it. A look-up so writes nothing that another processor reads, and waits for nobody.
//!
//! Everything read this way is atomic, and no memory goes before the shard does: what is read at the
//! wrong moment is nonsense, but no more.

use super::index::Index;
use super::key::{Hash, Key};
use super::lines::Lines;
use super::slab::Entry;
use sslcache_sync::Sequence;

// In this order, so that a look-up finds the sequence number and the table of the index together.
#[repr(C)]
pub(super) struct Directory {
    pub(super) sequence: Sequence,
    pub(super) index: Index,
    pub(super) entries: Lines<Entry>,
}

impl Directory {
    pub(super) fn new() -> Self {
        Directory { sequence: Sequence::new(), index: Index::new(), entries: Lines::new() }
    }

    /// Is the key there? `None` if that cannot be told without the lock.
    #[inline(always)]
    pub(super) fn contains(&self, hash: Hash, key: &Key) -> Option<bool> {
        let number = self.sequence.begin_reading();
        let found = self.find(hash, key).is_some();
        self.sequence.has_kept(number).then_some(found)
    }

    /// The entry with this key. To be believed only under the lock, or under the sequence number.
    #[inline(always)]
    pub(super) fn find(&self, hash: Hash, key: &Key) -> Option<u32> {
        let has_key = |entry: &Entry| entry.has_key(key);
        self.index.find(hash, |number| self.entries.get(number).is_some_and(has_key))
    }
}
