//! What has left the cache, handed out one by one: no lock is held while the caller runs
//! callbacks and drops references.
//!
//! A flush collects the sessions shard by shard, a batch per lock, and sorts them here, outside
//! every lock, into the order of the whole cache. What was there when it started goes and
//! nothing else: sessions that get a place in the order later have a higher sequence number, so a
//! callback that adds sessions again makes no endless loop.

use super::SessionCache;
use super::expiry::Expiry;
use super::shard::Departed;
use super::{Cause, NOBODY};
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
    gone: smallvec::IntoIter<[Departed<S>; 1]>,
    rest: Rest,
}

/// What has not left yet, for want of memory.
pub(super) enum Rest {
    Nothing,
    Excess { spared: u64 },
    Swept(Sweep),
}

impl<'a, S> Departures<'a, S> {
    pub(super) fn new(cache: &'a SessionCache<S>, gone: Gone<S>, rest: Rest) -> Self {
        Departures { cache, gone: gone.into_iter(), rest }
    }

    pub(super) fn none(cache: &'a SessionCache<S>) -> Self {
        Departures::new(cache, Gone::new(), Rest::Nothing)
    }

    /// Removes what `sweep` is to remove.
    pub(super) fn sweep(cache: &'a SessionCache<S>, mut sweep: Sweep) -> Self {
        let mut gone = Gone::new();
        let mut rest = Rest::Nothing;
        while sweep.finds_more(cache) {
            if gone.try_reserve(BATCH).is_err() {
                rest = Rest::Swept(sweep);
                break;
            }
            sweep.step(cache, BATCH, |departed| gone.push(departed));
        }
        gone.sort_unstable_by_key(|departed| departed.rank);
        Departures::new(cache, gone, rest)
    }

    fn next_of_rest(&mut self) -> Option<S> {
        let departed = match &mut self.rest {
            Rest::Nothing => None,
            Rest::Excess { spared } => self.cache.evict_one(*spared),
            Rest::Swept(sweep) => {
                let departed = sweep.next(self.cache);
                if departed.is_some() {
                    self.cache.counters.report_one();
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

    fn next(&mut self) -> Option<S> {
        match self.gone.next() {
            Some(departed) => {
                self.cache.counters.report_one();
                Some(departed.session)
            }
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

/// A walk over all shards that removes sessions in batches.
pub(super) struct Sweep {
    /// Remove what is past at this second; everything if `None`.
    now: Option<i64>,
    cause: Cause,
    /// Remove only what had its place before: sequence numbers below this one.
    before: u64,
    /// Where it is.
    shard: usize,
    from: Expiry,
    /// Is it on the way through the 64 shards?
    split: bool,
}

impl Sweep {
    pub(super) fn new<S>(cache: &SessionCache<S>, now: Option<i64>, cause: Cause) -> Self {
        Sweep {
            now,
            cause,
            before: cache.counters.sequence.load(Ordering::Acquire),
            shard: 0,
            from: Expiry::FIRST,
            split: false,
        }
    }

    fn is_due(&self, expiry: Expiry) -> bool {
        self.now.is_none_or(|now| expiry.is_past(now))
    }

    /// Goes to the next shard that may have sessions to remove, if there is one. Looks at what
    /// the shards publish; takes no lock.
    fn finds_more<S>(&mut self, cache: &SessionCache<S>) -> bool {
        loop {
            let view = cache.shards.view();
            if view.is_split() && !self.split {
                // What was in the single shard has moved: start again.
                (self.split, self.shard, self.from) = (true, 0, Expiry::FIRST);
            }
            match view.heads().get(self.shard) {
                None if view.len() == cache.shards.view().len() => return false,
                None => {}
                Some(head) => {
                    let first = head.load();
                    if first.sequence != NOBODY && self.is_due(first.expiry.max(self.from)) {
                        return true;
                    }
                    self.go_on(None);
                }
            }
        }
    }

    /// Removes from the shard it has come to, in one hold of its lock.
    fn step<S>(
        &mut self,
        cache: &SessionCache<S>,
        most: usize,
        mut departed: impl FnMut(Departed<S>),
    ) {
        let view = cache.shards.view();
        if self.shard >= view.len() || view.is_split() != self.split {
            return;
        }
        let mut shard = view.lock(self.shard);
        let mut count = 0;
        let (before, cause) = (self.before, self.cause);
        let next = shard.sweep(
            self.from,
            before,
            |expiry| self.is_due(expiry),
            cause,
            most,
            |gone| {
                count += 1;
                departed(gone);
            },
        );
        cache.counters.depart(count);
        let spare = shard.take_spare();
        drop(shard);
        drop(spare);
        self.go_on(next);
    }

    fn go_on(&mut self, from: Option<Expiry>) {
        if from.is_none() {
            self.shard += 1;
        }
        self.from = from.unwrap_or(Expiry::FIRST);
    }

    /// Removes one.
    fn next<S>(&mut self, cache: &SessionCache<S>) -> Option<Departed<S>> {
        let mut one = None;
        while one.is_none() && self.finds_more(cache) {
            self.step(cache, 1, |departed| one = Some(departed));
        }
        one
    }
}
