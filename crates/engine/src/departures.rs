//! What leaves the cache, one session at a time: each leaves when it is asked for, and no lock is
//! held while the caller runs callbacks and drops references.
//!
//! So nothing is ever between cache and caller: inside a callback the cache has exactly the
//! sessions that have not left, and if a callback never returns, what has not left stays. Threads
//! that wait for the cache get their turn between any two sessions.

use super::expiry::Expiry;
use super::order::Epoch;
use super::state::Use;
use super::{Cause, SessionCache};

/// The sessions that leave, soonest to expire first. Each leaves when it is asked for: what nobody
/// asks for stays.
#[must_use = "sessions leave when they are asked for"]
pub struct Departures<'a, S> {
    cache: &'a SessionCache<S>,
    /// The one that left as the new one came.
    evicted: Option<S>,
    rest: Rest,
}

/// What is yet to leave.
pub(super) enum Rest {
    Nothing,
    /// What exceeds the capacity, but for one session, and no more than so many.
    Excess {
        spared: Use,
        most: usize,
    },
    Flush(Flush),
}

/// What a flush removes.
pub(super) struct Flush {
    /// What is past at this second; everything if `None`.
    pub(super) now: Option<i64>,
    pub(super) cause: Cause,
    /// Only what had its place before.
    pub(super) epoch: Epoch,
    /// How far it has come.
    pub(super) from: Expiry,
}

impl<'a, S> Departures<'a, S> {
    #[inline]
    pub(super) fn new(cache: &'a SessionCache<S>, evicted: Option<S>, rest: Rest) -> Self {
        Departures { cache, evicted, rest }
    }

    /// The one that left as the new one came, if it is still here.
    #[inline(always)]
    pub fn take_evicted(&mut self) -> Option<S> {
        self.evicted.take()
    }

    /// Returns `true` if nothing more is to come.
    #[inline(always)]
    pub fn is_over(&self) -> bool {
        self.evicted.is_none() && matches!(self.rest, Rest::Nothing)
    }

    fn next_of_rest(&mut self) -> Option<S> {
        let departed = match &mut self.rest {
            Rest::Nothing | Rest::Excess { most: 0, .. } => None,
            Rest::Excess { spared, most } => {
                *most -= 1;
                let capacity = self.cache.capacity();
                self.cache.lock().and_then(|mut locked| locked.evict_excess(*spared, capacity))
            }
            Rest::Flush(flush) => flush.next(self.cache),
        };
        if departed.is_none() {
            self.rest = Rest::Nothing;
        }
        departed
    }
}

impl Flush {
    fn next<S>(&mut self, cache: &SessionCache<S>) -> Option<S> {
        let Flush { now, cause, epoch, from } = self;
        let due = |expiry: Expiry| now.is_none_or(|now| expiry.is_past(now));
        loop {
            if let Ok(departed) = cache.lock()?.remove_due(from, *epoch, due, *cause) {
                return departed;
            }
        }
    }
}

impl<S> Iterator for Departures<'_, S> {
    type Item = S;

    #[inline]
    fn next(&mut self) -> Option<S> {
        match self.evicted.take() {
            None if matches!(self.rest, Rest::Nothing) => None,
            None => self.next_of_rest(),
            evicted => evicted,
        }
    }
}

impl<S> std::iter::FusedIterator for Departures<'_, S> {}
