//! The engine: a bounded, concurrent map from (protocol version, session id) to a session, in
//! OpenSSL's observable order. It knows no C, no OpenSSL and no callbacks.
//!
//! # Promises
//!
//! - **Order.** Sessions leave in order of expiry, those of one second in order of insertion,
//!   exact over the whole cache. With several threads an eviction may miss what another thread
//!   is inserting at the very moment, nothing else.
//! - **The new session stays.** A full cache evicts the session that expires first, but never the
//!   one just inserted, even if that expires sooner still.
//! - **Nothing foreign runs under a lock**, but for `S::clone` and `S::eq`, which are to be a
//!   reference count and a comparison of addresses. What leaves is returned, never dropped here:
//!   the caller's callbacks and destructors may use the same cache.
//! - **No abort for want of memory.** An insertion reserves what it needs before it changes
//!   anything; without memory the session is given back.
//! - **Short waits.** No lock is held for more than a batch of sessions or the growth of one
//!   shard's index, whatever the size of the cache.
//! - **Small when unused.** A cache that never stores takes no memory beyond itself. One that has
//!   stored keeps the memory for as many sessions as it held at most: look-ups read it without a
//!   lock, and so without telling anyone.
//!
//! # Shape
//!
//! [`SessionCache`] is cut into shards (`sharding`), each with its own lock (`sslcache-sync`). A shard
//! (`shard`) has entries of one cache line (`slab`), found by key (`index`), in order of expiry
//! (`order`). From a key to an entry it can be read without the lock (`directory`), in arrays that
//! never move (`lines`). Evicting (`eviction`) and flushing (`departures`) work over all shards but
//! lock one at a time.
//!
//! ```
//! use sslcache_engine::{Expiry, Insertion, Key, SessionCache};
//! use std::sync::Arc;
//!
//! # #[derive(Clone)] struct Session(Arc<str>);
//! # impl PartialEq for Session { fn eq(&self, o: &Self) -> bool { Arc::ptr_eq(&self.0, &o.0) } }
//! let cache = SessionCache::new(20_480);
//! let key = Key::new(0x0303, b"a session id").unwrap();
//! match cache.insert(key, Expiry::after(1_700_000_000, 300), Session("secret".into())) {
//!     Insertion::Added { replaced, evicted } => {
//!         assert!(replaced.is_none());
//!         assert_eq!(evicted.count(), 0);
//!     }
//!     Insertion::AlreadyThere(_) | Insertion::NoMemory(_) => unreachable!(),
//! }
//! assert!(cache.get(&key).is_some());
//! assert_eq!(cache.flush(1_700_000_301).count(), 1);
//! assert!(cache.is_empty());
//! ```
#![forbid(unsafe_code)]

mod departures;
mod directory;
mod eviction;
mod expiry;
mod frozen;
mod index;
mod key;
mod lines;
mod order;
mod rank;
mod shard;
mod sharding;
mod slab;
mod statistics;

pub use departures::Departures;
pub use expiry::Expiry;
pub use frozen::Frozen;
pub use key::KEY_WORDS;
pub use key::{Key, SessionId};
pub use sslcache_sync::{Sequence, Writing};
pub use statistics::Statistics;

use departures::Sweep;
use key::Hash;
use once_cell::race::OnceBox;
use shard::Locked;
use sharding::{SPLIT_AT, Sharding, boxed};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering};

/// Why a session left the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// It was removed.
    Explicit,
    /// Another session took its key.
    Replaced,
    /// Its time was over.
    Expired,
    /// The cache was full.
    Evicted,
    /// It was taken for its single use.
    Taken,
    /// The cache was closed.
    Closed,
}

/// What became of an insertion.
#[must_use = "it holds the sessions that left"]
pub enum Insertion<'a, S> {
    /// The session is in the cache.
    Added {
        /// The session that had the same key.
        replaced: Option<S>,
        /// The sessions that made room.
        evicted: Departures<'a, S>,
    },
    /// This very session is there already; nothing changed. It is given back.
    AlreadyThere(S),
    /// There was no memory; nothing changed. It is given back.
    NoMemory(S),
}

/// How several sessions leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// In the call that has them leave: it is quicker.
    AtOnce,
    /// Each as it is asked for.
    OneByOne,
}

/// What every insertion and departure writes.
#[repr(align(64))]
struct Counters {
    /// Sessions in the cache. Below zero for a moment when a session that is about to be evicted,
    /// and no longer counted, is removed by another thread: see `eviction`.
    held: AtomicIsize,
    /// Sessions that have left and were not reported yet.
    pending: AtomicUsize,
    /// The next sequence number.
    sequence: AtomicU64,
    /// A thread is evicting more than it has added.
    shrinking: AtomicBool,
}

/// Those of a cache that never stored. Nobody counts there: every count follows an insertion.
static UNUSED: Counters = Counters::new();

impl Counters {
    const fn new() -> Self {
        Counters {
            held: AtomicIsize::new(0),
            pending: AtomicUsize::new(0),
            sequence: AtomicU64::new(0),
            shrinking: AtomicBool::new(false),
        }
    }

    fn held(&self) -> usize {
        usize::try_from(self.held.load(Ordering::Acquire)).unwrap_or(0)
    }

    fn depart(&self, count: usize) {
        self.held.fetch_sub(count as isize, Ordering::AcqRel);
        self.pending.fetch_add(count, Ordering::Relaxed);
    }

    fn report_one(&self) {
        // Zero already, if this is the child of a fork: see `Frozen::release_in_child`.
        let _ = self
            .pending
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pending| pending.checked_sub(1));
    }
}

/// The sessions of a context. See the module for what it promises.
///
/// `S` is a handle of a session: `clone` takes a reference, `==` tells whether two handles are of
/// the very same session.
pub struct SessionCache<S> {
    shards: Sharding<S>,
    capacity: AtomicUsize,
    /// In a box of their own: what every insertion writes is to lie apart from what every look-up
    /// reads, and a cache that never stores is to be small.
    counters: OnceBox<[Counters; 1]>,
    /// Look-ups before there was a shard to count them.
    early_misses: AtomicU64,
}

const _: () = assert!(size_of::<SessionCache<usize>>() <= 72);

impl<S> SessionCache<S> {
    /// A cache for up to `capacity` sessions, `usize::MAX` for any number. Allocates nothing.
    pub const fn new(capacity: usize) -> Self {
        SessionCache {
            shards: Sharding::new(),
            capacity: AtomicUsize::new(capacity),
            counters: OnceBox::new(),
            early_misses: AtomicU64::new(0),
        }
    }

    fn counters(&self) -> &Counters {
        self.counters.get().map_or(&UNUSED, |counters| &counters[0])
    }

    /// The most sessions it holds.
    pub fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Sets the most sessions it holds. Nothing is evicted before the next insertion.
    pub fn set_capacity(&self, n: usize) {
        self.capacity.store(n, Ordering::Relaxed);
    }

    /// The number of sessions, those included that have left but that a [`Departures`] has not
    /// handed out yet: what OpenSSL shows inside a remove callback.
    pub fn len(&self) -> usize {
        let counters = self.counters();
        counters.held() + counters.pending.load(Ordering::Acquire)
    }

    /// Is [`len`](Self::len) zero?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes every session whose expiry is past at `now`, of those that are there when it
    /// starts.
    pub fn flush(&self, now: i64) -> Departures<'_, S> {
        Departures::sweep(self, Sweep::new(self, Some(now), Cause::Expired))
    }

    /// Removes every session that is there when it starts.
    pub fn flush_all(&self, cause: Cause) -> Departures<'_, S> {
        Departures::sweep(self, Sweep::new(self, None, cause))
    }

    /// The same as [`flush`](Self::flush), or for `None` as [`flush_all`](Self::flush_all), one by
    /// one: each session leaves when it is asked for, and those that nobody asks for stay. For a
    /// caller who may not come back from what it does between two of them.
    pub fn flush_one_by_one(&self, now: Option<i64>, cause: Cause) -> Departures<'_, S> {
        Departures::one_by_one(self, Sweep::new(self, now, cause))
    }

    /// Is there a session with this key? Takes no lock, unless another thread is just changing the
    /// shard.
    #[inline(always)]
    pub fn contains(&self, key: &Key) -> bool {
        self.shards.contains(key)
    }

    /// Removes the session with this key.
    pub fn remove(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let shard = self.shards.lock(hash)?;
        let entry = shard.find(hash, key)?;
        Some(self.remove_entry(shard, hash, entry, Cause::Explicit))
    }

    /// Takes the session with this key for its single use: a look-up and a removal in one step.
    /// Of several threads that take the same session one gets it.
    pub fn take(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let Some(mut shard) = self.shards.lock(hash) else {
            self.count_early_miss();
            return None;
        };
        let entry = shard.look_up(hash, key)?;
        Some(self.remove_entry(shard, hash, entry, Cause::Taken))
    }

    /// Holds every lock of the cache, for `pthread_atfork`.
    pub fn freeze(&self) -> Frozen<'_, S> {
        Frozen::new(self)
    }

    /// What happened so far.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics {
            misses_unknown: self.early_misses.load(Ordering::Relaxed),
            ..Statistics::default()
        };
        self.shards.for_each(|shard| {
            statistics.add(shard.counts());
            statistics.held += shard.len() as u64;
        });
        statistics
    }

    fn remove_entry(&self, mut shard: Locked<'_, S>, hash: Hash, entry: u32, cause: Cause) -> S {
        let session = shard.remove(hash, entry, cause);
        self.counters().held.fetch_sub(1, Ordering::AcqRel);
        session
    }

    #[cold]
    fn count_early_miss(&self) {
        self.early_misses.fetch_add(1, Ordering::Relaxed);
    }

    fn next_sequence(&self) -> u64 {
        self.counters().sequence.fetch_add(1, Ordering::AcqRel)
    }

    /// Walks every invariant and panics at the first one that does not hold. For tests; no other
    /// thread may use the cache meanwhile.
    #[doc(hidden)]
    pub fn validate(&self) {
        let view = self.shards.view();
        let mut held = 0;
        for number in 0..view.len() {
            let shard = view.lock(number);
            shard.validate(|hash| view.is_home(number, hash));
            held += shard.len();
        }
        let counted = self.counters().held.load(Ordering::Acquire);
        assert_eq!(usize::try_from(counted), Ok(held));
        if let Some(first) = self.shards.lock_first() {
            first.validate(|_| !view.is_split());
            assert_eq!(first.has_moved(), view.is_split());
        }
    }
}

impl<S: Clone + PartialEq> SessionCache<S> {
    /// Stores a session. If the same key has this very session, nothing happens; if it has
    /// another one, that is replaced. Then, if there are more sessions than the capacity, those
    /// that expire first make room, but never the new one.
    pub fn insert(&self, key: Key, expiry: Expiry, session: S) -> Insertion<'_, S> {
        self.insert_at(Pace::AtOnce, key, expiry, session)
    }

    /// The same, but of several sessions that make room only the first leaves in this call; see
    /// [`flush_one_by_one`](Self::flush_one_by_one).
    pub fn insert_one_by_one(&self, key: Key, expiry: Expiry, session: S) -> Insertion<'_, S> {
        self.insert_at(Pace::OneByOne, key, expiry, session)
    }

    #[inline]
    fn insert_at(&self, pace: Pace, key: Key, expiry: Expiry, session: S) -> Insertion<'_, S> {
        let hash = key.hash();
        let counters = self.counters.get_or_try_init(|| boxed(|_| Ok(Counters::new())));
        let (Ok(_), Ok(mut shard)) = (counters, self.shards.lock_or_make(hash)) else {
            return Insertion::NoMemory(session);
        };
        let found = shard.find(hash, &key);
        if found.is_some_and(|entry| *shard.session(entry) == session) {
            drop(shard);
            return Insertion::AlreadyThere(session);
        }
        if shard.try_reserve(1).is_err() {
            drop(shard);
            return Insertion::NoMemory(session);
        }
        // From here on nothing fails.
        let sequence = self.next_sequence();
        let (entry, replaced) = match found {
            Some(entry) => {
                let replaced = shard.replace(entry, expiry, session, sequence);
                (entry, Some(replaced))
            }
            None => (shard.add((hash, &key), expiry, session, sequence), None),
        };
        shard.count_stored();
        // As in OpenSSL, a session gets its place in the order only after the others have made
        // room for it: nothing evicts it meanwhile. If another one leaves before it anyway, that
        // makes no difference.
        let added = usize::from(replaced.is_none());
        let fits = self.counters().held() + added <= self.capacity();
        let linked = fits || !shard.would_be_first(expiry);
        if linked {
            shard.link(entry, sequence);
            // Before `held` says that there is one more: see `eviction`.
            shard.publish();
        }
        self.counters().held.fetch_add(added as isize, Ordering::AcqRel);
        self.shards.split_if_due(&mut shard);
        drop(shard);
        let evicted = if linked && !self.is_over_capacity() {
            Departures::none(self)
        } else {
            self.make_room(pace, (hash, &key), entry, sequence, linked)
        };
        Insertion::Added { replaced, evicted }
    }

    /// The session with this key. Counts a hit, or a miss and its reason.
    pub fn get(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let Some(mut shard) = self.shards.lock(hash) else {
            self.count_early_miss();
            return None;
        };
        let entry = shard.look_up(hash, key)?;
        Some(shard.session(entry).clone())
    }

    /// The session with this key. Counts nothing.
    pub fn peek(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let shard = self.shards.lock(hash)?;
        let entry = shard.find(hash, key)?;
        Some(shard.session(entry).clone())
    }

    /// Moves this very session, if it is under this key, to its new place in the order, as the
    /// newest among those that expire with it. Tells whether it was there (and whether there was
    /// memory to move it).
    pub fn reschedule(&self, key: &Key, session: &S, expiry: Expiry) -> bool {
        let hash = key.hash();
        let Some(mut shard) = self.shards.lock(hash) else {
            return false;
        };
        let found = shard.find(hash, key);
        let this = found.filter(|&entry| shard.session(entry) == session);
        match this {
            Some(entry) if shard.try_reserve(1).is_ok() => {
                shard.reschedule(entry, expiry, self.next_sequence());
                true
            }
            _ => false,
        }
    }

    /// Shows every session, in no particular order, to `f`, which may use the cache: it is given
    /// copies, and no lock is held. Sessions that come or go meanwhile may or may not be seen.
    pub fn for_each(&self, mut f: impl FnMut(&Key, &S)) {
        // All of a cache that is one shard is seen in one batch: it may be split under `f`.
        const BATCH: usize = SPLIT_AT;
        let (mut number, mut from) = (0, 0);
        let mut view = self.shards.view();
        while number < view.len() {
            let mut seen: SmallVec<[(Key, S); 1]> = SmallVec::new();
            let most = if seen.try_reserve(BATCH).is_ok() { BATCH } else { 1 };
            let shard = view.lock(number);
            if shard.has_moved() {
                view = self.shards.view();
                continue;
            }
            let next = shard.visit(from, most, |key, session| seen.push((key, session.clone())));
            drop(shard);
            seen.iter().for_each(|(key, session)| f(key, session));
            number += usize::from(next.is_none());
            from = next.unwrap_or(0);
        }
    }
}
