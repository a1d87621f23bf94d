//! What a handshake does with the cache: a server's look-up, and the end of a handshake.

use libc::c_long;
use sslcache_facts::Fact;

use super::shared::{Shared, if_shared};
use super::{Handshake, Held, InternalCache, SessionRef, Source, Standing};
use crate::cache::{Key, SessionCache};
use crate::clock;
use crate::ffi::guard::guard;
use crate::ffi::live::{Ctx, Ssl};
use crate::{report, seen};

/// What a server's look-up found, and a handshake accepts.
pub struct Found<S> {
    /// The session, with a reference for the handshake.
    pub session: Held<S>,
    /// Whether it was taken from the internal cache; with `single_use`, only such a session may
    /// resume.
    pub was_cached: bool,
}

impl<S> InternalCache<S>
where
    S: SessionRef,
    S::Standing: Standing<Session = S>,
{
    /// A server's look-up for a session id: the internal cache, then the application's get
    /// callback. With `single_use` the session leaves the cache in the same step, so that of
    /// several handshakes that offer it one gets it.
    pub fn look_up(
        &self,
        ctx: Ctx<'_>,
        ssl: Ssl<'_>,
        key: &Key,
        single_use: bool,
    ) -> Option<Found<S>> {
        if self.server_mode(ctx).looks_up() {
            seen::note(Fact::LookedUp);
            if let Some(session) = self.cached(ctx, ssl, key, single_use) {
                let session = accepted(session, Source::Cache)?;
                self.note_found(&session);
                return Some(Found { session, was_cached: true });
            }
            self.count(|counters| &counters.misses);
        }
        let session = Held::new(self.callbacks.ask::<S>(ssl, key)?);
        let session = accepted(session, Source::Callback)?;
        let was_cached = self.admit(ctx, ssl, &session, single_use);
        Some(Found { session, was_cached })
    }

    /// Expired sessions are found as others are: that they resume no more is the handshake's to say.
    fn note_found(&self, session: &S) {
        seen::note(Fact::Found);
        if report::stats_wanted() && session.expiry().is_past(clock::now()) {
            self.count(|counters| &counters.stale);
        }
    }

    /// The session that the internal cache has under this key, taken from it with `single_use`.
    fn cached(&self, ctx: Ctx<'_>, ssl: Ssl<'_>, key: &Key, single_use: bool) -> Option<Held<S>> {
        match self.offered(ctx, ssl, key) {
            Some(shared) => self.look_up_shared(ctx, &shared, key, single_use),
            None => self.cached_here(key, single_use),
        }
    }

    fn offered(&self, ctx: Ctx<'_>, ssl: Ssl<'_>, key: &Key) -> Option<Shared> {
        if_shared(None, || self.share(ctx)?.offered::<S::Standing>(ssl, key))
    }

    /// The object that this process has under this key, taken with `single_use`.
    pub(super) fn cached_here(&self, key: &Key, single_use: bool) -> Option<Held<S>> {
        let look_up = if single_use { SessionCache::peek } else { SessionCache::get };
        let found = guard(None, || look_up(&self.sessions, key)).map(Held::new);
        // libssl compares with the session as it is now: one whose id has changed, or that a
        // release before CVE-2024-2511 has left without one, is found no more.
        let has_changed = found.as_ref().is_some_and(|session| session.key() != *key);
        if !has_changed && !single_use {
            return found;
        }
        if let Some(session) = found {
            session.release();
        }
        if has_changed { None } else { self.take(key) }
    }

    /// A usable session came from the external cache: counted, and stored unless the mode says no.
    fn admit(&self, ctx: Ctx<'_>, ssl: Ssl<'_>, session: &S, single_use: bool) -> bool {
        self.count(|counters| &counters.cb_hits);
        if !self.server_mode(ctx).stores() {
            return false;
        }
        let key = session.key();
        self.store(ctx, session, self.offered(ctx, ssl, &key).as_ref());
        !single_use || self.cached(ctx, ssl, &key, true).map(Held::release).is_some()
    }

    /// A handshake made `session`: stores it if it should be.
    pub fn established(&self, ctx: Ctx<'_>, ssl: Ssl<'_>, session: &S, handshake: &Handshake) {
        // Known from now on, should the application be the one that adds it.
        let shared = if_shared(None, || {
            let (share, key) = (self.share(ctx)?, session.key());
            if handshake.server {
                return share.made::<S::Standing>(ssl, &key);
            }
            share.made_by_client(&key);
            None
        });
        if !handshake.is_found_by_id() {
            seen::note(Fact::Ticket);
        }
        let mode = if handshake.server { self.server_mode(ctx) } else { self.mode() };
        if mode.stores_after(handshake, self.callbacks.remove_cb().is_some()) {
            self.store(ctx, session, shared.filter(|_| handshake.is_found_by_id()).as_ref());
        }
    }

    /// Every 256th handshake of a side flushes what has expired: `good` is how many of this side
    /// succeeded, as OpenSSL has counted them at this point.
    pub fn auto_flush(&self, ctx: Ctx<'_>, server: bool, good: c_long, now: c_long) {
        if self.mode().auto_clears() && self.mode().covers(server) && good & 0xff == 0xff {
            self.flush_past(ctx, now);
        }
    }
}

/// The session, if a handshake accepts it.
fn accepted<S: SessionRef>(session: Held<S>, from: Source) -> Option<Held<S>> {
    if session.is_accepted(from) {
        return Some(session);
    }
    session.release();
    None
}
