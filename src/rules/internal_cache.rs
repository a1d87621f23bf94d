//! The internal cache of one context: its parts, size and mode. (What comes in is in `add`, what goes in
//! `leave`.)

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use libc::{c_int, c_long};
use once_cell::race::OnceBox;
use sslcache_facts::Fact;

use super::lhash_view::{EndedView, LhashView};
use super::presence::Seat;
use super::{CacheMode, Callbacks, Counter, Counters, SessionRef};
use crate::cache::{Expiry, Key, SessionCache, Statistics};
use crate::ffi::constants::*;
use crate::ffi::lhash::LhashFunctions;
use crate::ffi::memory::boxed;
use crate::ffi::types::LHASH_OF_SSL_SESSION;
use crate::seen;
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
            sessions: SessionCache::new(capacity(
                settings().set.size(SSL_SESSION_CACHE_MAX_SIZE_DEFAULT),
            )),
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
    pub(super) fn hide(&self, session: &S) {
        self.lhash.update(&self.sessions, session, || session.key());
    }

    /// The session with this key, with a reference; counted in the statistics alone.
    pub fn get(&self, key: &Key) -> Option<S> {
        self.sessions.get(key)
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
        let mode = CacheMode(self.mode.load(Ordering::Relaxed));
        if settings().set.cache_off() { mode.without_servers() } else { mode }
    }

    /// What happened here so far.
    pub fn statistics(&self) -> Statistics {
        self.sessions.statistics()
    }

    /// The same for one who asks now, and perhaps again: why sessions are missed is remembered for
    /// longer from now on.
    pub fn asked_statistics(&self) -> Statistics {
        self.explain_misses();
        self.statistics()
    }

    /// Why sessions are missed will be asked.
    pub fn explain_misses(&self) {
        self.sessions.explain_misses();
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
            SSL_CTRL_SET_SESS_CACHE_MODE => self.set_mode(argument as u32).into(),
            SSL_CTRL_GET_SESS_CACHE_MODE => self.mode.load(Ordering::Relaxed).into(),
            _ => return None,
        };
        Some(answer)
    }

    /// Sets the mode; returns the previous one.
    fn set_mode(&self, mode: u32) -> u32 {
        let new = CacheMode(mode);
        if !new.covers(true) {
            seen::note(Fact::CacheOff);
        } else if !new.looks_up() || !new.stores() {
            seen::note(Fact::OwnCache);
        }
        self.mode.swap(mode, Ordering::Relaxed)
    }

    /// Sets the size, without evicting: the next add does. The previous size, or 0 for a negative
    /// one.
    fn set_size(&self, size: c_long) -> c_long {
        let Ok(size) = usize::try_from(size) else { return 0 };
        self.sessions.set_capacity(capacity(settings().set.size(size)));
        self.size.swap(size, Ordering::Relaxed) as c_long
    }
}
