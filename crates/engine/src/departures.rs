//! What has left the cache, handed out one by one: no lock is held while the caller runs
//! callbacks and drops references.
//!
//! A flush collects the sessions in batches, one from each shard in turn, and sorts them here,
//! outside every lock, into the order of the whole cache. In turn, because the lock is not fair:
//! who waits for a shard gets it while the flush is at the others. What was there when it started
//! goes and nothing else: sessions that get a place in the order later have a higher sequence
//! number, so a callback that adds sessions again makes no endless loop.

use super::Cause;
use super::SessionCache;
use super::expiry::Expiry;
use super::rank::{Departed, NOBODY};
use super::shard::Locked;
use super::sharding::{SHARDS, View};
use super::slab::NoMemory;
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

/// Sessions looked at in one hold of a lock.
const BATCH: usize = 64;

/// Sessions that left; nearly always one at most.
pub(super) type Gone<S> = SmallVec<[Departed<S>; 1]>;

/// The sessions that left, soonest to expire first. What is not taken is dropped with it.
///
/// Only if there was no memory to collect them all do some leave as the iterator comes to them,
/// shard by shard: nothing is lost then but the order among shards.
#[must_use = "dropping it drops the sessions without a word"]
pub struct Departures<'a, S> {
    cache: &'a SessionCache<S>,
    /// The first to be handed out is the last.
    gone: Gone<S>,
    rest: Rest,
}

/// What has not left yet, for want of memory.
pub(super) enum Rest {
    Nothing,
    Excess { spared: u64 },
    Swept(Sweep, Position),
}

impl<'a, S> Departures<'a, S> {
    /// `gone` in the order in which they left.
    #[inline]
    pub(super) fn new(cache: &'a SessionCache<S>, mut gone: Gone<S>, rest: Rest) -> Self {
        gone.reverse();
        Departures { cache, gone, rest }
    }

    #[inline]
    pub(super) fn none(cache: &'a SessionCache<S>) -> Self {
        Departures { cache, gone: Gone::new(), rest: Rest::Nothing }
    }

    /// Removes what `sweep` is to remove.
    pub(super) fn sweep(cache: &'a SessionCache<S>, sweep: Sweep) -> Self {
        let mut gone = Gone::new();
        let rest = match sweep.collect(cache, &mut gone) {
            Ok(()) => Rest::Nothing,
            Err(NoMemory) => Rest::Swept(sweep, Position::START),
        };
        gone.sort_unstable_by_key(|departed| departed.rank);
        Departures::new(cache, gone, rest)
    }

    #[cold]
    fn next_of_rest(&mut self) -> Option<S> {
        let departed = match &mut self.rest {
            Rest::Nothing => None,
            Rest::Excess { spared } => self.cache.evict_one(*spared),
            Rest::Swept(sweep, position) => {
                let departed = sweep.next(self.cache, position);
                if departed.is_some() {
                    self.cache.counters().report_one();
                }
                departed
            }
        };
        if departed.is_none() {
            self.rest = Rest::Nothing;
        }
        departed.map(|departed| departed.session)
    }
}

impl<S> Iterator for Departures<'_, S> {
    type Item = S;

    #[inline]
    fn next(&mut self) -> Option<S> {
        match self.gone.pop() {
            Some(departed) => {
                self.cache.counters().report_one();
                Some(departed.session)
            }
            None if matches!(self.rest, Rest::Nothing) => None,
            None => self.next_of_rest(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let gone = self.gone.len();
        (gone, matches!(self.rest, Rest::Nothing).then_some(gone))
    }
}

impl<S> std::iter::FusedIterator for Departures<'_, S> {}

impl<S> Drop for Departures<'_, S> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// What a flush removes.
#[derive(Clone, Copy)]
pub(super) struct Sweep {
    /// What is past at this second; everything if `None`.
    now: Option<i64>,
    cause: Cause,
    /// Only what had its place before: sequence numbers below this one.
    before: u64,
}

/// How far a sweep that goes one by one has come.
pub(super) struct Position {
    /// The number of shards: if it changes, what was in the single one has moved.
    shards: usize,
    shard: usize,
    from: Expiry,
}

impl Position {
    const START: Position = Position { shards: 0, shard: 0, from: Expiry::FIRST };
}

impl Sweep {
    pub(super) fn new<S>(cache: &SessionCache<S>, now: Option<i64>, cause: Cause) -> Self {
        Sweep { now, cause, before: cache.counters().sequence.load(Ordering::Acquire) }
    }

    fn is_due(&self, expiry: Expiry) -> bool {
        self.now.is_none_or(|now| expiry.is_past(now))
    }

    /// May the shard have something to remove? Looks at what it publishes; takes no lock.
    fn may_find<S>(&self, view: View<'_, S>, shard: usize) -> bool {
        let first = view.heads()[shard].load();
        first.sequence != NOBODY && self.is_due(first.expiry)
    }

    /// Removes everything, a batch from each shard in turn.
    fn collect<S>(&self, cache: &SessionCache<S>, gone: &mut Gone<S>) -> Result<(), NoMemory> {
        loop {
            let view = cache.shards.view();
            let mut from = [Some(Expiry::FIRST); SHARDS];
            while from[..view.len()].iter().any(Option::is_some) {
                for (shard, from) in from[..view.len()].iter_mut().enumerate() {
                    let start = from.take().filter(|_| self.may_find(view, shard));
                    if let Some(start) = start {
                        // A small cache takes no large piece of memory for a moment.
                        let batch = cache.counters().held().clamp(1, BATCH);
                        gone.try_reserve(batch).map_err(|_| NoMemory)?;
                        let gone = |departed| gone.push(departed);
                        *from = self.step(cache, view.lock(shard), start, batch, gone);
                    }
                }
            }
            // What was in the single shard may have moved meanwhile.
            if view.len() == cache.shards.view().len() {
                return Ok(());
            }
        }
    }

    /// Removes the next one.
    fn next<S>(&self, cache: &SessionCache<S>, at: &mut Position) -> Option<Departed<S>> {
        let mut one = None;
        while one.is_none() {
            let view = cache.shards.view();
            if view.len() != at.shards {
                *at = Position { shards: view.len(), ..Position::START };
            }
            if at.shard == view.len() {
                return None;
            }
            let mut next = None;
            if self.may_find(view, at.shard) {
                let departed = |departed| one = Some(departed);
                next = self.step(cache, view.lock(at.shard), at.from, 1, departed);
            }
            at.shard += usize::from(next.is_none());
            at.from = next.unwrap_or(Expiry::FIRST);
        }
        one
    }

    /// Removes from one shard, in this hold of its lock. Tells where to go on there.
    fn step<S>(
        &self,
        cache: &SessionCache<S>,
        mut shard: Locked<'_, S>,
        from: Expiry,
        most: usize,
        mut departed: impl FnMut(Departed<S>),
    ) -> Option<Expiry> {
        let mut count = 0;
        let is_due = |expiry| self.is_due(expiry);
        let next = shard.sweep(from, self.before, is_due, self.cause, most, |gone| {
            count += 1;
            departed(gone);
        });
        cache.counters().depart(count);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Insertion, Key};
    use super::*;

    fn add(cache: &SessionCache<u64>, n: u64) {
        let key = Key::new(0, &n.to_be_bytes()).unwrap();
        let expiry = Expiry::at((n % 7) as i64);
        assert!(matches!(cache.insert(key, expiry, n), Insertion::Added { .. }));
    }

    /// What happens without memory, one by one, while others add and the single shard splits.
    #[test]
    fn a_sweep_one_by_one_removes_what_was_there_and_nothing_else() {
        for (before, later) in [(0, 10), (100, 0), (100, 300), (400, 400)] {
            let cache = SessionCache::new(usize::MAX);
            (0..before).for_each(|n| add(&cache, n));
            let sweep = Sweep::new(&cache, None, Cause::Closed);
            let mut at = Position::START;
            let mut gone = Vec::new();
            let mut added = before..before + later;
            while let Some(departed) = sweep.next(&cache, &mut at) {
                gone.push(departed.session);
                added.by_ref().take(10).for_each(|n| add(&cache, n));
            }
            added.for_each(|n| add(&cache, n));
            gone.sort_unstable();
            assert_eq!(gone, (0..before).collect::<Vec<_>>());
            assert_eq!(cache.statistics().held, later);
            cache.validate();
        }
    }

    /// The session that has its place longest is not always first: its expiry decides.
    #[test]
    fn a_sweep_leaves_what_came_later_though_it_expires_sooner() {
        let cache = SessionCache::new(usize::MAX);
        (0..200).for_each(|n| add(&cache, n));
        let sweep = Sweep::new(&cache, Some(5), Cause::Expired);
        (200..1000).for_each(|n| add(&cache, n));
        let gone: Vec<u64> = Departures::sweep(&cache, sweep).collect();
        let mut expected: Vec<u64> = (0..200).filter(|n| n % 7 < 5).collect();
        expected.sort_by_key(|n| (n % 7, *n));
        assert_eq!(gone, expected);
        cache.validate();
    }
}
