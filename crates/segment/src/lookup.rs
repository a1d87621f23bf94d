//! Looking up, taking and removing: without a lock.
//!
//! # Protocol
//!
//! A record is *there* while its descriptor is LIVE. What belongs to it (key, facts, cells) is
//! written before, and changes only after it is DEAD.
//!
//! *A process that looks a record up:*
//! 1. finds the slots with the key's tag; in each:
//! 2. loads the descriptor (acquire); goes on if it is LIVE and the key is the right one;
//! 3. copies facts and cells, whatever they are by now;
//! 4. loads the descriptor again, after a fence (acquire). If it has not changed, but for the
//!    flags, then what was copied is one record, whole. If it has, the slot is looked at again
//!    from 2, a few times.
//!
//! *A process that takes a record* does the same, but for 4: it replaces the descriptor that it
//! loaded by a DEAD one, by compare-and-swap. Of several that take, replace, remove or evict a
//! record one succeeds; and if this one does, its copy is whole, since the descriptor has not
//! changed.
//!
//! *A process that removes a record* replaces the descriptor likewise, without copying.
//!
//! *A process that made a record DEAD* wipes it, if the lock of the set is free. Otherwise it says
//! that the set is untidy, and the next `put` does.
//!
//! *Why the second load of the descriptor sees a change of what was copied.* A process that
//! changes a cell, a key or facts has read, with acquire, that the descriptor is DEAD, and puts a
//! fence (release) before the change. A reader that copied the change has its fence (acquire)
//! after that. So the reader's next load of the descriptor comes after the one that read DEAD, and
//! cannot see an older value.

use crate::atomic::{Ordering, fence};
use crate::counters::Counter;
use crate::descriptor::{Descriptor, State};
use crate::host::{Host, Step};
use crate::layout::{CELL, Cells, Key, MAX_RECORD, Set};

/// Room for a record.
pub type Buffer = [u8; MAX_RECORD];

/// How often a slot is looked at that changes all the time.
const ATTEMPTS: usize = 16;

/// Which record is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Its key.
    pub key: Key,
    /// The hash of the name it must belong to.
    pub name: u32,
    /// The time, in seconds since the epoch: what expires then, or did before, is not there.
    pub now: u32,
}

/// A record that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Bytes in the buffer.
    pub length: usize,
    /// When it expires.
    pub expiry: u32,
    /// Which key sealed it.
    pub key_id: u8,
}

/// Why a record was not found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Miss {
    /// There is none of this key.
    Unknown,
    /// There is one, which belongs to another name.
    OtherName,
    /// There was one, which has expired.
    Expired,
    /// What was there was no record: somebody has damaged the memory.
    Damaged,
}

impl Miss {
    pub(crate) fn counter(self) -> Counter {
        match self {
            Miss::Unknown => Counter::Unknown,
            Miss::OtherName => Counter::OtherName,
            Miss::Expired => Counter::Expired,
            Miss::Damaged => Counter::Damaged,
        }
    }
}

/// A record as it was when its descriptor was loaded; to be validated.
struct Copied {
    descriptor: Descriptor,
    found: Result<Found, Miss>,
}

impl Set {
    /// Copies the record.
    #[inline]
    pub(crate) fn get(
        &self,
        host: &impl Host,
        wanted: &Wanted,
        out: &mut Buffer,
    ) -> Result<Found, Miss> {
        self.search(wanted.key, |slot| {
            let copied = self.read(host, slot, wanted, Some(&mut *out))?;
            if copied.found.is_ok() && !copied.descriptor.is_used() {
                // Should it be gone by now, so be it.
                let _ = self.replace(slot, copied.descriptor, copied.descriptor.used());
            }
            Some(copied.found)
        })
    }

    /// What `get` would say, without copying.
    #[inline]
    pub(crate) fn peek(&self, host: &impl Host, wanted: &Wanted) -> Result<Found, Miss> {
        self.search(wanted.key, |slot| Some(self.read(host, slot, wanted, None)?.found))
    }

    /// Whether there is one, of whatever name: asked without the second look.
    pub(crate) fn contains(&self, key: Key, now: u32) -> bool {
        self.candidates(key.tag()).any(|slot| {
            self.descriptor(slot, Ordering::Acquire).is_live()
                && self.key(slot) == key
                && self.facts(slot).expiry > now
        })
    }

    /// Copies the record and removes it: of several processes, one succeeds.
    pub(crate) fn take(
        &self,
        host: &impl Host,
        wanted: &Wanted,
        out: &mut Buffer,
    ) -> Result<Found, Miss> {
        self.search(wanted.key, |slot| {
            for _ in 0..ATTEMPTS {
                let copied = self.read(host, slot, wanted, Some(&mut *out))?;
                if copied.found.is_err() {
                    return Some(copied.found);
                }
                match self.replace(slot, copied.descriptor, copied.descriptor.dead()) {
                    Ok(()) => {
                        self.tidy(host, slot);
                        return Some(copied.found);
                    }
                    Err(now) if now.is_same_record(copied.descriptor) => {}
                    Err(_) => return None,
                }
            }
            None
        })
    }

    /// Removes the record, whatever name it belongs to. Returns `true` if there was one.
    pub(crate) fn remove(&self, host: &impl Host, key: Key) -> bool {
        self.retire_all(key, |slot| self.tidy(host, slot))
    }

    /// Makes every LIVE record of a key DEAD, and tells of each.
    pub(crate) fn retire_all(&self, key: Key, mut dead: impl FnMut(usize)) -> bool {
        let mut any = false;
        for slot in self.candidates(key.tag()) {
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            if descriptor.is_live() && self.key(slot) == key && self.retire(slot, descriptor) {
                any = true;
                dead(slot);
            }
        }
        any
    }

    /// Makes a LIVE record DEAD; `false` if somebody else did.
    pub(crate) fn retire(&self, slot: usize, mut descriptor: Descriptor) -> bool {
        for _ in 0..ATTEMPTS {
            match self.replace(slot, descriptor, descriptor.dead()) {
                Ok(()) => return true,
                Err(now) if now.is_same_record(descriptor) => descriptor = now,
                Err(_) => return false,
            }
        }
        false
    }

    /// Asks of each slot with the key's tag, until one has an answer. A record that is there comes
    /// before a reason why one is not.
    #[inline(always)]
    fn search(
        &self,
        key: Key,
        mut ask: impl FnMut(usize) -> Option<Result<Found, Miss>>,
    ) -> Result<Found, Miss> {
        let mut miss = Miss::Unknown;
        for slot in self.candidates(key.tag()) {
            match ask(slot) {
                Some(Ok(found)) => return Ok(found),
                Some(Err(why)) => miss = why,
                None => {}
            }
        }
        Err(miss)
    }

    /// Steps 2 to 4. `None`: there is no record of this key in this slot.
    #[inline(always)]
    fn read(
        &self,
        host: &impl Host,
        slot: usize,
        wanted: &Wanted,
        mut out: Option<&mut Buffer>,
    ) -> Option<Copied> {
        for _ in 0..ATTEMPTS {
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            if !descriptor.is_live() || self.key(slot) != wanted.key {
                return None;
            }
            let found = self.judge(slot, descriptor, wanted, out.as_deref_mut());
            host.step(Step::Copied);
            fence(Ordering::Acquire);
            if self.descriptor(slot, Ordering::Relaxed).is_same_record(descriptor) {
                if found == Err(Miss::Damaged) {
                    self.retire(slot, descriptor);
                }
                return Some(Copied { descriptor, found });
            }
        }
        None
    }

    /// What a slot with the right key has, as far as it is believed.
    #[inline(always)]
    fn judge(
        &self,
        slot: usize,
        descriptor: Descriptor,
        wanted: &Wanted,
        out: Option<&mut Buffer>,
    ) -> Result<Found, Miss> {
        let facts = self.facts(slot);
        if facts.name != wanted.name {
            return Err(Miss::OtherName);
        }
        if facts.expiry <= wanted.now {
            return Err(Miss::Expired);
        }
        if descriptor.length() > MAX_RECORD {
            return Err(Miss::Damaged);
        }
        if let Some(out) = out {
            self.copy(descriptor, out).ok_or(Miss::Damaged)?;
        }
        let (length, key_id) = (descriptor.length(), descriptor.key_id());
        Ok(Found { length, expiry: facts.expiry, key_id })
    }

    #[inline(always)]
    fn copy(&self, record: Descriptor, out: &mut Buffer) -> Option<()> {
        // Whole cells: the room for the longest record is a number of cells.
        for (cell, out) in self.chain(record).zip(out.chunks_exact_mut(CELL)) {
            self.read_cell(cell?, out.try_into().ok()?);
        }
        Some(())
    }

    /// Wipes what has just become DEAD, if the lock is free.
    fn tidy(&self, host: &impl Host, slot: usize) {
        host.step(Step::Removed);
        if let Some(_held) = self.lock.try_lock(host) {
            host.step(Step::Locked);
            let descriptor = self.descriptor(slot, Ordering::Acquire);
            if descriptor.state() == State::Dead {
                self.bury(host, slot, descriptor, &Cells::default());
            }
        } else {
            self.untidy.store(1, Ordering::Release);
        }
        host.step(Step::Unlocked);
    }
}
