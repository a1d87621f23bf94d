//! The place of a session in the order of the whole cache, and what a shard publishes of its own.

use super::expiry::Expiry;
use std::sync::atomic::{AtomicU64, Ordering};

/// A sequence number that no session has.
pub(super) const NOBODY: u64 = u64::MAX;

/// A place in the order of the whole cache. No two sessions have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    pub(super) expiry: Expiry,
    /// Drawn from one counter per cache when a session gets its place.
    pub(super) sequence: u64,
}

impl Rank {
    /// After every session.
    pub(super) const LAST: Rank = Rank { expiry: Expiry::NEVER, sequence: NOBODY };
}

/// A session that left the cache, with the place it had.
pub(super) struct Departed<S> {
    pub(super) rank: Rank,
    pub(super) session: S,
}

/// What a shard publishes: the place of its first session. Written under the shard's lock.
pub(super) struct Head {
    expiry: AtomicU64,
    sequence: AtomicU64,
}

impl Head {
    pub(super) const fn new() -> Self {
        Head {
            expiry: AtomicU64::new(Rank::LAST.expiry.raw()),
            sequence: AtomicU64::new(Rank::LAST.sequence),
        }
    }

    /// The expiry of the first session: the same hint, half of it.
    #[inline]
    pub(super) fn expiry(&self) -> Expiry {
        Expiry::from_raw(self.expiry.load(Ordering::Acquire))
    }

    /// [`Rank::LAST`] if there is no session. Read without the lock, the two halves may belong
    /// to different moments: a hint, to be confirmed under the lock.
    pub(super) fn load(&self) -> Rank {
        Rank { expiry: self.expiry(), sequence: self.sequence.load(Ordering::Acquire) }
    }

    pub(super) fn publish(&self, first: Option<Rank>) {
        let first = first.unwrap_or(Rank::LAST);
        self.expiry.store(first.expiry.raw(), Ordering::Release);
        self.sequence.store(first.sequence, Ordering::Release);
    }
}
