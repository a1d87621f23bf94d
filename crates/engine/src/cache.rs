//! The cache as its users see it: each operation is one hold of the lock, or none.

use super::departures::{Departures, Flush, Rest};
use super::expiry::Expiry;
use super::key::Key;
use super::memory::{NoMemory, try_boxed};
use super::pages::{ENTRIES, Locked, Store};
use super::state::State;
use super::statistics::Statistics;
use once_cell::race::OnceBox;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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
        /// The sessions that make room.
        evicted: Departures<'a, S>,
    },
    /// This very session is there already; nothing changed. It is given back.
    AlreadyThere(S),
    /// There was no memory; nothing changed. It is given back.
    NoMemory(S),
}

/// The sessions of a context. See the crate for what it promises.
///
/// `S` is a handle of a session: `clone` takes a reference, `==` tells whether two handles are of
/// the very same session.
pub struct SessionCache<S> {
    store: OnceBox<[Store<S, State>; 1]>,
    capacity: AtomicUsize,
    /// Look-ups before there was a store to count them.
    early_misses: AtomicU64,
}

const _: () = assert!(size_of::<SessionCache<usize>>() <= 24);

impl<S> SessionCache<S> {
    /// A cache for up to `capacity` sessions, `usize::MAX` for any number. Allocates nothing.
    pub const fn new(capacity: usize) -> Self {
        SessionCache {
            store: OnceBox::new(),
            capacity: AtomicUsize::new(capacity),
            early_misses: AtomicU64::new(0),
        }
    }

    /// The lock, held; `None` if nothing was ever stored.
    #[inline(always)]
    pub(super) fn lock(&self) -> Option<Locked<'_, S, State>> {
        let [store] = self.store.get()?;
        Some(locked(store))
    }

    #[inline(always)]
    fn lock_or_make(&self) -> Result<Locked<'_, S, State>, NoMemory> {
        let make = || try_boxed(|_| Store::new(State::new()));
        let [store] = self.store.get_or_try_init(make)?;
        Ok(locked(store))
    }

    /// The most sessions it holds.
    pub fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Sets the most sessions it holds. Nothing is evicted before the next insertion.
    pub fn set_capacity(&self, n: usize) {
        self.capacity.store(n, Ordering::Relaxed);
    }

    /// The number of sessions.
    pub fn len(&self) -> usize {
        self.lock().map_or(0, |locked| locked.order.len())
    }

    /// Returns `true` if there are no sessions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes every session whose expiry is past at `now`, of those that are there now. Each
    /// leaves when the iterator comes to it.
    pub fn flush(&self, now: i64) -> Departures<'_, S> {
        self.begin_flush(Some(now), Cause::Expired)
    }

    /// Removes every session that is there now. Each leaves when the iterator comes to it.
    pub fn flush_all(&self, cause: Cause) -> Departures<'_, S> {
        self.begin_flush(None, cause)
    }

    fn begin_flush(&self, now: Option<i64>, cause: Cause) -> Departures<'_, S> {
        let rest = self.lock().map_or(Rest::Nothing, |mut locked| {
            let epoch = locked.order.next_epoch();
            Rest::Flush(Flush { now, cause, epoch, from: Expiry::FIRST })
        });
        Departures::new(self, None, rest)
    }

    /// Returns `true` if there is a session with this key. Takes no lock.
    #[inline(always)]
    pub fn contains(&self, key: &Key) -> bool {
        let Some([store]) = self.store.get() else { return false };
        store.pages().find(key.hash(), &key.words()).is_some()
    }

    /// Removes the session with this key.
    pub fn remove(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let mut locked = self.lock()?;
        let found = locked.find(hash, &key.words())?;
        locked.remove(found, Cause::Explicit)
    }

    /// Takes the session with this key for its single use: a look-up and a removal in one step.
    /// Of several threads that take the same session one gets it.
    pub fn take(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let Some(mut locked) = self.lock() else {
            self.count_early_miss();
            return None;
        };
        let found = locked.look_up(hash, &key.words())?;
        locked.remove(found, Cause::Taken)
    }

    /// What happened so far.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.lock().map_or(Statistics::NOTHING, |locked| Statistics {
            held: locked.order.len() as u64,
            ..locked.counts
        });
        statistics.misses_unknown += self.early_misses.load(Ordering::Relaxed);
        statistics
    }

    /// Remembers why sessions left for as long as that can be looked for, or nearly: some hundred
    /// thousand departures, in up to a megabyte. Otherwise it is some hundred.
    pub fn explain_misses(&self) {
        if let Ok(mut locked) = self.lock_or_make() {
            locked.want_reasons();
        }
    }

    #[cold]
    fn count_early_miss(&self) {
        self.early_misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Walks every invariant and panics at the first one that does not hold. For tests.
    #[doc(hidden)]
    pub fn validate(&self) {
        if let Some(locked) = self.lock() {
            locked.validate();
        }
    }
}

impl<S: Clone + PartialEq> SessionCache<S> {
    /// Stores a session. If the same key has this very session, nothing happens; if it has
    /// another one, that is replaced. Then, if there are more sessions than the capacity, those
    /// that expire first make room, but never the new one.
    pub fn insert(&self, key: Key, expiry: Expiry, session: S) -> Insertion<'_, S> {
        let (hash, words) = (key.hash(), key.words());
        let Ok(mut locked) = self.lock_or_make() else { return Insertion::NoMemory(session) };
        let capacity = self.capacity();
        let home = locked.home(hash);
        let (added, replaced, evicted) = match home.and_then(|home| home.find(&words)) {
            Some(found) if locked.session(found) == Some(&session) => {
                return Insertion::AlreadyThere(session);
            }
            Some(found) => {
                let pages = locked.pages();
                if locked.order.try_reserve(pages, expiry).is_err() {
                    return Insertion::NoMemory(session);
                }
                let (added, replaced) = locked.replace(found, expiry, session);
                (added, replaced, None)
            }
            None => {
                let is_full = (1..=locked.order.len()).contains(&capacity.max(1));
                let Ok(room) = locked.try_reserve(home, hash, expiry, is_full) else {
                    return Insertion::NoMemory(session);
                };
                // From here on nothing fails. As in OpenSSL, a session gets its place in the order
                // only after another one has made room for it, and so is never evicted for itself.
                let evicted = if is_full { locked.evict() } else { None };
                (locked.add(room, hash, &words, expiry, session), None, evicted)
            }
        };
        let rest = match locked.excess(capacity) {
            0 => Rest::Nothing,
            most => Rest::Excess { spared: added, most },
        };
        drop(locked);
        Insertion::Added { replaced, evicted: Departures::new(self, evicted, rest) }
    }

    /// The session with this key. Counts a hit, or a miss and its reason.
    pub fn get(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let Some(mut locked) = self.lock() else {
            self.count_early_miss();
            return None;
        };
        let found = locked.look_up(hash, &key.words())?;
        locked.session(found).cloned()
    }

    /// The session with this key. Counts nothing.
    pub fn peek(&self, key: &Key) -> Option<S> {
        let hash = key.hash();
        let locked = self.lock()?;
        let found = locked.find(hash, &key.words())?;
        locked.session(found).cloned()
    }

    /// Moves this very session, if it is under this key, to its new place in the order, as the
    /// newest among those that expire with it. Returns `true` if it was there (and if there was
    /// memory to move it).
    pub fn reschedule(&self, key: &Key, session: &S, expiry: Expiry) -> bool {
        let hash = key.hash();
        let Some(mut locked) = self.lock() else { return false };
        let pages = locked.pages();
        let found = locked.find(hash, &key.words());
        match found.filter(|&found| locked.session(found) == Some(session)) {
            Some(found) if locked.order.try_reserve(pages, expiry).is_ok() => {
                locked.move_to(found, expiry);
                true
            }
            _ => false,
        }
    }

    /// The expiry that `session` has its place by, if it is here under `key`.
    pub fn expiry_of(&self, key: &Key, session: &S) -> Option<Expiry> {
        let locked = self.lock()?;
        let pages = locked.pages();
        let found = locked.find(key.hash(), &key.words())?;
        let is_it = locked.session(found) == Some(session);
        is_it.then(|| pages.entry(found).expiry())
    }

    /// Shows every session, in no particular order, to `f`, which may use the cache: it is given
    /// copies, and no lock is held. Sessions that come or go meanwhile may or may not be seen.
    pub fn for_each(&self, mut f: impl FnMut(&Key, &S)) {
        /// Pages seen in one hold of the lock.
        const BATCH: u32 = 16;
        let Some([store]) = self.store.get() else { return };
        let mut page = 0;
        loop {
            let end = store.pages().len().min(page + BATCH);
            let mut seen = [const { None::<(Key, S)> }; (BATCH * ENTRIES) as usize];
            let mut places = seen.iter_mut();
            let Some(locked) = self.lock() else { return };
            locked.visit(page..end, |key, session| {
                if let Some(place) = places.next() {
                    *place = Some((key, session.clone()));
                }
            });
            drop(locked);
            seen.iter().flatten().for_each(|(key, session)| f(key, session));
            if end == page {
                return;
            }
            page = end;
        }
    }
}

/// What a thread that is not in this process has left half changed is empty.
#[inline(always)]
fn locked<S>(store: &Store<S, State>) -> Locked<'_, S, State> {
    let mut locked = store.lock();
    if locked.was_abandoned() {
        locked.reset();
    }
    locked
}
