//! The hash index of a shard: tag of a key to entry number.
//!
//! Open addressing in slots of 8 bytes, linear probing, deletion by shifting back (no
//! tombstones, so a full cache that evicts for every add does not decay). Written here and not
//! taken from hashbrown, because the usual look-up then touches one cache line, where control
//! bytes and entries apart touch two.
//!
//! A slot's place follows from its tag alone (multiply-shift), so that the size need not be a
//! power of two and growth reads only the slots, never the entries. Any ids give an expected
//! number of probes that is at most logarithmic, since the hash is pairwise independent; random
//! ids give a constant one.

use super::slab::{NIL, NoMemory};

#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    entry: u32,
}

const EMPTY: Slot = Slot { tag: 0, entry: NIL };

const SMALLEST: usize = 8;

/// The index.
#[derive(Default)]
pub(super) struct Index {
    /// At least one is empty, if there are any.
    slots: Vec<Slot>,
    len: usize,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The entry with this tag that `is_it`.
    #[inline]
    pub(super) fn find(&self, tag: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let slots = &self.slots[..];
        if slots.is_empty() {
            return None;
        }
        let mut at = self.home(tag);
        loop {
            // One comparison for the bounds and for the way round.
            let Some(&slot) = slots.get(at) else {
                at = 0;
                continue;
            };
            if slot.entry == NIL {
                return None;
            }
            if slot.tag == tag && is_it(slot.entry) {
                return Some(slot.entry);
            }
            at += 1;
        }
    }

    /// Makes sure that the next `more` insertions need no memory.
    pub(super) fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let target = self.len + more;
        if target <= fits_in(self.slots.len()) {
            return Ok(());
        }
        let mut size = (self.slots.len() + self.slots.len() / 2).max(SMALLEST);
        while fits_in(size) < target {
            size += size / 2;
        }
        let mut slots = Vec::new();
        slots.try_reserve_exact(size)?;
        slots.resize(size, EMPTY);
        let old = std::mem::replace(&mut self.slots, slots);
        for slot in old.iter().filter(|slot| slot.entry != NIL) {
            self.place(*slot);
        }
        Ok(())
    }

    /// Adds an entry that is not there; room was reserved.
    pub(super) fn insert(&mut self, tag: u32, entry: u32) {
        self.len += 1;
        self.place(Slot { tag, entry });
    }

    /// Removes an entry that is there.
    pub(super) fn remove(&mut self, tag: u32, entry: u32) {
        let mut hole = self.home(tag);
        while self.slots[hole].entry != entry {
            hole = self.after(hole);
        }
        self.len -= 1;
        let mut at = self.after(hole);
        while self.slots[at].entry != NIL {
            // What would be found from its home through the hole may fill it.
            let home = self.home(self.slots[at].tag);
            if self.distance(home, at) >= self.distance(hole, at) {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = self.after(at);
        }
        self.slots[hole] = EMPTY;
    }

    fn place(&mut self, slot: Slot) {
        let mut at = self.home(slot.tag);
        while self.slots[at].entry != NIL {
            at = self.after(at);
        }
        self.slots[at] = slot;
    }

    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.slots.len() - from }
    }

    /// Panics unless every entry is found from its own tag, which `tag_of` tells.
    pub(super) fn validate(&self, tag_of: impl Fn(u32) -> u32) {
        assert!(self.len <= fits_in(self.slots.len()));
        let mut len = 0;
        for slot in self.slots.iter().filter(|slot| slot.entry != NIL) {
            len += 1;
            assert_eq!(slot.tag, tag_of(slot.entry), "the tag is the entry's");
            let found = self.find(slot.tag, |entry| entry == slot.entry);
            assert!(found.is_some(), "no gap before an entry");
        }
        assert_eq!(len, self.len);
    }
}

/// How many entries a table of `size` slots takes: two thirds. Fuller tables save 2 bytes per
/// session and cost probes.
fn fits_in(size: usize) -> usize {
    size / 3 * 2 + size % 3 * 2 / 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::key::mix;

    #[test]
    fn agrees_with_a_list_through_growth_and_deletion() {
        let mut index = Index::default();
        let mut there: Vec<(u32, u32)> = Vec::new();
        let mut random = 1;
        for entry in 0..6000 {
            random = mix(random + 1);
            // A narrow range of tags: long runs, equal tags, and wrapping at the end.
            let tag = u32::MAX - (random as u32 % 50) * (1 << 21);
            if !random.is_multiple_of(3) || there.is_empty() {
                assert!(index.try_reserve(1).is_ok());
                index.insert(tag, entry);
                there.push((tag, entry));
            } else {
                let (tag, entry) = there.swap_remove(random as usize % there.len());
                index.remove(tag, entry);
                assert!(index.find(tag, |e| e == entry).is_none());
            }
            if entry % 100 == 0 {
                index.validate(|entry| there.iter().find(|t| t.1 == entry).unwrap().0);
            }
            if there.len() > 300 {
                for (tag, entry) in there.drain(..) {
                    index.remove(tag, entry);
                }
                assert_eq!(index.len(), 0);
            }
        }
    }

    #[test]
    fn one_slot_stays_empty_so_that_a_miss_ends() {
        for size in SMALLEST..100 {
            assert!(fits_in(size) < size && fits_in(size) >= size / 2);
        }
        assert_eq!(fits_in(0), 0);
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        assert!(Index::default().find(5, |_| true).is_none());
    }
}
