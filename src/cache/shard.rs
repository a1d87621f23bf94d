//! One shard: entries, their index, their order, their statistics. Single-threaded; whoever calls
//! holds its lock.
//!
//! Invariants: every session is in the index; every session but those whose insertion is not
//! finished ("unlinked") is in the order. Nothing of type `S` is dropped here: what leaves is
//! returned.

use super::Cause;
use super::expiry::Expiry;
use super::index::Index;
use super::key::{Hash, Key};
use super::order::Timeline;
use super::slab::{Entry, NoMemory, Slab};
use super::statistics::{Recent, Statistics};

/// A place in the order of the whole cache. No two sessions have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    pub(super) expiry: Expiry,
    /// Drawn from one counter per cache when a session gets its place.
    pub(super) sequence: u64,
}

/// A session that left the cache, with the place it had.
pub(super) struct Departed<S> {
    pub(super) rank: Rank,
    pub(super) session: S,
}

/// What of a shard takes memory.
pub(super) struct Storage<S> {
    slab: Slab<S>,
    index: Index,
    order: Timeline,
}

impl<S> Default for Storage<S> {
    fn default() -> Self {
        Storage { slab: Slab::default(), index: Index::default(), order: Timeline::default() }
    }
}

/// An empty shard keeps memory for this many sessions, so that a context with a session now and
/// then does not allocate each time.
const KEPT: usize = 16;

/// One shard.
pub(super) struct Shard<S> {
    storage: Storage<S>,
    pub(super) counts: Statistics,
    recent: Recent,
    /// The first of the order has changed since [`Shard::take_first_changed`].
    first_changed: bool,
    /// The sessions have moved to the 32 shards: look there.
    pub(super) moved: bool,
}

impl<S> Shard<S> {
    pub(super) fn new() -> Self {
        Shard {
            storage: Storage::default(),
            counts: Statistics::default(),
            recent: Recent::new(),
            first_changed: false,
            moved: false,
        }
    }

    /// A shard with room for `n` sessions that remembers what left another one.
    pub(super) fn with_room(n: usize, like: &Shard<S>) -> Result<Self, NoMemory> {
        let mut shard = Shard::new();
        shard.recent = like.recent;
        if n > 0 {
            shard.try_reserve(n)?;
        }
        Ok(shard)
    }

    pub(super) fn len(&self) -> usize {
        self.storage.slab.len()
    }

    #[inline]
    pub(super) fn find(&self, hash: Hash, key: &Key) -> Option<u32> {
        let Storage { slab, index, .. } = &self.storage;
        index.find(hash.tag(), |entry| slab.entry(entry).has_key(key))
    }

    pub(super) fn session(&self, entry: u32) -> &S {
        self.storage.slab.entry(entry).session()
    }

    /// Is the session with this sequence number, which no other has, at this entry?
    pub(super) fn holds(&self, entry: u32, sequence: u64) -> bool {
        let slab = &self.storage.slab;
        (entry as usize) < slab.slots()
            && slab.sequence(entry) == sequence
            && slab.entry(entry).is_occupied()
    }

    pub(super) fn sequence(&self, entry: u32) -> u64 {
        self.storage.slab.sequence(entry)
    }

    /// Finds a session, and counts the look-up.
    #[inline]
    pub(super) fn look_up(&mut self, hash: Hash, key: &Key) -> Option<u32> {
        let found = self.find(hash, key);
        match found {
            Some(_) => self.counts.hits += 1,
            None => self.counts.count_miss(self.recent.cause(hash.tag())),
        }
        found
    }

    /// Makes sure that storing `more` sessions needs no memory, nor giving a place in the order to
    /// those that have none yet.
    pub(super) fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let more_places = more + self.unlinked();
        self.storage.slab.try_reserve(more)?;
        self.storage.index.try_reserve(more)?;
        self.storage.order.try_reserve(more_places)
    }

    /// Stores a session under a key that is not there, without a place in the order yet. Room
    /// was reserved.
    pub(super) fn add(&mut self, hash: Hash, entry: Entry<S>, sequence: u64) -> u32 {
        let entry = self.storage.slab.insert(entry, sequence);
        self.storage.index.insert(hash.tag(), entry);
        entry
    }

    /// Stores a session in the place of another one with the same key; it has no place in the
    /// order yet.
    pub(super) fn replace(&mut self, entry: u32, expiry: Expiry, session: S, sequence: u64) -> S {
        self.unlink(entry);
        self.counts.replaced += 1;
        self.storage.slab.set_sequence(entry, sequence);
        self.storage.slab.entry_mut(entry).replace(expiry, session)
    }

    /// Gives an entry its place in the order, as the newest. Room was reserved.
    pub(super) fn link(&mut self, entry: u32, sequence: u64) {
        let Storage { slab, order, .. } = &mut self.storage;
        slab.set_sequence(entry, sequence);
        self.first_changed |= order.link(slab, entry);
    }

    /// Would a new session that expires then be the first?
    pub(super) fn would_be_first(&self, expiry: Expiry) -> bool {
        self.storage.order.first_expiry().is_none_or(|first| expiry < first)
    }

    fn unlink(&mut self, entry: u32) {
        let Storage { slab, order, .. } = &mut self.storage;
        if slab.entry(entry).linked {
            self.first_changed |= order.unlink(slab, entry);
        }
    }

    pub(super) fn is_linked(&self, entry: u32) -> bool {
        self.storage.slab.entry(entry).linked
    }

    /// Moves a session to the place of a new expiry, as the newest there; one without a place yet
    /// will get it there. Room for one was reserved.
    pub(super) fn reschedule(&mut self, entry: u32, expiry: Expiry, sequence: u64) {
        let linked = self.is_linked(entry);
        self.unlink(entry);
        self.storage.slab.entry_mut(entry).expiry = expiry;
        if linked {
            self.link(entry, sequence);
        }
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, hash: Hash, entry: u32, cause: Cause) -> S {
        self.unlink(entry);
        let Storage { slab, index, .. } = &mut self.storage;
        index.remove(hash.tag(), entry);
        self.recent.note(hash.tag(), cause);
        match cause {
            Cause::Explicit | Cause::Replaced => self.counts.removed += 1,
            Cause::Expired | Cause::Closed => self.counts.flushed += 1,
            Cause::Evicted => self.counts.evicted += 1,
            Cause::Taken => self.counts.taken += 1,
        }
        slab.remove(entry)
    }

    fn remove_departing(&mut self, entry: u32, cause: Cause) -> Departed<S> {
        let rank = self.rank(entry);
        let hash = self.storage.slab.entry(entry).key().hash();
        Departed { rank, session: self.remove(hash, entry, cause) }
    }

    fn rank(&self, entry: u32) -> Rank {
        Rank {
            expiry: self.storage.slab.entry(entry).expiry,
            sequence: self.storage.slab.sequence(entry),
        }
    }

    /// Which session expires first.
    pub(super) fn first(&self) -> Option<Rank> {
        self.storage.order.first().map(|entry| self.rank(entry))
    }

    /// Which session expires first, that with the sequence number `spared` aside.
    pub(super) fn first_but(&self, spared: u64) -> Option<Rank> {
        self.first_entry_but(spared).map(|entry| self.rank(entry))
    }

    fn first_entry_but(&self, spared: u64) -> Option<u32> {
        let Storage { slab, order, .. } = &self.storage;
        let first = order.first()?;
        if slab.sequence(first) == spared {
            return order.after(slab, first);
        }
        Some(first)
    }

    /// Takes the session at `rank` out, if it is the first but `spared`.
    pub(super) fn evict(&mut self, rank: Rank, spared: u64) -> Option<Departed<S>> {
        let entry = self.first_entry_but(spared)?;
        (self.rank(entry) == rank).then(|| self.remove_departing(entry, Cause::Evicted))
    }

    /// Was the first of the order changed since this was asked last?
    pub(super) fn take_first_changed(&mut self) -> bool {
        std::mem::take(&mut self.first_changed)
    }

    /// Removes sessions in order, those that are `due` and whose sequence number is below
    /// `before`, from the expiry `from` on. Looks at no more than `most`; then tells the expiry
    /// to go on from.
    pub(super) fn sweep(
        &mut self,
        from: Expiry,
        before: u64,
        due: impl Fn(Expiry) -> bool,
        cause: Cause,
        most: usize,
        mut departed: impl FnMut(Departed<S>),
    ) -> Option<Expiry> {
        let mut next = self.storage.order.first_from(from);
        for _ in 0..most {
            let entry = next?;
            let Storage { slab, order, .. } = &self.storage;
            let Rank { expiry, sequence } = self.rank(entry);
            if !due(expiry) {
                return None;
            }
            // In a second the oldest comes first: if this one came too late, so did the rest.
            if sequence >= before {
                next = order.first_after(expiry);
            } else {
                next = order.after(slab, entry);
                departed(self.remove_departing(entry, cause));
            }
        }
        next.map(|entry| self.storage.slab.entry(entry).expiry)
    }

    /// Shows the sessions in up to `most` places from the place `from` on; tells where to go on.
    pub(super) fn visit(
        &self,
        from: usize,
        most: usize,
        mut visit: impl FnMut(Key, &S),
    ) -> Option<usize> {
        let slab = &self.storage.slab;
        let end = slab.slots().min(from.saturating_add(most));
        for number in slab.occupied(from..end) {
            let entry = slab.entry(number);
            visit(entry.key(), entry.session());
        }
        (end < slab.slots()).then_some(end)
    }

    /// The hashes of all sessions.
    pub(super) fn hashes(&self) -> impl Iterator<Item = Hash> {
        let slab = &self.storage.slab;
        slab.occupied(0..slab.slots()).map(|entry| slab.entry(entry).key().hash())
    }

    /// Hands every session to `receive`, in order, with its hash and sequence number and whether
    /// it has a place in the order. The shard is then marked as moved; its emptied storage is
    /// returned.
    pub(super) fn move_out(
        &mut self,
        mut receive: impl FnMut(Hash, Entry<S>, u64, bool),
    ) -> Storage<S> {
        let mut storage = std::mem::take(&mut self.storage);
        let Storage { slab, order, .. } = &mut storage;
        let mut hand_over = |slab: &mut Slab<S>, number, linked| {
            let sequence = slab.sequence(number);
            let entry = slab.take(number);
            receive(entry.key().hash(), entry, sequence, linked);
        };
        let mut next = order.first();
        while let Some(number) = next {
            next = order.after(slab, number);
            hand_over(slab, number, true);
        }
        for number in 0..slab.slots() as u32 {
            if slab.entry(number).is_occupied() {
                hand_over(slab, number, false);
            }
        }
        self.first_changed = true;
        self.moved = true;
        storage
    }

    /// Gives every session a place in the order whose insertion has not come to it.
    pub(super) fn link_all(&mut self, mut next_sequence: impl FnMut() -> u64) {
        if self.unlinked() == 0 {
            return;
        }
        for number in 0..self.storage.slab.slots() as u32 {
            let entry = self.storage.slab.entry(number);
            if entry.is_occupied() && !entry.linked {
                self.link(number, next_sequence());
            }
        }
    }

    fn unlinked(&self) -> usize {
        self.storage.slab.len() - self.storage.order.len()
    }

    /// The memory of a shard that has become empty, to be freed when the lock is gone.
    pub(super) fn take_spare(&mut self) -> Option<Storage<S>> {
        let spare = self.len() == 0 && self.storage.slab.room() > KEPT;
        spare.then(|| std::mem::take(&mut self.storage))
    }

    /// Panics unless index, order and entries agree. All keys hash to `is_mine`.
    pub(super) fn validate(&self, is_mine: impl Fn(Hash) -> bool) {
        let Storage { slab, index, order } = &self.storage;
        slab.validate();
        index.validate(|entry| slab.entry(entry).key().hash().tag());
        order.validate(slab);
        assert_eq!(index.len(), slab.len());
        assert!(order.len() <= slab.len());
        let linked = slab.occupied(0..slab.slots());
        let linked = linked.filter(|&entry| slab.entry(entry).linked).count();
        assert_eq!(linked, order.len());
        for entry in slab.occupied(0..slab.slots()) {
            let key = slab.entry(entry).key();
            assert!(is_mine(key.hash()), "in the shard of its hash");
            assert_eq!(self.find(key.hash(), &key), Some(entry), "a key is there once");
        }
        assert!(!self.moved || self.len() == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(n: u64) -> Shard<u64> {
        let mut shard = Shard::new();
        for n in 0..n {
            let key = Key::new(0, &n.to_be_bytes()).unwrap();
            assert!(shard.try_reserve(1).is_ok());
            let entry = Entry::new(&key, Expiry::at(n as i64), n);
            let number = shard.add(key.hash(), entry, n);
            shard.link(number, n);
        }
        shard
    }

    #[test]
    fn an_empty_shard_gives_its_memory_back_but_for_a_little() {
        for (sessions, gives) in [(0, false), (KEPT as u64 / 2, false), (100, true)] {
            let mut shard = filled(sessions);
            if sessions > 0 {
                assert!(shard.take_spare().is_none(), "it holds sessions");
            }
            let all = usize::MAX;
            shard.sweep(Expiry::FIRST, u64::MAX, |_| true, Cause::Closed, all, drop);
            assert_eq!(shard.take_spare().is_some(), gives);
            assert!(shard.storage.slab.room() <= KEPT);
            shard.validate(|_| true);
        }
    }

    #[test]
    fn a_sweep_stops_at_its_batch_and_tells_where_to_go_on() {
        let mut shard = filled(10);
        let mut gone = Vec::new();
        let mut from = Some(Expiry::FIRST);
        let mut holds = 0;
        while let Some(start) = from {
            from = shard.sweep(
                start,
                8,
                |expiry| expiry.is_past(9),
                Cause::Expired,
                3,
                |departed| gone.push(departed.session),
            );
            holds += 1;
        }
        assert_eq!(gone, [0, 1, 2, 3, 4, 5, 6, 7], "8 came too late, 9 is not due");
        assert_eq!(holds, 4);
        assert_eq!(shard.len(), 2);
    }
}
