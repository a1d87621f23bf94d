//! What leaves a cache: `SSL_CTX_remove_session`, flushes, the end of a context.

use libc::c_long;

use super::shared::if_shared;
use super::{Held, InternalCache, Lifetime, SessionRef, Standing};
use crate::cache::{Cause, Departures, Key};
use crate::ffi::guard::guard;
use crate::ffi::live::Ctx;
use crate::ffi::memory::push;

impl<S> InternalCache<S>
where
    S: SessionRef,
    S::Standing: Standing<Session = S>,
{
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
        let was_shared =
            if_shared(false, || self.share(ctx).is_some_and(|share| share.remove(key)));
        let found = guard(None, || self.sessions.remove(key)).map(Held::new);
        if let Some(found) = &found {
            self.show(found, key);
        }
        self.callbacks.removed(ctx, session);
        found.map(Held::release).is_some() || was_shared
    }

    /// `SSL_CTX_flush_sessions`: what has expired by `tm`, in the arithmetic of the sessions'
    /// makers; everything for 0.
    pub fn flush(&self, ctx: Ctx<'_>, tm: c_long, lifetime: Lifetime) {
        match tm {
            0 => {
                if_shared((), || self.share(ctx).map_or((), |share| share.empty()));
                self.leave_all(ctx, None, Cause::Expired);
            }
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
        // (A flush of everything is everybody's, the end of a context nobody else's.)
        let shared = if_shared(None, || now.and_then(|_| self.share(ctx)));
        let mut held = Vec::new();
        while let Some(session) = next_of(&mut departures) {
            if let Some(share) = shared {
                guard((), || share.flush(&*session));
            }
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
