//! The contexts of a standing that have something to find: for what concerns a session wherever it is
//! cached (its time changed), for the report at exit, and for fork.

#[cfg(not(sslcache_parking_lot))]
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(sslcache_parking_lot)]
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::whereabouts::{self, Place, Table};
use super::{InternalCache, SessionRef};
use crate::cache::Frozen;
use crate::ffi::memory::{Counted, NoMemory, boxed, push};

/// A context that can be registered.
pub trait Member: Send + Sync + 'static {
    /// The session reference of its standing.
    type Session: SessionRef + 'static;

    /// Its cache.
    fn cache(&self) -> &InternalCache<Self::Session>;
}

const SEATS: usize = u64::BITS as usize;

/// 64 contexts that share a table.
struct Block<C> {
    contexts: [Option<Counted<C>>; SEATS],
    table: &'static Table,
    /// Seats that may be taken.
    free: u64,
    /// Seats of contexts that are gone, of which the table still tells.
    left: u64,
}

impl<C> Block<C> {
    fn new() -> Result<Self, NoMemory> {
        let contexts = [const { None }; SEATS];
        Ok(Block { contexts, table: Table::leaked()?, free: u64::MAX, left: 0 })
    }

    /// Makes the seats that were left free again. Not one by one: the table has many rows.
    fn clear(&mut self) {
        self.table.forget(self.left);
        self.free |= std::mem::take(&mut self.left);
    }

    /// Those of `seats` that live.
    fn live(&self, seats: u64) -> impl Iterator<Item = &Counted<C>> {
        let mut seats = seats & !self.free & !self.left;
        std::iter::from_fn(move || {
            let seat = (seats != 0).then_some(seats.trailing_zeros())?;
            seats &= seats - 1;
            Some(self.contexts[seat as usize].as_ref())
        })
        .flatten()
    }
}

type Blocks<C> = Vec<Block<C>>;

/// The registered contexts. std's lock, because it survives fork, and parking_lot's in
/// ThreadSanitizer runs.
pub struct Registry<C> {
    blocks: RwLock<Blocks<C>>,
}

impl<C: Member> Registry<C> {
    /// Nobody.
    pub const fn new() -> Self {
        Registry { blocks: RwLock::new(Vec::new()) }
    }

    #[cfg(not(sslcache_parking_lot))]
    fn read(&self) -> RwLockReadGuard<'_, Blocks<C>> {
        self.blocks.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(sslcache_parking_lot)]
    fn read(&self) -> RwLockReadGuard<'_, Blocks<C>> {
        self.blocks.read()
    }

    #[cfg(not(sslcache_parking_lot))]
    fn write(&self) -> RwLockWriteGuard<'_, Blocks<C>> {
        self.blocks.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(sslcache_parking_lot)]
    fn write(&self) -> RwLockWriteGuard<'_, Blocks<C>> {
        self.blocks.write()
    }

    /// Registers a context, with a reference to it; a second time changes nothing.
    pub fn insert(&self, context: &Counted<C>) -> Result<(), NoMemory> {
        let mut blocks = self.write();
        let place = context.cache().place();
        if place.get().is_some() {
            return Ok(());
        }
        if blocks.iter().all(|block| block.free == 0) {
            match blocks.iter_mut().find(|block| block.left != 0) {
                Some(block) => block.clear(),
                None => {
                    // Before the block is made, whose table stays for ever.
                    blocks.try_reserve(1)?;
                    push(&mut blocks, Block::new()?)?;
                }
            }
        }
        let with_room = blocks.iter_mut().enumerate().find(|(_, block)| block.free != 0);
        let (number, block) = with_room.expect("made above");
        let seat = block.free.trailing_zeros();
        let bit = 1 << seat;
        let taken = boxed(Place { table: block.table, block: number, bit })?;
        block.free &= !bit;
        block.contexts[seat as usize] = Some(context.clone());
        // Only who holds the lock sets it, and it was not set.
        let _ = place.set(taken);
        Ok(())
    }

    /// Takes a context out, before the caller gives up its own reference.
    pub fn remove(&self, context: &C) {
        let Some(place) = context.cache().place().get() else { return };
        let mut blocks = self.write();
        let block = &mut blocks[place.block];
        block.contexts[place.bit.trailing_zeros() as usize] = None;
        block.left |= place.bit;
    }

    /// The registered contexts, one after the other. No lock is held meanwhile.
    pub fn contexts(&self) -> impl Iterator<Item = Counted<C>> {
        let mut seat = 0;
        std::iter::from_fn(move || {
            loop {
                let blocks = self.read();
                let block = blocks.get(seat / SEATS)?;
                let context = block.contexts[seat % SEATS].clone();
                seat += 1;
                if context.is_some() {
                    return context;
                }
            }
        })
    }

    /// The time or timeout of a session changed: it moves in every cache that holds it.
    pub fn reschedule(&self, session: &C::Session) {
        let seen = whereabouts::count_change();
        let (key, expiry) = session.key_and_expiry();
        // Nothing foreign happens here: it may be done under the lock of the registry.
        let blocks = self.read();
        let place = |expiry| {
            for block in blocks.iter() {
                for context in block.live(block.table.may_hold(session)) {
                    context.cache().reschedule(&key, session, expiry);
                }
            }
        };
        place(expiry);
        whereabouts::keep_up(session, seen, expiry, place);
    }

    /// Holds every cache still, so that a fork copies none of them half changed.
    pub fn freeze(&'static self) -> FrozenContexts<C> {
        let registry = self.read();
        let mut caches = Vec::new();
        for context in registry.iter().flat_map(|block| block.live(u64::MAX)) {
            let cache: *const InternalCache<C::Session> = context.cache();
            // SAFETY: the registry's reference keeps the cache alive and in place, and its lock the
            // reference. It is released after the guard: `caches` is declared first.
            let frozen = unsafe { &*cache }.sessions().freeze();
            // What there is no memory for is not held: the child may find it half changed.
            let _ = push(&mut caches, frozen);
        }
        FrozenContexts { caches, _registry: registry }
    }
}

/// Every cache, held still. The fields are dropped in this order.
pub struct FrozenContexts<C: Member> {
    caches: Vec<Frozen<'static, C::Session>>,
    _registry: RwLockReadGuard<'static, Blocks<C>>,
}

impl<C: Member> FrozenContexts<C> {
    /// Thaws in the child of a fork, where the other threads and what they were at do not exist.
    pub fn release_in_child(self) {
        let FrozenContexts { caches, _registry } = self;
        caches.into_iter().for_each(Frozen::release_in_child);
    }
}
