//! What has left the cache, handed out one by one: no lock is held while the caller runs
//! callbacks and drops references.
//!
//! A flush collects the sessions in batches, one from each shard in turn, and sorts them here,
//! outside every lock, into the order of the whole cache. In turn, because the lock is not fair:
//! who waits for a shard gets it while the flush is at the others. What was there when it started
//! goes and nothing else: sessions that get a place in the order later have a higher sequence
//! number, so a callback that adds sessions again makes no endless loop.

use super::expiry::Expiry;
use super::rank::{Departed, NOBODY, Rank};
use super::shard::Locked;
use super::sharding::{SHARDS, View};
use super::slab::NoMemory;
use super::{Cause, Pace, SessionCache};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

/// Sessions looked at in one hold of a lock.
const BATCH: usize = 64;

/// Sessions that left; nearly always one at most.
pub(super) type Gone<S> = SmallVec<[Departed<S>; 1]>;

/// The sessions that left, soonest to expire first. What is not taken is dropped with it.
///
/// If they leave one by one, what is not taken stays in the cache: then nothing but the session
/// that was handed out last is lost if this is forgotten, not even dropped, in the middle.
///
/// If there was no memory to collect them all, some leave as the iterator comes to them, after the
/// others: nothing is lost then but the order.
#[must_use = "dropping it drops the sessions without a word"]
pub struct Departures<'a, S> {
    cache: &'a SessionCache<S>,
    /// The first to be handed out is the last.
    gone: Gone<S>,
    rest: Rest,
    pace: Pace,
}

/// What has not left yet: for want of memory, or because it is to leave one by one.
pub(super) enum Rest {
    Nothing,
    Excess {
        spared: u64,
    },
    /// With the second of the last one that left.
    Swept(Sweep, Expiry),
}

impl<'a, S> Departures<'a, S> {
    /// `gone` in the order in which they left.
    #[inline]
    pub(super) fn new(
        cache: &'a SessionCache<S>,
        mut gone: Gone<S>,
        rest: Rest,
        pace: Pace,
    ) -> Self {
        gone.reverse();
        Departures { cache, gone, rest, pace }
    }

    #[inline]
    pub(super) fn none(cache: &'a SessionCache<S>) -> Self {
        Departures { cache, gone: Gone::new(), rest: Rest::Nothing, pace: Pace::AtOnce }
    }

    /// Removes what `sweep` is to remove.
    pub(super) fn sweep(cache: &'a SessionCache<S>, sweep: Sweep) -> Self {
        let mut gone = Gone::new();
        let rest = match sweep.collect(cache, &mut gone) {
            Ok(()) => Rest::Nothing,
            Err(NoMemory) => Rest::Swept(sweep, Expiry::FIRST),
        };
        gone.sort_unstable_by_key(|departed| departed.rank);
        Departures::new(cache, gone, rest, Pace::AtOnce)
    }

    /// Removes what `sweep` is to remove, each session as it is asked for.
    pub(super) fn one_by_one(cache: &'a SessionCache<S>, sweep: Sweep) -> Self {
        let rest = Rest::Swept(sweep, Expiry::FIRST);
        Departures { cache, gone: Gone::new(), rest, pace: Pace::OneByOne }
    }

    #[cold]
    fn next_of_rest(&mut self) -> Option<S> {
        let departed = match &mut self.rest {
            Rest::Nothing => None,
            Rest::Excess { spared } => self.cache.evict_one(*spared),
            Rest::Swept(sweep, at) => sweep.next(self.cache, at),
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
        if self.pace == Pace::OneByOne {
            self.rest = Rest::Nothing;
        }
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

    /// Removes the next one in the order of the whole cache; `at` is the second of the last.
    fn next<S>(&self, cache: &SessionCache<S>, at: &mut Expiry) -> Option<Departed<S>> {
        loop {
            let view = cache.shards.view();
            let first = |shard| Some((self.first(view, shard, *at)?, shard));
            match (0..view.len()).filter_map(first).min() {
                // What was in the single shard may have moved meanwhile.
                None if view.len() == cache.shards.view().len() => return None,
                None => {}
                Some((rank, shard)) => {
                    // Otherwise another thread has changed the shard meanwhile.
                    if let Some(departed) = view.lock(shard).remove_at(rank, self.cause) {
                        cache.counters().held.fetch_sub(1, Ordering::AcqRel);
                        *at = rank.expiry;
                        return Some(departed);
                    }
                }
            }
        }
    }

    /// The first of one shard that is to leave, from the second `at` on. Takes the shard's lock only
    /// if another session, which came later, precedes it.
    fn first<S>(&self, view: View<'_, S>, shard: usize, at: Expiry) -> Option<Rank> {
        if !self.may_find(view, shard) {
            return None;
        }
        let head = view.heads()[shard].load();
        if head.expiry >= at && head.sequence < self.before {
            return Some(head);
        }
        view.lock(shard).first_due(at, self.before, |expiry| self.is_due(expiry))
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

    /// While others add, and the single shard splits.
    #[test]
    fn one_by_one_what_was_there_leaves_in_order_and_nothing_else() {
        for (before, later) in [(0, 10), (100, 0), (100, 300), (400, 400)] {
            let cache = SessionCache::new(usize::MAX);
            (0..before).for_each(|n| add(&cache, n));
            let mut gone = Vec::new();
            let mut added = before..before + later;
            for session in cache.flush_one_by_one(None, Cause::Closed) {
                gone.push(session);
                added.by_ref().take(10).for_each(|n| add(&cache, n));
            }
            added.for_each(|n| add(&cache, n));
            let mut expected: Vec<_> = (0..before).collect();
            expected.sort_by_key(|n| (n % 7, *n));
            assert_eq!(gone, expected);
            assert_eq!(cache.statistics().held, later);
            cache.validate();
        }
    }

    /// What leaves a callback without returning takes nothing with it but the session in its hands.
    #[test]
    fn one_by_one_what_was_not_asked_for_stays() {
        for sessions in [5, 500] {
            let cache = SessionCache::new(usize::MAX);
            (0..sessions).for_each(|n| add(&cache, n));
            let mut flushed = cache.flush_one_by_one(Some(7), Cause::Expired);
            assert_eq!(flushed.next(), Some(0));
            std::mem::forget(flushed);
            let mut flushed = cache.flush_one_by_one(Some(7), Cause::Expired);
            assert_eq!(flushed.next(), if sessions > 7 { Some(7) } else { Some(1) });
            drop(flushed);
            assert_eq!(cache.len() as u64, sessions - 2);
            cache.set_capacity(2);
            let key = Key::new(0, &sessions.to_be_bytes()).unwrap();
            match cache.insert_one_by_one(key, Expiry::FIRST, sessions) {
                Insertion::Added { mut evicted, .. } => {
                    assert!(evicted.next().is_some() && evicted.next().is_some());
                    std::mem::forget(evicted);
                }
                _ => panic!("it was not there, and there is memory"),
            }
            assert_eq!(cache.len() as u64, sessions - 3);
            assert!(cache.contains(&key), "the new session stays");
            cache.validate();
            assert_eq!(cache.flush_all(Cause::Closed).count() as u64, sessions - 3);
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
