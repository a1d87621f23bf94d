//! All locks of a cache at once, for `fork()`.

use super::SessionCache;
use super::shard::Locked;
use super::sharding::SHARDS;
use sslcache_sync::Guard;
use std::sync::atomic::Ordering;

/// Holds every lock of a cache, so that `fork()` finds it in order. Dropping it releases them.
pub struct Frozen<'a, S> {
    cache: &'a SessionCache<S>,
    shards: Vec<Locked<'a, S>>,
    first: Option<Locked<'a, S>>,
    _growing: Guard<'a, ()>,
}

impl<'a, S> Frozen<'a, S> {
    pub(super) fn new(cache: &'a SessionCache<S>) -> Self {
        let growing = cache.shards.lock_growing();
        let first = cache.shards.lock_first();
        let mut shards = Vec::new();
        let view = cache.shards.view();
        // Without memory the 16 shards stay unlocked: a risk for the child, where an abort would
        // be certain death for parent and child.
        if view.is_split() && shards.try_reserve_exact(SHARDS).is_ok() {
            shards.extend((0..SHARDS).map(|shard| view.lock(shard)));
        }
        Frozen { cache, shards, first, _growing: growing }
    }

    /// Releases the locks in the child of a `fork()`, where the other threads do not exist:
    /// finishes the insertions they were in, and forgets the departures they had not reported.
    pub fn release_in_child(mut self) {
        let counters = self.cache.counters();
        let mut held = 0;
        for shard in self.first.iter_mut().chain(&mut self.shards) {
            shard.link_all(|| self.cache.next_sequence());
            held += shard.len();
        }
        counters.held.store(held as isize, Ordering::Release);
        counters.pending.store(0, Ordering::Release);
        counters.shrinking.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Insertion, Key, SessionCache};

    /// A fork while another thread has stored a session but not given it its place, while it had
    /// claimed one for eviction, and while it had departures to report.
    #[test]
    fn the_child_finishes_what_other_threads_were_in() {
        for before in [3, 500] {
            let cache = SessionCache::new(usize::MAX);
            let key = |n: u64| Key::new(0, &n.to_be_bytes()).unwrap();
            for n in 0..before {
                let inserted = cache.insert(key(n), Expiry::at(1), n);
                assert!(matches!(inserted, Insertion::Added { .. }));
            }
            cache.counters().depart(2);
            let hash = key(before).hash();
            let mut shard = cache.shards.lock(hash).unwrap();
            assert!(shard.try_reserve(1).is_ok());
            let sequence = cache.next_sequence();
            shard.add((hash, &key(before)), Expiry::at(0), before, sequence);
            drop(shard);

            cache.freeze().release_in_child();
            cache.validate();
            assert_eq!(cache.len() as u64, before + 1);
            assert_eq!(cache.flush(1).collect::<Vec<_>>(), [before]);
            assert_eq!(cache.len() as u64, before);
        }
    }
}
