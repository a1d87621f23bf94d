//! What the cache knows of a session: one cache line.
//!
//! ```text
//!  0       8       16      24      32      40      48     52    56      64
//!  +-------+-------+-------+-------+-------+-------+------+-----+-------+
//!  | session id, padded with zeros | key's | expiry| po-  |hash |session|
//!  |                               | rest  |       |sition|     | handle|
//!  +-------+-------+-------+-------+-------+-------+------+-----+-------+
//!                                      |
//!            version 32 bits | id length 8 bits | stamp 24 bits
//! ```
//!
//! Look-ups read the key without the lock; everything else is read and written by who holds the
//! lock. The stamp counts how often the entry was used anew: it is the sequence lock of this entry
//! alone, so that no reader starts again because somebody else's entry has changed.

use super::expiry::Expiry;
use super::key::{Hash, KEY_WORDS, Key};
use super::pages::Handle;
use super::sync::{AtomicU64, Ordering, fence};
use std::sync::atomic::{self, AtomicU32};

/// One entry.
#[repr(C)]
#[cfg_attr(not(loom), repr(align(64)))]
pub(super) struct Entry<S> {
    pub(super) key: StampedKey,
    expiry: atomic::AtomicU64,
    position: AtomicU32,
    hash: AtomicU32,
    /// The session, behind the lock.
    pub(super) session: Handle<S>,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Entry<std::ptr::NonNull<u8>>>() == 64);

impl<S> Entry<S> {
    /// A free one.
    pub(super) fn new() -> Self {
        Entry {
            key: StampedKey::new(),
            expiry: atomic::AtomicU64::new(0),
            position: AtomicU32::new(0),
            hash: AtomicU32::new(0),
            session: Handle::new(),
        }
    }

    #[inline]
    pub(super) fn expiry(&self) -> Expiry {
        Expiry::from_raw(self.expiry.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn set_expiry(&self, expiry: Expiry) {
        self.expiry.store(expiry.raw(), Ordering::Relaxed);
    }

    /// Where the order has it; in a free entry the number of the next free one.
    #[inline]
    pub(super) fn position(&self) -> u32 {
        self.position.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_position(&self, position: u32) {
        self.position.store(position, Ordering::Relaxed);
    }

    /// That of the key: nothing is hashed twice.
    #[inline]
    pub(super) fn hash(&self) -> Hash {
        Hash(self.hash.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn set_hash(&self, hash: Hash) {
        self.hash.store(hash.bits(), Ordering::Relaxed);
    }
}

/// A key that is read while it may be changing.
///
/// The writer: 1. stores a new stamp and the length that no key has; 2. stores the id; 3. stores
/// version and length. A reader compares all words, and then looks whether the last one is still
/// the same: only then has it compared one key and not the halves of two.
pub struct StampedKey {
    id: [AtomicU64; KEY_WORDS - 1],
    rest: AtomicU64,
}

/// Version and length, below the stamp.
const REST: u64 = (1 << 40) - 1;
/// One more use.
const STAMP: u64 = 1 << 40;
/// The length of no key: the entry is free, or being changed.
const FREE: u64 = 0xff << 32;

impl Default for StampedKey {
    fn default() -> Self {
        Self::new()
    }
}

impl StampedKey {
    /// No key.
    pub fn new() -> Self {
        StampedKey { id: std::array::from_fn(|_| AtomicU64::new(0)), rest: AtomicU64::new(FREE) }
    }

    /// Returns `true` if it is this key.
    #[inline(always)]
    pub fn is(&self, [a, b, c, d, rest]: &[u64; KEY_WORDS]) -> bool {
        let before = self.rest.load(Ordering::Acquire);
        let mut words = self.id.iter().zip([a, b, c, d]);
        if before & REST != *rest || !words.all(|(own, word)| own.load(Ordering::Relaxed) == *word)
        {
            return false;
        }
        fence(Ordering::Acquire);
        self.rest.load(Ordering::Relaxed) == before
    }

    /// Becomes this key; for one thread at a time.
    #[inline]
    pub fn set(&self, [a, b, c, d, rest]: &[u64; KEY_WORDS]) {
        let stamp = (self.rest.load(Ordering::Relaxed) & !REST).wrapping_add(STAMP);
        self.rest.store(stamp | FREE, Ordering::Relaxed);
        // Who sees a word of the new id sees that the entry is being changed.
        fence(Ordering::Release);
        for (own, word) in self.id.iter().zip([a, b, c, d]) {
            own.store(*word, Ordering::Relaxed);
        }
        self.rest.store(stamp | rest, Ordering::Release);
    }

    /// Becomes no key; for one thread at a time.
    #[inline]
    pub fn clear(&self) {
        self.rest.store(self.rest.load(Ordering::Relaxed) | FREE, Ordering::Relaxed);
    }

    /// The key, `None` if there is none; for who may change it.
    pub(super) fn get(&self) -> Option<Key> {
        let rest = self.rest.load(Ordering::Relaxed) & REST;
        let [a, b, c, d] = self.id.each_ref().map(|word| word.load(Ordering::Relaxed));
        (rest & FREE != FREE).then(|| Key::from_words([a, b, c, d, rest]))
    }

    /// How often it was set.
    #[inline]
    pub(super) fn stamp(&self) -> u32 {
        (self.rest.load(Ordering::Relaxed) >> STAMP.ilog2()) as u32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_key_that_was_set_and_no_other() {
        let (one, other) = (Key::new(771, &[1; 32]).unwrap(), Key::new(771, &[2; 31]).unwrap());
        let key = StampedKey::new();
        assert!(!key.is(&one.words()) && key.get().is_none());
        let empty = Key::new(0, b"").unwrap();
        assert!(!key.is(&empty.words()), "no key is not the empty one");
        for stamp in 1..=3 {
            key.set(&one.words());
            assert!(key.is(&one.words()) && !key.is(&other.words()));
            assert_eq!((key.get(), key.stamp()), (Some(one), stamp));
        }
        key.set(&other.words());
        assert!(key.is(&other.words()) && !key.is(&one.words()));
        key.clear();
        assert!(!key.is(&other.words()) && key.get().is_none());
        assert_eq!(key.stamp(), 4, "it counts on when it is set again");
    }
}
