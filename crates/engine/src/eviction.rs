//! Making room: the session that expires first in the whole cache goes.
//!
//! `held` counts the sessions; whoever finds it above the capacity evicts. Two threads must not
//! both evict for the same excess, nor each rely on the other:
//! - Who evicts takes one from `held` first (a claim), and gives it back if it then finds the
//!   victim gone. So the excess is shared out exactly.
//! - Who has given back a claim searches again: another thread may have found nothing to do
//!   because of the claim.
//! - Who inserts publishes the new session's place before it looks at `held` for the last time.
//!   Of several threads that insert at once the last one to look therefore sees the sessions of
//!   all others.
//! - A new session that would be the first of its shard has no place before its own excess is
//!   evicted: the others must not take it for that. If another one precedes it, they may: whoever
//!   evicts it then has evicted that one before, which is what happens if the insertion came first
//!   as a whole.
//!
//! A search is repeated only if another thread has changed the chosen shard meanwhile: each turn
//! is progress for somebody.

use super::departures::{Departures, Gone, Rest};
use super::key::{Hash, Key};
use super::rank::{Departed, Head, NOBODY, Rank};
use super::sharding::View;
use super::{Pace, SessionCache};
use std::sync::atomic::{Ordering, fence};

struct Victim<'a, S> {
    view: View<'a, S>,
    shard: usize,
    rank: Rank,
}

impl<S> SessionCache<S> {
    pub(super) fn is_over_capacity(&self) -> bool {
        self.counters().held() > self.capacity()
    }

    /// The second half of an insertion that left the cache over its capacity. `own` is the
    /// sequence number of the new session; if it has no place in the order yet, it gets one after
    /// the others have gone.
    pub(super) fn make_room(
        &self,
        pace: Pace,
        (hash, key): (Hash, &Key),
        entry: u32,
        own: u64,
        linked: bool,
    ) -> Departures<'_, S> {
        let mut gone = Gone::new();
        let mut own = own;
        if !linked {
            // What there is no memory to collect now is collected below.
            let _ = self.evict_excess(pace, own, &mut gone);
            own = self.link((hash, key), entry, own).unwrap_or(NOBODY);
            // What this thread published comes before what it reads from here on. (What it
            // published earlier, adding to `held` came after.)
            fence(Ordering::SeqCst);
        }
        let rest = self.evict_excess(pace, own, &mut gone);
        Departures::new(self, gone, rest, pace)
    }

    /// Gives the session its place, if it is still there: it may have been removed, or replaced.
    fn link(&self, (hash, key): (Hash, &Key), entry: u32, own: u64) -> Option<u64> {
        let mut shard = self.shards.lock(hash)?;
        // It is where it was, unless the shards were split meanwhile.
        let entry = if shard.holds(entry, own) { entry } else { shard.find(hash, key)? };
        if shard.sequence(entry) != own {
            return None;
        }
        let sequence = self.next_sequence();
        shard.link(entry, sequence);
        Some(sequence)
    }

    /// Evicts down to the capacity, sparing one session. What there is no memory to collect is
    /// left to be evicted one by one.
    ///
    /// Of several threads one evicts more than one: when a cache has been given a much smaller
    /// capacity, the others would all wait until it is reached.
    fn evict_excess(&self, pace: Pace, spared: u64, gone: &mut Gone<S>) -> Rest {
        let shrinking = &self.counters().shrinking;
        let mut ended = None;
        if gone.is_empty() {
            ended = self.evict_up_to(1, spared, gone);
        }
        if pace == Pace::OneByOne {
            return ended.unwrap_or(Rest::Excess { spared });
        }
        // Who finds another at it has told that one: it looks once more when it has finished.
        while ended.is_none() && self.is_over_capacity() && !shrinking.swap(true, Ordering::AcqRel)
        {
            ended = self.evict_up_to(usize::MAX, spared, gone);
            shrinking.swap(false, Ordering::AcqRel);
        }
        ended.unwrap_or(Rest::Nothing)
    }

    /// Evicts while there are too many, but no more than `most`. If there is an excess that it
    /// cannot evict, or not collect, tells what is left to do.
    fn evict_up_to(&self, most: usize, spared: u64, gone: &mut Gone<S>) -> Option<Rest> {
        for _ in 0..most {
            if !self.is_over_capacity() {
                break;
            }
            if gone.try_reserve(1).is_err() {
                return Some(Rest::Excess { spared });
            }
            let Some(departed) = self.evict_one(spared) else {
                return Some(Rest::Nothing);
            };
            self.counters().pending.fetch_add(1, Ordering::Relaxed);
            gone.push(departed);
        }
        None
    }

    /// Evicts one session if there are too many.
    pub(super) fn evict_one(&self, spared: u64) -> Option<Departed<S>> {
        loop {
            let victim = self.victim(spared)?;
            if !self.claim() {
                return None;
            }
            let departed = victim.view.lock(victim.shard).evict(victim.rank, spared);
            if departed.is_some() {
                return departed;
            }
            self.counters().held.fetch_add(1, Ordering::AcqRel);
            fence(Ordering::SeqCst);
        }
    }

    /// Takes one from `held` if it is above the capacity.
    fn claim(&self) -> bool {
        let capacity = isize::try_from(self.capacity()).unwrap_or(isize::MAX);
        self.counters()
            .held
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                (held > capacity).then(|| held - 1)
            })
            .is_ok()
    }

    /// The session that expires first of all, but `spared`.
    fn victim(&self, spared: u64) -> Option<Victim<'_, S>> {
        loop {
            let view = self.shards.view();
            let first = first_published(view.heads()).filter(|(rank, _)| rank.sequence != spared);
            let (rank, shard) = first.unwrap_or_else(|| first_but(view, spared));
            if rank != Rank::LAST {
                return Some(Victim { view, shard, rank });
            }
            // The single shard is empty once it has been split.
            if view.len() == self.shards.view().len() {
                return None;
            }
        }
    }
}

/// The first of all that are published, and its shard: one pass over the expiries alone, and one
/// over the few heads that have the soonest. `None` also if that has changed meanwhile.
fn first_published(heads: &[Head]) -> Option<(Rank, usize)> {
    let soonest = heads.iter().map(Head::expiry).min()?;
    let with_it = heads.iter().enumerate().filter(|(_, head)| head.expiry() == soonest);
    let first = with_it.map(|(shard, head)| (head.load(), shard)).min()?;
    (first.0.expiry == soonest && first.0.sequence != NOBODY).then_some(first)
}

/// The first but `spared`, whose shard is asked for its next one. [`Rank::LAST`] if there is none.
#[cold]
fn first_but<S>(view: View<'_, S>, spared: u64) -> (Rank, usize) {
    let mut first = (Rank::LAST, 0);
    for (shard, head) in view.heads().iter().enumerate() {
        let mut rank = head.load();
        if rank.sequence == spared && spared != NOBODY {
            rank = view.lock(shard).first_but(spared).unwrap_or(Rank::LAST);
        }
        first = first.min((rank, shard));
    }
    first
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Insertion, Key};
    use super::*;

    #[test]
    fn beside_a_thread_that_shrinks_the_cache_others_evict_one_each() {
        let cache = SessionCache::new(usize::MAX);
        let insert = |n: u64| match cache.insert(
            Key::new(0, &n.to_be_bytes()).unwrap(),
            Expiry::at(n as i64),
            n,
        ) {
            Insertion::Added { evicted, .. } => evicted.count(),
            _ => panic!("it was not there, and there is memory"),
        };
        (0..1000).for_each(|n| assert_eq!(insert(n), 0));
        cache.set_capacity(100);
        cache.counters().shrinking.store(true, Ordering::Relaxed);
        assert_eq!((insert(1000), insert(1001)), (1, 1));
        cache.counters().shrinking.store(false, Ordering::Relaxed);
        assert_eq!(insert(1002), 901);
        assert_eq!(insert(1003), 1);
        cache.validate();
    }
}
