//! A bucket of the index: the entries whose keys hash to it, found by a byte of their hash.
//!
//! ```text
//!  0               8     11 12                                        56      64
//!  +---------------+-----+--+-----+-----+-----+-   -+-----+-----+-----+-------+
//!  | 8 tags        |3 ta-|n |entry|entry|entry| ... |entry|entry|entry|over-  |
//!  | of lanes 0..8 |gs   |  |  0  |  1  |  2  |     |  8  |  9  | 10  |flow   |
//!  +---------------+-----+--+-----+-----+-----+-   -+-----+-----+-----+-------+
//! ```
//!
//! A tag of 0 is a free lane. Eight tags are compared at once, with no branch to guess, and an
//! entry is looked at only if its tag is right. When all eleven lanes are in use, a bucket gets an
//! overflow bucket; `n` counts the entries there, so that a look-up goes on to it only if there is
//! something, and a full cache that adds and removes for ever does not decay. An overflow bucket
//! stays: somebody may be reading it.
//!
//! An entry keeps its lane until it is removed. So a look-up without the lock finds every entry
//! that is there all the while. (What is moved to another bucket: see `index`.)

use super::memory::{NoMemory, try_boxed};
use super::sync::{AtomicU32, AtomicU64, Ordering};
use once_cell::race::OnceBox;

/// Entries in a bucket.
const LANES: usize = 11;

/// The lowest bit of each byte.
const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
/// All but the highest bit of each byte.
const BUT_HIGH: u64 = u64::from_ne_bytes([0x7f; 8]);

/// Where the second word of tags counts the entries in the overflow bucket.
const OVERFLOWN: u32 = 1 << 24;
/// So many are never counted down again.
const UNCOUNTED: u32 = 0xff;

/// One bucket.
#[repr(C)]
#[cfg_attr(not(loom), repr(align(64)))]
pub(super) struct Bucket {
    lower: AtomicU64,
    upper: AtomicU32,
    entries: [AtomicU32; LANES],
    overflow: OnceBox<[Bucket; 1]>,
}

#[cfg(not(loom))]
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
    /// An empty one.
    pub(super) fn new() -> Self {
        Bucket {
            lower: AtomicU64::new(0),
            upper: AtomicU32::new(0),
            entries: std::array::from_fn(|_| AtomicU32::new(0)),
            overflow: OnceBox::new(),
        }
    }

    /// The first lane with this tag that `is_it`; and what the second word was, if it was read.
    #[inline(always)]
    fn lane(&self, tag: u8, is_it: impl Fn(usize) -> bool) -> Result<usize, u32> {
        // What was stored before a tag is seen with it.
        let lower = Lanes(equal_bytes(self.lower.load(Ordering::Acquire), tag));
        for lane in lower {
            if is_it(lane) {
                return Ok(lane);
            }
        }
        let word = self.upper.load(Ordering::Acquire);
        for lane in Lanes(equal_bytes(word.into(), tag) & u64::from(OVERFLOWN - 1)) {
            if is_it(lane + 8) {
                return Ok(lane + 8);
            }
        }
        Err(word)
    }

    #[inline(always)]
    fn entry(&self, lane: usize) -> u32 {
        self.entries[lane].load(Ordering::Relaxed)
    }

    /// The entry with this tag that `is_it`.
    #[inline(always)]
    pub(super) fn find(&self, tag: u8, is_it: impl Fn(u32) -> bool + Copy) -> Option<u32> {
        match self.lane(tag, |lane| is_it(self.entry(lane))) {
            Ok(lane) => Some(self.entry(lane)),
            Err(upper) if upper < OVERFLOWN => None,
            Err(_) => self.find_in_overflow(tag, is_it),
        }
    }

    #[cold]
    #[inline(never)]
    fn find_in_overflow(&self, tag: u8, is_it: impl Fn(u32) -> bool + Copy) -> Option<u32> {
        let mut chain = self.chain().skip(1);
        chain.find_map(|bucket| {
            let lane = bucket.lane(tag, |lane| is_it(bucket.entry(lane))).ok()?;
            Some(bucket.entry(lane))
        })
    }

    fn overflow(&self) -> Option<&Bucket> {
        self.overflow.get().map(|[bucket]| bucket)
    }

    /// This one and its overflow buckets.
    fn chain(&self) -> impl Iterator<Item = &Bucket> {
        std::iter::successors(Some(self), |bucket| bucket.overflow())
    }

    /// A free lane, which stays free until somebody puts an entry there.
    #[inline(always)]
    pub(super) fn free_lane(&self) -> Option<usize> {
        self.lane(0, |_| true).ok()
    }

    /// Makes sure that there is room for so many more entries.
    #[cold]
    pub(super) fn try_reserve(&self, mut more: usize) -> Result<(), NoMemory> {
        let mut bucket = self;
        loop {
            more = more.saturating_sub(bucket.free());
            if more == 0 {
                return Ok(());
            }
            if bucket.overflow().is_none() {
                // Only who holds the lock sets it, and it was not set.
                let _ = bucket.overflow.set(try_boxed(|_| Bucket::new())?);
            }
            bucket = bucket.overflow().ok_or(NoMemory)?;
        }
    }

    /// Changes the tag of a lane: from 0, or to 0.
    #[inline(always)]
    fn flip(&self, lane: usize, tag: u8) {
        if lane < 8 {
            let flipped = self.lower.load(Ordering::Relaxed) ^ (u64::from(tag) << (lane * 8));
            self.lower.store(flipped, Ordering::Release);
        } else {
            let flipped = self.upper.load(Ordering::Relaxed) ^ (u32::from(tag) << (lane % 8 * 8));
            self.upper.store(flipped, Ordering::Release);
        }
    }

    /// Adds an entry, for which there is room.
    #[inline]
    pub(super) fn insert(&self, tag: u8, entry: u32) {
        match self.free_lane() {
            Some(lane) => self.put(lane, tag, entry),
            None => self.insert_into_overflow(tag, entry),
        }
    }

    /// Adds an entry in a free lane.
    #[inline(always)]
    pub(super) fn put(&self, lane: usize, tag: u8, entry: u32) {
        self.entries[lane].store(entry, Ordering::Relaxed);
        self.flip(lane, tag);
    }

    #[cold]
    fn insert_into_overflow(&self, tag: u8, entry: u32) {
        // Counted before it is there, so that nobody misses it.
        self.count_overflown(true);
        let with_room = self.chain().find_map(|bucket| Some((bucket, bucket.free_lane()?)));
        let (bucket, lane) = with_room.expect("room was reserved");
        bucket.put(lane, tag, entry);
    }

    fn count_overflown(&self, one_more: bool) {
        let upper = self.upper.load(Ordering::Relaxed);
        let counted = match (upper / OVERFLOWN == UNCOUNTED, one_more) {
            (true, _) => upper,
            (false, true) => upper + OVERFLOWN,
            (false, false) => upper - OVERFLOWN,
        };
        self.upper.store(counted, Ordering::Release);
    }

    /// Removes an entry, if it is there.
    #[inline(always)]
    pub(super) fn remove(&self, tag: u8, entry: u32) {
        match self.lane(tag, |lane| self.entry(lane) == entry) {
            Ok(lane) => self.flip(lane, tag),
            Err(_) => self.remove_from_overflow(tag, entry),
        }
    }

    #[cold]
    fn remove_from_overflow(&self, tag: u8, entry: u32) {
        for bucket in self.chain().skip(1) {
            if let Ok(lane) = bucket.lane(tag, |lane| bucket.entry(lane) == entry) {
                bucket.flip(lane, tag);
                self.count_overflown(false);
                return;
            }
        }
    }

    /// The lanes in use.
    fn used(&self) -> (Lanes, Lanes) {
        const EACH: u64 = !BUT_HIGH;
        let lower = equal_bytes(self.lower.load(Ordering::Relaxed), 0);
        let upper = equal_bytes(self.upper.load(Ordering::Relaxed).into(), 0);
        (Lanes(!lower & EACH), Lanes(!upper & EACH & u64::from(OVERFLOWN - 1)))
    }

    /// How many lanes are free.
    fn free(&self) -> usize {
        let (Lanes(lower), Lanes(upper)) = self.used();
        LANES - (lower.count_ones() + upper.count_ones()) as usize
    }

    fn entries(&self) -> impl Iterator<Item = u32> {
        let (lower, upper) = self.used();
        lower.chain(upper.map(|lane| lane + 8)).map(|lane| self.entry(lane))
    }

    /// All entries, those in overflow buckets too.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.chain().flat_map(Bucket::entries)
    }

    /// Forgets all entries.
    pub(super) fn clear(&self) {
        for bucket in self.chain() {
            bucket.lower.store(0, Ordering::Release);
            bucket.upper.store(0, Ordering::Release);
        }
    }

    /// Panics unless those in overflow buckets are counted.
    pub(super) fn validate(&self) {
        let overflown = self.chain().skip(1).flat_map(Bucket::entries).count();
        let counted = self.upper.load(Ordering::Relaxed) / OVERFLOWN;
        assert!(counted == UNCOUNTED || counted as usize == overflown);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::mix;

    #[test]
    fn lanes_are_found_by_their_tags_alone() {
        let bucket = Bucket::new();
        let lanes = |tag| -> Vec<usize> {
            (0..LANES).filter(|&lane| bucket.lane(tag, |l| l == lane) == Ok(lane)).collect()
        };
        assert_eq!(lanes(0).len(), LANES);
        // Neighbours that differ in one bit, where a quicker comparison is wrong.
        for (lane, tag) in [1, 0, 1, 2, 255, 254, 128, 127, 1, 0, 3].into_iter().enumerate() {
            bucket.flip(lane, tag);
        }
        bucket.count_overflown(true);
        assert_eq!(lanes(1), [0, 2, 8]);
        assert_eq!(lanes(0), [1, 9]);
        assert_eq!(lanes(255), [4]);
        assert_eq!(lanes(128), [6]);
        assert_eq!(lanes(3), [10]);
        assert_eq!(lanes(4), []);
        assert_eq!(bucket.free_lane(), Some(1), "the first one");
        assert_eq!(bucket.entries().count(), 9);
    }

    #[test]
    fn agrees_with_a_list_over_any_number_of_overflow_buckets() {
        let bucket = Bucket::new();
        let mut there: Vec<(u8, u32)> = Vec::new();
        let mut random = 1;
        for entry in 0..20_000 {
            random = mix(random + 1);
            let tag = (random as u8 % 5).max(1);
            let most = [5, 40, 600][entry as usize / 2000 % 3];
            if there.len() < most && random >> 62 > 0 {
                bucket.try_reserve(1).unwrap();
                bucket.insert(tag, entry);
                there.push((tag, entry));
            } else if let Some(at) = (random as usize >> 8).checked_rem(there.len()) {
                let (tag, entry) = there.swap_remove(at);
                assert_eq!(bucket.find(tag, |e| e == entry), Some(entry));
                bucket.remove(tag, entry);
                assert_eq!(bucket.find(tag, |e| e == entry), None);
            }
            if entry % 100 == 0 {
                bucket.validate();
                let found = |&(tag, entry): &(u8, u32)| bucket.find(tag, |e| e == entry).is_some();
                assert!(there.iter().all(found));
                assert_eq!(bucket.all().count(), there.len());
            }
        }
    }

    #[test]
    fn room_is_made_for_as_many_as_are_asked_for() {
        let bucket = Bucket::new();
        bucket.try_reserve(30).unwrap();
        assert_eq!(bucket.chain().count(), 3);
        (0..30).for_each(|entry| bucket.insert(9, entry));
        bucket.try_reserve(3).unwrap();
        assert_eq!(bucket.chain().count(), 3, "there was room");
        bucket.try_reserve(4).unwrap();
        assert_eq!(bucket.chain().count(), 4);
    }
}
