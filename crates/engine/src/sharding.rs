//! How a cache is cut into shards: nothing at first, then one, then 16.
//!
//! A process can have ten thousand contexts with ten sessions each, or one with a million. So a
//! cache allocates nothing before its first session; then it is a single shard; and when that
//! holds [`SPLIT_AT`] sessions it is split once, under its lock, into [`SHARDS`]. Whoever waited
//! for the lock of the single shard finds it marked as moved and goes on to the 16.
//!
//! Each shard publishes which of its sessions expires first, in an array apart from the shards:
//! the search for the session that expires first of all reads that array and takes no lock.
//!
//! An operation holds the lock of one shard at a time, so the order of locks matters only to
//! `Frozen`, which takes all of them: `growing`, the single shard, the 16 from first to last.

use super::key::{Hash, Key, SHARD_BITS};
use super::rank::Head;
use super::shard::{Locked, Shard};
use super::slab::NoMemory;
use once_cell::race::OnceBox;
use sslcache_sync::{Guard, Lock};

/// Shards after the split.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;

/// Sessions at which the single shard is split.
pub(super) const SPLIT_AT: usize = 256;

/// The shards as they were at one moment: none, one, or 16.
pub(super) struct View<'a, S> {
    shards: &'a [Shard<S>],
    heads: &'a [Head],
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for View<'_, S> {}

impl<'a, S> View<'a, S> {
    pub(super) fn len(self) -> usize {
        self.shards.len()
    }

    pub(super) fn is_split(self) -> bool {
        self.shards.len() == SHARDS
    }

    pub(super) fn heads(self) -> &'a [Head] {
        self.heads
    }

    pub(super) fn lock(self, shard: usize) -> Locked<'a, S> {
        self.shards[shard].lock(&self.heads[shard])
    }

    /// Does a session with this hash belong into this shard?
    pub(super) fn is_home(self, shard: usize, hash: Hash) -> bool {
        !self.is_split() || hash.shard() == shard
    }
}

/// The shards of a cache.
pub(super) struct Sharding<S> {
    /// The 16, once there are any; `heads` is there before them.
    shards: OnceBox<[Shard<S>; SHARDS]>,
    heads: OnceBox<[Head; SHARDS]>,
    /// The single shard. Stays, empty, after the split: someone may be waiting for its lock.
    first: OnceBox<[Shard<S>; 1]>,
    first_head: [Head; 1],
    /// Held while the single shard is made.
    growing: Lock<()>,
}

impl<S> Sharding<S> {
    pub(super) const fn new() -> Self {
        Sharding {
            shards: OnceBox::new(),
            heads: OnceBox::new(),
            first: OnceBox::new(),
            first_head: [Head::new()],
            growing: Lock::new(()),
        }
    }

    pub(super) fn view(&self) -> View<'_, S> {
        if let (Some(shards), Some(heads)) = (self.shards.get(), self.heads.get()) {
            return View { shards, heads };
        }
        View {
            shards: self.first.get().map_or(&[], |first| first),
            heads: &self.first_head[..usize::from(self.first.get().is_some())],
        }
    }

    /// The shard for this hash, locked; `None` if there are no shards.
    #[inline]
    pub(super) fn lock(&self, hash: Hash) -> Option<Locked<'_, S>> {
        match (self.shards.get(), self.heads.get()) {
            (Some(shards), Some(heads)) => Some(shards[hash.shard()].lock(&heads[hash.shard()])),
            _ => self.lock_unsplit(hash),
        }
    }

    /// Is the key there? Takes no lock, unless who is changing the shard was stopped in the middle.
    #[inline(always)]
    pub(super) fn contains(&self, key: &Key) -> bool {
        let hash = key.hash();
        match self.contains_if_unchanged(hash, key) {
            Some(found) => found,
            None => self.contains_meanwhile(hash, *key),
        }
    }

    #[inline(always)]
    fn contains_if_unchanged(&self, hash: Hash, key: &Key) -> Option<bool> {
        let shard = match self.shards.get() {
            Some(shards) => &shards[hash.shard()],
            None => match self.first.get() {
                Some([first]) => first,
                None => return Some(false),
            },
        };
        shard.directory.contains(hash, key)
    }

    /// The same while another thread changes the shard: that takes less time than to wait for a lock.
    #[cold]
    fn contains_meanwhile(&self, hash: Hash, key: Key) -> bool {
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            if let Some(found) = self.contains_if_unchanged(hash, &key) {
                return found;
            }
            std::hint::spin_loop();
        }
        self.lock(hash).is_some_and(|shard| shard.find(hash, &key).is_some())
    }

    #[cold]
    fn lock_unsplit(&self, hash: Hash) -> Option<Locked<'_, S>> {
        let first = self.lock_first()?;
        if first.has_moved() {
            drop(first);
            return Some(self.view().lock(hash.shard()));
        }
        Some(first)
    }

    /// The same; makes the first shard if there is none.
    pub(super) fn lock_or_make(&self, hash: Hash) -> Result<Locked<'_, S>, NoMemory> {
        if let Some(shard) = self.lock(hash) {
            return Ok(shard);
        }
        self.make_first()?;
        self.lock(hash).ok_or(NoMemory)
    }

    fn make_first(&self) -> Result<(), NoMemory> {
        let _growing = self.growing.lock();
        if self.first.get().is_none() {
            let first = boxed(|_| Ok(Shard::new()))?;
            // Only who holds `growing` sets it, and it was not set.
            let _ = self.first.set(first);
        }
        Ok(())
    }

    /// Splits the single shard, given locked, if it is time. Without memory it stays as it is.
    #[inline]
    pub(super) fn split_if_due(&self, first: &mut Locked<'_, S>) {
        if first.len() >= SPLIT_AT && self.shards.get().is_none() {
            let _ = self.split(first);
        }
    }

    #[cold]
    fn split(&self, first: &mut Locked<'_, S>) -> Result<(), NoMemory> {
        let mut room = [0; SHARDS];
        for hash in first.hashes() {
            room[hash.shard()] += 1;
        }
        let heads: Box<[Head; SHARDS]> = boxed(|_| Ok(Head::new()))?;
        let shards: Box<[Shard<S>; SHARDS]> = boxed(|i| first.successor(room[i]))?;
        // From here on nothing fails.
        first.move_out(|hash| shards[hash.shard()].lock(&heads[hash.shard()]));
        // Only who holds the lock of the single shard sets them, and they were not set.
        let _ = self.heads.set(heads);
        let _ = self.shards.set(shards);
        Ok(())
    }

    /// Each shard there is or was, one after the other, locked.
    pub(super) fn for_each(&self, mut f: impl FnMut(&Locked<'_, S>)) {
        if let Some(first) = self.lock_first() {
            f(&first);
        }
        let view = self.view();
        (0..view.len()).filter(|_| view.is_split()).for_each(|shard| f(&view.lock(shard)));
    }

    pub(super) fn lock_growing(&self) -> Guard<'_, ()> {
        self.growing.lock()
    }

    pub(super) fn lock_first(&self) -> Option<Locked<'_, S>> {
        let [first] = self.first.get()?;
        Some(first.lock(&self.first_head[0]))
    }
}

/// A boxed array whose allocation may fail without an abort.
pub(super) fn boxed<T, const N: usize>(
    make: impl FnMut(usize) -> Result<T, NoMemory>,
) -> Result<Box<[T; N]>, NoMemory> {
    let mut items = Vec::new();
    items.try_reserve_exact(N)?;
    for item in (0..N).map(make) {
        items.push(item?);
    }
    items.try_into().map_err(|_| NoMemory)
}
