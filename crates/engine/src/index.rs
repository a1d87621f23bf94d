//! Finds entries by the hash of their keys.
//!
//! A hash table of buckets, each one cache line with twelve entry numbers and, for each, a byte of
//! the hash (its tag): a look-up compares eight tags at once, with no branch to guess, and looks at
//! an entry only if its tag is right. A full bucket spills into the next ones, and counts what it has
//! spilled: a look-up goes on only if that is not zero, and a removal leaves no trace. So a full
//! cache, which evicts for every add, does not decay. Written here and not taken from hashbrown,
//! because it can be read without the lock, and because the usual look-up touches one cache line,
//! where tags and entries apart touch two.
//!
//! Any ids give an expected number of probes that is at most logarithmic, since the hash is pairwise
//! independent; random ids give a constant one.

use super::key::Hash;
use super::slab::NoMemory;
use once_cell::sync::OnceCell;
use sslcache_sync::Writing;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Entries in a bucket.
const LANES: usize = 12;

/// Entries there may be per bucket, over the whole table. Fewer than fit on purpose: the more, the more
/// are spilled.
const LOAD: usize = 9;

/// The lowest bit of each byte.
const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
/// All but the highest bit of each byte.
const BUT_HIGH: u64 = u64::from_ne_bytes([0x7f; 8]);
/// One entry that was spilled.
const SPILLED: u64 = 1 << 32;

#[derive(Default)]
#[repr(C, align(64))]
struct Bucket {
    /// A byte for each of the lanes, 0 for none: eight in the first word and four in the lower half of
    /// the second, whose upper half counts the entries that belong here or before, but lie behind.
    tags: [AtomicU64; 2],
    entries: [AtomicU32; LANES],
}

const _: () = assert!(size_of::<Bucket>() == 64);

/// Some of the lanes of a word: the highest bit of each byte.
struct Lanes(u64);

impl Iterator for Lanes {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let lane = self.0.trailing_zeros() as usize / 8;
        self.0 &= self.0 - 1;
        Some(lane)
    }
}

/// The highest bit of each byte that is `tag`, and no other.
#[inline]
fn equal_bytes(word: u64, tag: u8) -> u64 {
    let zero_if_equal = word ^ (LOW * u64::from(tag));
    !(((zero_if_equal & BUT_HIGH) + BUT_HIGH) | zero_if_equal | BUT_HIGH)
}

impl Bucket {
    #[inline]
    fn word(&self, word: usize) -> u64 {
        self.tags[word].load(Ordering::Relaxed)
    }

    /// The first lane with this tag, 0 for a free one, that `is_it`. Those in use are the first ones,
    /// mostly: the second word is looked at only if nothing came of the first.
    #[inline(always)]
    fn lane(&self, tag: u8, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let lower = Lanes(equal_bytes(self.word(0), tag)).find(|&lane| is_it(lane));
        lower.or_else(|| {
            let upper = Lanes(equal_bytes(self.word(1), tag) & u64::from(u32::MAX));
            upper.map(|lane| lane + 8).find(|&lane| is_it(lane))
        })
    }

    /// The entry with this tag that `is_it`.
    #[inline(always)]
    fn find(&self, tag: u8, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.lane(tag, |lane| is_it(self.entry(lane))).map(|lane| self.entry(lane))
    }

    #[inline]
    fn entry(&self, lane: usize) -> u32 {
        self.entries[lane].load(Ordering::Relaxed)
    }

    #[inline]
    fn has_spilled(&self) -> bool {
        self.word(1) >= SPILLED
    }

    fn spill(&self) {
        self.tags[1].store(self.word(1) + SPILLED, Ordering::Relaxed);
    }

    fn unspill(&self) {
        self.tags[1].store(self.word(1) - SPILLED, Ordering::Relaxed);
    }

    /// Changes the tag of a lane: from 0, or to 0.
    fn flip(&self, lane: usize, tag: u8) {
        let word = &self.tags[lane / 8];
        let flipped = word.load(Ordering::Relaxed) ^ u64::from(tag) << (lane % 8 * 8);
        word.store(flipped, Ordering::Relaxed);
    }

    fn put(&self, lane: usize, tag: u8, entry: u32) {
        self.entries[lane].store(entry, Ordering::Relaxed);
        self.flip(lane, tag);
    }

    fn is_free(&self, lane: usize) -> bool {
        self.lane(0, |free| free == lane).is_some()
    }

    fn entries(&self) -> impl Iterator<Item = u32> {
        (0..LANES).filter(|&lane| !self.is_free(lane)).map(|lane| self.entry(lane))
    }

    /// Frees all lanes. What it has spilled is still where it is.
    fn empty(&self) {
        self.tags[0].store(0, Ordering::Relaxed);
        self.tags[1].store(self.word(1) & !u64::from(u32::MAX), Ordering::Relaxed);
    }
}

/// A table of each size, the smallest one bucket, each next one twice as large.
const TABLES: usize = 20;

/// The index. Read by anyone; what is read while another thread writes is nonsense, but ends.
///
/// It grows into a table of twice the size, and each insertion then moves two buckets of the old one:
/// nobody ever waits for more than that. The old table stays when it is empty: someone may be reading
/// it. All that stay are together as large as the one in use.
pub(super) struct Index {
    /// The table in use.
    current: AtomicUsize,
    /// The one before, while there may be something in it; [`NONE`] otherwise.
    previous: AtomicUsize,
    tables: [OnceCell<Box<[Bucket]>>; TABLES],
    /// Buckets of the previous table that are empty.
    emptied: AtomicUsize,
}

/// No table.
const NONE: usize = usize::MAX;

/// The buckets from the one where a key belongs, each once.
fn probe(table: &[Bucket], hash: Hash) -> impl Iterator<Item = &Bucket> {
    let (before, from) = table.split_at(hash.place(table.len()));
    from.iter().chain(before)
}

fn find(table: &[Bucket], hash: Hash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
    for bucket in probe(table, hash) {
        let found = bucket.find(hash.byte(), &is_it);
        if found.is_some() || !bucket.has_spilled() {
            return found;
        }
    }
    None
}

fn insert(table: &[Bucket], hash: Hash, entry: u32) {
    for bucket in probe(table, hash) {
        if let Some(lane) = bucket.lane(0, |_| true) {
            bucket.put(lane, hash.byte(), entry);
            return;
        }
        bucket.spill();
    }
    unreachable!("there is room in a table that is not full");
}

/// Tells whether it was there.
fn remove(table: &[Bucket], hash: Hash, entry: u32) -> bool {
    for (passed, bucket) in probe(table, hash).enumerate() {
        if let Some(lane) = bucket.lane(hash.byte(), |lane| bucket.entry(lane) == entry) {
            bucket.flip(lane, hash.byte());
            probe(table, hash).take(passed).for_each(Bucket::unspill);
            return true;
        }
        if !bucket.has_spilled() {
            break;
        }
    }
    false
}

impl Index {
    pub(super) const fn new() -> Self {
        Index {
            current: AtomicUsize::new(0),
            previous: AtomicUsize::new(NONE),
            tables: [const { OnceCell::new() }; TABLES],
            emptied: AtomicUsize::new(0),
        }
    }

    #[inline]
    fn table(&self, number: &AtomicUsize) -> &[Bucket] {
        let table = self.tables.get(number.load(Ordering::Acquire));
        table.and_then(OnceCell::get).map_or(&[], |table| table)
    }

    /// Is there something in two tables?
    #[inline]
    pub(super) fn is_moving(&self) -> bool {
        self.previous.load(Ordering::Relaxed) != NONE
    }

    /// The entry with this hash that `is_it`.
    #[inline(always)]
    pub(super) fn find(&self, hash: Hash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let table = self.table(&self.current);
        let bucket = table.get(hash.place(table.len()))?;
        match bucket.find(hash.byte(), &is_it) {
            None if bucket.has_spilled() || self.is_moving() => self.find_elsewhere(hash, is_it),
            found => found,
        }
    }

    #[cold]
    fn find_elsewhere(&self, hash: Hash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let found = find(self.table(&self.current), hash, &is_it);
        found.or_else(|| find(self.table(&self.previous), hash, is_it))
    }

    /// Has it room for so many entries?
    #[inline]
    pub(super) fn fits(&self, entries: usize) -> bool {
        entries <= self.table(&self.current).len() * LOAD
    }

    /// Makes room for so many entries, more than there was room for. Nothing is being moved.
    pub(super) fn try_grow(&self, entries: usize) -> Result<(), NoMemory> {
        let number = entries.div_ceil(LOAD).next_power_of_two().ilog2() as usize;
        let place = self.tables.get(number).ok_or(NoMemory)?;
        let mut table = Vec::new();
        table.try_reserve_exact(1 << number)?;
        table.resize_with(1 << number, Bucket::default);
        let is_first = self.table(&self.current).is_empty();
        // Only who holds the lock sets it, and it was not set: the one in use was smaller.
        let _ = place.set(table.into_boxed_slice());
        if !is_first {
            self.emptied.store(0, Ordering::Relaxed);
            self.previous.store(self.current.load(Ordering::Relaxed), Ordering::Release);
        }
        self.current.store(number, Ordering::Release);
        Ok(())
    }

    /// Moves what is in two buckets of the previous table; `hash_of` tells the hash of an entry.
    #[cold]
    pub(super) fn move_buckets(&self, _: &Writing, hash_of: impl Fn(u32) -> Hash) {
        let (table, previous) = (self.table(&self.current), self.table(&self.previous));
        let emptied = self.emptied.load(Ordering::Relaxed);
        for bucket in previous.iter().skip(emptied).take(2) {
            for entry in bucket.entries() {
                insert(table, hash_of(entry), entry);
            }
            bucket.empty();
        }
        self.emptied.store(emptied + 2, Ordering::Relaxed);
        if emptied + 2 >= previous.len() {
            self.previous.store(NONE, Ordering::Relaxed);
        }
    }

    /// Adds an entry that is not there; it fits.
    pub(super) fn insert(&self, _: &Writing, hash: Hash, entry: u32) {
        insert(self.table(&self.current), hash, entry);
    }

    /// Removes an entry that is there.
    pub(super) fn remove(&self, _: &Writing, hash: Hash, entry: u32) {
        if !remove(self.table(&self.current), hash, entry) {
            remove(self.table(&self.previous), hash, entry);
        }
    }

    /// Panics unless there are so many entries, each found from its own hash, which `hash_of` tells.
    pub(super) fn validate(&self, len: usize, hash_of: impl Fn(u32) -> Hash) {
        assert!(self.fits(len));
        let table = self.table(&self.current);
        let (mut found, mut behind, mut spilled) = (0, 0, 0);
        for (at, bucket) in table.iter().enumerate() {
            spilled += bucket.word(1) / SPILLED;
            for entry in bucket.entries() {
                let hash = hash_of(entry);
                assert!(bucket.find(hash.byte(), |e| e == entry).is_some(), "under its own tag");
                behind += (at + table.len() - hash.place(table.len())) % table.len();
                found += 1;
            }
        }
        assert_eq!(spilled, behind as u64, "what lies behind its bucket is counted there");
        let previous = self.table(&self.previous);
        found += previous.iter().flat_map(Bucket::entries).count();
        assert_eq!(found, len);
        let buckets = table.iter().chain(previous);
        for entry in buckets.flat_map(Bucket::entries) {
            assert!(self.find(hash_of(entry), |e| e == entry).is_some(), "it is found");
        }
        let emptied = self.emptied.load(Ordering::Relaxed).min(previous.len());
        assert!(previous[..emptied].iter().all(|bucket| bucket.entries().next().is_none()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directory;
    use super::*;
    use crate::key::mix;

    #[test]
    fn lanes_are_found_by_their_tags_alone() {
        let bucket = Bucket::default();
        let lanes = |tag| -> Vec<usize> {
            (0..LANES).filter(|&lane| bucket.lane(tag, |l| l == lane) == Some(lane)).collect()
        };
        assert_eq!(lanes(0).len(), LANES);
        // Neighbours that differ in one bit, where a quicker comparison is wrong.
        for (lane, tag) in [1, 0, 1, 2, 255, 254, 128, 127, 1, 0, 3, 255].into_iter().enumerate() {
            bucket.flip(lane, tag);
        }
        bucket.spill();
        assert_eq!(lanes(1), [0, 2, 8]);
        assert_eq!(lanes(0), [1, 9]);
        assert_eq!(lanes(255), [4, 11]);
        assert_eq!(lanes(128), [6]);
        assert_eq!(lanes(3), [10]);
        assert_eq!(lanes(4), []);
        assert_eq!(bucket.lane(0, |_| true), Some(1), "the first one");
        assert!(bucket.has_spilled());
        bucket.unspill();
        assert!(!bucket.has_spilled());
    }

    #[test]
    fn agrees_with_a_list_through_growth_and_deletion() {
        let directory = Directory::new();
        let index = &directory.index;
        let mut there: Vec<(Hash, u32)> = Vec::new();
        let hash_of = |there: &[(Hash, u32)], e| there.iter().find(|t| t.1 == e).unwrap().0;
        let mut random = 1;
        for entry in 0..6000 {
            random = mix(random + 1);
            // A narrow range of hashes: full buckets, equal tags, and wrapping at the end.
            let hash = Hash::from_tag(u32::MAX - (random as u32 % 50) * (1 << 21));
            if random % 3 != 0 || there.is_empty() {
                // Not at every insertion, so that there is more than one bucket to move.
                while index.is_moving() && (entry % 8 == 0 || !index.fits(there.len() + 1)) {
                    let writing = directory.sequence.write();
                    index.move_buckets(&writing, |e| hash_of(&there, e));
                    drop(writing);
                    index.validate(there.len(), |e| hash_of(&there, e));
                }
                if !index.fits(there.len() + 1) {
                    assert!(index.try_grow(there.len() + 1).is_ok());
                }
                index.insert(&directory.sequence.write(), hash, entry);
                there.push((hash, entry));
            } else {
                let (hash, entry) = there.swap_remove(random as usize % there.len());
                index.remove(&directory.sequence.write(), hash, entry);
                assert!(index.find(hash, |e| e == entry).is_none());
            }
            if entry % 100 == 0 {
                index.validate(there.len(), |e| hash_of(&there, e));
            }
            if there.len() > 300 {
                for (hash, entry) in there.drain(..) {
                    index.remove(&directory.sequence.write(), hash, entry);
                }
                index.validate(0, |_| unreachable!());
            }
        }
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        assert!(Index::new().find(Hash::from_tag(5), |_| true).is_none());
    }
}
