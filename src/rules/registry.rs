//! The contexts of a standing that have something to find: for what concerns a session wherever it is
//! cached (its time changed), for the report at exit, and for fork.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
#[cfg(not(sslcache_parking_lot))]
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(sslcache_parking_lot)]
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{InternalCache, SessionRef};
use crate::cache::Frozen;

/// A context that can be registered.
pub trait Member: Send + Sync + 'static {
    /// The session reference of its standing.
    type Session: SessionRef + 'static;

    /// Its cache.
    fn cache(&self) -> &InternalCache<Self::Session>;
}

type ByAddress<C> = BTreeMap<usize, Weak<C>>;

/// The registered contexts, by address. std's lock, because it survives fork, and parking_lot's in
/// ThreadSanitizer runs: src/cache/lock.rs says more.
pub struct Registry<C> {
    contexts: RwLock<ByAddress<C>>,
}

impl<C: Member> Registry<C> {
    /// Nobody.
    pub const fn new() -> Self {
        Registry { contexts: RwLock::new(BTreeMap::new()) }
    }

    #[cfg(not(sslcache_parking_lot))]
    fn read(&self) -> RwLockReadGuard<'_, ByAddress<C>> {
        self.contexts.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(sslcache_parking_lot)]
    fn read(&self) -> RwLockReadGuard<'_, ByAddress<C>> {
        self.contexts.read()
    }

    #[cfg(not(sslcache_parking_lot))]
    fn write(&self) -> RwLockWriteGuard<'_, ByAddress<C>> {
        self.contexts.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(sslcache_parking_lot)]
    fn write(&self) -> RwLockWriteGuard<'_, ByAddress<C>> {
        self.contexts.write()
    }

    /// Registers a context; a second time changes nothing.
    pub fn insert(&self, context: &Arc<C>) {
        self.write().insert(Arc::as_ptr(context).addr(), Arc::downgrade(context));
    }

    /// Takes a context out.
    pub fn remove(&self, context: &C) {
        self.write().remove(&std::ptr::from_ref(context).addr());
    }

    /// The registered contexts that still live.
    pub fn contexts(&self) -> Vec<Arc<C>> {
        self.read().values().filter_map(Weak::upgrade).collect()
    }

    /// The time or timeout of a session changed: it moves in every cache that holds it.
    pub fn reschedule(&self, session: &C::Session) {
        let (key, expiry) = session.key_and_expiry();
        // Nothing foreign happens here: it may be done under the lock of the registry.
        for context in self.read().values().filter_map(Weak::upgrade) {
            context.cache().reschedule(&key, session, expiry);
        }
    }

    /// Holds every cache still, so that a fork copies none of them half changed.
    pub fn freeze(&'static self) -> FrozenContexts<C> {
        let registry = self.read();
        let contexts: Vec<Arc<C>> = registry.values().filter_map(Weak::upgrade).collect();
        let caches = contexts
            .iter()
            .map(|context| {
                let cache: *const InternalCache<C::Session> = context.cache();
                // SAFETY: the Arc in `contexts` keeps the cache alive and in place, and is dropped
                // after the guard: `caches` is declared before `contexts`.
                unsafe { &*cache }.sessions().freeze()
            })
            .collect();
        FrozenContexts { caches, _contexts: contexts, _registry: registry }
    }
}

/// Every cache, held still. The fields are dropped in this order.
pub struct FrozenContexts<C: Member> {
    caches: Vec<Frozen<'static, C::Session>>,
    _contexts: Vec<Arc<C>>,
    _registry: RwLockReadGuard<'static, ByAddress<C>>,
}

impl<C: Member> FrozenContexts<C> {
    /// Thaws in the child of a fork, where the other threads and what they were at do not exist.
    pub fn release_in_child(self) {
        let FrozenContexts { caches, _contexts, _registry } = self;
        caches.into_iter().for_each(Frozen::release_in_child);
    }
}
