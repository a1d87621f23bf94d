//! The four caches behind one face.

use dashmap::DashMap;
use sslcache_engine::{Expiry, Insertion, Key, SessionCache};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub type Id = [u8; 32];

/// Knows itself when it expires, as OpenSSL's do: who gets it looks at that.
pub struct Session {
    pub id: Id,
    pub expiry: u64,
}

impl Session {
    fn good(&self) -> bool {
        self.expiry >= crate::NOW
    }
}

/// What a session cache does.
pub trait Cache: Send + Sync + 'static {
    fn new(capacity: usize) -> Self;
    fn insert(&self, session: Arc<Session>);
    /// None that has expired.
    fn get(&self, id: &Id) -> Option<Arc<Session>>;
    fn remove(&self, id: &Id);
}

/// A handle as the engine wants it: equal if it is the same session.
#[derive(Clone)]
struct Handle(Arc<Session>);

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Ours.
pub struct Engine(SessionCache<Handle>);

fn key(id: &Id) -> Key {
    Key::new(0x0304, id).expect("32 bytes")
}

impl Cache for Engine {
    fn new(capacity: usize) -> Self {
        Engine(SessionCache::new(capacity))
    }

    fn insert(&self, session: Arc<Session>) {
        let expiry = Expiry::at(session.expiry as i64);
        if let Insertion::Added { evicted, .. } =
            self.0.insert(key(&session.id), expiry, Handle(session))
        {
            evicted.for_each(drop);
        }
    }

    fn get(&self, id: &Id) -> Option<Arc<Session>> {
        self.0.get(&key(id)).map(|handle| handle.0).filter(|session| session.good())
    }

    fn remove(&self, id: &Id) {
        drop(self.0.remove(&key(id)));
    }
}

/// quick_cache.
pub struct Quick(quick_cache::sync::Cache<Id, Arc<Session>>);

impl Cache for Quick {
    fn new(capacity: usize) -> Self {
        Quick(quick_cache::sync::Cache::new(capacity))
    }

    fn insert(&self, session: Arc<Session>) {
        self.0.insert(session.id, session);
    }

    fn get(&self, id: &Id) -> Option<Arc<Session>> {
        self.0.get(id).filter(|session| session.good())
    }

    fn remove(&self, id: &Id) {
        drop(self.0.remove(id));
    }
}

struct ByExpiry {
    started: Instant,
}

impl moka::Expiry<Id, Arc<Session>> for ByExpiry {
    fn expire_after_create(&self, _: &Id, session: &Arc<Session>, at: Instant) -> Option<Duration> {
        let lifetime = Duration::from_secs(session.expiry - crate::NOW);
        Some(lifetime.saturating_sub(at.duration_since(self.started)))
    }
}

/// moka.
pub struct Moka(moka::sync::Cache<Id, Arc<Session>>);

impl Cache for Moka {
    fn new(capacity: usize) -> Self {
        let by_expiry = ByExpiry { started: Instant::now() };
        let builder = moka::sync::Cache::builder().max_capacity(capacity as u64);
        Moka(builder.expire_after(by_expiry).build())
    }

    fn insert(&self, session: Arc<Session>) {
        self.0.insert(session.id, session);
    }

    /// It sees to the expiry by itself.
    fn get(&self, id: &Id) -> Option<Arc<Session>> {
        self.0.get(id)
    }

    fn remove(&self, id: &Id) {
        self.0.invalidate(id);
    }
}

/// dashmap, and a search tree in order of expiry behind a lock.
pub struct Dash {
    map: DashMap<Id, (Arc<Session>, u64)>,
    order: Mutex<BTreeMap<(u64, u64), Id>>,
    sequence: AtomicU64,
    capacity: usize,
}

impl Cache for Dash {
    fn new(capacity: usize) -> Self {
        Dash { map: DashMap::new(), order: Mutex::default(), sequence: AtomicU64::new(0), capacity }
    }

    fn insert(&self, session: Arc<Session>) {
        let (id, expiry) = (session.id, session.expiry);
        let sequence = self.sequence.fetch_add(1, Relaxed);
        let replaced = self.map.insert(id, (session, sequence));
        let mut order = self.order.lock().expect("nobody panics");
        if let Some((old, sequence)) = replaced {
            order.remove(&(old.expiry, sequence));
        }
        order.insert((expiry, sequence), id);
        let victim = if order.len() > self.capacity { order.pop_first() } else { None };
        drop(order);
        if let Some((_, id)) = victim {
            self.map.remove(&id);
        }
    }

    fn get(&self, id: &Id) -> Option<Arc<Session>> {
        self.map.get(id).map(|entry| entry.0.clone()).filter(|session| session.good())
    }

    fn remove(&self, id: &Id) {
        if let Some((_, (session, sequence))) = self.map.remove(id) {
            let mut order = self.order.lock().expect("nobody panics");
            order.remove(&(session.expiry, sequence));
        }
    }
}
