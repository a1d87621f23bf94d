//! The store: the sets of a segment, and who counts what is done with them.

use crate::check::Fault;
use crate::counters::{Counter, Stripe};
use crate::error::Error;
use crate::file::{self, Opened, Options};
use crate::host::{Host, Process};
use crate::layout::{EPOCHS, Facts, Key, SEALING_KEYS, STRIPES, Set};
use crate::lookup::{Buffer, Found, Miss, Wanted};
use crate::put::{Casualties, Put, Record};
use crate::sweep::Swept;
use crate::view::View;
use std::ffi::CStr;
use std::ops::Deref;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// A cache of records in shared memory. See the crate.
pub struct Store<H = Process> {
    view: View,
    host: H,
}

/// What can be asked of a segment without changing it.
impl<H> Deref for Store<H> {
    type Target = View;

    #[inline(always)]
    fn deref(&self) -> &View {
        &self.view
    }
}

impl Store {
    /// Opens the segment of this name in a directory, or makes it.
    pub fn open(directory: BorrowedFd<'_>, name: &CStr, options: &Options) -> Result<Self, Error> {
        Self::open_as(directory, name, options, |process| process)
    }

    /// Opens the segment of this name, if it is there.
    pub fn attach(
        directory: BorrowedFd<'_>,
        name: &CStr,
        options: &Options,
    ) -> Result<Self, Error> {
        Ok(Self::of(file::attach(directory, name, options)?, |process| process))
    }

    /// A segment without a name, for this process and those that it forks.
    pub fn anonymous(size: u64) -> Result<Self, Error> {
        Ok(Self::of(file::anonymous(size, &Process::beside(0))?, |process| process))
    }
}

impl<H: Host> Store<H> {
    /// [`Store::open`] for a process that is more than a [`Process`].
    pub fn open_as(
        directory: BorrowedFd<'_>,
        name: &CStr,
        options: &Options,
        host: impl Fn(Process) -> H,
    ) -> Result<Self, Error> {
        // Before there is a segment there are no locks, and no pids to know.
        let opened = file::open(directory, name, options, &host(Process::beside(0)))?;
        Ok(Self::of(opened, host))
    }

    pub(crate) fn of(opened: Opened, host: impl FnOnce(Process) -> H) -> Self {
        let view = View::of(opened);
        let host = host(Process::beside(view.identity().pid_namespace));
        Store { view, host }
    }

    // ------------------------------------------------------------------------------- records

    /// Copies a record into `out`, as it is at one instant.
    #[inline]
    pub fn get(&self, wanted: &Wanted, out: &mut Buffer) -> Result<Found, Miss> {
        let found = self.home(wanted.key).get(&self.host, wanted, out);
        self.tally(Counter::Hit, found)
    }

    /// Says what [`Store::get`] would find at this instant, without copying it, and without the
    /// record counting as found.
    #[inline]
    pub fn peek(&self, wanted: &Wanted) -> Result<Found, Miss> {
        let found = self.home(wanted.key).peek(&self.host, wanted);
        self.tally(Counter::Confirmed, found)
    }

    /// Says whether there is a record of this key at `now`, whatever name it belongs to. Counts
    /// nothing; a record that comes or goes at this moment may be missed or seen.
    pub fn contains(&self, key: Key, now: u32) -> bool {
        self.home(key).contains(key, now)
    }

    /// Copies a record into `out` and removes it. Of all processes that take one record, one gets
    /// it.
    pub fn take(&self, wanted: &Wanted, out: &mut Buffer) -> Result<Found, Miss> {
        let found = self.home(wanted.key).take(&self.host, wanted, out);
        self.tally(Counter::Taken, found)
    }

    /// Removes the record of a key: nobody finds it from now on. Returns `true` if there was one.
    pub fn remove(&self, key: Key) -> bool {
        let removed = self.home(key).remove(&self.host, key);
        self.count(Counter::Removed, removed.into());
        removed
    }

    /// Stores a record. One that was there under this key is gone before the new one is there.
    /// Others may have to leave for it: such as have expired by `now` first.
    pub fn put(&self, key: Key, record: &Record<'_>, now: u32) -> Put {
        self.tally_put(self.home(key).put(&self.host, key, record, now, false))
    }

    /// The same in the place of a record that is there under this key, and is not removed, or taken,
    /// by somebody else meanwhile: else it is [`Put::Gone`].
    pub fn put_again(&self, key: Key, record: &Record<'_>, now: u32) -> Put {
        self.tally_put(self.home(key).put(&self.host, key, record, now, true))
    }

    fn tally_put(&self, (put, casualties): (Put, Casualties)) -> Put {
        match put {
            Put::Stored => self.count(Counter::Stored, 1),
            Put::Busy => self.count(Counter::Busy, 1),
            Put::TooLarge => self.count(Counter::TooLarge, 1),
            Put::Gone => {}
        }
        self.count_casualties(&casualties);
        put
    }

    #[inline]
    fn home(&self, key: Key) -> &Set {
        let sets = self.all_sets();
        &sets[key.home(sets.len())]
    }

    // ---------------------------------------------------------------- what belongs to sealing

    /// Begins the epoch anew: what was stored under keys with the old number is found by nobody.
    pub fn begin_epoch(&self, number: usize) {
        self.head().epochs[number % EPOCHS].fetch_add(1, Ordering::AcqRel);
    }

    /// The key id of a sealing key, which `check` tells from others (it is not 0, and not the key).
    /// The first to ask gives it one. `None`: all ids are given.
    pub fn key_id(&self, check: u64) -> Option<u8> {
        let keys = &self.head().header.sealing_keys;
        (0..SEALING_KEYS).find(|&id| is_or_becomes(&keys[id], check)).map(|id| id as u8)
    }

    /// Gives the id of a key that does not seal any more to another one. What the old key sealed
    /// does not open from then on. `false`: it had been given away already.
    pub fn replace_key(&self, id: u8, old: u64, new: u64) -> bool {
        let keys = &self.head().header.sealing_keys;
        keys.get(usize::from(id)).is_some_and(|key| {
            key.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
        })
    }

    /// Returns `true` if the keys of the records are made with the key that `check` tells from
    /// others (not 0). The first to ask decides.
    pub fn is_index_key(&self, check: u64) -> bool {
        is_or_becomes(&self.head().header.index_key, check)
    }

    // ------------------------------------------------------------------- the segment as a whole

    /// Looks at every invariant, one set after the other, with its lock held; the first fault that
    /// it finds.
    pub fn check(&self) -> Result<(), Fault> {
        let sets = self.all_sets();
        sets.iter().enumerate().try_for_each(|(number, set)| {
            set.check(&self.host, |key| key.home(sets.len()) == number)
                .map_err(|what| Fault { set: number, what })
        })
    }

    /// Wipes what has expired by `now`, and what has gone before.
    pub fn sweep(&self, now: u32) -> Swept {
        let swept = self.sweep_out(|facts| facts.expiry <= now);
        self.count(Counter::ExpiredAway, swept.records);
        swept
    }

    /// Removes and wipes every record. Such as are stored meanwhile may stay.
    pub fn clear(&self) -> Swept {
        let swept = self.sweep_out(|_| true);
        self.count(Counter::Removed, swept.records);
        swept
    }

    fn sweep_out(&self, leaves: impl Fn(Facts) -> bool) -> Swept {
        let sets = self.all_sets().iter();
        sets.map(|set| set.sweep(&self.host, &leaves)).fold(Swept::default(), Swept::and)
    }

    /// [`Store::take`] for a record that goes to another segment.
    pub(crate) fn take_uncounted(&self, wanted: &Wanted, out: &mut Buffer) -> Result<Found, Miss> {
        self.home(wanted.key).take(&self.host, wanted, out)
    }

    /// The record counts as found, in the order in which records leave.
    pub(crate) fn mark_used(&self, wanted: &Wanted, room: &mut Buffer) {
        let _ = self.home(wanted.key).get(&self.host, wanted, room);
    }

    fn stripe(&self) -> &Stripe {
        &self.head().stripes[self.host.pid() as usize % STRIPES]
    }

    #[inline]
    fn count(&self, counter: Counter, count: u64) {
        self.stripe().add(counter, count);
    }

    #[inline]
    fn tally(&self, hit: Counter, found: Result<Found, Miss>) -> Result<Found, Miss> {
        self.count(found.map_or_else(Miss::counter, |_| hit), 1);
        found
    }

    fn count_casualties(&self, casualties: &Casualties) {
        let Casualties { taken_over, evicted, expired, damaged } = *casualties;
        self.count(Counter::TakenOver, taken_over);
        self.count(Counter::Evicted, evicted);
        self.count(Counter::ExpiredAway, expired);
        self.count(Counter::Damaged, damaged);
    }
}

/// Returns `true` if the word is this value, or was 0 and has become it.
fn is_or_becomes(word: &AtomicU64, value: u64) -> bool {
    match word.compare_exchange(0, value, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => true,
        Err(there) => there == value,
    }
}
