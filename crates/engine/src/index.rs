//! Finds entries by key: a hash table that grows by *linear hashing* (Litwin 1980).
//!
//! There are as many buckets as pages, any number n, not only powers of two. With 2^l <= n <
//! 2^(l+1), the lower l+1 bits of a key's hash say in which bucket it is found; if there is no such
//! bucket yet, the lower l bits do:
//!
//! ```text
//!      0      1      2      3      4      5
//!  +------+------+------+------+------+------+- - - + - - - +
//!  | .000 | .001 |  .10 |  .11 | .100 | .101 | .110   .111     n = 6, l = 2
//!  +------+------+------+------+------+------+- - - + - - - +
//!                   |                            ^
//!                   +----------------------------+  the next to be split
//! ```
//!
//! A new page splits one bucket: the next bucket of the old half gives the new one what is found
//! there from now on. So no insertion moves more than one bucket, there is never a second table,
//! and the index takes memory in proportion.
//!
//! Look-ups take no lock. One that finds the key has found it. One that does not may have looked
//! for it in a bucket that was being split; so:
//!
//! - The writer: 1. puts what it moves into the new bucket; 2. publishes the new n; 3. removes it
//!   from the old bucket.
//! - The reader: 1. reads n; 2. looks into the bucket that n says; 3. if it has found nothing, reads
//!   n again, and begins anew if it has changed.
//!
//! A reader that sees something removed in step 3 sees the n of step 2; one that has read that n
//! sees everything of step 1.
//!
//! Ids that are chosen to collide do not: the hash is keyed and pairwise independent. There are six
//! entries to a bucket in the mean, up to twelve in one that is yet to be split.

use super::bucket::Bucket;
use super::key::{Hash, KEY_WORDS};
use super::memory::NoMemory;
use super::pages::{Locked, MOST_PAGES, Pages, View};
use super::sync::{Ordering, fence};

/// The bucket of a hash when there are `len` of them, at least one.
#[inline(always)]
fn home(hash: Hash, len: u32) -> u32 {
    let mask = u32::MAX >> len.leading_zeros();
    let bucket = hash.bits() & mask;
    if bucket < len { bucket } else { bucket & mask >> 1 }
}

/// The bucket that is split when there are `len` of them.
fn split_by(len: u32) -> u32 {
    len & !(1 << len.ilog2())
}

const _: () = assert!(MOST_PAGES < 1 << 24, "the tag is of bits that choose no bucket");

impl<S> Pages<S> {
    /// The entry with this key. Takes no lock; if the key comes or goes meanwhile, it may or may
    /// not be found.
    #[inline(always)]
    pub(super) fn find(&self, hash: Hash, key: &[u64; KEY_WORDS]) -> Option<u32> {
        let view = self.view();
        let found = view.find(hash, key);
        if found.is_some() {
            return found;
        }
        fence(Ordering::Acquire);
        if self.len() == view.len() { None } else { self.find_again(hash, *key) }
    }

    #[cold]
    #[inline(never)]
    fn find_again(&self, hash: Hash, key: [u64; KEY_WORDS]) -> Option<u32> {
        self.find(hash, &key)
    }
}

/// The bucket of a hash, among the pages there were at one moment.
pub(super) struct Home<'a, S> {
    view: View<'a, S>,
    bucket: &'a Bucket,
    hash: Hash,
}

impl<S> Clone for Home<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Home<'_, S> {}

impl<'a, S> View<'a, S> {
    /// None without a page.
    #[inline(always)]
    fn home(self, hash: Hash) -> Option<Home<'a, S>> {
        let bucket = if self.len() == 0 { None } else { self.bucket(home(hash, self.len())) };
        bucket.map(|bucket| Home { view: self, bucket, hash })
    }

    #[inline(always)]
    fn find(self, hash: Hash, key: &[u64; KEY_WORDS]) -> Option<u32> {
        self.home(hash)?.find(key)
    }
}

impl<'a, S> Home<'a, S> {
    /// The entry with this key.
    #[inline(always)]
    pub(super) fn find(self, key: &[u64; KEY_WORDS]) -> Option<u32> {
        // A copy, which need not lie in memory.
        let key = *key;
        // An entry of a later page is not found: then there are more pages now.
        let is_it = move |number| self.view.entry(number).is_some_and(|entry| entry.key.is(&key));
        self.bucket.find(self.hash.tag(), is_it)
    }

    /// Makes sure that an entry can be added here; for who holds the lock.
    #[inline(always)]
    pub(super) fn try_reserve(self) -> Result<Room<'a>, NoMemory> {
        let Home { bucket, hash, .. } = self;
        let lane = bucket.free_lane();
        if lane.is_none() {
            bucket.try_reserve(1)?;
        }
        Ok(Room { bucket, lane, tag: hash.tag() })
    }
}

/// Where the index has room for one entry, as long as no other one comes and no page.
#[derive(Clone, Copy)]
pub(super) struct Room<'a> {
    bucket: &'a Bucket,
    /// If not in an overflow bucket.
    lane: Option<usize>,
    tag: u8,
}

impl Room<'_> {
    /// Puts the entry there.
    #[inline(always)]
    pub(super) fn fill(self, number: u32) {
        match self.lane {
            Some(lane) => self.bucket.put(lane, self.tag, number),
            None => self.bucket.insert(self.tag, number),
        }
    }
}

impl<'a, S, T> Locked<'a, S, T> {
    /// The entry with this key: as nobody else changes anything, one look is enough.
    #[inline(always)]
    pub(super) fn find(&self, hash: Hash, key: &[u64; KEY_WORDS]) -> Option<u32> {
        self.pages().view().find(hash, key)
    }

    /// Where an entry with this hash is, or has to be, as long as no page comes.
    #[inline(always)]
    pub(super) fn home(&self, hash: Hash) -> Option<Home<'a, S>> {
        self.pages().view().home(hash)
    }

    /// Removes an entry from the index.
    #[inline(always)]
    pub(super) fn remove_from_index(&mut self, hash: Hash, number: u32) {
        if let Some(Home { bucket, .. }) = self.home(hash) {
            bucket.remove(hash.tag(), number);
        }
    }

    /// Adds a page, and splits the bucket whose turn it is. Returns the number of the page.
    #[cold]
    pub(super) fn grow(&mut self) -> Result<u32, NoMemory> {
        let pages = self.pages();
        let before = pages.view();
        let len = before.len();
        if len == 0 {
            return self.add_page(|_| Ok(()));
        }
        let old = before.bucket(split_by(len)).ok_or(NoMemory)?;
        let moved = || {
            let hashes = old.all().map(|number| (pages.entry(number).hash(), number));
            hashes.filter(|(hash, _)| home(*hash, len + 1) == len)
        };
        let page = self.add_page(|new| {
            new.try_reserve(moved().count())?;
            moved().for_each(|(hash, number)| new.insert(hash.tag(), number));
            Ok(())
        })?;
        // What is in the new bucket, for the old one is being changed.
        if let Some(new) = pages.view().bucket(page) {
            new.all().for_each(|number| old.remove(pages.entry(number).hash().tag(), number));
        }
        Ok(page)
    }

    /// Panics unless there are so many entries in the index, each in the bucket of its hash.
    pub(super) fn validate_index(&self, len: usize) {
        let pages = self.pages();
        let mut found = 0;
        for page in 0..pages.len() {
            let bucket = pages.view().bucket(page).expect("it is there");
            bucket.validate();
            for number in bucket.all() {
                let hash = pages.entry(number).hash();
                assert_eq!(home(hash, pages.len()), page);
                assert_eq!(bucket.find(hash.tag(), |n| n == number), Some(number));
                found += 1;
            }
        }
        assert_eq!(found, len, "entries in the index");
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::key::{Key, mix};
    use super::super::pages::Store;
    use super::*;

    #[test]
    fn a_split_moves_what_is_at_home_in_the_new_bucket_and_nothing_else() {
        for len in 1..100 {
            for hash in (0..2000).map(Hash) {
                let (before, after) = (home(hash, len), home(hash, len + 1));
                assert!(before < len);
                assert!(after == before || (after == len && before == split_by(len)));
            }
        }
        assert!((0..5).all(|hash| home(Hash(hash), 1) == 0));
    }

    #[test]
    fn agrees_with_a_list_through_growth_and_removal() {
        let store = Store::<u64, ()>::new(());
        let mut locked = store.lock();
        let mut there: Vec<(Key, Hash, u32)> = Vec::new();
        let mut free: Vec<u32> = Vec::new();
        let mut random = 1;
        for n in 0..12_000u64 {
            random = mix(random + 1);
            if random % 3 != 0 || there.is_empty() {
                if free.is_empty() {
                    let page = locked.grow().unwrap();
                    free.extend(super::super::pages::numbers(page));
                    if page % 20 == 0 {
                        locked.validate_index(there.len());
                    }
                }
                let number = free.pop().unwrap();
                let key = Key::new(771, &n.to_be_bytes()).unwrap();
                // Few different hashes: overflow buckets, and equal tags.
                let hash = Hash(random as u32 & 0x0100_000f);
                let room = locked.home(hash).unwrap().try_reserve().unwrap();
                let entry = locked.pages().entry(number);
                entry.key.set(&key.words());
                entry.set_hash(hash);
                room.fill(number);
                there.push((key, hash, number));
            } else {
                let (key, hash, number) = there.swap_remove(random as usize % there.len());
                assert_eq!(locked.pages().find(hash, &key.words()), Some(number));
                locked.remove_from_index(hash, number);
                locked.pages().entry(number).key.clear();
                assert_eq!(locked.pages().find(hash, &key.words()), None);
                free.push(number);
            }
            if n % 500 == 0 {
                locked.validate_index(there.len());
                for (key, hash, number) in &there {
                    assert_eq!(locked.pages().find(*hash, &key.words()), Some(*number));
                }
            }
        }
    }
}
