//! The four caches behind one face.

use dashmap::DashMap;
use sslcache::cache::{Expiry, Key, SessionCache};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub type Id = [u8; 32];
pub type Value = Arc<u64>;

/// What a session cache does.
pub trait Cache: Send + Sync + 'static {
    fn new(capacity: usize) -> Self;
    fn insert(&self, id: Id, expiry: u64, value: Value);
    fn get(&self, id: &Id, now: u64) -> Option<Value>;
    fn remove(&self, id: &Id) -> Option<Value>;
}

/// A handle as the engine wants it: equal if it is the same session.
#[derive(Clone)]
struct Handle(Value);

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

    fn insert(&self, id: Id, expiry: u64, value: Value) {
        drop(self.0.insert(key(&id), Expiry::at(expiry as i64), Handle(value)));
    }

    /// As in OpenSSL, the expiry is the session's own: who gets it looks at it there.
    fn get(&self, id: &Id, now: u64) -> Option<Value> {
        self.0.get(&key(id)).map(|handle| handle.0).filter(|value| **value != now)
    }

    fn remove(&self, id: &Id) -> Option<Value> {
        self.0.remove(&key(id)).map(|handle| handle.0)
    }
}

/// Others keep the expiry beside the value.
#[derive(Clone)]
pub struct Expiring {
    expiry: u64,
    value: Value,
}

impl Expiring {
    fn good(self, now: u64) -> Option<Value> {
        (self.expiry >= now).then_some(self.value)
    }
}

/// quick_cache.
pub struct Quick(quick_cache::sync::Cache<Id, Expiring>);

impl Cache for Quick {
    fn new(capacity: usize) -> Self {
        Quick(quick_cache::sync::Cache::new(capacity))
    }

    fn insert(&self, id: Id, expiry: u64, value: Value) {
        self.0.insert(id, Expiring { expiry, value });
    }

    fn get(&self, id: &Id, now: u64) -> Option<Value> {
        self.0.get(id)?.good(now)
    }

    fn remove(&self, id: &Id) -> Option<Value> {
        self.0.remove(id).map(|(_, expiring)| expiring.value)
    }
}

struct ByExpiry {
    started: Instant,
}

impl moka::Expiry<Id, Expiring> for ByExpiry {
    fn expire_after_create(&self, _: &Id, session: &Expiring, at: Instant) -> Option<Duration> {
        let lifetime = Duration::from_secs(session.expiry - crate::NOW);
        Some(lifetime.saturating_sub(at.duration_since(self.started)))
    }
}

/// moka.
pub struct Moka(moka::sync::Cache<Id, Expiring>);

impl Cache for Moka {
    fn new(capacity: usize) -> Self {
        let by_expiry = ByExpiry { started: Instant::now() };
        let builder = moka::sync::Cache::builder().max_capacity(capacity as u64);
        Moka(builder.expire_after(by_expiry).build())
    }

    fn insert(&self, id: Id, expiry: u64, value: Value) {
        self.0.insert(id, Expiring { expiry, value });
    }

    fn get(&self, id: &Id, _: u64) -> Option<Value> {
        self.0.get(id).map(|expiring| expiring.value)
    }

    fn remove(&self, id: &Id) -> Option<Value> {
        self.0.remove(id).map(|expiring| expiring.value)
    }
}

/// dashmap, and a search tree in order of expiry behind a lock.
pub struct Dash {
    map: DashMap<Id, (Expiring, u64)>,
    order: Mutex<BTreeMap<(u64, u64), Id>>,
    sequence: AtomicU64,
    capacity: usize,
}

impl Cache for Dash {
    fn new(capacity: usize) -> Self {
        Dash {
            map: DashMap::new(),
            order: Mutex::default(),
            sequence: AtomicU64::new(0),
            capacity,
        }
    }

    fn insert(&self, id: Id, expiry: u64, value: Value) {
        let sequence = self.sequence.fetch_add(1, Relaxed);
        let replaced = self.map.insert(id, (Expiring { expiry, value }, sequence));
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

    fn get(&self, id: &Id, now: u64) -> Option<Value> {
        self.map.get(id)?.0.clone().good(now)
    }

    fn remove(&self, id: &Id) -> Option<Value> {
        let (_, (expiring, sequence)) = self.map.remove(id)?;
        self.order.lock().expect("nobody panics").remove(&(expiring.expiry, sequence));
        Some(expiring.value)
    }
}
