//! The entries of a shard: one cache line per session, addressed by a 32-bit number.
//!
//! The number stays with its session until it leaves: index and order refer to it. Free places are
//! chained through `next`, and used again; their memory stays with the shard.
//!
//! A look-up may read a key while another thread, which holds the lock, changes the entry. So all
//! of an entry is atomic, though only its key is read without the lock. The sessions themselves lie
//! apart, behind the lock.

use super::expiry::Expiry;
use super::key::{KEY_WORDS, Key};
use super::lines::{Lines, number_of, parts, room_of};
use sslcache_sync::Writing;
use std::collections::TryReserveError;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// No entry.
pub(super) const NIL: u32 = u32::MAX;

/// The `prev` of an entry that has no place in the order.
const UNLINKED: u32 = NIL - 1;

/// Memory could not be had; nothing was changed.
pub(super) struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        NoMemory
    }
}

/// What the cache knows of a session.
#[derive(Default)]
#[repr(C, align(64))]
pub(super) struct Entry {
    key: [AtomicU64; KEY_WORDS],
    expiry: AtomicU64,
    sequence: AtomicU64,
    prev: AtomicU32,
    next: AtomicU32,
}

const _: () = assert!(size_of::<Entry>() == 64);

impl Entry {
    pub(super) fn key(&self) -> Key {
        Key::from_words(std::array::from_fn(|i| self.key[i].load(Ordering::Relaxed)))
    }

    #[inline]
    pub(super) fn has_key(&self, key: &Key) -> bool {
        let words = self.key.iter().zip(key.words());
        words.fold(0, |differ, (own, word)| differ | (own.load(Ordering::Relaxed) ^ word)) == 0
    }

    fn set_key(&self, key: &Key) {
        let words = self.key.iter().zip(key.words());
        words.for_each(|(own, word)| own.store(word, Ordering::Relaxed));
    }

    pub(super) fn expiry(&self) -> Expiry {
        Expiry::from_raw(self.expiry.load(Ordering::Relaxed))
    }

    pub(super) fn set_expiry(&self, expiry: Expiry) {
        self.expiry.store(expiry.raw(), Ordering::Relaxed);
    }

    /// Drawn when the session was stored, and again when it got its place in the order.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed)
    }

    pub(super) fn set_sequence(&self, sequence: u64) {
        self.sequence.store(sequence, Ordering::Relaxed);
    }

    /// The neighbours among those that expire in the same second.
    pub(super) fn neighbours(&self) -> (u32, u32) {
        (self.prev.load(Ordering::Relaxed), self.next.load(Ordering::Relaxed))
    }

    pub(super) fn set_prev(&self, prev: u32) {
        self.prev.store(prev, Ordering::Relaxed);
    }

    pub(super) fn set_next(&self, next: u32) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// Has it a place in the order? Not yet, while its insertion still makes room.
    pub(super) fn is_linked(&self) -> bool {
        self.prev.load(Ordering::Relaxed) != UNLINKED
    }

    pub(super) fn set_unlinked(&self) {
        self.set_prev(UNLINKED);
    }
}

impl Lines<Entry> {
    /// The entry that index or order refer to.
    #[inline]
    pub(super) fn entry(&self, number: u32) -> &Entry {
        self.get(number).expect("a number that was given out")
    }
}

/// Which entries are in use, and the sessions in them.
pub(super) struct Slab<S> {
    /// As the entries, in chunks: those of all places ever used, `None` in a free one.
    sessions: Vec<Vec<Option<S>>>,
    /// Places ever used.
    slots: usize,
    /// First of the free places.
    free: u32,
    len: usize,
}

impl<S> Slab<S> {
    pub(super) const fn new() -> Self {
        Slab { sessions: Vec::new(), slots: 0, free: NIL, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Places ever used: the ranks of all entries are below.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Makes sure that there is room for so many sessions.
    #[inline]
    pub(super) fn try_reserve(
        &mut self,
        entries: &Lines<Entry>,
        sessions: usize,
    ) -> Result<(), NoMemory> {
        while self.room() < sessions {
            self.try_add_chunk(entries)?;
        }
        Ok(())
    }

    fn room(&self) -> usize {
        room_of(self.sessions.len())
    }

    #[cold]
    fn try_add_chunk(&mut self, entries: &Lines<Entry>) -> Result<(), NoMemory> {
        let room = room_of(self.sessions.len() + 1);
        entries.try_grow_to(room)?;
        let mut chunk = Vec::new();
        chunk.try_reserve_exact(room - self.room())?;
        self.sessions.try_reserve(1)?;
        self.sessions.push(chunk);
        Ok(())
    }

    /// Stores a session; room was reserved. Its key is written by the caller's leave to write.
    pub(super) fn insert(
        &mut self,
        entries: &Lines<Entry>,
        _: &Writing,
        key: &Key,
        session: S,
    ) -> u32 {
        self.len += 1;
        let number = self.free;
        let number = if number != NIL {
            self.free = entries.entry(number).neighbours().1;
            *self.place_mut(number) = Some(session);
            number
        } else {
            let number = number_of(self.slots);
            self.slots += 1;
            self.sessions[parts(number).0].push(Some(session));
            number
        };
        let entry = entries.entry(number);
        entry.set_key(key);
        entry.set_unlinked();
        number
    }

    /// Frees the place and gives the session back. It is linked nowhere any more.
    pub(super) fn remove(&mut self, entries: &Lines<Entry>, number: u32) -> S {
        entries.entry(number).set_next(std::mem::replace(&mut self.free, number));
        self.len -= 1;
        self.place_mut(number).take().expect("an occupied place")
    }

    /// Puts another session there.
    pub(super) fn replace(&mut self, number: u32, session: S) -> S {
        self.place_mut(number).replace(session).expect("an occupied place")
    }

    /// The session. Only numbers that index or order hold are asked for, and these are occupied.
    #[inline]
    pub(super) fn session(&self, number: u32) -> &S {
        let (chunk, place) = parts(number);
        self.sessions[chunk][place].as_ref().expect("an occupied place")
    }

    #[inline]
    fn place_mut(&mut self, number: u32) -> &mut Option<S> {
        let (chunk, place) = parts(number);
        &mut self.sessions[chunk][place]
    }

    pub(super) fn is_occupied(&self, number: u32) -> bool {
        let (chunk, place) = parts(number);
        let session = self.sessions.get(chunk).and_then(|chunk| chunk.get(place));
        session.is_some_and(Option::is_some)
    }

    /// The numbers of the sessions at these ranks.
    pub(super) fn occupied(&self, ranks: Range<usize>) -> impl Iterator<Item = u32> {
        ranks.map(number_of).filter(|&number| self.is_occupied(number))
    }

    /// The numbers of all sessions.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.occupied(0..self.slots())
    }

    /// Panics if the free places and the sessions are not all places.
    pub(super) fn validate(&self, entries: &Lines<Entry>) {
        let mut free = 0;
        let mut number = self.free;
        while number != NIL {
            assert!(!self.is_occupied(number), "a free place is free");
            free += 1;
            assert!(free <= self.slots(), "the free list ends");
            number = entries.entry(number).neighbours().1;
        }
        assert_eq!(free + self.len, self.slots(), "free or occupied");
        assert_eq!(self.all().count(), self.len, "sessions are counted");
        assert!(self.slots() <= entries.room());
    }
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directory;
    use super::*;

    fn insert(slab: &mut Slab<u32>, directory: &Directory, n: u32) -> u32 {
        assert!(slab.try_reserve(&directory.entries, slab.len() + 1).is_ok());
        let key = Key::new(771, &n.to_be_bytes()).unwrap();
        slab.insert(&directory.entries, &directory.sequence.write(), &key, n)
    }

    #[test]
    fn entries_keep_their_number_over_growth_and_reuse() {
        let (mut slab, directory) = (Slab::new(), Directory::new());
        let entries = &directory.entries;
        for n in 0..2000 {
            assert_eq!(insert(&mut slab, &directory, n), number_of(n as usize));
        }
        slab.validate(entries);
        let some: Vec<u32> = (0..2000).step_by(3).collect();
        for &n in &some {
            assert_eq!(slab.remove(entries, number_of(n as usize)), n);
        }
        slab.validate(entries);
        let room = entries.room();
        for &n in &some {
            let number = insert(&mut slab, &directory, n + 5000);
            assert!(
                some.iter().any(|&n| number == number_of(n as usize)),
                "a free place is used again"
            );
        }
        assert_eq!(entries.room(), room);
        slab.validate(entries);
        for n in (1..2000).step_by(3) {
            let number = number_of(n as usize);
            assert_eq!(*slab.session(number), n);
            assert_eq!(*entries.entry(number).key().id(), n.to_be_bytes());
        }
    }

    #[test]
    fn ten_sessions_stay_small() {
        let (mut slab, directory) = (Slab::new(), Directory::new());
        for n in 0..10 {
            insert(&mut slab, &directory, n);
        }
        assert!(directory.entries.room() <= 16);
        assert!(slab.room() <= 16);
    }
}
