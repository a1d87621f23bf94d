//! Counters: what happened since the segment was made, in all processes together.
//!
//! A process counts in the stripe of its pid, so that processes seldom write to one line.

use crate::layout::STRIPES;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(crate) enum Counter {
    Hit,
    Confirmed,
    Unknown,
    OtherName,
    Expired,
    Damaged,
    Stored,
    Taken,
    Removed,
    Evicted,
    ExpiredAway,
    Busy,
    TooLarge,
    TakenOver,
}

/// 256 bytes of counters.
#[repr(C)]
pub(crate) struct Stripe([AtomicU64; 32]);

impl Stripe {
    #[inline]
    pub(crate) fn add(&self, counter: Counter, count: u64) {
        if count > 0 {
            self.0[counter as usize].fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// What happened in a segment. Each value is exact, but they are read one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Records found by `get`.
    pub hits: u64,
    /// Records found by `peek`.
    pub confirmed: u64,
    /// Look-ups (`get`, `peek`, `take`) for which there was no record.
    pub unknown: u64,
    /// Look-ups whose record belonged to another name.
    pub other_name: u64,
    /// Look-ups whose record had expired.
    pub expired: u64,
    /// Records that were none, met by a look-up or a `put`: somebody has damaged the memory.
    pub damaged: u64,
    /// Records stored.
    pub stored: u64,
    /// Records taken.
    pub taken: u64,
    /// Keys removed.
    pub removed: u64,
    /// Records that left for want of room before they expired.
    pub evicted: u64,
    /// Expired records that left for want of room, or were swept out.
    pub expired_away: u64,
    /// Records not stored because the lock of their set was held for too long.
    pub busy: u64,
    /// Records not stored because of their size.
    pub too_large: u64,
    /// Locks taken over from processes that were gone, or had stopped.
    pub taken_over: u64,
}

impl Statistics {
    pub(crate) fn sum(stripes: &[Stripe; STRIPES]) -> Self {
        let sum = |counter: Counter| {
            let count = |stripe: &Stripe| stripe.0[counter as usize].load(Ordering::Relaxed);
            stripes.iter().map(count).fold(0, u64::wrapping_add)
        };
        Statistics {
            hits: sum(Counter::Hit),
            confirmed: sum(Counter::Confirmed),
            unknown: sum(Counter::Unknown),
            other_name: sum(Counter::OtherName),
            expired: sum(Counter::Expired),
            damaged: sum(Counter::Damaged),
            stored: sum(Counter::Stored),
            taken: sum(Counter::Taken),
            removed: sum(Counter::Removed),
            evicted: sum(Counter::Evicted),
            expired_away: sum(Counter::ExpiredAway),
            busy: sum(Counter::Busy),
            too_large: sum(Counter::TooLarge),
            taken_over: sum(Counter::TakenOver),
        }
    }
}
