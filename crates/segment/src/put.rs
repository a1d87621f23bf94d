//! Storing a record: under the lock of the set.
//!
//! # Protocol
//!
//! *A process that puts a record:*
//! 1. takes the set's lock, or gives up (`Put::Busy`). If it took the lock over it renews the
//!    generation of every FREE slot first, so that a holder that is late cannot publish into one;
//! 2. makes LIVE records of the same key DEAD. So there is one of a key at most, at every instant,
//!    and one `take` of a key succeeds at most;
//! 3. looks at every slot. Expired records, and such as are none, become DEAD; the cells of those
//!    that stay are marked. What is not marked is free: nothing else says so, and so nothing else
//!    can be wrong after somebody was killed;
//! 4. wipes what is DEAD, a fence (release) before it, and makes its slot FREE;
//! 5. makes room: while cells or slots are too few, a record becomes DEAD, is wiped, and its slot
//!    FREE (the order is below);
//! 6. after a fence (release) writes the record into free cells, links them, and writes key, facts
//!    and tag of a FREE slot: all of it is reached by nobody yet;
//! 7. replaces the slot's descriptor, FREE, by a LIVE one of the next generation, by
//!    compare-and-swap: now the record is there;
//! 8. gives the lock back.
//!
//! *A process that is killed at any of these instructions* leaves each descriptor as it was before
//! one of these steps or after it. The record of this key is then missing, or there, and no other
//! one is touched; besides there may be rubbish in cells and slots that nobody reaches, and the
//! lock with the pid of a process that is gone, which the next one takes over.
//!
//! # The order in which records leave
//!
//! Those that have expired; then those that were never found, the one first that expires first;
//! then the others in the same order. When only such are left that were found, those that stay
//! count as never found from then on, so that they have to prove themselves again.

use crate::atomic::{Ordering, fence};
use crate::descriptor::{Descriptor, State};
use crate::host::{Host, Step};
use crate::layout::{CELL, Cells, Facts, Key, MAX_RECORD, SLOTS, Set};
use crate::lock::Held;

/// What is stored.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When it expires, in seconds since the epoch; `u32::MAX`: never.
    pub expiry: u32,
    /// The hash of the name it belongs to.
    pub name: u32,
    /// Which key sealed it: below [`SEALING_KEYS`](crate::SEALING_KEYS).
    pub key_id: u8,
    /// At most [`MAX_RECORD`].
    pub bytes: &'a [u8],
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// It is there.
    Stored,
    /// It is not: others were at work in its place for too long. What was there before may be gone.
    Busy,
    /// It is not: it has more than [`MAX_RECORD`] bytes. What was there before still is.
    TooLarge,
}

/// What happened to other records meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Casualties {
    pub(crate) taken_over: u64,
    pub(crate) evicted: u64,
    pub(crate) expired: u64,
    pub(crate) damaged: u64,
}

/// A set whose lock is held, on the way to a record more.
struct Filing<'a, H> {
    set: &'a Set,
    host: &'a H,
    held: Held<'a>,
    /// Cells of records that are there.
    used: Cells,
    /// A slot that is FREE, and its descriptor.
    slot: Option<(usize, Descriptor)>,
    casualties: Casualties,
}

impl Set {
    /// Stores a record; what was there under its key is gone.
    pub(crate) fn put(
        &self,
        host: &impl Host,
        key: Key,
        record: &Record<'_>,
        now: u32,
    ) -> (Put, Casualties) {
        if record.bytes.len() > MAX_RECORD {
            return (Put::TooLarge, Casualties::default());
        }
        let Some(held) = self.lock.lock(host) else { return (Put::Busy, Casualties::default()) };
        host.step(Step::Locked);
        let mut filing = Filing::new(self, host, held);
        let stored = filing.put(key, record, now);
        let casualties = filing.casualties;
        drop(filing);
        host.step(Step::Unlocked);
        (if stored.is_some() { Put::Stored } else { Put::Busy }, casualties)
    }

    /// For the holder: wipes a record that is DEAD, but for cells that are in use, and makes its
    /// slot FREE. Returns the slot's descriptor.
    pub(crate) fn bury(
        &self,
        host: &impl Host,
        slot: usize,
        dead: Descriptor,
        used: &Cells,
    ) -> Option<Descriptor> {
        fence(Ordering::Release);
        for cell in self.chain(dead).flatten().filter(|&cell| !used.has(cell)) {
            self.write_cell(cell, &[]);
        }
        self.set_tag(slot, 0);
        host.step(Step::Wiped);
        let free = dead.freed();
        self.replace(slot, dead, free).ok()?;
        host.step(Step::Freed);
        Some(free)
    }
}

impl<'a, H: Host> Filing<'a, H> {
    fn new(set: &'a Set, host: &'a H, held: Held<'a>) -> Self {
        let (used, casualties) = Default::default();
        let mut filing = Filing { set, host, held, used, slot: None, casualties };
        if filing.held.was_taken_over() {
            filing.casualties.taken_over = 1;
            filing.renew();
        }
        filing
    }

    /// The second half of step 1.
    fn renew(&self) {
        for slot in 0..SLOTS {
            let descriptor = self.set.descriptor(slot, Ordering::Relaxed);
            if descriptor.state() == State::Free {
                // Only a holder changes it.
                let _ = self.set.replace(slot, descriptor, descriptor.renewed());
            }
        }
    }

    /// Steps 2 to 7.
    fn put(&mut self, key: Key, record: &Record<'_>, now: u32) -> Option<()> {
        self.set.retire_all(key, |_| self.host.step(Step::Retired));
        self.survey(now);
        let cells = record.bytes.len().div_ceil(CELL).max(1);
        let (slot, free) = self.make_room(cells)?;
        fence(Ordering::Release);
        let first = self.write(record.bytes)?;
        if !self.held.is_ours() {
            return None;
        }
        let facts = Facts { expiry: record.expiry, name: record.name };
        self.set.set_key_and_facts(slot, key, facts);
        self.set.set_tag(slot, key.tag());
        self.host.step(Step::Written);
        let live = free.live(first, record.bytes.len(), record.key_id);
        self.set.replace(slot, free, live).ok()?;
        self.host.step(Step::Published);
        Some(())
    }

    /// Steps 3 and 4.
    fn survey(&mut self, now: u32) {
        let mut dead = [false; SLOTS];
        for (slot, dead) in dead.iter_mut().enumerate() {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            match descriptor.state() {
                State::Free => self.slot = Some((slot, descriptor)),
                State::Dead => *dead = true,
                State::Live if self.set.facts(slot).expiry <= now => {
                    self.casualties.expired += u64::from(self.evict(slot, descriptor));
                    *dead = true;
                }
                State::Live => {
                    if !self.mark(descriptor) {
                        self.casualties.damaged += u64::from(self.evict(slot, descriptor));
                        *dead = true;
                    }
                }
            }
        }
        for slot in (0..SLOTS).filter(|&slot| dead[slot]) {
            self.bury(slot);
        }
    }

    /// Marks the cells of a record; returns `false` if they are no cells, or another's.
    #[inline(always)]
    fn mark(&mut self, record: Descriptor) -> bool {
        let used = &mut self.used;
        self.set.chain(record).all(|cell| cell.is_some_and(|cell| used.add(cell)))
    }

    /// Makes a record DEAD that has to leave; `false` if it was not LIVE any more.
    fn evict(&self, slot: usize, descriptor: Descriptor) -> bool {
        let evicted = self.set.retire(slot, descriptor);
        self.host.step(Step::Evicted);
        evicted
    }

    fn bury(&mut self, slot: usize) {
        let dead = self.set.descriptor(slot, Ordering::Acquire);
        if dead.state() == State::Dead {
            if let Some(free) = self.set.bury(self.host, slot, dead, &self.used) {
                self.slot = Some((slot, free));
            }
        }
    }

    /// Step 5: a FREE slot. (`None`: somebody else changes what only the holder may.)
    fn make_room(&mut self, cells: usize) -> Option<(usize, Descriptor)> {
        for _ in 0..=SLOTS {
            if self.slot.is_some() && self.used.free() >= cells {
                return self.slot;
            }
            match self.victim() {
                Some((slot, descriptor)) => self.send_away(slot, descriptor),
                None => self.begin_anew(),
            }
        }
        None
    }

    /// The record that leaves next.
    fn victim(&self) -> Option<(usize, Descriptor)> {
        let live = (0..SLOTS).filter_map(|slot| {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            descriptor.is_live().then_some((slot, descriptor))
        });
        live.min_by_key(|&(slot, descriptor)| (descriptor.is_used(), self.set.facts(slot).expiry))
    }

    /// A record leaves for want of room.
    fn send_away(&mut self, slot: usize, descriptor: Descriptor) {
        self.casualties.evicted += u64::from(self.evict(slot, descriptor));
        if self.set.descriptor(slot, Ordering::Acquire).state() == State::Dead {
            for cell in self.set.chain(descriptor).flatten() {
                self.used.remove(cell);
            }
            self.bury(slot);
        }
        if descriptor.is_used() {
            self.forget_uses();
        }
    }

    /// No record is there, so every cell is free. (Those that are marked are of records that others
    /// took or removed since, or of what was none.)
    fn begin_anew(&mut self) {
        self.used = Cells::default();
        (0..SLOTS).for_each(|slot| self.bury(slot));
    }

    /// Those that stay count as never found.
    fn forget_uses(&self) {
        for slot in 0..SLOTS {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            if descriptor.is_live() {
                // Should it change meanwhile, it keeps its flag.
                let _ = self.set.replace(slot, descriptor, descriptor.unused());
            }
        }
    }

    /// The first half of step 6: the record, in free cells. `None`: the lock was taken over.
    fn write(&self, bytes: &[u8]) -> Option<usize> {
        let mut cells = self.used.others();
        let first = cells.next()?;
        let mut cell = first;
        self.set.write_cell(cell, &bytes[..bytes.len().min(CELL)]);
        for chunk in bytes.chunks(CELL).skip(1) {
            let next = cells.next()?;
            self.host.step(Step::CellWritten);
            if !self.held.is_ours() {
                return None;
            }
            self.set.write_cell(next, chunk);
            self.set.link(cell, next);
            cell = next;
        }
        Some(first)
    }
}
