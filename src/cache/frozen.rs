//! All locks of a cache at once, for `fork()`.

use super::SessionCache;
use super::lock::Guard;
use super::sharding::{Locked, SHARDS};
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
        // Without memory the 64 shards stay unlocked: a risk for the child, where an abort would
        // be certain death for parent and child.
        if view.is_split() && shards.try_reserve_exact(SHARDS).is_ok() {
            shards.extend((0..SHARDS).map(|shard| view.lock(shard)));
        }
        Frozen { cache, shards, first, _growing: growing }
    }

    /// Releases the locks in the child of a `fork()`, where the other threads do not exist:
    /// finishes the insertions they were in, and forgets the departures they had not reported.
    pub fn release_in_child(mut self) {
        let counters = &self.cache.counters;
        let mut held = 0;
        for shard in self.first.iter_mut().chain(&mut self.shards) {
            shard.link_all(|| self.cache.next_sequence());
            held += shard.len();
        }
        counters.held.store(held as isize, Ordering::Release);
        counters.pending.store(0, Ordering::Release);
    }
}
