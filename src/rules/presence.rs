//! Which contexts may hold a session: asked when its time changes, so that not every cache is
//! searched.
//!
//! A **bit-sliced Bloom filter**. Contexts sit in groups of 64, and a group has 2048 rows of 64
//! bits, a bit for each context. The address of a session chooses two of the rows:
//!
//! ```text
//!            context  63 ...  3  2  1  0
//!   row   17             0    1  0  1  0      A session that is hashed to rows 17 and 902:
//!   row  902             0    1  1  0  0      row 17 & row 902 = 0 1 0 0 0,
//!                                             only context 3 may hold it
//! ```
//!
//! A context that stores a session sets its bit in both rows. The bit stays when the session
//! leaves: then a search finds nothing, until the context goes and its bit is cleared.
//!
//! **Nothing is missed**, though no lock is taken:
//!
//! | a thread that stores a session | a thread that changes its time |
//! |---|---|
//! | S1. sets the bits of the context | C1. writes the new time |
//! | S2. reads the count of changes, then the expiry | C2. increments the count of changes |
//! | S3. inserts the session by it | C3. reads both rows |
//! | S4. reads the count of changes again | C4. moves the session in the caches of these contexts |
//!
//! S1, S4, C2 and C3 are sequentially consistent: they have one order. If C2 comes before S4, the
//! storing thread sees that something has changed, reads the expiry again, and moves the session
//! itself ([`move_if_changed`]). If S4 comes before C2, the changing thread finds the bits of S1,
//! and in that cache the session of S3.

use std::sync::atomic::{AtomicU64, Ordering};

use super::SessionRef;
use crate::cache::Expiry;

/// Contexts in a group.
pub const SEATS: usize = u64::BITS as usize;

const ROW_BITS: u32 = 11;

/// The filter of one group, read and written without a lock.
pub struct BloomRows([AtomicU64; 1 << ROW_BITS]);

impl BloomRows {
    /// No context has stored anything.
    pub const fn new() -> Self {
        BloomRows([const { AtomicU64::new(0) }; 1 << ROW_BITS])
    }

    /// The two rows of a session (Fibonacci hashing: addresses are multiples of 16).
    fn of(&self, session: &impl SessionRef) -> [&AtomicU64; 2] {
        let hash = (session.as_c().addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let row = |shift: u32| &self.0[(hash >> shift) as usize % self.0.len()];
        [row(u64::BITS - ROW_BITS), row(u64::BITS - 2 * ROW_BITS)]
    }

    /// Step C3: the contexts that may hold `session`.
    pub fn may_hold(&self, session: &impl SessionRef) -> u64 {
        let [a, b] = self.of(session);
        a.load(Ordering::SeqCst) & b.load(Ordering::SeqCst)
    }

    /// Clears the bits of these contexts, which are gone.
    pub fn forget(&self, contexts: u64) {
        for row in &self.0 {
            if row.load(Ordering::Relaxed) & contexts != 0 {
                row.fetch_and(!contexts, Ordering::SeqCst);
            }
        }
    }
}

/// A group of contexts, whatever their type is.
pub trait Group: Send + Sync {
    /// Its filter.
    fn rows(&self) -> &BloomRows;

    /// The context with this bit is gone.
    fn leave(&self, bit: u64);
}

/// The seat of a registered context in a group.
pub struct Seat {
    /// Its group.
    pub group: &'static dyn Group,
    /// That of the group.
    pub rows: &'static BloomRows,
    /// Its bit there.
    pub bit: u64,
}

impl Seat {
    /// Step S1: this context is about to store `session`. Bits that are set already are not
    /// written.
    pub fn note(&self, session: &impl SessionRef) {
        for row in self.rows.of(session) {
            if row.load(Ordering::SeqCst) & self.bit == 0 {
                row.fetch_or(self.bit, Ordering::SeqCst);
            }
        }
    }
}

/// On a cache line of its own: what lies beside it is read by every call.
#[repr(align(128))]
struct Apart(AtomicU64);

/// How often the time or timeout of a session was changed.
static CHANGES: Apart = Apart(AtomicU64::new(0));

/// Steps S2 and S4: the changes so far.
pub fn changes() -> u64 {
    CHANGES.0.load(Ordering::SeqCst)
}

/// Step C2: the time or timeout of a session was changed. Returns the changes so far.
pub fn count_change() -> u64 {
    CHANGES.0.fetch_add(1, Ordering::SeqCst) + 1
}

/// S4 and what follows: `session` was inserted, or moved, by `expiry`, which was read when there
/// had been `seen` changes. Calls `move_to` for as long as that is not its expiry any more.
pub fn move_if_changed<S: SessionRef>(
    session: &S,
    mut seen: u64,
    mut expiry: Expiry,
    mut move_to: impl FnMut(Expiry),
) {
    loop {
        let now = changes();
        if now == seen {
            return;
        }
        let current = session.expiry();
        if current == expiry {
            return;
        }
        move_to(current);
        (seen, expiry) = (now, current);
    }
}
