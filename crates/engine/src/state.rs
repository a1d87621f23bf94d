//! What lies behind the lock, and what is done in one hold of it.
//!
//! Invariants: an entry with a session is in the index and in the order; every other entry is in
//! the chain of free ones. Nothing of type `S` is dropped here: what leaves is returned.

use super::Cause;
use super::expiry::Expiry;
use super::ghosts::GhostList;
use super::index::{Home, Room};
use super::key::{Hash, KEY_WORDS, Key};
use super::memory::{NIL, NoMemory};
use super::order::{Epoch, Order};
use super::pages::{Locked, numbers};
use super::statistics::Statistics;

/// Everything but entries and index.
pub(super) struct State {
    pub(super) order: Order,
    pub(super) counts: Statistics,
    ghosts: GhostList,
    /// The first of the free entries, which are chained through their positions.
    free: u32,
    /// A thread is evicting more than it has added.
    shrinking: bool,
}

impl State {
    pub(super) const fn new() -> Self {
        State {
            order: Order::new(),
            counts: Statistics::NOTHING,
            ghosts: GhostList::new(),
            free: NIL,
            shrinking: false,
        }
    }
}

/// An entry in its present use.
#[derive(Clone, Copy)]
pub(super) struct Use {
    entry: u32,
    stamp: u32,
}

impl<'a, S> Locked<'a, S, State> {
    /// Empties what may be half changed, and leaks what was in it: a fork has copied it while another
    /// thread, which is not in this process, was changing it.
    #[cold]
    pub(super) fn reset(&mut self) {
        let mut counts = self.counts;
        counts.flushed = counts.stored.saturating_sub(counts.left() - counts.flushed);
        let wants_reasons = self.ghosts.is_wanted();
        std::mem::forget(std::mem::replace(&mut **self, State { counts, ..State::new() }));
        if wants_reasons {
            self.want_reasons();
        }
        let pages = self.pages();
        for page in 0..pages.len() {
            if let Some(bucket) = pages.view().bucket(page) {
                bucket.clear();
            }
            for number in numbers(page) {
                pages.entry(number).key.clear();
                std::mem::forget(self.replace_session(number, None).1);
                self.free(number);
            }
        }
    }

    fn free(&mut self, number: u32) {
        let next = std::mem::replace(&mut self.free, number);
        self.pages().entry(number).set_position(next);
    }

    pub(super) fn want_reasons(&mut self) {
        self.ghosts.want();
    }

    /// Finds a session, and counts the look-up.
    #[inline(always)]
    pub(super) fn look_up(&mut self, hash: Hash, key: &[u64; KEY_WORDS]) -> Option<u32> {
        let found = self.find(hash, key);
        match found {
            Some(_) => self.counts.hits += 1,
            None => {
                let cause = self.ghosts.cause(hash);
                self.counts.count_miss(cause);
            }
        }
        found
    }

    /// Makes sure that a session can be added that is not there, as a look at its home has shown.
    /// `evicts` if another one leaves for it.
    #[inline(always)]
    pub(super) fn try_reserve(
        &mut self,
        mut home: Option<Home<'a, S>>,
        hash: Hash,
        expiry: Expiry,
        evicts: bool,
    ) -> Result<Room<'a>, NoMemory> {
        if self.free == NIL && !evicts {
            self.add_entries()?;
            home = self.home(hash);
        }
        let room = home.ok_or(NoMemory)?.try_reserve()?;
        let pages = self.pages();
        self.order.try_reserve(pages, expiry)?;
        Ok(room)
    }

    #[cold]
    fn add_entries(&mut self) -> Result<(), NoMemory> {
        let page = self.grow()?;
        numbers(page).for_each(|number| self.free(number));
        Ok(())
    }

    /// Adds a session that is not there; memory was reserved.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        room: Room<'a>,
        hash: Hash,
        key: &[u64; KEY_WORDS],
        expiry: Expiry,
        session: S,
    ) -> Use {
        let (pages, number) = (self.pages(), self.free);
        let (entry, none) = self.replace_session(number, Some(session));
        // Nothing is dropped here, not even on paper.
        std::mem::forget(none);
        self.free = entry.position();
        entry.set_hash(hash);
        entry.set_expiry(expiry);
        self.order.append(pages, entry, number);
        entry.key.set(key);
        room.fill(number);
        self.counts.stored += 1;
        Use { entry: number, stamp: entry.key.stamp() }
    }

    /// Puts a session in the place of another one with the same key; memory was reserved.
    pub(super) fn replace(&mut self, number: u32, expiry: Expiry, session: S) -> (Use, Option<S>) {
        self.move_to(number, expiry);
        self.counts.stored += 1;
        self.counts.replaced += 1;
        let (entry, replaced) = self.replace_session(number, Some(session));
        (Use { entry: number, stamp: entry.key.stamp() }, replaced)
    }

    /// Gives a session the place of a new expiry, as the newest there; memory was reserved.
    pub(super) fn move_to(&mut self, number: u32, expiry: Expiry) {
        let pages = self.pages();
        let entry = pages.entry(number);
        self.order.remove(entry);
        entry.set_expiry(expiry);
        self.order.append(pages, entry, number);
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, number: u32, cause: Cause) -> Option<S> {
        let entry = self.pages().entry(number);
        self.order.remove(entry);
        self.take_out(number, cause)
    }

    /// Takes the session out that expires first.
    #[inline(always)]
    pub(super) fn evict(&mut self) -> Option<S> {
        let first = self.order.remove_first()?;
        self.take_out(first, Cause::Evicted)
    }

    /// The rest of it, for a session that has left the order.
    #[inline(always)]
    fn take_out(&mut self, number: u32, cause: Cause) -> Option<S> {
        let (entry, session) = self.replace_session(number, None);
        let hash = entry.hash();
        self.remove_from_index(hash, number);
        entry.key.clear();
        let state = &mut **self;
        entry.set_position(std::mem::replace(&mut state.free, number));
        state.ghosts.fit(state.order.len() + 1);
        state.ghosts.note(hash, cause);
        state.counts.count_departure(cause);
        session
    }

    /// The same, sparing one, if there are more than `capacity`.
    pub(super) fn evict_excess(&mut self, spared: Use, capacity: usize) -> Option<S> {
        if !self.is_over(capacity) {
            self.shrinking = false;
            return None;
        }
        let pages = self.pages();
        let mut first = self.order.first()?;
        if first == spared.entry && pages.entry(first).key.stamp() == spared.stamp {
            first = self.order.second_of_all(pages)?;
        }
        self.remove(first, Cause::Evicted)
    }

    fn is_over(&self, capacity: usize) -> bool {
        // The new one stays, whatever the capacity.
        self.order.len() > capacity.max(1)
    }

    /// How many this thread is to evict when it has added one: none, mostly; otherwise one of
    /// several threads evicts them all. When a cache has been given a much smaller capacity, the
    /// others would all wait until it is reached. They evict one more each: should the first be
    /// lost, which may happen in a callback of somebody's, the cache still reaches its capacity.
    #[inline]
    pub(super) fn excess(&mut self, capacity: usize) -> usize {
        let is_over = self.is_over(capacity);
        let was_shrinking = std::mem::replace(&mut self.shrinking, is_over);
        match (is_over, was_shrinking) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => usize::MAX,
        }
    }

    /// Removes the first session from `from` on that had its place before `epoch` and is `due`;
    /// sets `from` to where to go on. `Err` if there was too much to pass over for one hold of
    /// the lock.
    pub(super) fn remove_due(
        &mut self,
        from: &mut Expiry,
        epoch: Epoch,
        due: impl Fn(Expiry) -> bool,
        cause: Cause,
    ) -> Result<Option<S>, Again> {
        const MOST: usize = 64;
        let pages = self.pages();
        for _ in 0..MOST {
            let first = self.order.first_from(pages, *from).filter(|first| due(first.expiry));
            let Some(first) = first else { return Ok(None) };
            *from = first.expiry;
            if first.epoch.is_before(epoch) {
                return Ok(self.remove(first.entry, cause));
            }
            // In a second the oldest comes first: if this one came too late, so did the rest.
            match first.expiry.raw().checked_add(1) {
                Some(next) => *from = Expiry::from_raw(next),
                None => return Ok(None),
            }
        }
        Err(Again)
    }

    /// Shows the sessions of these pages.
    pub(super) fn visit(&self, pages: std::ops::Range<u32>, mut visit: impl FnMut(Key, &S)) {
        for number in pages.flat_map(numbers) {
            let key = self.pages().entry(number).key.get();
            if let (Some(key), Some(session)) = (key, self.session(number)) {
                visit(key, session);
            }
        }
    }

    /// Panics unless entries, index and order agree.
    pub(super) fn validate(&self) {
        let (pages, state) = (self.pages(), &**self);
        let len = state.order.len();
        self.validate_index(len);
        let ordered = state.order.validate(pages);
        for (n, &number) in ordered.iter().enumerate() {
            let entry = pages.entry(number);
            let key = entry.key.get().expect("a key");
            assert_eq!(entry.hash(), key.hash());
            assert_eq!(pages.find(key.hash(), &key.words()), Some(number), "a key is there once");
            assert!(self.session(number).is_some());
            assert!(n == 0 || pages.entry(ordered[n - 1]).expiry() <= entry.expiry());
        }
        assert_eq!(state.order.first(), ordered.first().copied());
        let (mut free, mut number) = (0, state.free);
        while number != NIL {
            let entry = pages.entry(number);
            assert!(entry.key.get().is_none() && self.session(number).is_none());
            free += 1;
            assert!(free <= pages.len() as usize * 6, "the chain ends");
            number = entry.position();
        }
        assert_eq!(free + len, pages.len() as usize * 6, "free or in use");
    }
}

/// There may be more to do.
#[derive(Debug)]
pub(super) struct Again;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Expiry, Insertion, Key, SessionCache};
    use std::sync::Arc;

    /// What a lock does that its holder took along: here in the middle of nothing.
    #[test]
    fn a_cache_that_is_reset_is_empty_and_goes_on() {
        let cache = SessionCache::new(usize::MAX);
        let sessions: Vec<Arc<u64>> = (0..500).map(Arc::new).collect();
        let key = |n: u64| Key::new(0, &n.to_be_bytes()).unwrap();
        let fill = || {
            for session in &sessions {
                let n = **session;
                let inserted = cache.insert(key(n), Expiry::at(n as i64 % 9), session.clone());
                assert!(matches!(inserted, Insertion::Added { .. }));
            }
        };
        fill();
        assert!((0..100).all(|n| cache.remove(&key(n)).is_some()));
        cache.lock().unwrap().reset();
        cache.validate();
        assert!(cache.is_empty() && !(0..500).any(|n| cache.contains(&key(n))));
        let statistics = cache.statistics();
        assert_eq!((statistics.stored, statistics.removed, statistics.flushed), (500, 100, 400));
        assert_eq!(Arc::strong_count(&sessions[0]), 1);
        assert_eq!(Arc::strong_count(&sessions[400]), 2, "leaked");
        fill();
        cache.validate();
        assert_eq!(cache.flush(5).count(), 280);
        assert_eq!(cache.statistics().held, 220);
    }
}
