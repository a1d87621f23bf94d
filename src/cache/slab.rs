//! The entries of a shard: one cache line per session, addressed by a 32-bit number.
//!
//! A number stays with its session until it leaves: index and order refer to it. Entries live in
//! chunks, so that growth never copies more than the first, small chunk; a new chunk is allocated
//! whole, but its memory is only touched as it fills. Free places are chained through `next`.
//!
//! The insertion sequence numbers lie beside the entries, not in them: an entry is then exactly
//! one cache line, and a look-up does not need the number.

use super::expiry::Expiry;
use super::key::Key;
use std::collections::TryReserveError;
use std::ops::Range;

/// No entry.
pub(super) const NIL: u32 = u32::MAX;

/// Entry numbers stay below [`NIL`].
const MOST: usize = NIL as usize;

const CHUNK: usize = 256;

/// Memory could not be had; nothing was changed.
pub(super) struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        NoMemory
    }
}

/// One session and what the cache knows of it.
#[repr(C, align(64))]
pub(super) struct Entry<S> {
    id: [u8; Key::MAX_ID],
    /// `None` in a free place.
    session: Option<S>,
    pub(super) expiry: Expiry,
    version: i32,
    /// The neighbours among those that expire in the same second; `next` also chains the free places.
    pub(super) prev: u32,
    pub(super) next: u32,
    id_len: u8,
    /// Has it a place in the order? Not yet, while its insertion still makes room.
    pub(super) linked: bool,
}

const _: () = assert!(size_of::<Entry<std::ptr::NonNull<u8>>>() == 64);

impl<S> Entry<S> {
    pub(super) fn new(key: &Key, expiry: Expiry, session: S) -> Self {
        Entry {
            id: *key.padded_id(),
            session: Some(session),
            expiry,
            version: key.version(),
            prev: NIL,
            next: NIL,
            id_len: key.id_len(),
            linked: false,
        }
    }

    pub(super) fn key(&self) -> Key {
        Key::from_padded(self.version, self.id, self.id_len)
    }

    #[inline]
    pub(super) fn has_key(&self, key: &Key) -> bool {
        let same_id = self.id == *key.padded_id();
        same_id & (self.version == key.version()) & (self.id_len == key.id_len())
    }

    /// The session. Only numbers that index or order hold are asked for, and these are occupied.
    pub(super) fn session(&self) -> &S {
        self.session.as_ref().expect("an occupied entry")
    }

    /// Puts another session under the same key.
    pub(super) fn replace(&mut self, expiry: Expiry, session: S) -> S {
        self.expiry = expiry;
        self.session.replace(session).expect("an occupied entry")
    }

    pub(super) fn is_occupied(&self) -> bool {
        self.session.is_some()
    }
}

struct Chunk<S> {
    entries: Vec<Entry<S>>,
    sequences: Vec<u64>,
}

impl<S> Chunk<S> {
    fn room(&self) -> usize {
        self.entries.capacity().min(self.sequences.capacity()).min(CHUNK)
    }

    fn try_grow_to(&mut self, room: usize) -> Result<(), NoMemory> {
        let more = room - self.entries.len();
        self.entries.try_reserve_exact(more)?;
        self.sequences.try_reserve_exact(more)?;
        Ok(())
    }
}

/// The entries.
pub(super) struct Slab<S> {
    /// All but the last have room for [`CHUNK`].
    chunks: Vec<Chunk<S>>,
    /// First of the free places.
    free: u32,
    /// Places ever used, free or not.
    slots: usize,
    len: usize,
}

impl<S> Default for Slab<S> {
    fn default() -> Self {
        Slab { chunks: Vec::new(), free: NIL, slots: 0, len: 0 }
    }
}

impl<S> Slab<S> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Places ever used: the numbers of all entries are below.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Sessions it can hold without more memory.
    pub(super) fn room(&self) -> usize {
        match self.chunks.split_last() {
            None => 0,
            Some((last, full)) => full.len() * CHUNK + last.room(),
        }
    }

    /// Makes sure that the next `more` insertions need no memory.
    pub(super) fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let target = self.len + more;
        if target > MOST {
            return Err(NoMemory);
        }
        while self.room() < target {
            match self.chunks.last_mut() {
                Some(last) if last.room() < CHUNK => {
                    let room = last.room();
                    // By half while small, evenly after: little waste, little copying.
                    let step = room + (room / 2).clamp(4, 64);
                    last.try_grow_to(step.max(target.min(CHUNK)).min(CHUNK))?;
                }
                _ => self.try_push_chunk(target)?,
            }
        }
        Ok(())
    }

    fn try_push_chunk(&mut self, target: usize) -> Result<(), NoMemory> {
        let mut chunk = Chunk { entries: Vec::new(), sequences: Vec::new() };
        let whole = !self.chunks.is_empty();
        chunk.try_grow_to(if whole { CHUNK } else { target.clamp(4, CHUNK) })?;
        self.chunks.try_reserve(1)?;
        self.chunks.push(chunk);
        Ok(())
    }

    /// Stores an entry; room was reserved.
    pub(super) fn insert(&mut self, entry: Entry<S>, sequence: u64) -> u32 {
        self.len += 1;
        if self.free != NIL {
            let number = self.free;
            self.free = self.entry(number).next;
            *self.entry_mut(number) = entry;
            self.set_sequence(number, sequence);
            return number;
        }
        let number = self.slots;
        self.slots += 1;
        let chunk = &mut self.chunks[number / CHUNK];
        chunk.entries.push(entry);
        chunk.sequences.push(sequence);
        number as u32
    }

    /// Frees the place and gives the session back. It is linked nowhere any more.
    pub(super) fn remove(&mut self, number: u32) -> S {
        let free = std::mem::replace(&mut self.free, number);
        self.len -= 1;
        let entry = self.entry_mut(number);
        entry.next = free;
        entry.session.take().expect("an occupied entry")
    }

    #[inline]
    pub(super) fn entry(&self, number: u32) -> &Entry<S> {
        let number = number as usize;
        &self.chunks[number / CHUNK].entries[number % CHUNK]
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, number: u32) -> &mut Entry<S> {
        let number = number as usize;
        &mut self.chunks[number / CHUNK].entries[number % CHUNK]
    }

    #[inline]
    pub(super) fn sequence(&self, number: u32) -> u64 {
        let number = number as usize;
        self.chunks[number / CHUNK].sequences[number % CHUNK]
    }

    #[inline]
    pub(super) fn set_sequence(&mut self, number: u32, sequence: u64) {
        let number = number as usize;
        self.chunks[number / CHUNK].sequences[number % CHUNK] = sequence;
    }

    /// Frees the place and gives back what was in it, linked nowhere.
    pub(super) fn take(&mut self, number: u32) -> Entry<S> {
        let entry = self.entry(number);
        let (key, expiry) = (entry.key(), entry.expiry);
        self.entry_mut(number).linked = false;
        Entry::new(&key, expiry, self.remove(number))
    }

    /// The numbers of the sessions in these places.
    pub(super) fn occupied(&self, places: Range<usize>) -> impl Iterator<Item = u32> {
        places.map(|slot| slot as u32).filter(|&number| self.entry(number).is_occupied())
    }

    /// Panics if the free places and the sessions are not all places.
    pub(super) fn validate(&self) {
        let mut free = 0;
        let mut number = self.free;
        while number != NIL {
            let entry = self.entry(number);
            assert!(!entry.is_occupied() && !entry.linked, "a free place is free");
            free += 1;
            assert!(free <= self.slots, "the free list ends");
            number = entry.next;
        }
        assert_eq!(free + self.len, self.slots, "free or occupied");
        assert_eq!(self.occupied(0..self.slots).count(), self.len, "sessions are counted");
        for (i, chunk) in self.chunks.iter().enumerate() {
            let used = self.slots.saturating_sub(i * CHUNK).min(CHUNK);
            assert_eq!(chunk.entries.len(), used);
            assert_eq!(chunk.sequences.len(), used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u32) -> Entry<u32> {
        let key = Key::new(771, &n.to_be_bytes()).unwrap();
        Entry::new(&key, Expiry::at(i64::from(n)), n)
    }

    #[test]
    fn entries_keep_their_number_over_growth_and_reuse() {
        let mut slab = Slab::default();
        for n in 0..2000 {
            assert!(slab.try_reserve(1).is_ok());
            assert_eq!(slab.insert(entry(n), u64::from(n) + 7), n);
        }
        slab.validate();
        for n in (0..2000).step_by(3) {
            assert_eq!(slab.remove(n), n);
        }
        slab.validate();
        let room = slab.room();
        for n in (0..2000).step_by(3) {
            assert!(slab.try_reserve(1).is_ok());
            let number = slab.insert(entry(n + 5000), 1);
            assert_eq!(number % 3, 0, "a free place is used again");
        }
        assert_eq!(slab.room(), room);
        slab.validate();
        for n in (1..2000).step_by(3) {
            assert_eq!(*slab.entry(n).session(), n);
            assert_eq!(slab.sequence(n), u64::from(n) + 7);
            assert_eq!(slab.entry(n).key().id(), &n.to_be_bytes());
        }
    }

    #[test]
    fn a_reservation_of_many_chunks_is_kept() {
        let mut slab = Slab::default();
        assert!(slab.try_reserve(1300).is_ok());
        assert!(slab.room() >= 1300);
        for n in 0..1300 {
            slab.insert(entry(n), 0);
        }
        slab.validate();
    }

    #[test]
    fn more_than_can_be_numbered_is_refused() {
        let mut slab: Slab<u32> = Slab::default();
        assert!(slab.try_reserve(MOST + 1).is_err());
        assert_eq!(slab.room(), 0);
    }

    #[test]
    fn ten_sessions_stay_small() {
        let mut slab = Slab::default();
        for n in 0..10 {
            assert!(slab.try_reserve(1).is_ok());
            slab.insert(entry(n), 0);
        }
        assert!(slab.room() <= 16, "{}", slab.room());
    }
}
