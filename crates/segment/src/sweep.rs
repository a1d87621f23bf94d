//! Wiping what nobody finds any more, and everything: what a `put` does only where it needs room.
//!
//! # Protocol
//!
//! *A process that sweeps a set:*
//! 1. makes LIVE records that are to leave DEAD, without the lock, as a removal does: from now on
//!    nobody finds them;
//! 2. takes the set's lock, as a `put` does, or leaves the wiping to the next `put`;
//! 3. wipes what is DEAD, and makes its slot FREE, as long as the lock is its own.

use crate::atomic::Ordering;
use crate::descriptor::State;
use crate::host::Host;
use crate::layout::{Cells, Facts, SLOTS, Set};

/// What a sweep has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Records that were there, and are not any more.
    pub records: u64,
    /// Records that were wiped: these, and such as had gone before.
    pub wiped: u64,
    /// Sets in which nothing was wiped because others were at work there for too long.
    pub busy: u64,
}

impl Swept {
    pub(crate) fn and(self, other: Self) -> Self {
        Swept {
            records: self.records + other.records,
            wiped: self.wiped + other.wiped,
            busy: self.busy + other.busy,
        }
    }
}

impl Set {
    /// Sweeps out what `leaves` says.
    pub(crate) fn sweep(&self, host: &impl Host, leaves: impl Fn(Facts) -> bool) -> Swept {
        let mut swept = Swept::default();
        let mut any_dead = false;
        for slot in 0..SLOTS {
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            if descriptor.is_live() && leaves(self.facts(slot)) {
                // If it is another record by now, that one stays.
                swept.records += u64::from(self.retire(slot, descriptor));
            }
            any_dead |= self.descriptor(slot, Ordering::Acquire).state() == State::Dead;
        }
        if any_dead {
            match self.wipe_dead(host) {
                Some(wiped) => swept.wiped = wiped,
                None => swept.busy = 1,
            }
        }
        swept
    }

    fn wipe_dead(&self, host: &impl Host) -> Option<u64> {
        let held = self.hold(host)?;
        let mut wiped = 0;
        for slot in 0..SLOTS {
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            if descriptor.state() == State::Dead && held.is_ours() {
                wiped += u64::from(self.bury(host, slot, descriptor, &Cells::default()).is_some());
            }
        }
        Some(wiped)
    }
}
