//! One shard: entries, their index, their order, their statistics, behind one lock.
//!
//! The directory, from key to entry, lies before the lock: look-ups read it without, and only who
//! holds the lock changes it. Everything else lies behind.
//!
//! Invariants: every session is in the index; every session but those whose insertion is not
//! finished ("unlinked") is in the order. Nothing of type `S` is dropped here: what leaves is
//! returned.

use super::Cause;
use super::directory::Directory;
use super::expiry::Expiry;
use super::key::{Hash, Key};
use super::lines::number_of;
use super::order::Timeline;
use super::rank::{Departed, Head, Rank};
use super::slab::{Entry, NoMemory, Slab};
use super::statistics::{Recent, Statistics};
use sslcache_sync::{Guard, Lock};

/// One shard. Padded, so that two shards share no cache line, nor a pair of lines that the
/// processor fetches together.
#[repr(align(128))]
pub(super) struct Shard<S> {
    pub(super) directory: Directory,
    state: Lock<State<S>>,
}

// An odd number of pairs of lines: what is read most of each of the 16 shards would otherwise compete
// for the same few places of the processor's first cache.
const _: () = assert!(size_of::<Shard<std::ptr::NonNull<u8>>>() / 128 % 2 == 1);

/// What lies behind the lock.
struct State<S> {
    slab: Slab<S>,
    order: Timeline,
    counts: Statistics,
    recent: Recent,
    /// The first of the order has changed and is not published yet.
    first_changed: bool,
    /// The sessions have moved to the 16 shards: look there.
    moved: bool,
}

/// A locked shard. Publishes its first session before the lock goes.
pub(super) struct Locked<'a, S> {
    directory: &'a Directory,
    head: &'a Head,
    state: Guard<'a, State<S>>,
}

impl<S> Shard<S> {
    pub(super) fn new() -> Self {
        Shard {
            directory: Directory::new(),
            state: Lock::new(State {
                slab: Slab::new(),
                order: Timeline::default(),
                counts: Statistics::default(),
                recent: Recent::new(),
                first_changed: false,
                moved: false,
            }),
        }
    }

    /// `head` is where this shard publishes its first session.
    #[inline]
    pub(super) fn lock<'a>(&'a self, head: &'a Head) -> Locked<'a, S> {
        Locked { directory: &self.directory, head, state: self.state.lock() }
    }
}

impl<S> State<S> {
    fn unlinked(&self) -> usize {
        self.slab.len() - self.order.len()
    }

    fn try_reserve(&mut self, directory: &Directory, more: usize) -> Result<(), NoMemory> {
        let sessions = self.slab.len() + more;
        self.slab.try_reserve(&directory.entries, sessions)?;
        if directory.index.fits(sessions) {
            return Ok(());
        }
        while directory.index.is_moving() {
            move_buckets(directory);
        }
        directory.index.try_grow(sessions)
    }
}

/// Moves a little of an index that has become too small.
fn move_buckets(directory: &Directory) {
    let hash_of = |number| hash_of(directory, number);
    directory.index.move_buckets(&directory.sequence.write(), hash_of);
}

fn hash_of(directory: &Directory, number: u32) -> Hash {
    directory.entries.entry(number).key().hash()
}

impl<S> Drop for Locked<'_, S> {
    fn drop(&mut self) {
        self.publish();
    }
}

impl<'a, S> Locked<'a, S> {
    /// Publishes the first session, if it is another one than before.
    #[inline]
    pub(super) fn publish(&mut self) {
        if std::mem::take(&mut self.state.first_changed) {
            self.head.publish(self.first());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.state.slab.len()
    }

    pub(super) fn has_moved(&self) -> bool {
        self.state.moved
    }

    pub(super) fn counts(&self) -> &Statistics {
        &self.state.counts
    }

    pub(super) fn count_stored(&mut self) {
        self.state.counts.stored += 1;
    }

    #[inline]
    fn entry(&self, number: u32) -> &'a Entry {
        self.directory.entries.entry(number)
    }

    #[inline]
    pub(super) fn find(&self, hash: Hash, key: &Key) -> Option<u32> {
        self.directory.find(hash, key)
    }

    #[inline]
    pub(super) fn session(&self, entry: u32) -> &S {
        self.state.slab.session(entry)
    }

    /// Is the session with this sequence number, which no other has, at this entry?
    pub(super) fn holds(&self, entry: u32, sequence: u64) -> bool {
        self.state.slab.is_occupied(entry) && self.sequence(entry) == sequence
    }

    pub(super) fn sequence(&self, entry: u32) -> u64 {
        self.entry(entry).sequence()
    }

    /// Finds a session, and counts the look-up.
    #[inline]
    pub(super) fn look_up(&mut self, hash: Hash, key: &Key) -> Option<u32> {
        let found = self.find(hash, key);
        let state = &mut *self.state;
        match found {
            Some(_) => state.counts.hits += 1,
            None => state.counts.count_miss(state.recent.cause(hash.tag())),
        }
        found
    }

    /// Makes sure that storing `more` sessions needs no memory, nor giving a place in the order to
    /// those that have none yet.
    pub(super) fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let state = &mut *self.state;
        state.try_reserve(self.directory, more)?;
        let more_places = more + state.unlinked();
        state.order.try_reserve(more_places)
    }

    /// Stores a session under a key that is not there, without a place in the order yet. Room
    /// was reserved.
    pub(super) fn add(
        &mut self,
        (hash, key): (Hash, &Key),
        expiry: Expiry,
        session: S,
        sequence: u64,
    ) -> u32 {
        let Directory { index, entries, .. } = self.directory;
        let writing = self.directory.sequence.write();
        let number = self.state.slab.insert(entries, &writing, key, session);
        index.insert(&writing, hash, number);
        drop(writing);
        if index.is_moving() {
            move_buckets(self.directory);
        }
        self.entry(number).set_expiry(expiry);
        self.entry(number).set_sequence(sequence);
        number
    }

    /// Stores a session in the place of another one with the same key; it has no place in the
    /// order yet.
    pub(super) fn replace(&mut self, entry: u32, expiry: Expiry, session: S, sequence: u64) -> S {
        self.unlink(entry);
        self.state.counts.replaced += 1;
        self.entry(entry).set_expiry(expiry);
        self.entry(entry).set_sequence(sequence);
        self.state.slab.replace(entry, session)
    }

    /// Gives an entry its place in the order, as the newest. Room was reserved.
    pub(super) fn link(&mut self, entry: u32, sequence: u64) {
        self.entry(entry).set_sequence(sequence);
        let state = &mut *self.state;
        state.first_changed |= state.order.link(&self.directory.entries, entry);
    }

    /// Would a new session that expires then be the first?
    pub(super) fn would_be_first(&self, expiry: Expiry) -> bool {
        self.state.order.first_expiry().is_none_or(|first| expiry < first)
    }

    fn unlink(&mut self, entry: u32) {
        if self.is_linked(entry) {
            let state = &mut *self.state;
            state.first_changed |= state.order.unlink(&self.directory.entries, entry);
        }
    }

    fn is_linked(&self, entry: u32) -> bool {
        self.entry(entry).is_linked()
    }

    /// Moves a session to the place of a new expiry, as the newest there; one without a place yet
    /// will get it there. Room for one was reserved.
    pub(super) fn reschedule(&mut self, entry: u32, expiry: Expiry, sequence: u64) {
        let linked = self.is_linked(entry);
        self.unlink(entry);
        self.entry(entry).set_expiry(expiry);
        if linked {
            self.link(entry, sequence);
        }
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, hash: Hash, entry: u32, cause: Cause) -> S {
        self.unlink(entry);
        self.directory.index.remove(&self.directory.sequence.write(), hash, entry);
        let state = &mut *self.state;
        state.recent.note(hash.tag(), cause);
        state.counts.count_departure(cause);
        state.slab.remove(&self.directory.entries, entry)
    }

    fn remove_departing(&mut self, entry: u32, cause: Cause) -> Departed<S> {
        let rank = self.rank(entry);
        let session = self.remove(hash_of(self.directory, entry), entry, cause);
        Departed { rank, session }
    }

    fn rank(&self, entry: u32) -> Rank {
        let entry = self.entry(entry);
        Rank { expiry: entry.expiry(), sequence: entry.sequence() }
    }

    /// Which session expires first.
    fn first(&self) -> Option<Rank> {
        self.state.order.first().map(|entry| self.rank(entry))
    }

    /// Which session expires first, that with the sequence number `spared` aside.
    pub(super) fn first_but(&self, spared: u64) -> Option<Rank> {
        self.first_entry_but(spared).map(|entry| self.rank(entry))
    }

    fn first_entry_but(&self, spared: u64) -> Option<u32> {
        let first = self.state.order.first()?;
        if self.sequence(first) == spared { self.after(first) } else { Some(first) }
    }

    fn after(&self, entry: u32) -> Option<u32> {
        self.state.order.after(&self.directory.entries, entry)
    }

    /// Takes the session at `rank` out, if it is the first but `spared`.
    pub(super) fn evict(&mut self, rank: Rank, spared: u64) -> Option<Departed<S>> {
        let entry = self.first_entry_but(spared)?;
        (self.rank(entry) == rank).then(|| self.remove_departing(entry, Cause::Evicted))
    }

    /// The first session from the expiry `from` on that is `due` and whose sequence number is below
    /// `before`.
    pub(super) fn first_due(
        &self,
        from: Expiry,
        before: u64,
        due: impl Fn(Expiry) -> bool,
    ) -> Option<Rank> {
        let mut next = self.state.order.first_from(from);
        loop {
            let rank = self.rank(next?);
            if !due(rank.expiry) {
                return None;
            }
            if rank.sequence < before {
                return Some(rank);
            }
            // In a second the oldest comes first: if this one came too late, so did the rest.
            next = self.state.order.first_after(rank.expiry);
        }
    }

    /// Takes the session at `rank` out, if it is the first of its second.
    pub(super) fn remove_at(&mut self, rank: Rank, cause: Cause) -> Option<Departed<S>> {
        let entry = self.state.order.first_from(rank.expiry)?;
        (self.rank(entry) == rank).then(|| self.remove_departing(entry, cause))
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
        let mut next = self.state.order.first_from(from);
        for _ in 0..most {
            let entry = next?;
            let Rank { expiry, sequence } = self.rank(entry);
            if !due(expiry) {
                return None;
            }
            // In a second the oldest comes first: if this one came too late, so did the rest.
            if sequence >= before {
                next = self.state.order.first_after(expiry);
            } else {
                next = self.after(entry);
                departed(self.remove_departing(entry, cause));
            }
        }
        next.map(|entry| self.entry(entry).expiry())
    }

    /// Shows the sessions in up to `most` places from the place `from` on; tells where to go on.
    pub(super) fn visit(
        &self,
        from: usize,
        most: usize,
        mut visit: impl FnMut(Key, &S),
    ) -> Option<usize> {
        let slab = &self.state.slab;
        let end = slab.slots().min(from.saturating_add(most));
        for number in slab.occupied(from..end) {
            visit(self.entry(number).key(), slab.session(number));
        }
        (end < slab.slots()).then_some(end)
    }

    /// The hashes of all sessions.
    pub(super) fn hashes(&self) -> impl Iterator<Item = Hash> {
        self.state.slab.all().map(|number| hash_of(self.directory, number))
    }

    /// Gives every session to the shard that is its `home`, which has room for it and remembers
    /// what left here. From now on this one only tells that all have moved.
    pub(super) fn move_out<'b>(&mut self, home: impl Fn(Hash) -> Locked<'b, S>)
    where
        S: 'b,
    {
        let mut next = self.state.order.first();
        while let Some(number) = next {
            next = self.after(number);
            self.hand_over(number, &home);
        }
        let places = 0..self.state.slab.slots();
        for number in places.map(number_of) {
            if self.state.slab.is_occupied(number) {
                self.hand_over(number, &home);
            }
        }
        self.state.slab = Slab::new();
        self.state.order = Timeline::default();
        self.state.first_changed = true;
        self.state.moved = true;
        self.directory.sequence.close();
    }

    fn hand_over<'b>(&mut self, number: u32, home: impl Fn(Hash) -> Locked<'b, S>)
    where
        S: 'b,
    {
        let linked = self.is_linked(number);
        let (key, Rank { expiry, sequence }) = (self.entry(number).key(), self.rank(number));
        let session = self.state.slab.remove(&self.directory.entries, number);
        let hash = key.hash();
        let mut shard = home(hash);
        let number = shard.add((hash, &key), expiry, session, sequence);
        if linked {
            shard.link(number, sequence);
        }
    }

    /// A shard with room for `n` sessions that remembers what left this one.
    pub(super) fn successor(&self, n: usize) -> Result<Shard<S>, NoMemory> {
        let mut shard = Shard::new();
        let state = shard.state.get_mut();
        state.recent = self.state.recent;
        state.try_reserve(&shard.directory, n)?;
        state.order.try_reserve(n)?;
        Ok(shard)
    }

    /// Gives every session a place in the order whose insertion has not come to it.
    pub(super) fn link_all(&mut self, mut next_sequence: impl FnMut() -> u64) {
        if self.state.unlinked() == 0 {
            return;
        }
        let places = 0..self.state.slab.slots();
        for number in places.map(number_of) {
            if self.state.slab.is_occupied(number) && !self.is_linked(number) {
                self.link(number, next_sequence());
            }
        }
    }

    /// Panics unless index, order and entries agree, and the first session is published. All keys
    /// hash to `is_mine`.
    pub(super) fn validate(&self, is_mine: impl Fn(Hash) -> bool) {
        let State { slab, order, moved, .. } = &*self.state;
        let Directory { index, entries, .. } = self.directory;
        slab.validate(entries);
        order.validate(entries);
        assert_eq!(order.len(), slab.all().filter(|&entry| self.is_linked(entry)).count());
        if !moved {
            index.validate(slab.len(), |entry| hash_of(self.directory, entry));
        }
        for number in slab.all() {
            let key = entries.entry(number).key();
            assert!(is_mine(key.hash()), "in the shard of its hash");
            assert_eq!(self.find(key.hash(), &key), Some(number), "a key is there once");
        }
        assert!(!moved || self.len() == 0);
        assert_eq!(*moved, self.directory.sequence.is_closed());
        assert_eq!(self.head.load(), self.first().unwrap_or(Rank::LAST), "the first is published");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(shard: &Shard<u64>, head: &Head, sessions: u64) {
        let mut shard = shard.lock(head);
        for n in 0..sessions {
            let key = Key::new(0, &n.to_be_bytes()).unwrap();
            assert!(shard.try_reserve(1).is_ok());
            let number = shard.add((key.hash(), &key), Expiry::at(n as i64), n, n);
            shard.link(number, n);
        }
    }

    #[test]
    fn what_leaves_makes_room_for_what_comes() {
        let (shard, head) = (Shard::new(), Head::new());
        let mut room = 0;
        for round in 0..3 {
            filled(&shard, &head, 100);
            let mut locked = shard.lock(&head);
            if round == 0 {
                room = locked.directory.entries.room();
            }
            let all = usize::MAX;
            locked.sweep(Expiry::FIRST, u64::MAX, |_| true, Cause::Closed, all, drop);
            locked.publish();
            locked.validate(|_| true);
            assert_eq!(locked.len(), 0);
            assert_eq!(locked.directory.entries.room(), room);
        }
    }

    #[test]
    fn a_sweep_stops_at_its_batch_and_tells_where_to_go_on() {
        let (shard, head) = (Shard::new(), Head::new());
        filled(&shard, &head, 10);
        let mut shard = shard.lock(&head);
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
