//! What is in a set, and whether it is as it has to be.

use crate::atomic::Ordering;
use crate::descriptor::State;
use crate::host::Host;
use crate::layout::{CELL, CELLS, Cells, HOME_CELLS, Key, SLOTS, Set, home};
use std::fmt;

/// What is in a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// Places for records.
    pub slots: u64,
    /// Records that are there and have not expired.
    pub live: u64,
    /// Of these, such as were found since they were stored.
    pub used: u64,
    /// Records that have expired.
    pub expired: u64,
    /// Records that are gone, and not wiped yet.
    pub dead: u64,
    /// Room for what is in records, in cells.
    pub cells: u64,
    /// Cells of records that are there or have expired.
    pub cells_in_use: u64,
    /// Locks that are held at this moment, or by processes that are gone.
    pub locked: u64,
}

impl Census {
    pub(crate) fn and(self, other: Self) -> Self {
        Census {
            slots: self.slots + other.slots,
            live: self.live + other.live,
            used: self.used + other.used,
            expired: self.expired + other.expired,
            dead: self.dead + other.dead,
            cells: self.cells + other.cells,
            cells_in_use: self.cells_in_use + other.cells_in_use,
            locked: self.locked + other.locked,
        }
    }
}

/// An invariant that does not hold, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    pub(crate) set: usize,
    pub(crate) what: What,
}

/// An invariant of a set that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// The lock is held for so long that nothing could be looked at.
    Locked(Option<u32>),
    /// A record has a cell that is none.
    NoCell(usize),
    /// A record has a cell of another one, or twice the same.
    SharedCell(usize),
    /// A record is not at home, and the set is said to be tidy: its cells count as free.
    Untidy(usize),
    /// A record that is there has another tag than its key: no look-up finds it.
    Tag(usize),
    /// A record belongs into another set: no look-up finds it.
    Home(usize),
    /// Two records have one key.
    TwiceTheKey(usize, usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {}: {:?}", self.set, self.what)
    }
}

impl Set {
    pub(crate) fn census(&self, now: u32) -> Census {
        let locked = self.lock.holder().is_some().into();
        let (slots, cells) = (SLOTS as u64, CELLS as u64);
        let mut census = Census { slots, cells, locked, ..Census::default() };
        for slot in 0..SLOTS {
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            match descriptor.state() {
                State::Free => continue,
                State::Dead => census.dead += 1,
                State::Live if self.facts(slot).expiry <= now => census.expired += 1,
                State::Live => {
                    census.live += 1;
                    census.used += u64::from(descriptor.is_used());
                }
            }
            if descriptor.is_live() {
                census.cells_in_use += self.chain(descriptor).flatten().count() as u64;
            }
        }
        census
    }

    /// Looks at every invariant; `is_home` says whether a key belongs here.
    pub(crate) fn check(
        &self,
        host: &impl Host,
        is_home: impl Fn(Key) -> bool,
    ) -> Result<(), What> {
        let Some(_held) = self.hold(host) else {
            return Err(What::Locked(self.lock.holder()));
        };
        let mut cells = Cells::default();
        for slot in 0..SLOTS {
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            if descriptor.state() == State::Free {
                continue;
            }
            let is_tidy = self.untidy.load(Ordering::Acquire) == 0;
            if is_tidy && !descriptor.is_at(home(slot), HOME_CELLS * CELL) {
                return Err(What::Untidy(slot));
            }
            for cell in self.chain(descriptor) {
                if !cells.add(cell.ok_or(What::NoCell(slot))?) {
                    return Err(What::SharedCell(slot));
                }
            }
            if descriptor.is_live() {
                self.check_key(slot, &is_home)?;
            }
        }
        Ok(())
    }

    fn check_key(&self, slot: usize, is_home: &impl Fn(Key) -> bool) -> Result<(), What> {
        let key = self.key(slot);
        if self.tag(slot) != key.tag() {
            return Err(What::Tag(slot));
        }
        if !is_home(key) {
            return Err(What::Home(slot));
        }
        let is_other = |&other: &usize| {
            self.descriptor(other, Ordering::Acquire).is_live() && self.key(other) == key
        };
        match (0..slot).find(is_other) {
            Some(other) => Err(What::TwiceTheKey(other, slot)),
            None => Ok(()),
        }
    }
}
