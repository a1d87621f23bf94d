//! How a cache is cut into shards: nothing at first, then one, then 32.
//!
//! A process can have ten thousand contexts with ten sessions each, or one with a million. So a
//! cache allocates nothing before its first session; then it is a single shard; and when that
//! holds [`SPLIT_AT`] sessions it is split once, under its lock, into [`SHARDS`]. Whoever waited
//! for the lock of the single shard finds it marked as moved and goes on to the 32.
//!
//! Each shard publishes which of its sessions expires first, in an array apart from the shards:
//! the search for the session that expires first of all reads that array and takes no lock.
//!
//! An operation holds the lock of one shard at a time, so the order of locks matters only to
//! `Frozen`, which takes all of them: `growing`, the single shard, the 32 from first to last.

use super::Rank;
use super::expiry::Expiry;
use super::key::{Hash, SHARD_BITS};
use super::lock::{Guard, Lock};
use super::shard::{Shard, Storage};
use super::slab::NoMemory;
use once_cell::race::OnceBox;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

/// Shards after the split.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;

/// Sessions at which the single shard is split.
pub(super) const SPLIT_AT: usize = 256;

/// A shard behind its lock. Padded, so that two shards share no cache line, nor a pair of lines
/// that the processor fetches together.
#[repr(align(128))]
pub(super) struct Cell<S>(Lock<Shard<S>>);

/// What a shard publishes: the place of its first session. Written under the shard's lock.
pub(super) struct Head {
    expiry: AtomicU64,
    sequence: AtomicU64,
}

impl Head {
    const fn new() -> Self {
        Head {
            expiry: AtomicU64::new(Rank::LAST.expiry.raw()),
            sequence: AtomicU64::new(Rank::LAST.sequence),
        }
    }

    /// The expiry of the first session: the same hint, half of it.
    #[inline]
    pub(super) fn expiry(&self) -> Expiry {
        Expiry::from_raw(self.expiry.load(Ordering::Acquire))
    }

    /// [`Rank::LAST`] if there is no session. Read without the lock, the two halves may belong
    /// to different moments: a hint, to be confirmed under the lock.
    pub(super) fn load(&self) -> Rank {
        Rank { expiry: self.expiry(), sequence: self.sequence.load(Ordering::Acquire) }
    }

    fn publish(&self, first: Option<Rank>) {
        let first = first.unwrap_or(Rank::LAST);
        self.expiry.store(first.expiry.raw(), Ordering::Release);
        self.sequence.store(first.sequence, Ordering::Release);
    }
}

/// A locked shard. Publishes its first session before the lock goes.
pub(super) struct Locked<'a, S> {
    head: &'a Head,
    shard: Guard<'a, Shard<S>>,
}

impl<'a, S> Locked<'a, S> {
    fn new(cell: &'a Cell<S>, head: &'a Head) -> Self {
        Locked { head, shard: cell.0.lock() }
    }

    /// Publishes the first session, if it is another one than before.
    #[inline]
    pub(super) fn publish(&mut self) {
        if self.shard.take_first_changed() {
            self.head.publish(self.shard.first());
        }
    }

    /// Panics unless the first session is published.
    pub(super) fn validate_published(&self) {
        let first = self.shard.first().unwrap_or(Rank::LAST);
        assert_eq!(self.head.load(), first, "the first session is published");
    }
}

impl<S> Deref for Locked<'_, S> {
    type Target = Shard<S>;

    fn deref(&self) -> &Shard<S> {
        &self.shard
    }
}

impl<S> DerefMut for Locked<'_, S> {
    fn deref_mut(&mut self) -> &mut Shard<S> {
        &mut self.shard
    }
}

impl<S> Drop for Locked<'_, S> {
    fn drop(&mut self) {
        self.publish();
    }
}

/// The shards as they were at one moment: none, one, or 32.
pub(super) struct View<'a, S> {
    cells: &'a [Cell<S>],
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
        self.cells.len()
    }

    pub(super) fn is_split(self) -> bool {
        self.cells.len() == SHARDS
    }

    pub(super) fn heads(self) -> &'a [Head] {
        self.heads
    }

    pub(super) fn lock(self, shard: usize) -> Locked<'a, S> {
        Locked::new(&self.cells[shard], &self.heads[shard])
    }

    /// Does a session with this hash belong into this shard?
    pub(super) fn is_home(self, shard: usize, hash: Hash) -> bool {
        !self.is_split() || hash.shard() == shard
    }
}

/// The shards of a cache.
pub(super) struct Sharding<S> {
    /// The 32, once there are any; `heads` is there before them.
    cells: OnceBox<[Cell<S>; SHARDS]>,
    heads: OnceBox<[Head; SHARDS]>,
    /// The single shard. Stays, empty, after the split: someone may be waiting for its lock.
    first: OnceBox<[Cell<S>; 1]>,
    first_head: [Head; 1],
    /// Held while the single shard is made.
    growing: Lock<()>,
}

impl<S> Sharding<S> {
    pub(super) const fn new() -> Self {
        Sharding {
            cells: OnceBox::new(),
            heads: OnceBox::new(),
            first: OnceBox::new(),
            first_head: [Head::new()],
            growing: Lock::new(()),
        }
    }

    pub(super) fn view(&self) -> View<'_, S> {
        if let (Some(cells), Some(heads)) = (self.cells.get(), self.heads.get()) {
            return View { cells, heads };
        }
        View {
            cells: self.first.get().map_or(&[], |first| first),
            heads: &self.first_head[..usize::from(self.first.get().is_some())],
        }
    }

    /// The shard for this hash, locked; `None` if there are no shards.
    #[inline]
    pub(super) fn lock(&self, hash: Hash) -> Option<Locked<'_, S>> {
        let (cell, head) = match (self.cells.get(), self.heads.get()) {
            (Some(cells), Some(heads)) => (&cells[hash.shard()], &heads[hash.shard()]),
            _ => return self.lock_unsplit(hash),
        };
        Some(Locked::new(cell, head))
    }

    #[cold]
    fn lock_unsplit(&self, hash: Hash) -> Option<Locked<'_, S>> {
        let first = self.lock_first()?;
        if first.moved {
            drop(first);
            return Some(self.view().lock(hash.shard()));
        }
        Some(first)
    }

    /// The same for a look-up. It changes no order, so there will be nothing to publish.
    #[inline]
    pub(super) fn lock_for_look_up(&self, hash: Hash) -> Option<Guard<'_, Shard<S>>> {
        match self.cells.get() {
            Some(cells) => Some(cells[hash.shard()].0.lock()),
            None => self.lock_unsplit_for_look_up(hash),
        }
    }

    #[cold]
    fn lock_unsplit_for_look_up(&self, hash: Hash) -> Option<Guard<'_, Shard<S>>> {
        let first = self.first.get()?[0].0.lock();
        if first.moved {
            drop(first);
            return Some(self.cells.get()?[hash.shard()].0.lock());
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
            let first = boxed(|_| Ok(Cell(Lock::new(Shard::new()))))?;
            // Only who holds `growing` sets it, and it was not set.
            let _ = self.first.set(first);
        }
        Ok(())
    }

    /// Splits the single shard, given locked, if it is time. What it does not need any more is
    /// returned, to be freed when the lock is gone. Without memory it stays as it is.
    pub(super) fn split_if_due(&self, first: &mut Shard<S>) -> Option<Storage<S>> {
        if first.len() < SPLIT_AT || self.cells.get().is_some() {
            return None;
        }
        self.split(first).ok()
    }

    fn split(&self, first: &mut Shard<S>) -> Result<Storage<S>, NoMemory> {
        let mut room = [0; SHARDS];
        for hash in first.hashes() {
            room[hash.shard()] += 1;
        }
        let heads = boxed(|_| Ok(Head::new()))?;
        let mut cells: Box<[Cell<S>; SHARDS]> =
            boxed(|i| Ok(Cell(Lock::new(Shard::with_room(room[i], first)?))))?;
        // From here on nothing fails.
        let storage = first.move_out(|hash, entry, sequence, linked| {
            let shard = cells[hash.shard()].0.get_mut();
            let number = shard.add(hash, entry, sequence);
            if linked {
                shard.link(number, sequence);
            }
        });
        for (cell, head) in cells.iter_mut().zip(heads.iter()) {
            let shard = cell.0.get_mut();
            shard.take_first_changed();
            head.publish(shard.first());
        }
        // Only who holds the lock of the single shard sets them, and they were not set.
        let _ = self.heads.set(heads);
        let _ = self.cells.set(cells);
        Ok(storage)
    }

    /// Each shard there is or was, one after the other, locked.
    pub(super) fn for_each(&self, mut f: impl FnMut(&mut Shard<S>)) {
        if let Some(first) = self.first.get() {
            f(&mut first[0].0.lock());
        }
        for cell in self.cells.get().into_iter().flatten() {
            f(&mut cell.0.lock());
        }
    }

    pub(super) fn lock_growing(&self) -> Guard<'_, ()> {
        self.growing.lock()
    }

    pub(super) fn lock_first(&self) -> Option<Locked<'_, S>> {
        let first = self.first.get()?;
        Some(Locked::new(&first[0], &self.first_head[0]))
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
