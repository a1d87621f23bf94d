//! `SSL_CTX_add_session`, and everything else that stores: what comes in, and what leaves for it.

use super::internal_cache::next_of;
use super::{Held, InternalCache, SessionRef, Standing, presence};
use crate::cache::{Departures, Insertion, Key};
use crate::ffi::guard::guard;
use crate::ffi::live::Ctx;

impl<S> InternalCache<S>
where
    S: SessionRef,
    S::Standing: Standing<Session = S>,
{
    /// `SSL_CTX_add_session`: true if it was not there. Takes a reference of its own.
    pub fn add(&self, ctx: Ctx<'_>, session: &S) -> bool {
        match guard(None, || self.insert(ctx, session)) {
            Some((key, Insertion::Added { replaced, evicted })) => {
                self.show(session, &key);
                self.made_room(ctx, &key, replaced, evicted);
                true
            }
            Some((_, Insertion::AlreadyThere(session) | Insertion::NoMemory(session))) => {
                Held::new(session).release();
                false
            }
            None => false,
        }
    }

    /// The part of it that calls nothing back: what became of it, under which key.
    fn insert(&self, ctx: Ctx<'_>, session: &S) -> Option<(Key, Insertion<'_, S>)> {
        if !self.note(ctx, session) {
            return None;
        }
        let updates_time = self.mode().updates_time();
        if updates_time {
            session.touch();
        }
        let changes = presence::changes();
        let (key, expiry) = session.key_and_expiry();
        let inserted = self.sessions.insert(key, expiry, session.clone());
        if updates_time && matches!(inserted, Insertion::AlreadyThere(_)) {
            self.sessions.reschedule(&key, session, expiry);
        }
        // Before any callback: what the application does there with `session` is its own affair.
        presence::move_if_changed(session, changes, expiry, |now| {
            self.reschedule(&key, session, now)
        });
        Some((key, inserted))
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
            self.has_left_unasked(ctx, &session);
            session.release();
            self.count(|counters| &counters.cache_full);
            next = next_of(&mut evicted);
        }
    }
}
