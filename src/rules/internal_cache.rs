//! The internal cache of one context: remove, flush, size and mode. (What an add does is in `add`.)

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use libc::{c_int, c_long};
use once_cell::race::OnceBox;

use super::lhash_view::{EndedView, LhashView};
use super::presence::Seat;
use super::{CacheMode, Callbacks, Counter, Counters, Held, Lifetime, SessionRef};
use crate::cache::{Cause, Departures, Expiry, Key, SessionCache, Statistics};
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::lhash::LhashFunctions;
use crate::ffi::live::Ctx;
use crate::ffi::memory::{boxed, push};
use crate::ffi::types::LHASH_OF_SSL_SESSION;
use crate::settings::settings;

/// A context's sessions with the rules around them.
///
/// Every method that may call the application's remove callback takes the context's handle for it.
pub struct InternalCache<S> {
    pub(super) sessions: SessionCache<S>,
    /// Where the context is registered, from its first session on.
    seat: OnceBox<Seat>,
    /// The application's mode, and size. What counts may be another's decision.
    mode: AtomicU32,
    size: AtomicUsize,
    /// The application's callbacks.
    pub callbacks: Callbacks,
    /// In a box of their own: what every handshake writes is to lie apart from what every look-up
    /// reads, and a context without handshakes is to be small.
    counters: OnceBox<Counters>,
    lhash: LhashView<S>,
}

impl<S: SessionRef> Default for InternalCache<S> {
    fn default() -> Self {
        InternalCache {
            sessions: SessionCache::new(capacity(settings().set.first_size())),
            seat: OnceBox::new(),
            mode: AtomicU32::new(SSL_SESS_CACHE_SERVER),
            size: AtomicUsize::new(SSL_SESSION_CACHE_MAX_SIZE_DEFAULT),
            callbacks: Callbacks::default(),
            counters: OnceBox::new(),
            lhash: LhashView::default(),
        }
    }
}

/// How many sessions a cache of this size holds. OpenSSL counts the new session before it makes
/// room, so a cache of size n keeps n - 1, but at least the new one; 0 is unlimited.
fn capacity(size: usize) -> usize {
    match size {
        0 => usize::MAX,
        n => (n - 1).max(1),
    }
}

impl<S: SessionRef> InternalCache<S> {
    /// `SSL_CTX_remove_session`: true if it was there. A session without an id is not even marked.
    pub fn remove(&self, ctx: Ctx<'_>, session: &S) -> bool {
        let key = session.key();
        if key.id().is_empty() {
            return false;
        }
        let in_libssls = session.mark_not_resumable(ctx);
        self.removed(ctx, session, &key) || in_libssls
    }

    /// The end of it, when `session` has been marked: takes out what has its key, and tells the
    /// application of `session` whether or not something had. True if it had.
    pub fn removed(&self, ctx: Ctx<'_>, session: &S, key: &Key) -> bool {
        let found = guard(None, || self.sessions.remove(key)).map(Held::new);
        if let Some(found) = &found {
            self.show(found, key);
        }
        self.callbacks.removed(ctx, session);
        found.map(Held::release).is_some()
    }

    /// `SSL_CTX_flush_sessions`: what has expired by `tm`, in the arithmetic of the sessions'
    /// makers; everything for 0.
    pub fn flush(&self, ctx: Ctx<'_>, tm: c_long, lifetime: Lifetime) {
        match tm {
            0 => self.leave_all(ctx, None, Cause::Expired),
            tm => self.flush_past(ctx, lifetime.second(tm)),
        }
    }

    /// What has expired by the second `now` goes.
    pub(super) fn flush_past(&self, ctx: Ctx<'_>, now: c_long) {
        self.leave_all(ctx, Some(now), Cause::Expired);
    }

    /// The context goes: so does every session.
    pub fn close(&self, ctx: Ctx<'_>) {
        self.leave_all(ctx, None, Cause::Closed);
        // What a callback has added meanwhile goes without a word.
        let Some(mut departures) = self.departures(None, Cause::Closed) else { return };
        while let Some(session) = next_of(&mut departures) {
            self.hide(&session);
            session.release();
        }
    }

    /// What has expired by a second goes, or everything. All callbacks of one flush run before the
    /// cache lets go of the first session.
    fn leave_all(&self, ctx: Ctx<'_>, now: Option<c_long>, cause: Cause) {
        let Some(mut departures) = self.departures(now, cause) else { return };
        let mut held = Vec::new();
        while let Some(session) = next_of(&mut departures) {
            self.has_left_unasked(ctx, &session);
            // Without memory for the list a session goes a little early.
            if held.try_reserve(1).is_ok() {
                let _ = push(&mut held, session);
            } else {
                session.release();
            }
        }
        held.into_iter().for_each(Held::release);
    }

    fn departures(&self, now: Option<c_long>, cause: Cause) -> Option<Departures<'_, S>> {
        let flush = || match now {
            Some(now) => self.sessions.flush(now),
            None => self.sessions.flush_all(cause),
        };
        guard(None, || Some(flush()))
    }

    /// A session left without anyone asking for it.
    pub(super) fn has_left_unasked(&self, ctx: Ctx<'_>, session: &S) {
        self.hide(session);
        session.mark_not_resumable(ctx);
        self.callbacks.removed(ctx, session);
    }

    /// The session with this key, for its one resumption: of several threads one gets it.
    pub(super) fn take(&self, key: &Key) -> Option<Held<S>> {
        let taken = guard(None, || self.sessions.take(key)).map(Held::new)?;
        self.show(&taken, key);
        Some(taken)
    }

    /// `SSL_CTX_sessions`: the table that follows the cache; `None` without memory for it.
    pub fn table(&self, functions: LhashFunctions) -> Option<*mut LHASH_OF_SSL_SESSION> {
        self.lhash.of(&self.sessions, functions).ok()
    }

    /// The table, if there is one, empties and follows the cache no more: the context ends.
    pub fn end_table(&self) -> Option<EndedView<S>> {
        self.lhash.end()
    }

    /// `session` has come or left, under this key: so it does in the table.
    pub(super) fn show(&self, session: &S, key: &Key) {
        self.lhash.update(&self.sessions, session, || *key);
    }

    /// The same for one that has left under the key that it had then.
    fn hide(&self, session: &S) {
        self.lhash.update(&self.sessions, session, || session.key());
    }

    /// The session with this key, with a reference; counted in the statistics alone.
    pub fn get(&self, key: &Key) -> Option<S> {
        self.sessions.get(key)
    }

    /// `SSL_has_matching_session_id`
    pub fn contains(&self, key: &Key) -> bool {
        self.sessions.contains(key)
    }

    /// The time or timeout of `session` changed: if it is here, it moves to its new place.
    pub fn reschedule(&self, key: &Key, session: &S, expiry: Expiry) {
        self.sessions.reschedule(key, session, expiry);
    }

    /// Where the registry notes the seat it gives the context.
    pub(super) fn seat(&self) -> &OnceBox<Seat> {
        &self.seat
    }

    /// Counts one more, if there is or was memory for the counters.
    pub fn count(&self, which: impl FnOnce(&Counters) -> &Counter) {
        if let Ok(counters) = self.counters.get_or_try_init(|| boxed(Counters::default())) {
            which(counters).increment();
        }
    }

    /// What was counted so far.
    pub fn counted(&self, which: impl FnOnce(&Counters) -> &Counter) -> c_long {
        self.counters.get().map_or(0, |counters| which(counters).get())
    }

    /// The cache mode that counts.
    pub fn mode(&self) -> CacheMode {
        CacheMode(settings().set.mode(self.mode.load(Ordering::Relaxed)))
    }

    /// What happened here so far.
    pub fn statistics(&self) -> Statistics {
        self.sessions.statistics()
    }

    /// The commands of `SSL_CTX_ctrl` that are answered the same in both standings; `None` for
    /// others.
    pub fn ctrl(&self, command: c_int, argument: c_long) -> Option<c_long> {
        let answer = match command {
            SSL_CTRL_SESS_NUMBER => self.sessions.len() as c_long,
            SSL_CTRL_SESS_CB_HIT => self.counted(|counters| &counters.cb_hits),
            SSL_CTRL_SESS_CACHE_FULL => self.counted(|counters| &counters.cache_full),
            SSL_CTRL_SET_SESS_CACHE_SIZE => self.set_size(argument),
            SSL_CTRL_GET_SESS_CACHE_SIZE => self.size.load(Ordering::Relaxed) as c_long,
            SSL_CTRL_SET_SESS_CACHE_MODE => {
                self.mode.swap(argument as u32, Ordering::Relaxed).into()
            }
            SSL_CTRL_GET_SESS_CACHE_MODE => self.mode.load(Ordering::Relaxed).into(),
            _ => return None,
        };
        Some(answer)
    }

    /// Sets the size, without evicting: the next add does. The previous size, or 0 for a negative
    /// one.
    fn set_size(&self, size: c_long) -> c_long {
        let Ok(size) = usize::try_from(size) else { return 0 };
        self.sessions.set_capacity(capacity(settings().set.size(size)));
        self.size.swap(size, Ordering::Relaxed) as c_long
    }
}

/// The next session that leaves. Those that come after it are still in the cache.
#[inline(always)]
pub(super) fn next_of<S>(departures: &mut Departures<'_, S>) -> Option<Held<S>> {
    match departures.take_evicted() {
        None if departures.is_over() => None,
        None => guard(None, || departures.next()).map(Held::new),
        evicted => evicted.map(Held::new),
    }
}
