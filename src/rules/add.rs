//! `SSL_CTX_add_session`, and everything else that stores: what comes in, and what leaves for it.

use sslcache_facts::Fact;

use super::leave::next_of;
use super::shared::{Shared, if_shared};
use super::{Held, InternalCache, SessionRef, Standing, presence};
use crate::cache::{Departures, Insertion, Key};
use crate::ffi::guard::guard;
use crate::ffi::live::Ctx;
use crate::seen;

impl<S> InternalCache<S>
where
    S: SessionRef,
    S::Standing: Standing<Session = S>,
{
    /// `SSL_CTX_add_session`: true if it was not there. Takes a reference of its own.
    pub fn add(&self, ctx: Ctx<'_>, session: &S) -> bool {
        let shared = if_shared(None, || self.added(ctx, session));
        self.store(ctx, session, shared.as_ref())
    }

    /// Stores a session here, and where it is shared. True if it was not there.
    pub(super) fn store(&self, ctx: Ctx<'_>, session: &S, shared: Option<&Shared>) -> bool {
        if let Some(shared) = shared {
            self.forget_gone(shared, &session.key());
        }
        match guard(None, || self.insert(ctx, session, shared)) {
            Some((key, Insertion::Added { replaced, evicted })) => {
                seen::note(Fact::Stored);
                self.show(session, &key);
                self.made_room(ctx, &key, replaced, evicted);
                true
            }
            Some((_, Insertion::AlreadyThere(session))) => {
                Held::new(session).release();
                false
            }
            Some((_, Insertion::NoMemory(session))) => {
                shared.inspect(|shared| shared.remove());
                Held::new(session).release();
                false
            }
            None => false,
        }
    }

    /// Keeps an object of a session that is shared.
    pub(super) fn keep(&self, ctx: Ctx<'_>, session: &S) {
        let inserted =
            guard(None, || self.note(ctx, session).then(|| self.insert_as_it_is(session)));
        match inserted {
            Some((key, Insertion::Added { replaced, evicted })) => {
                self.show(session, &key);
                self.made_room(ctx, &key, replaced, evicted);
            }
            Some((_, Insertion::AlreadyThere(session) | Insertion::NoMemory(session))) => {
                Held::new(session).release();
            }
            None => {}
        }
    }

    /// The part of it that calls nothing back: what became of it, under which key.
    #[inline(always)]
    fn insert(
        &self,
        ctx: Ctx<'_>,
        session: &S,
        shared: Option<&Shared>,
    ) -> Option<(Key, Insertion<'_, S>)> {
        if !self.note(ctx, session) {
            return None;
        }
        let updates_time = self.mode().updates_time();
        if updates_time {
            session.touch();
        }
        if let Some(shared) = shared {
            shared.store(session, session.expiry());
        }
        let (key, inserted) = self.insert_as_it_is(session);
        if updates_time && matches!(inserted, Insertion::AlreadyThere(_)) {
            self.sessions.reschedule(&key, session, session.expiry());
        }
        Some((key, inserted))
    }

    /// Under the key and expiry that it has now.
    #[inline(always)]
    fn insert_as_it_is(&self, session: &S) -> (Key, Insertion<'_, S>) {
        let changes = presence::changes();
        let (key, expiry) = session.key_and_expiry();
        let inserted = self.sessions.insert(key, expiry, session.clone());
        // Before any callback: what the application does there with `session` is its own affair.
        presence::move_if_changed(session, changes, expiry, |now| {
            self.reschedule(&key, session, now)
        });
        (key, inserted)
    }

    /// Step S1 of `presence`. False without memory for the context's seat: then nothing is stored.
    fn note(&self, ctx: Ctx<'_>, session: &S) -> bool {
        if self.seat().get().is_none() {
            // SAFETY: the context that this is the cache of.
            let context = unsafe { S::Standing::context(ctx) };
            // Without memory it has no seat, and then it stores nothing.
            let _ = context.map(|context| S::Standing::registry().insert(&context));
        }
        let seat = self.seat().get();
        seat.inspect(|seat| seat.note(session)).is_some()
    }

    /// Lets go of what left for a new session, and tells the application.
    #[inline(always)]
    fn made_room(
        &self,
        ctx: Ctx<'_>,
        key: &Key,
        replaced: Option<S>,
        mut evicted: Departures<'_, S>,
    ) {
        if let Some(replaced) = &replaced {
            self.show(replaced, key);
        }
        let mut next = next_of(&mut evicted);
        // Replaced without a word, as in OpenSSL: no callback, still resumable.
        drop(replaced);
        while let Some(session) = next {
            self.made_room_by(ctx, session);
            next = next_of(&mut evicted);
        }
    }

    /// This one had to go.
    #[inline(never)]
    fn made_room_by(&self, ctx: Ctx<'_>, session: Held<S>) {
        if self.is_shared(ctx, &session) {
            // The session has not left the cache: it is found where it is shared.
            self.hide(&session);
            session.release();
        } else {
            self.has_left_unasked(ctx, &session);
            session.release();
            self.count(|counters| &counters.cache_full);
        }
    }
}
