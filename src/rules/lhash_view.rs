//! What `SSL_CTX_sessions` returns: a hash table of libcrypto's that shows what is in the cache.
//!
//! With OpenSSL it is the cache itself: a program may keep it, and finds in it what has come since,
//! and not what has left. So once it was asked for, the table follows the cache. Before, a change
//! of the cache costs one load.
//!
//! **It never shows what was freed**, though it holds no references. A thread that changes the
//! cache does this:
//! 1. It changes the cache.
//! 2. It looks whether there is a table.
//! 3. Under the table's lock it asks the cache whether the session is there *now*, and has the
//!    table say the same. So when two threads have changed the same session it does not matter
//!    which one comes here first: the table says in the end what the cache says.
//! 4. If the session has left, it gives up the reference that was the cache's.
//!
//! The thread that asks for the table first publishes it empty, and then does step 3 for every
//! session that it finds in the cache. What it does not find any more, or not yet, is changed after
//! the table was published: the thread that changes it takes the cache's lock later, and so finds
//! the table in step 2. (The very first session of a context makes that lock: the one exception is
//! that on a weakly ordered processor such a session, coming at this moment, may stay unseen.)

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::c_ulong;
use once_cell::race::OnceBox;
use sslcache_sync::{Guard, Lock};

use super::{Held, SessionRef};
use crate::cache::{Key, SessionCache};
use crate::ffi::guard::guard;
use crate::ffi::lhash::{Item, Lhash, LhashFunctions};
use crate::ffi::memory::{Counted, NoMemory, boxed, push};
use crate::ffi::types::LHASH_OF_SSL_SESSION;

/// The table of one context, from the first time on that it is asked for.
pub struct LhashView<S>(OnceBox<Counted<View<S>>>);

/// Keeps the table of a context that has ended: empty, as with libssl, which frees it last.
pub struct EndedView<S>(#[expect(dead_code)] Counted<View<S>>);

struct View<S> {
    shown: Lock<Shown<S>>,
    /// All that was in the cache when it was first asked for is in the table.
    is_filled: AtomicBool,
}

struct Shown<S> {
    lhash: Lhash<S>,
    /// It follows the cache no more.
    has_ended: bool,
}

impl<S> Default for LhashView<S> {
    fn default() -> Self {
        LhashView(OnceBox::new())
    }
}

impl<S: SessionRef> LhashView<S> {
    /// The table, showing what is in `cache` now and from now on.
    pub fn of(
        &self,
        cache: &SessionCache<S>,
        functions: LhashFunctions,
    ) -> Result<*mut LHASH_OF_SSL_SESSION, NoMemory> {
        let view = self.0.get_or_try_init(|| {
            let lhash = Lhash::new(functions).ok_or(NoMemory)?;
            boxed(Counted::new(|| View::new(lhash))?)
        })?;
        // Of threads that ask at once, each fills it: none returns before it is filled.
        if !view.is_filled.load(Ordering::Acquire) {
            view.fill(cache);
            view.is_filled.store(true, Ordering::Release);
        }
        Ok(view.lock().lhash.as_ptr())
    }

    /// `session` has come or left, under this key.
    pub fn update(&self, cache: &SessionCache<S>, session: &S, key: impl FnOnce() -> Key) {
        if let Some(view) = self.0.get() {
            view.update(cache, session, &key());
        }
    }

    /// The table shows nothing from now on.
    pub fn end(&self) -> Option<EndedView<S>> {
        let view = self.0.get()?;
        let mut shown = view.lock();
        shown.lhash.clear();
        shown.has_ended = true;
        drop(shown);
        Some(EndedView(view.clone()))
    }
}

impl<S: SessionRef> View<S> {
    fn new(lhash: Lhash<S>) -> Self {
        let shown = Lock::new(Shown { lhash, has_ended: false });
        View { shown, is_filled: AtomicBool::new(false) }
    }

    /// A table that a thread left half changed, in the child of a fork, is touched no more.
    fn lock(&self) -> Guard<'_, Shown<S>> {
        self.shown.lock_or(|shown| shown.has_ended = true)
    }

    /// Step 3 for all that is in the cache. What is seen there may leave meanwhile: references to
    /// it are given back at the end, outside the guard.
    fn fill(&self, cache: &SessionCache<S>) {
        let mut seen = Vec::new();
        let mut show = |key: &Key, session: &S| {
            // What there is no memory to hold is not shown.
            if seen.try_reserve(2).is_ok() {
                let cached = self.show_as_cached(cache, session, key);
                for session in [Some(session.clone()), cached].into_iter().flatten() {
                    let _ = push(&mut seen, Held::new(session));
                }
            }
        };
        guard((), || cache.for_each(&mut show));
        seen.into_iter().for_each(Held::release);
    }

    /// Step 3. May give back another session's last reference.
    fn update(&self, cache: &SessionCache<S>, session: &S, key: &Key) {
        let cached = guard(None, || self.show_as_cached(cache, session, key)).map(Held::new);
        if let Some(cached) = cached {
            cached.release();
        }
    }

    /// Returns what the cache has under this key.
    fn show_as_cached(&self, cache: &SessionCache<S>, session: &S, key: &Key) -> Option<S> {
        let mut shown = self.lock();
        if shown.has_ended {
            return None;
        }
        let cached = cache.peek(key);
        if cached.as_ref() == Some(session) {
            // SAFETY: the cache has the session, and whoever takes it out of there comes here
            // before the cache's reference goes.
            unsafe { shown.lhash.insert(session.as_c().cast(), hash(key)) };
        } else {
            shown.lhash.remove(session.as_c().addr());
        }
        cached
    }
}

impl<S: SessionRef> Item for S {
    unsafe fn hash(item: *mut c_void) -> c_ulong {
        // SAFETY: the caller's promise.
        unsafe { S::borrow(item.cast()) }.map_or(0, |session| hash(&session.key()))
    }

    unsafe fn is_equal(a: *mut c_void, b: *mut c_void) -> bool {
        // SAFETY: the caller's promise.
        let [a, b] = unsafe { [S::borrow(a.cast()), S::borrow(b.cast())] };
        a.zip(b).is_some_and(|(a, b)| a.key() == b.key())
    }
}

/// FNV-1a. (OpenSSL takes the first four bytes of the id: with ids that have them in common, as the
/// manual page of the generator proposes, every one is in the same list.)
fn hash(key: &Key) -> c_ulong {
    let (version, id) = (key.version().to_le_bytes(), key.id());
    let hash = version.iter().chain(id.iter()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash as c_ulong
}
