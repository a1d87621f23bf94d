//! Storing a record: under the lock of the set.
//!
//! # Protocol
//!
//! *A process that puts a record:*
//! 1. takes the set's lock, or gives up (`Put::Busy`). If it took the lock over it renews the
//!    generation of every FREE slot first, so that a holder that is late cannot publish into one;
//! 2. makes LIVE records of the same key DEAD. So there is one of a key at most, at every instant,
//!    and one `take` of a key succeeds at most;
//! 3. looks for a FREE slot, if the set is tidy: then all records are at home (each slot has three
//!    cells where its record is at home, if it has room there), and the home of a FREE slot is
//!    free. It goes on with 6. Otherwise it looks at every slot. Records that are none become
//!    DEAD; the cells of the others are marked. What is not marked is free: nothing else says so,
//!    and so nothing else can be wrong after somebody was killed;
//! 4. wipes what is DEAD, a fence (release) before it, and makes its slot FREE;
//! 5. makes room: while cells or slots are too few, a record becomes DEAD, is wiped, and its slot
//!    FREE (the order is below);
//! 6. after a fence (release) writes the record into free cells (such as follow one another, if
//!    there are any; otherwise it links them), and writes key, facts
//!    and tag of a FREE slot: all of it is reached by nobody yet;
//! 7. replaces the slot's descriptor, FREE, by a LIVE one of the next generation, by
//!    compare-and-swap: now the record is there;
//! 8. gives the lock back.
//!
//! *A set is untidy* from before a record is there that is not at home, and from after one is DEAD
//! that could not be wiped at once. A `put` that looks at every slot makes it tidy first, and untidy
//! again if it finds a record away from home. (A process that is killed when it has made a record
//! DEAD may not have said so: that one is wiped when its room is needed.)
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
use crate::descriptor::{Descriptor, Place, State};
use crate::host::{Host, Step};
use crate::layout::{CELL, Cells, Facts, HOME_CELLS, Key, MAX_RECORD, SLOTS, Set, cells_for, home};
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
    /// It is not: there was none in whose place it was to be.
    Gone,
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
    /// All records are at home, so that a FREE slot's home is free: nothing is marked then.
    all_at_home: bool,
    /// Cells of records that are there.
    used: Cells,
    /// A slot that is FREE, and its descriptor.
    slot: Option<(usize, Descriptor)>,
    casualties: Casualties,
}

/// Which records leave before which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Expired,
    NeverUsed,
    Used,
}

/// A record that may leave.
struct Victim {
    rank: Rank,
    expiry: u32,
    slot: usize,
    descriptor: Descriptor,
}

impl Set {
    /// Stores a record; what was there under its key is gone. With `again` there has to be one.
    pub(crate) fn put(
        &self,
        host: &impl Host,
        key: Key,
        record: &Record<'_>,
        now: u32,
        again: bool,
    ) -> (Put, Casualties) {
        if record.bytes.len() > MAX_RECORD {
            return (Put::TooLarge, Casualties::default());
        }
        let Some(held) = self.hold(host) else { return (Put::Busy, Casualties::default()) };
        host.step(Step::Locked);
        let mut filing = Filing::new(self, host, held);
        let put = filing.put(key, record, now, again);
        let casualties = filing.casualties;
        drop(filing);
        host.step(Step::Unlocked);
        (put, casualties)
    }

    /// Step 1: the lock, and of a set whose lock was taken over new generations.
    pub(crate) fn hold(&self, host: &impl Host) -> Option<Held<'_>> {
        let held = self.lock.lock(host)?;
        if held.was_taken_over() {
            self.renew();
        }
        Some(held)
    }

    fn renew(&self) {
        for slot in 0..SLOTS {
            let descriptor = self.descriptor(slot, Ordering::Relaxed);
            if descriptor.state() == State::Free {
                // Only a holder changes it.
                let _ = self.replace(slot, descriptor, descriptor.renewed());
            }
        }
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
            self.wipe_cell(cell);
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
        let taken_over = held.was_taken_over().into();
        let casualties = Casualties { taken_over, ..Casualties::default() };
        let used = Cells::default();
        Filing { set, host, held, all_at_home: false, used, slot: None, casualties }
    }

    /// Steps 2 to 7. Whoever makes a LIVE record DEAD is one alone: what somebody has taken or
    /// removed is not put again.
    fn put(&mut self, key: Key, record: &Record<'_>, now: u32, again: bool) -> Put {
        let replaced = self.set.retire_all(key, |_| self.host.step(Step::Retired));
        if again && !replaced {
            return Put::Gone;
        }
        let stored = self.publish(key, record, now, replaced);
        if stored.is_some() { Put::Stored } else { Put::Busy }
    }

    /// Steps 3 to 7.
    fn publish(&mut self, key: Key, record: &Record<'_>, now: u32, replaced: bool) -> Option<()> {
        let cells = cells_for(record.bytes.len())?;
        if replaced || !self.finds_tidy_slot(cells) {
            self.survey(cells);
        }
        let (slot, free) = self.make_room(cells, now)?;
        fence(Ordering::Release);
        let place = self.write(slot, record.bytes, cells)?;
        if place != home(slot) || cells > HOME_CELLS {
            self.set.untidy.store(1, Ordering::Relaxed);
        }
        if !self.held.is_ours() {
            return None;
        }
        let facts = Facts { expiry: record.expiry, name: record.name };
        self.set.set_key_and_facts(slot, key, facts);
        self.set.set_tag(slot, key.tag());
        self.host.step(Step::Written);
        let live = free.live(place, record.bytes.len(), record.key_id);
        self.set.replace(slot, free, live).ok()?;
        self.host.step(Step::Published);
        Some(())
    }

    /// The first half of step 3: a FREE slot in a tidy set, for a record that fits into its home.
    fn finds_tidy_slot(&mut self, cells: usize) -> bool {
        let is_tidy = self.set.untidy.load(Ordering::Acquire) == 0;
        if !is_tidy || cells > HOME_CELLS || self.casualties.taken_over != 0 {
            return false;
        }
        let mut descriptors = self.set.candidates(0).map(|slot| {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            (slot, descriptor)
        });
        self.slot = descriptors.find(|(_, descriptor)| descriptor.state() == State::Free);
        self.all_at_home = self.slot.is_some();
        self.all_at_home
    }

    /// The rest of it, and step 4, for a record of so many cells.
    fn survey(&mut self, cells: usize) {
        // Before the look: what becomes DEAD after it makes the set untidy again.
        self.set.untidy.swap(0, Ordering::AcqRel);
        let any_dead = self.look_round();
        if !self.all_at_home {
            self.set.untidy.store(1, Ordering::Relaxed);
        }
        let mut dead = if any_dead { u128::MAX >> (128 - SLOTS) } else { 0 };
        if !self.all_at_home || cells > HOME_CELLS {
            self.all_at_home = false;
            dead = self.mark_all();
        }
        while dead != 0 {
            self.bury(dead.trailing_zeros() as usize);
            dead &= dead - 1;
        }
    }

    /// Finds a FREE slot, and whether all records are at home; returns `true` if any is DEAD.
    /// (Most of the work of a `put`: as few instructions for a slot as can be.)
    fn look_round(&mut self) -> bool {
        let (mut all_at_home, mut free, mut dead) = (true, None, false);
        for slot in 0..SLOTS {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            if descriptor.state() == State::Free {
                free = Some((slot, descriptor));
                continue;
            }
            all_at_home &= descriptor.is_at(home(slot), HOME_CELLS * CELL);
            dead |= !descriptor.is_live();
        }
        (self.slot, self.all_at_home) = (free, all_at_home);
        dead
    }

    /// Marks the cells of the records that are LIVE; such as are none become DEAD. Returns the
    /// slots that are DEAD, a bit for each. (One may be so only since the look round. One that
    /// becomes so after this keeps its marks: its cells are free for the next `put`.)
    fn mark_all(&mut self) -> u128 {
        let mut dead = 0;
        for slot in 0..SLOTS {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            match descriptor.state() {
                State::Free => {}
                State::Live if self.set.mark(descriptor, &mut self.used) => {}
                State::Live => {
                    self.casualties.damaged += u64::from(self.evict(slot, descriptor));
                    dead |= 1 << slot;
                }
                State::Dead => dead |= 1 << slot,
            }
        }
        dead
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

    /// Step 5: a FREE slot. `None`: the lock was taken over, or somebody changes what only its holder
    /// may.
    fn make_room(&mut self, cells: usize, now: u32) -> Option<(usize, Descriptor)> {
        for _ in 0..=SLOTS {
            if self.slot.is_some() && self.used.free() >= cells {
                return self.slot;
            }
            if !self.held.is_ours() {
                return None;
            }
            match self.victim(now) {
                Some(victim) => self.send_away(victim),
                None => self.begin_anew(),
            }
        }
        None
    }

    /// The record that leaves next.
    fn victim(&self, now: u32) -> Option<Victim> {
        let live = (0..SLOTS).filter_map(|slot| {
            let descriptor = self.set.descriptor(slot, Ordering::Acquire);
            let expiry = self.set.facts(slot).expiry;
            let rank = match expiry <= now {
                true => Rank::Expired,
                false if descriptor.is_used() => Rank::Used,
                false => Rank::NeverUsed,
            };
            descriptor.is_live().then_some(Victim { rank, expiry, slot, descriptor })
        });
        live.min_by_key(|victim| (victim.rank, victim.expiry))
    }

    /// A record leaves for want of room.
    fn send_away(&mut self, victim: Victim) {
        let Victim { rank, slot, descriptor, .. } = victim;
        let count = u64::from(self.evict(slot, descriptor));
        match rank {
            Rank::Expired => self.casualties.expired += count,
            Rank::NeverUsed | Rank::Used => self.casualties.evicted += count,
        }
        if self.set.descriptor(slot, Ordering::Acquire).state() == State::Dead {
            for cell in self.set.chain(descriptor).flatten() {
                self.used.remove(cell);
            }
            self.bury(slot);
        }
        if rank == Rank::Used {
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

    /// The first half of step 6: the record, in free cells; at the slot's home or in another run of
    /// them, if there is one. `None`: the lock was taken over.
    fn write(&self, slot: usize, bytes: &[u8], cells: usize) -> Option<Place> {
        if let Some(first) = self.run_for(slot, cells) {
            self.write_to(first..first + cells, bytes)?;
            return Some(Place { first, is_run: true });
        }
        self.write_to(self.used.free_cells(), bytes)?;
        let mut free = self.used.free_cells();
        let first = free.next()?;
        let rest = free.take(cells - 1);
        rest.fold(first, |cell, next| {
            self.set.link(cell, next);
            next
        });
        Some(Place { first, is_run: false })
    }

    fn run_for(&self, slot: usize, cells: usize) -> Option<usize> {
        let Place { first, .. } = home(slot);
        let is_free = || (first..first + cells).all(|cell| !self.used.has(cell));
        if self.all_at_home || cells <= HOME_CELLS && is_free() {
            return Some(first);
        }
        self.used.free_run(cells)
    }

    fn write_to(&self, cells: impl Iterator<Item = usize>, bytes: &[u8]) -> Option<()> {
        for (cell, chunk) in cells.zip(bytes.chunks(CELL)) {
            if !self.held.is_ours() {
                return None;
            }
            self.set.write_cell(cell, chunk);
            self.host.step(Step::CellWritten);
        }
        Some(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::lookup::Wanted;
    use std::cell::Cell;
    use std::ops::Range;

    const NOW: u32 = 100;

    /// The number of the record that expires first.
    const SOONEST: u8 = 100;

    /// A process that stands still at a step for longer than a lock is waited for; meanwhile another
    /// one stores what it likes.
    struct Late<'a> {
        set: &'a Set,
        at: Cell<Option<Step>>,
        others: Range<u8>,
    }

    /// One that comes a minute later.
    struct Later;

    impl Host for Later {
        fn pid(&self) -> u32 {
            2
        }
        fn milliseconds(&self) -> u64 {
            100_000
        }
        fn microseconds(&self) -> u64 {
            100_000_000
        }
        fn is_gone(&self, _: u32) -> bool {
            false
        }
        fn wait(&self, _: u32) {}
    }

    impl Host for Late<'_> {
        fn pid(&self) -> u32 {
            1
        }
        fn milliseconds(&self) -> u64 {
            1000
        }
        fn microseconds(&self) -> u64 {
            1_000_000
        }
        fn is_gone(&self, _: u32) -> bool {
            false
        }
        fn wait(&self, _: u32) {}
        fn step(&self, step: Step) {
            if self.at.get() == Some(step) {
                self.at.set(None);
                self.others.clone().for_each(|number| store(self.set, &Later, number));
            }
        }
    }

    fn key(number: u8) -> Key {
        Key::new([number; 16])
    }

    fn put(set: &Set, host: &impl Host, number: u8, length: usize) -> Put {
        let bytes = [number; MAX_RECORD];
        let expiry = if number == SOONEST { 500 } else { 1000 + u32::from(number) };
        let record = Record { expiry, name: 0, key_id: 0, bytes: &bytes[..length] };
        set.put(host, key(number), &record, NOW, false).0
    }

    /// Of different lengths, so that not all are at home.
    fn store(set: &Set, host: &impl Host, number: u8) {
        assert_eq!(put(set, host, number, 100 + usize::from(number)), Put::Stored);
    }

    fn found(set: &Set, number: u8) -> Option<()> {
        let mut room = [0; MAX_RECORD];
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        let found = set.get(&Later, &wanted, &mut room).ok()?;
        assert!(room[..found.length].iter().all(|&byte| byte == number), "it is another's");
        Some(())
    }

    /// Tries a `put` of so many bytes that is late at a step; returns whether it came to the step.
    fn is_harmless_at(step: Step, length: usize, others: Range<u8>) -> bool {
        let set = Set::new();
        let late = Late { set: &set, at: Cell::new(None), others: others.clone() };
        (0..SLOTS as u8).for_each(|number| store(&set, &late, number));
        late.at.set(Some(step));
        let put = put(&set, &late, 1, length);
        let came = late.at.get().is_none();
        if came && step < Step::Published {
            assert_eq!(put, Put::Busy, "{step:?}");
            assert_eq!(found(&set, 1), None, "{step:?}");
            assert!(others.clone().all(|number| found(&set, number).is_some()), "{step:?}");
        }
        assert_eq!(set.check(&Later, |_| true), Ok(()), "{step:?}");
        (0..u8::MAX).for_each(|number| _ = found(&set, number));
        store(&set, &Later, 1);
        assert!(set.lock.holder().is_none(), "{step:?}");
        came
    }

    #[test]
    fn a_holder_that_is_late_publishes_nothing_and_damages_nothing_at_any_step() {
        let holding = |&step: &Step| step <= Step::Published && step != Step::TakenOver;
        for step in Step::ALL.into_iter().filter(holding) {
            for others in [SOONEST..SOONEST + 1, SOONEST + 1..SOONEST + 36] {
                // For so long a record others have to leave; for a short one nobody has.
                assert!(is_harmless_at(step, 4000, others.clone()), "{step:?}");
                is_harmless_at(step, 60, others);
            }
        }
    }
}
