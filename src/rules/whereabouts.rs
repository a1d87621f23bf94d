//! Where a session may be cached, so that a change of its time need not look everywhere.
//!
//! Contexts sit in blocks of 64. A block has a table of rows of 64 bits, one for each context; a
//! context that stores a session sets its bit in two rows, which the session's address chooses. Who
//! looks for a session asks those contexts alone that have their bit in both rows. A bit stays when
//! the session leaves: it costs a look for nothing, until the context goes.
//!
//! **Nothing is missed.** Who stores first sets its bits, then reads the expiry, then inserts, then
//! looks at [`changes`]. Who changes a time first writes it, then counts the change, then reads the
//! rows, then looks into the caches. In the one order of these sequentially consistent steps, either
//! the second finds the bits, and with them the cache; or the first finds the change, and reads the
//! expiry again ([`keep_up`]).

use std::sync::atomic::{AtomicU64, Ordering};

use super::SessionRef;
use crate::cache::Expiry;

/// Contexts that share a table.
pub const SEATS: usize = u64::BITS as usize;

const ROW_BITS: u32 = 11;

/// The table of one block: contexts look at it without a lock.
pub struct Table([AtomicU64; 1 << ROW_BITS]);

impl Table {
    /// No context has stored anything.
    pub const fn new() -> Self {
        Table([const { AtomicU64::new(0) }; 1 << ROW_BITS])
    }

    /// The two rows of a session (Fibonacci hashing: addresses are multiples of 16).
    fn rows(&self, session: &impl SessionRef) -> [&AtomicU64; 2] {
        let hash = (session.as_ptr().addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let row = |shift: u32| &self.0[(hash >> shift) as usize % self.0.len()];
        [row(u64::BITS - ROW_BITS), row(u64::BITS - 2 * ROW_BITS)]
    }

    /// The contexts that may hold `session`.
    pub fn may_hold(&self, session: &impl SessionRef) -> u64 {
        let [a, b] = self.rows(session);
        a.load(Ordering::SeqCst) & b.load(Ordering::SeqCst)
    }

    /// Forgets all about these contexts, which are gone.
    pub fn forget(&self, contexts: u64) {
        for row in &self.0 {
            if row.load(Ordering::Relaxed) & contexts != 0 {
                row.fetch_and(!contexts, Ordering::SeqCst);
            }
        }
    }
}

/// A block, whatever its contexts are.
pub trait Seats: Send + Sync {
    /// Its table.
    fn table(&self) -> &Table;

    /// The context with this bit is gone.
    fn leave(&self, bit: u64);
}

/// The place of a registered context.
pub struct Place {
    /// Its block.
    pub seats: &'static dyn Seats,
    /// That of the block.
    pub table: &'static Table,
    /// Its bit there.
    pub bit: u64,
}

impl Place {
    /// This context is about to store `session`. Writes nothing that is known already.
    pub fn note(&self, session: &impl SessionRef) {
        for row in self.table.rows(session) {
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

/// The changes so far.
pub fn changes() -> u64 {
    CHANGES.0.load(Ordering::SeqCst)
}

/// The time or timeout of a session was changed. The changes so far.
pub fn count_change() -> u64 {
    CHANGES.0.fetch_add(1, Ordering::SeqCst) + 1
}

/// `session` got its place by `expiry`, which was read when there had been `seen` changes. If it is
/// another by now, has it `placed` again: who changed it may have been there before.
pub fn keep_up<S: SessionRef>(
    session: &S,
    mut seen: u64,
    mut expiry: Expiry,
    mut place: impl FnMut(Expiry),
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
        place(current);
        (seen, expiry) = (now, current);
    }
}
